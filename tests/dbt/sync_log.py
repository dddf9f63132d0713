"""What the tap says about its reads: rows of the stream `sync_log`, written by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from organization import Sync


def log(
    sync: Sync,
    stream: str,
    mode: str = "FULL",
    window: tuple[str | None, str | None] = (None, None),
    *,
    complete: bool = True,
    **organization: str,
) -> None:
    """Say how a sync read a stream; its rows were extracted between start and finish."""
    sync.add(
        "sync_log",
        stream=stream,
        started_at=(sync.started + timedelta(seconds=1)).isoformat(),
        finished_at=(sync.started + timedelta(minutes=10)).isoformat(),
        mode=mode,
        window_from=window[0],
        window_to=window[1],
        complete=complete,
        rows=len(sync.streams.get(stream, ())),
        **organization,
    )
