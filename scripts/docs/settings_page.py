"""Settings on a page, from what a program says with `--about`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markdown_text import NOTICE, code, first_sentence, table

from pluvo_client.settings.sources import variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Settings by purpose; the SDK's come last, whatever they are.
GROUPS = {
    "Organization and access": [
        *("organization", "api_url", "client_id", "client_secret", "scopes"),
        *("ca_bundle", "user_agent", "introspection"),
    ],
    "What to read": [
        *("start_date", "end_date", "filters"),
        *("lookback_days", "window_days", "full_refresh_days"),
        *("add_organization_column", "emit_activate_version_messages"),
    ],
    "Speed, limits and repair": [
        *("page_size", "max_concurrency", "requests_per_second", "operations_per_request"),
        *("request_timeout", "max_response_seconds", "max_response_mb"),
        *("max_retry_seconds", "max_repair_passes"),
    ],
}
SDK_GROUP = "Settings of the Singer SDK"


def settings_page(properties: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on the settings of the tap."""
    intro = [NOTICE, "# Settings\n", introduction(properties, "read")]
    return "\n".join([*intro, *sections(properties, GROUPS, "tap-pluvo")])


def introduction(properties: Mapping[str, Mapping[str, Any]], done: str) -> str:
    """Return how settings are given; `done` is what a wrong one keeps from being done."""
    secrets = " and ".join(
        f"`{name}`" for name, setting in properties.items() if setting.get("secret")
    )
    return (
        "Put settings in a JSON file (`--config=config.json`), in `meltano.yml` under "
        "`config:`, or in environment variables (`--config=ENV`; Meltano reads the same "
        "ones), where numbers, booleans, lists and objects are JSON. Null means not set. An "
        f"unknown setting, or a value out of range, is refused before anything is {done}, with "
        f"the name and the reason. {secrets} are secrets: they are never logged or shown.\n"
    )


def sections(
    properties: Mapping[str, Mapping[str, Any]], groups: Mapping[str, list[str]], program: str
) -> list[str]:
    """Return a table of settings, and a section for each group of them."""
    ours = {name for names in groups.values() for name in names}
    groups = {**groups, SDK_GROUP: [name for name in properties if name not in ours]}
    parts = [
        table(
            ["setting", "type", "default", "meaning"],
            (
                [
                    f"[`{name}`](#{name})",
                    _kind(properties[name]),
                    code(properties[name]["default"]) if "default" in properties[name] else "",
                    first_sentence(properties[name]["description"]),
                ]
                for names in groups.values()
                for name in names
            ),
        ),
    ]
    for group, names in groups.items():
        parts.append(f"## {group}\n")
        parts += [_setting(name, properties[name], program) for name in names]
    return parts


def _kind(setting: Mapping[str, Any]) -> str:
    return str(next(kind for kind in setting["type"] if kind != "null"))


def _setting(name: str, setting: Mapping[str, Any], program: str) -> str:
    facts = [_kind(setting)]
    if "enum" in setting:
        facts.append(" or ".join(code(value) for value in setting["enum"] if value is not None))
    if "items" in setting and "enum" in setting["items"]:
        facts.append(f"of {', '.join(code(value) for value in setting['items']['enum'])}")
    low, above, high = (setting.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        facts.append(f"{low} to {high}")
    elif above is not None:
        facts.append(f"more than {above}" + (f", at most {high}" if high is not None else ""))
    facts.append(f"default {code(setting['default'])}" if "default" in setting else "no default")
    if setting.get("secret"):
        facts.append("secret")
    facts.append(f"variable `{variable_of(program, name)}`")
    lines = [f"### `{name}`\n", setting["description"] + "\n", " · ".join(facts)]
    if setting.get("examples") and not setting.get("secret"):
        example = json.dumps(setting["examples"][0], ensure_ascii=False)
        lines[-1] += "\n"
        lines.append(f'```json\n{{"{name}": {example}}}\n```')
    return "\n".join(lines) + "\n"
