"""The page on the streams and their columns, from the contracts and the stream classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markdown_text import NOTICE, code, codes, first_sentence, table

from pluvo_client.schema.contract import Contract
from tap_pluvo.catalog_stream import FULL_TABLE, INCREMENTAL
from tap_pluvo.filters import filter_names
from tap_pluvo.inputs import LOG_BASED
from tap_pluvo.stream import PluvoStream
from tap_pluvo.streams import STREAMS
from tap_pluvo.streams.sync_log import SyncLog
from tap_pluvo.streams.webhook_events import WebhookEvents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_pluvo.catalog_stream import CatalogStream

ALL: tuple[type[CatalogStream], ...] = (*STREAMS, SyncLog, WebhookEvents)
CLASSES = {stream.name: stream for stream in ALL}
ERD = "../assets/erd.svg"  # seen from the page


def streams_page(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on the streams and their columns."""
    names = sorted(schemas)
    rows = (
        [
            f"[`{name}`](#{name})",
            first_sentence(schemas[name]["description"]),
            codes(schemas[name]["x-key"]),
            replication(CLASSES[name], schemas[name]),
            "yes" if CLASSES[name].selected_by_default else "no",
        ]
        for name in names
    )
    return "\n".join(
        [
            NOTICE,
            "# Streams and columns\n",
            (
                "Columns have the same name and type in every target: snake_case names, plain "
                "values, date-times in UTC as ISO 8601 (`2024-01-31T12:00:00+00:00`), lists and "
                "free-form objects as JSON text. Key columns are never null; all others may be. "
                "*Field* is the field of Pluvo's API that a column comes from; the tap computes "
                "those marked *computed*.\n"
            ),
            (
                "What your organization's API lacks is left out, and undocumented plain fields are "
                "offered as additional columns: see "
                "[When the API changes](../explanation/drift.md). `tap-pluvo --discover` shows "
                "what your organization has. The scopes are *inferred*; the tap "
                "[learns others](../how-to/connect.md#1-get-credentials).\n"
            ),
            table(["stream", "contents", "key", "replication", "on by default"], rows),
            "## How they fit together\n",
            f"[![The streams, their keys and what they refer to]({ERD})]({ERD})\n",
            (
                "Dashed lines are alternatives: the owner of a custom field value is a user or a "
                "group, and `owner_type` says which. A result in `portfolio_report` names its "
                "training by title only (page `common-recipes` shows no identifier), so no line "
                "leads to `trainings`. With "
                "[`add_organization_column`](settings.md#add_organization_column), every key also "
                "includes `organization`.\n"
            ),
            *(_stream(CLASSES[name], schemas[name]) for name in names),
        ]
    )


def replication(stream: type[CatalogStream], schema: Mapping[str, Any]) -> str:
    """Return how a stream is replicated, and the alternative."""
    key = schema.get("x-replication-key")
    methods = [FULL_TABLE] if key is None or stream.default_method == FULL_TABLE else []
    if key is not None:
        methods.append(f"{INCREMENTAL} by `{key}`")
    if stream.replicates_by_log:
        methods.append(LOG_BASED)
    return ", or ".join(methods)


def _stream(stream: type[CatalogStream], schema: Mapping[str, Any]) -> str:
    facts = [("Key", codes(schema["x-key"])), ("Replication", replication(stream, schema))]
    if issubclass(stream, PluvoStream) and stream.node:
        filters = filter_names(stream.root_field() if stream.takes_filters else None, Contract())
        facts += [
            ("Scopes", codes(stream.scopes)),
            ("Read from", code(stream.node)),
            ("Filters", codes(filters) or "none"),
            ("Vendor's pages", codes(schema["x-source"])),
        ]
    rows = []
    for name, column in schema["properties"].items():
        description = column["description"]
        for reference in column.get("x-references", []):
            target = f"`{reference['stream']}.{reference['column']}`"
            description = description.replace(target, f"[{target}](#{reference['stream']})")
        rows.append(
            [
                f"`{name}`" + (" **key**" if name in schema["x-key"] else ""),
                _type(column),
                description,
                code(_api_field(column["x-field"])) if "x-field" in column else "computed",
            ]
        )
    return "\n".join(
        [
            f"## `{stream.name}`\n",
            schema["description"] + "\n",
            "\n".join(f"- {title}: {text}" for title, text in facts) + "\n",
            table(["column", "type", "meaning", "field"], rows),
        ]
    )


def _type(column: Mapping[str, Any]) -> str:
    kind: str = next(kind for kind in column["type"] if kind != "null")
    return str(column.get("format", "text" if kind == "string" else kind))


def _api_field(selection: str) -> str:
    """Return a selection in dotted form, such as `user.id`; of several types, the first one's."""
    selection = re.sub(r"^\.\.\. on \w+ \{ (.*?) \}(?: \.\.\..*)?$", r"\1", selection)
    while found := re.fullmatch(r"([\w.]+) \{ (\w+(?: \{.*\})?) \}", selection):
        selection = f"{found[1]}.{found[2]}"
        if found := re.fullmatch(r"([\w.]+)\.(\w+) (\{.*\})", selection):
            selection = f"{found[1]}.{found[2]} {found[3]}"
    return selection
