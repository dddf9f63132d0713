"""`tap-pluvo --test`: what an administrator wants to know before the first sync."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from tap_pluvo.contract import Contract
from tap_pluvo.errors import PluvoError

if TYPE_CHECKING:
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
    for name, reason in tap.missing.items():
        click.echo(f"  --   stream {name}: not offered, {reason}")
    for stream in tap.streams.values():
        if not stream.selected:
            continue
        try:
            rows = list(islice(stream.get_records(None), 1))
        except PluvoError as error:
            healthy = False
            _say(False, f"stream {stream.name}: {error}")
        else:
            _say(True, f"stream {stream.name}: {'one page read' if rows else 'empty'}")
    return healthy


def _say(good: bool, sentence: str) -> None:
    click.echo(f"  {'ok' if good else 'FAIL':<4} {sentence}")


def _differences(live: Contract) -> list[str]:
    """Return how the organization's types differ from the documented ones of the same name."""
    documented = Contract()
    sentences = []
    for name, kind in documented.schema.type_map.items():
        if name.startswith("__") or name == "Mutation":
            continue
        other = live.schema.type_map.get(name)
        ours = set(getattr(kind, "fields", ()))
        if other is None:
            sentences.append(f"lacks type {name}")
            continue
        theirs = set(getattr(other, "fields", ()))
        sentences += [f"lacks {name}.{field}" for field in sorted(ours - theirs)]
        sentences += [f"adds {name}.{field}" for field in sorted(theirs - ours)]
    return sentences
