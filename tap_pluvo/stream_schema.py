"""The contract of a stream's output: `schemas/<stream>.json`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pluvo_client.schema.columns import Column, parse_selection
from pluvo_client.schema.files import read_schema

if TYPE_CHECKING:
    from collections.abc import Mapping


class StreamSchema(NamedTuple):
    """What `schemas/<stream>.json` says of a stream."""

    description: str
    key: tuple[str, ...]
    replication_key: str | None
    selected_by_default: bool
    columns: Mapping[str, Column]


@cache
def stream_schema(stream: str) -> StreamSchema:
    """Return the contract of a stream's output.

    A column's `x-field` is the GraphQL selection that it is read from. Keywords that begin with
    `x-` are for this project, and are not emitted.
    """
    document = msgspec.json.decode(read_schema(f"{stream}.json"))
    columns = {
        name: Column(
            name,
            {key: item for key, item in schema.items() if not key.startswith("x-")},
            parse_selection(schema.get("x-field")),
        )
        for name, schema in document["properties"].items()
    }
    return StreamSchema(
        document["description"],
        tuple(document["x-key"]),
        document.get("x-replication-key"),
        document.get("x-selected-by-default", True),
        columns,
    )
