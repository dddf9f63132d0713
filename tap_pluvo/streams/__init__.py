"""The streams: what each is read from, how, and with which scopes.

Columns, keys and replication keys stand in `schemas/<stream>.json`. A stream class in a module of
this folder is a stream of the tap; nothing else has to name it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from tap_pluvo.stream import PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator


def _with_subclasses(stream: type[PluvoStream]) -> Iterator[type[PluvoStream]]:
    yield stream
    for subclass in stream.__subclasses__():
        yield from _with_subclasses(subclass)


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

# By name, as the SDK runs them. Classes without a name of their own are bases of others; those
# without a node are not read from the API.
STREAMS: tuple[type[PluvoStream], ...] = tuple(
    sorted(
        {
            stream  # once, by whatever ways it descends from that base
            for stream in _with_subclasses(PluvoStream)
            if "name" in vars(stream) and stream.__module__.startswith(f"{__name__}.")
            if stream.node
        },
        key=lambda stream: stream.name,
    )
)
