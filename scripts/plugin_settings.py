"""The tap's settings in Meltano's terms, for plugin.yml, meltano.yml and MeltanoHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Meltano 4.4 cannot write its `decimal` as JSON; the tap also reads numbers from text.
KINDS = {"number": "string"}

# Either group of settings is enough to start.
SUFFICIENT = [
    ["organization", "client_id", "client_secret"],
    ["api_url", "client_id", "client_secret"],
]


def plugin_setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a setting, from its JSON Schema in `tap-pluvo --about`."""
    kind = next(kind for kind in schema["type"] if kind != "null")
    setting = {"name": name, "label": schema["title"], "kind": KINDS.get(kind, kind)}
    if schema.get("format") in {"date", "date-time"}:
        setting["kind"] = "date_iso8601"
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        setting["kind"] = "options"
        setting["options"] = [{"label": value.title(), "value": value} for value in values]
    if schema.get("secret"):
        setting["sensitive"] = True
    if "default" in schema:
        setting["value"] = schema["default"]
    setting["description"] = schema["description"]
    return setting
