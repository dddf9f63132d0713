"""A run: all rows compared first, then limits, then exactly what was planned is written."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from typing import TYPE_CHECKING

from pluvo_client.client import PluvoClient
from pluvo_singer.rejects import RejectsFile, sentences
from target_pluvo.ledger import open_ledger
from target_pluvo.limits import LIMITS, SPAN, check_number, exceeded, limit_error, planned
from target_pluvo.plan import Plan, table
from target_pluvo.remote_state import RemoteState
from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Incoming, Row
    from target_pluvo.changes import Change, Limited
    from target_pluvo.settings import Settings
    from target_pluvo.streams.base import StreamWriter

logger = logging.getLogger("target-pluvo")


class Run:
    """Writes the rows of some streams; `succeeded` says whether all of them are in Pluvo."""

    def __init__(self, settings: Settings, incoming: Incoming) -> None:
        self.succeeded = False
        self._settings = settings
        self._incoming = incoming
        self._names = [
            name for name in STREAMS if incoming.rows.get(name) or incoming.rejected.get(name)
        ]
        self._rejects = RejectsFile(settings.rejects)
        self.client = PluvoClient(settings.client, scope_users=self._scopes())
        self._state = RemoteState(self.client)
        self._streams: list[StreamWriter] = []

    def _scopes(self) -> dict[str, list[str]]:
        """Return the scopes that are needed, each with the streams that need it."""
        found: dict[str, list[str]] = {}
        for name in self._names:
            for scope in (*STREAMS[name].reads, *STREAMS[name].writes):
                found.setdefault(scope, []).append(name)
        return found

    def __call__(self) -> Sequence[Row] | None:
        """Compare, write what differs, and return the rows that may not be in Pluvo.

        None after a dry run, which writes nothing.

        Raises:
            PluvoError: it cannot be done, or not to its end.
        """
        try:
            self._plan()
            if self._settings.dry_run:
                self._preview()
            else:
                self._write()
        finally:
            self._report()
        self.succeeded = not any(
            stream.results.rejected or stream.results.undecided for stream in self._streams
        )
        if self._settings.dry_run:
            return None
        return [row for stream in self._streams for row in stream.results.unfinished]

    def stop(self) -> None:
        """Start no further request."""
        self.client.stop()

    def _plan(self) -> None:
        if not self._names:
            return
        self.client.authenticator.require(self._scopes())
        rejected = self._incoming.rejected
        rows = {name: self._incoming.rows.get(name, []) for name in self._names}
        self._streams = [
            STREAMS[name](self._state, self._settings, rejected.get(name, ()))
            for name in self._names
        ]
        for stream in self._streams:
            stream.prepare(rows[stream.name])
        for stream in self._streams:
            stream.plan(rows[stream.name])

    @property
    def _changes(self) -> list[Change]:
        return [change for stream in self._streams for change in stream.results.changes]

    def _write(self) -> None:
        changes = self._changes
        if wrong := check_number(self._settings, len(changes)):
            raise limit_error(wrong)
        if digest := self._settings.approved_plan:
            plan = Plan(self._settings.client.base_url, changes)
            plan.check_approved(digest, self._settings.plan)
        self._check_limits(changes)
        for stream in self._streams:
            stream.write()

    def _check_limits(self, changes: Sequence[Change]) -> None:
        """Check the limits of the last day, and note what this run is about to change.

        It is noted before it is done: a run that is killed has used up its part of the day, and
        the next one, which wants the same, is not counted twice.
        """
        if not (due := planned(changes)):
            return
        address = self._settings.client.base_url
        with open_ledger(self._settings.ledger) as ledger, ledger.lock(f"limits {address}"):
            recent = ledger.recent_changes(address, dt.datetime.now(dt.UTC) - SPAN)
            if wrong := exceeded(self._settings, due, recent, self._wholes()):
                raise limit_error(wrong)
            ledger.note_changes(address, due)

    def _wholes(self) -> dict[Limited, int]:
        """Return what the share of each limit is of."""
        members = sum(stream.results.members for stream in self._streams)
        users = self._state.active_users
        return {kind: members if kind == "removed" else users for kind in LIMITS}

    def _preview(self) -> None:
        """Print and write the plan; to standard error, since standard output is for the state."""
        changes = self._changes
        for change in changes:
            values = f" | {change.in_words()}" if self._settings.show_values else ""
            sys.stderr.write(f"{change.line}{values}\n")
        wrong = check_number(self._settings, len(changes))
        if due := planned(changes):
            address = self._settings.client.base_url
            with open_ledger(self._settings.ledger) as ledger:
                recent = ledger.recent_changes(address, dt.datetime.now(dt.UTC) - SPAN)
            wrong += exceeded(self._settings, due, recent, self._wholes())
        for sentence in wrong:
            logger.warning("%s; limit exceeded: a real run would stop here", sentence)
        for change in changes:
            change.done = True
        plan = Plan(self._settings.client.base_url, changes)
        results = {stream.name: stream.results for stream in self._streams}
        plan.write(self._settings.plan, table(results))
        logger.info("the plan is in %s; its digest is %s", self._settings.plan, plan.digest)

    def _report(self) -> None:
        """Say what became of the rows, also where the run did not come to its end."""
        self.client.close()
        results = {stream.name: stream.results for stream in self._streams}
        for found in results.values():
            found.collect_rejected()
            found.rejected.sort(key=lambda item: item.row.number if item.row else 0)
        rejected = [(name, item) for name, found in results.items() for item in found.rejected]
        self._rejects.write(rejected)
        for sentence in sentences(rejected):
            logger.error("%s", sentence)
        if rejected:
            logger.error("the rejected rows are in %s", self._settings.rejects)
        if self._settings.dry_run:
            logger.info("dry run: this is what would be done; nothing was changed")
        if not self._names:
            logger.info("no rows came: nothing to do")
        for line in table(results) if results else ():
            logger.info("%s", line)
