"""The entries for MeltanoHub, made from what the programs say with `--about`.

The hub wants sorted keys, settings and capabilities, and names the variant after the account that
owns the repository. Secrets are both of kind `password` and `sensitive` there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from plugin_settings import SUFFICIENT, plugin_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[1]
NOTICE = "# Written by scripts/meltano_settings.py (`make generate`) from `{} --about`.\n"


class Program(NamedTuple):
    """A program of this repository, as the hub shows it."""

    kind: str
    label: str
    description: str
    package: str
    vendor: str
    keywords: tuple[str, ...]
    sufficient: list[list[str]]  # groups of settings, each of which is enough to start


PROGRAMS = {
    "tap-pluvo": Program(
        "extractors",
        "Pluvo",
        "Learning management system: users, progress, certificates, enrollments",
        "tap-pluvo",
        "https://www.pluvo.com/",
        ("api", "education", "graphql", "lms", "meltano_sdk"),
        SUFFICIENT,
    ),
    "target-pluvo": Program(
        "loaders",
        "Pluvo",
        "Learning management system: users, groups, trainings, enrollments, certificates",
        "tap-pluvo[targets]",
        "https://www.pluvo.com/",
        ("api", "education", "graphql", "lms", "meltano_sdk"),
        SUFFICIENT,
    ),
    "target-thought-industries": Program(
        "loaders",
        "Thought Industries",
        "Learning management system: certificates of users, each issued exactly once",
        "tap-pluvo[targets]",
        "https://www.thoughtindustries.com/",
        ("api", "education", "lms", "meltano_sdk"),
        [["tenant", "api_key", "resources"], ["api_url", "api_key", "resources"]],
    ),
}


class Entry(NamedTuple):
    """A file for the hub's folder `_data/meltano/`."""

    path: str
    text: str


def hub_entry(about: Mapping[str, Any], unselected: Iterable[str] = ()) -> Entry:
    """Return the entry; that of a tap has the streams `unselected` off by default."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    repository = project["urls"]["Repository"]
    variant = urlsplit(repository).path.split("/")[1].lower()
    name = about["name"]
    program = PROGRAMS[name]
    settings = [
        _setting(setting, schema) for setting, schema in about["settings"]["properties"].items()
    ]
    entry = {
        "capabilities": sorted(about["capabilities"]),
        "description": program.description,
        "domain_url": program.vendor,
        "executable": name,
        "keywords": list(program.keywords),
        "label": program.label,
        "log_parser": "singer-sdk",
        "logo_url": f"/assets/logos/{program.kind}/{program.label.lower().replace(' ', '-')}.png",
        "maintenance_status": "active",
        "name": name,
        "namespace": name.replace("-", "_"),
        "pip_url": program.package,
        "quality": "silver",
        "repo": repository,
        "settings": sorted(settings, key=lambda setting: setting["name"]),
        "settings_group_validation": sorted(sorted(group) for group in program.sufficient),
        "supported_python_versions": about["supported_python_versions"],
        "variant": variant,
    }
    if program.kind == "extractors":
        entry["select"] = ["*.*", *(f"!{stream}.*" for stream in sorted(unselected))]
    text = NOTICE.format(name) + yaml.dump(
        entry, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=80
    )
    return Entry(f"hub/{program.kind}/{name}/{variant}.yml", text)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as in the base
        return True


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting in the hub's form."""
    setting = plugin_setting(name, schema)
    return setting | {"kind": "password"} if "sensitive" in setting else setting
