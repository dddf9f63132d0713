"""`tap-pluvo --test`: what an administrator wants to know before the first sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pluvo_client.errors import PluvoError
from pluvo_client.schema.comparison import differences
from pluvo_client.schema.contract import documented_schema

if TYPE_CHECKING:
    from tap_pluvo.stream import PluvoStream
    from tap_pluvo.tap import TapPluvo


def run_test(tap: TapPluvo) -> bool:
    """Check everything that a sync needs, print what was checked, and return whether all is well.

    Raises:
        PluvoError: settings, address, token or schema are wrong, so that no stream can be read.
    """
    session = tap.session
    _print(True, f"settings: {session.settings.client.base_url}")
    authenticator = session.client.authenticator
    authenticator.token()
    scopes = ", ".join(authenticator.requested) or "none"
    _print(True, f"token: granted, requested with {scopes}")
    if session.contract.is_live:
        _print(True, "schema: the organization's own")
        for sentence in differences(documented_schema(), session.contract.schema):
            click.echo(f"       {sentence}")
    else:
        _print(
            True,
            "schema: as documented (the organization's own is not shown, or not asked for)",
        )
    _ = session.filters
    for name, reason in tap.missing.items():
        click.echo(f"  --   stream {name}: not offered, {reason}")
    # Of each, even after a failure.
    outcomes = [_test_stream(stream) for stream in tap.streams_to_read()]
    return all(outcomes)


def _test_stream(stream: PluvoStream) -> bool:
    """Read a page of a stream, print how that went, and return whether it went well."""
    try:
        row = next(iter(stream.get_records(None)), None)
    except PluvoError as error:
        _print(False, f"stream {stream.name}: {error}")
        return False
    if stream.left_out:
        click.echo(f"  --   stream {stream.name}: not offered")
    else:
        _print(True, f"stream {stream.name}: {'empty' if row is None else 'one page read'}")
    return True


def _print(good: bool, sentence: str) -> None:
    click.echo(f"  {'ok' if good else 'FAIL':<4} {sentence}")
