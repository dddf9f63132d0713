"""The entry for MeltanoHub, made of what `tap-pluvo --about` says.

The hub wants sorted keys, settings and capabilities, and takes the name of the account that holds
the repository as the variant. Secrets are of the kind `password` there, beside `sensitive`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[2]
UNPUBLISHED = "https://github.com/OWNER/tap-pluvo"  # until pyproject.toml has an address
VENDOR = "https://www.pluvo.com/"
KINDS = {
    "number": "string"
}  # Meltano 4.4 fails on a `decimal` that is set; the tap reads text, too
GROUPS = [
    ["organization", "client_id", "client_secret"],
    ["api_url", "client_id", "client_secret"],
]


class Entry(NamedTuple):
    """A file for the hub's folder `_data/meltano/`."""

    path: str
    text: str


def hub_entry(about: dict[str, Any]) -> Entry:
    """Return the entry and where it stands."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    repository = project.get("urls", {}).get("Repository", UNPUBLISHED)
    variant = urlsplit(repository).path.split("/")[1].lower()
    name = about["name"]
    settings = [
        _setting(setting, schema) for setting, schema in about["settings"]["properties"].items()
    ]
    entry = {
        "capabilities": sorted(about["capabilities"]),
        "description": "Learning management system: users, progress, certificates, enrollments",
        "domain_url": VENDOR,
        "executable": name,
        "keywords": ["api", "education", "graphql", "lms", "meltano_sdk"],
        "label": "Pluvo",
        "log_parser": "singer-sdk",
        "logo_url": "/assets/logos/extractors/pluvo.png",
        "maintenance_status": "active",
        "name": name,
        "namespace": name.replace("-", "_"),
        "pip_url": name,
        "quality": "silver",
        "repo": repository,
        "select": ["*.*", "!portfolio_items.*"],
        "settings": sorted(settings, key=lambda setting: setting["name"]),
        "settings_group_validation": sorted(sorted(group) for group in GROUPS),
        "supported_python_versions": about["supported_python_versions"],
        "variant": variant,
    }
    text = yaml.dump(entry, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=80)
    return Entry(f"hub/extractors/{name}/{variant}.yml", text)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as in the base
        return True


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as the hub describes it."""
    kind = next(kind for kind in schema["type"] if kind != "null")
    setting: dict[str, Any] = {
        "name": name,
        "label": schema["title"],
        "kind": KINDS.get(kind, kind),
        "description": schema["description"],
    }
    if schema.get("format") in {"date", "date-time"}:
        setting["kind"] = "date_iso8601"
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        setting["kind"] = "options"
        setting["options"] = [{"label": value.title(), "value": value} for value in values]
    if schema.get("secret"):
        setting |= {"kind": "password", "sensitive": True}
    if "default" in schema:
        setting["value"] = schema["default"]
    return setting
