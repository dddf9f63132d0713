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
VENDOR = "https://www.pluvo.com/"


# By program: the kind of the plugin, what it is for, and what to install.
PROGRAMS = {
    "tap-pluvo": (
        "extractors",
        "Learning management system: users, progress, certificates, enrollments",
        "tap-pluvo",
    ),
    "target-pluvo": (
        "loaders",
        "Learning management system: users, groups, trainings, enrollments, certificates",
        "tap-pluvo[targets]",
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
    kind, description, package = PROGRAMS[name]
    settings = [
        _setting(setting, schema) for setting, schema in about["settings"]["properties"].items()
    ]
    entry = {
        "capabilities": sorted(about["capabilities"]),
        "description": description,
        "domain_url": VENDOR,
        "executable": name,
        "keywords": ["api", "education", "graphql", "lms", "meltano_sdk"],
        "label": "Pluvo",
        "log_parser": "singer-sdk",
        "logo_url": f"/assets/logos/{kind}/pluvo.png",
        "maintenance_status": "active",
        "name": name,
        "namespace": name.replace("-", "_"),
        "pip_url": package,
        "quality": "silver",
        "repo": repository,
        "settings": sorted(settings, key=lambda setting: setting["name"]),
        "settings_group_validation": sorted(sorted(group) for group in SUFFICIENT),
        "supported_python_versions": about["supported_python_versions"],
        "variant": variant,
    }
    if kind == "extractors":
        entry["select"] = ["*.*", *(f"!{stream}.*" for stream in sorted(unselected))]
    text = NOTICE.format(name) + yaml.dump(
        entry, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=80
    )
    return Entry(f"hub/{kind}/{name}/{variant}.yml", text)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as in the base
        return True


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting in the hub's form."""
    setting = plugin_setting(name, schema)
    return setting | {"kind": "password"} if "sensitive" in setting else setting
