"""The stream `sync_log`: what the tap says that it read."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_pluvo.catalog_stream import CatalogStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers import types

    from pluvo_client.schema.selection import Record
    from tap_pluvo.stream import PluvoStream

FULL = "FULL"  # all rows were looked at, also those without a date
WINDOW = "WINDOW"  # only those of a range of days were
CHANGES = "LOG_BASED"  # only those that webhooks said had changed were


class SyncLog(CatalogStream):
    """A row for each stream that a run reads, written when that stream's last record is.

    It is not read from the API, so it needs no scope and nothing of the organization's schema.
    Rows are only ever added: no run knows those of the others.
    """

    name = "sync_log"
    node = ""
    offers_live_fields = False

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        """Give none: each row is written when another stream ends."""
        return ()

    def begin(self) -> None:
        """Tell the target of the stream, which stays empty if no other one is selected."""
        if self.selected:
            self._write_schema_message()

    @contextmanager
    def following(self, stream: PluvoStream) -> Iterator[None]:
        """Write the row of a stream that is read meanwhile, also if that fails or is cut off.

        A pipe or disk that takes no more takes no row either.
        """
        stream.extracted_at = dt.datetime.now(dt.UTC)
        began = time.monotonic()
        stream.when_read = partial(self._add, stream, began, ended=True)
        try:
            yield
        except OSError:
            raise
        except BaseException:
            self._add(stream, began, ended=False)
            raise

    def _add(self, stream: PluvoStream, began: float, *, ended: bool) -> None:
        """Write the row of a stream; `began` is when its reading began, by the monotonic clock."""
        if not self.selected:
            return
        read = stream.progress
        started = stream.extracted_at
        self.extracted_at = started + dt.timedelta(seconds=time.monotonic() - began)
        whole = stream.kept_plan and not read.withheld
        window = read.window if whole and not stream.reads_all else None
        row = {
            "stream": stream.name,
            "started_at": started.isoformat(timespec="microseconds"),
            "finished_at": self.extracted_at.isoformat(timespec="microseconds"),
            "mode": CHANGES if stream.reads_changes else FULL if stream.looks_at_all else WINDOW,
            "window_from": window and window[0],
            "window_to": window and window[1],
            "complete": ended and whole,
            "rows": read.distinct,
            "counted": stream.counted,
            "indistinguishable": read.indistinguishable,
            "repairs": read.repairs,
            "tap_version": self._tap.plugin_version,
            "organization": self.session.organization,
        }
        self._write_record_message(
            {name: row[name] for name in self.columns if self.mask[("properties", name)]}
        )
