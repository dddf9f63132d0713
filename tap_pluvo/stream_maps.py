"""The setting `stream_maps`, which is the SDK's: refuse what the SDK would pass over in silence.

A name that is misspelled there maps nothing. Whoever meant to hash names or to leave out addresses
would find them in the warehouse.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def check_maps(maps: Mapping[str, Any], streams: Mapping[str, Collection[str]]) -> None:
    """Make sure that each map has a stream, and each column that is left out is there.

    `streams` gives the columns of each stream; none are given of one that the organization lacks.

    Raises:
        ConfigurationError: there is no such stream or column.
    """
    for name, definition in maps.items():
        if name.startswith("__"):
            continue
        columns = definition if isinstance(definition, dict) else {}
        source = columns.get("__source__", name)
        found = [stream for stream in streams if fnmatchcase(stream, source)]
        if not found:
            remedy = did_you_mean(source, streams)
            msg = f"setting `stream_maps`: there is no stream {source!r}{remedy}"
            raise ConfigurationError(msg)
        known = {column for stream in found for column in streams[stream]}
        for column, value in columns.items():
            if value is None and known and column not in known and not column.startswith("__"):
                msg = (
                    f"setting `stream_maps.{name}`: there is no column {column!r} to leave out"
                    f"{did_you_mean(column, known)}"
                )
                raise ConfigurationError(msg)


def lost_delete(stream: str, column: str) -> ConfigurationError:
    """Return what is wrong with a map by which a row that is gone would look like any other."""
    return ConfigurationError(
        f"setting `stream_maps.{stream}`: it leaves out `{column}`, which says that a row is gone: "
        f"add `{column}: {column}`"
    )
