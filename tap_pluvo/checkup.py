"""`tap-pluvo --test`: what an administrator wants to know before the first sync."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from graphql import GraphQLEnumType, get_named_type, is_abstract_type

from tap_pluvo.contract import Contract
from tap_pluvo.errors import PluvoError

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from tap_pluvo.tap import TapPluvo


def check_up(tap: TapPluvo) -> bool:
    """Check everything that a sync needs, say what was checked, and return whether all is well."""
    _say(True, f"settings: {tap.settings.base_url}")
    client = tap.client
    client.auth.token()
    scopes = ", ".join(client.auth.requested) or "none"
    _say(True, f"token: granted, asked for {scopes}")
    contract = tap.contract
    if contract.is_live:
        _say(True, "schema: the organization's own")
        for sentence in _differences(contract):
            click.echo(f"       {sentence}")
    else:
        _say(True, "schema: by the documents (introspection is off here or there)")
    _ = tap.filters
    tap.fetcher.concurrency = 0  # nothing is read ahead: one page is enough
    healthy = True
    streams = tap.streams.values()
    for name, reason in tap.missing.items():
        click.echo(f"  --   stream {name}: not offered, {reason}")
    for stream in streams:
        if not stream.selected:
            continue
        stream.a_page_is_enough = True  # type: ignore[attr-defined]  # all streams are ours
        try:
            rows = list(islice(stream.get_records(None), 1))
        except PluvoError as error:
            healthy = False
            _say(False, f"stream {stream.name}: {error}")
            continue
        if stream.left_out:  # type: ignore[attr-defined]
            click.echo(f"  --   stream {stream.name}: not offered")
        else:
            _say(True, f"stream {stream.name}: {'one page read' if rows else 'empty'}")
    return healthy


def _say(good: bool, sentence: str) -> None:
    click.echo(f"  {'ok' if good else 'FAIL':<4} {sentence}")


def _differences(live: Contract) -> list[str]:
    """Return how the types that queries lead to differ from those in the documents."""
    ours, theirs = _items(Contract().schema), _items(live.schema)
    return [
        f"{word} {item}"
        for word, items, others in (("lacks", ours, theirs), ("adds", theirs, ours))
        for item in sorted(items - others)
        if "." not in item or item.split(".")[0] in others  # a whole type is said once
    ]


def _items(schema: GraphQLSchema) -> set[str]:
    """Return the types that queries lead to, their fields, arguments and enum values."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting: list[Any] = [schema.query_type]
    while waiting:
        kind = waiting.pop()
        if kind.name in seen or kind.name.startswith("__"):
            continue
        seen.add(kind.name)
        found.add(kind.name)
        if isinstance(kind, GraphQLEnumType):
            found.update(f"{kind.name}.{value}" for value in kind.values)
        if is_abstract_type(kind):
            waiting += schema.get_possible_types(kind)
        for name, field in getattr(kind, "fields", {}).items():
            found.add(f"{kind.name}.{name}")
            waiting.append(get_named_type(field.type))
            for argument, definition in getattr(field, "args", {}).items():
                found.add(f"{kind.name}.{name}({argument}:)")
                waiting.append(get_named_type(definition.type))
    return found
