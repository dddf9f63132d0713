"""The tables of streams in other documents, between markers.

A table keeps the order of its rows in the document; a new stream comes last.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown_text import between, code, codes, in_order_of, table
from streams_page import CLASSES, replication

from tap_pluvo.catalog_stream import FULL_TABLE, INCREMENTAL
from tap_pluvo.inputs import LOG_BASED
from tap_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def stream_tables(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the text of each document that has such a table, by path."""
    documents = {
        "README.md": streams,
        "docs/how-to/connect.md": scopes,
        "docs/how-to/personal-data.md": personal_data,
    }
    written = {}
    for path, make in documents.items():
        document = (ROOT / path).read_text("utf-8")
        name = make.__name__.replace("_", " ")
        written[path] = between(document, name, make(document, schemas))
    return written


def streams(document: str, schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of all streams: what a row is, the key, the replication."""
    rows = []
    for name in in_order_of(document, schemas):
        schema = schemas[name]
        off = "" if schema.get("x-selected-by-default", True) else "; off unless selected"
        method = replication(CLASSES[name], schema)
        method = method.replace(FULL_TABLE, "full").replace(INCREMENTAL, "incremental")
        method = method.removesuffix(f", or {LOG_BASED}")  # which needs webhooks
        rows.append([code(name), schema["x-row"] + off, codes(schema["x-key"]), method])
    return table(["stream", "one row is", "key", "replication"], rows)


def scopes(document: str, _: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of the scopes and the streams that need them."""
    needed = in_order_of(document, {scope for stream in STREAMS for scope in stream.scopes})
    rows = (
        [code(scope), codes(sorted(stream.name for stream in STREAMS if scope in stream.scopes))]
        for scope in needed
    )
    return table(["scope", "streams that need it"], rows)


def personal_data(document: str, schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of the columns that name or describe a person."""
    streams_of: dict[tuple[str, ...], list[str]] = {}  # streams with the same columns share a row
    for stream in in_order_of(document, schemas):
        columns = schemas[stream]["properties"].items()
        if personal := tuple(name for name, column in columns if column.get("x-personal")):
            streams_of.setdefault(personal, []).append(stream)
    rows = ([codes(names), codes(columns)] for columns, names in streams_of.items())
    return table(["streams", "columns"], rows)
