"""The files that a run is given: configuration, state and catalog.

A file that cannot be used is refused in a sentence that names the file, the place and the remedy.
"""

from __future__ import annotations

import re
from typing import IO, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from singer_sdk.singerlib import Catalog, CatalogEntry

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.values import moment
from pluvo_client.settings.sources import json_object

LOG_BASED = "LOG_BASED"  # the replication method
DELETED_AT = "_sdc_deleted_at"  # the column that then says of a row that it is gone

# What of a stream's state is read.
STATE_MOMENTS = ("replication_key_value", "full_read_at")
STATE_RANGE = "range"  # one that a backfill has not read to its end yet
STATE_SEQUENCE = "log_sequence"  # of the last event of a webhook that was read
STATE_OBJECTS = "log_objects"  # that the last full read of a stream replicated by log went through
EVENTS = "webhook_events"  # the stream whose replication key is a number
STATE_OWNER = "organization"  # the host that the bookmarks are of

_TEXT = {"type": ["string", "null"]}
_TEXTS = {"type": ["array", "null"], "items": {"type": "string"}}
_COLUMNS = {"type": "object", "additionalProperties": {"$ref": "#/$defs/column"}}
_TYPE = {"type": ["string", "array"], "items": {"type": "string"}}
_METADATA = {
    "selected": {"type": ["boolean", "null"]},
    "selected-by-default": {"type": ["boolean", "null"]},
    "inclusion": {"enum": ["available", "automatic", "unsupported", None]},
    "replication-key": _TEXT,
    "forced-replication-method": _TEXT,
    "replication-method": _TEXT,
    "table-key-properties": _TEXTS,
}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


# What is read of a catalog; whatever else it holds is ignored.
CATALOG = _object(
    ("streams",),
    streams={
        "type": "array",
        "items": _object(
            ("tap_stream_id", "schema"),
            tap_stream_id={"type": "string"},
            stream=_TEXT,
            schema=_object(("properties",), properties=_COLUMNS | {"minProperties": 1}),
            key_properties=_TEXTS,
            replication_key=_TEXT,
            replication_method=_TEXT,
            metadata={
                "type": "array",
                "items": _object(
                    ("breadcrumb", "metadata"),
                    breadcrumb={"type": "array", "items": {"type": "string"}},
                    metadata={"type": "object", "properties": _METADATA},
                ),
            },
        ),
    },
) | {"$defs": {"column": _object((), type=_TYPE, properties=_COLUMNS)}}


def check_state(state: dict[str, Any]) -> None:
    """Raise `ConfigurationError` for a state that this tap cannot have written."""
    bookmarks = state.get("bookmarks", {})
    owner = state.get(STATE_OWNER)
    if (
        not isinstance(bookmarks, dict)
        or not isinstance(owner, str | None)
        or set(state) - {"bookmarks", STATE_OWNER}
    ):
        msg = (
            'state: expected an object {"bookmarks": {...}} as this tap writes it; a state of '
            "another tap or version cannot be used"
        )
        raise ConfigurationError(msg)
    for name, bookmark in bookmarks.items():
        if not isinstance(bookmark, dict):
            msg = f"state: the bookmark of {name!r} is not an object"
            raise ConfigurationError(msg)
        for key in (STATE_SEQUENCE, STATE_OBJECTS):
            if not _is_number(bookmark.get(key)):
                msg = f"state: `{key}` of {name!r} is not a number"
                raise ConfigurationError(msg)
        for key in STATE_MOMENTS:
            value = bookmark.get(key)
            is_event = key == "replication_key_value" and name == EVENTS
            if not (_is_number(value) if is_event else value is None or _is_moment(value)):
                kind = "a number" if is_event else "an ISO 8601 date or date-time"
                msg = f"state: `{key}` of {name!r} is not {kind}"
                raise ConfigurationError(msg)
        if not _is_range(bookmark.get(STATE_RANGE)):
            msg = f"state: `{STATE_RANGE}` of {name!r} does not hold the days of a range"
            raise ConfigurationError(msg)


def claim_state(state: dict[str, Any], host: str) -> None:
    """Note in a state whose it is, since bookmarks of another organization would hide rows.

    Raises:
        ConfigurationError: it is another organization's.
    """
    owner = state.setdefault(STATE_OWNER, host)
    if owner != host:
        msg = (
            f"state: it is of {owner}, and this run reads {host}: give each organization its own "
            "state, or none to read everything. If it is the same organization at a new address, "
            f"write {host} for `{STATE_OWNER}` in the state"
        )
        raise ConfigurationError(msg)


def _is_moment(value: Any) -> bool:
    try:
        moment(value)
    except (ValueError, OverflowError):
        return False
    return re.match(r"(19|[2-9]\d)\d\d-\d\d-\d\d", value) is not None


def _is_number(value: Any) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _is_range(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    days = [value.get("end"), value.get("read_to"), value.get("start") or value.get("end")]
    return all(_is_moment(day) and re.fullmatch(r"[\d-]{10}", str(day)) for day in days)


def read_catalog(source: IO[str] | None) -> Catalog | None:
    """Return the catalog that a file holds.

    Raises:
        ConfigurationError: the file is not a catalog.
    """
    if source is None:
        return None
    found = json_object("catalog", source)
    if wrong := best_match(Draft202012Validator(CATALOG).iter_errors(found)):
        place = ".".join(map(str, wrong.absolute_path))
        msg = (
            f"catalog: the file is not a Singer catalog{place and f', see {place}'}: "
            "write one with `tap-pluvo --discover`"
        )
        raise ConfigurationError(msg)
    for stream in found["streams"]:
        for entry in stream.get("metadata") or ():
            # What Singer calls the user's choice; the SDK knows the one of the stream alone.
            if not entry["breadcrumb"] and (method := entry["metadata"].get("replication-method")):
                stream["replication_method"] = method
    return Catalog.from_dict(found)


def is_selected(entry: CatalogEntry) -> bool:
    """Tell whether a catalog selects a stream."""
    return entry.metadata.resolve_selection().get((), True)
