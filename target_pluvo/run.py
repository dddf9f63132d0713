"""A run: everything compared first, then limits, then what differs is written."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from pluvo_client.client import PluvoClient
from pluvo_client.errors import ConfigurationError
from target_pluvo.live import Live
from target_pluvo.outcome import Rejects, reasons, table
from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_pluvo.rows import Row
    from target_pluvo.settings import Settings
    from target_pluvo.streams.base import StreamWriter

logger = logging.getLogger("target-pluvo")


class Run:
    """Writes the rows of some streams.

    `finished` says whether the run came to its end.
    """

    def __init__(self, settings: Settings, rows: Mapping[str, Sequence[Row]]) -> None:
        self._settings = settings
        self._rows = {name: rows[name] for name in STREAMS if rows.get(name)}
        self._rejects = Rejects(settings.rejects)
        self.client = PluvoClient(settings.client, scope_users=self._scopes())
        self._live = Live(self.client)
        self._streams: list[StreamWriter] = []
        self.finished = False

    def _scopes(self) -> dict[str, list[str]]:
        """Return the scopes that are needed, each with the streams that need it."""
        found: dict[str, list[str]] = {}
        for name in self._rows:
            stream = STREAMS[name]
            writes = () if self._settings.dry_run else stream.writes
            for scope in (*stream.reads, *writes):
                found.setdefault(scope, []).append(name)
        return found

    def __call__(self) -> None:
        """Compare, and write what differs.

        Raises:
            PluvoError: it cannot be done, or not to its end.
        """
        try:
            self._plan()
            if self._settings.dry_run:
                self._print()
            self._check_limits()
            if not self._settings.dry_run:
                for stream in self._streams:
                    stream.write()
            self.finished = True
        finally:
            self._conclude()

    def stop(self) -> None:
        """Start no further request."""
        self.client.stop()

    @property
    def unfinished(self) -> list[Row]:
        """The rows of which it is not certain that they are in Pluvo."""
        if not self.finished or self._settings.dry_run:
            return [row for rows in self._rows.values() for row in rows]
        return [row for stream in self._streams for row in stream.results.unfinished]

    @property
    def succeeded(self) -> bool:
        """Whether all rows are in Pluvo, or could be."""
        return self.finished and not any(stream.results.rejected for stream in self._streams)

    def _plan(self) -> None:
        if not self._rows:
            return
        self.client.authenticator.require(self._scopes())
        self._streams = [STREAMS[name](self._live, self._settings) for name in self._rows]
        for stream in self._streams:
            stream.prepare(self._rows[stream.name])
        for stream in self._streams:
            stream.plan(self._rows[stream.name])

    def _check_limits(self) -> None:
        changes = [change for stream in self._streams for change in stream.results.changes]
        most, share = self._settings.max_changes, self._settings.max_archive_share
        wrong = []
        if most is not None and len(changes) > most:
            wrong.append(
                f"setting `max_changes`: this run would make {len(changes)} changes, and {most} "
                "are allowed"
            )
        archived = sum(change.stream == "users" and change.kind == "archived" for change in changes)
        if archived:
            users = self._live.users.by_id.values()
            active = sum(not user.node.get("archived") for user in users)
            if archived > share * active:
                wrong.append(
                    f"setting `max_archive_share`: this run would archive {archived} of {active} "
                    f"users, and {share:g} of them are allowed"
                )
        if not wrong:
            return
        if self._settings.dry_run:
            for sentence in wrong:
                logger.warning("%s: it would stop", sentence)
            return
        wrong.append(
            "nothing was written: look at the changes with `dry_run`, and raise the limit if they "
            "are meant"
        )
        raise ConfigurationError("\n".join(wrong))

    def _print(self) -> None:
        """Print the changes; to standard error, since standard output is for the state."""
        for stream in self._streams:
            for change in stream.results.changes:
                row = f" row {change.rows[0].number}" if change.rows else ""
                line = f"{stream.name}{row}: {change.kind} {change.about}"
                if self._settings.show_values and change.values:
                    line += f" | {change.values}"
                sys.stderr.write(line + "\n")

    def _conclude(self) -> None:
        """Say what became of the rows, also where the run did not come to its end."""
        self.client.close()
        results = {stream.name: stream.results for stream in self._streams}
        for found in results.values():
            found.settle()
            if self._settings.dry_run:
                for change in found.changes:
                    change.done = True
        self._rejects.write(results)
        for sentence in reasons(results):
            logger.error("%s", sentence)
        if any(found.rejected for found in results.values()):
            logger.error("the rejected rows are in %s", self._settings.rejects)
        if self._settings.dry_run:
            logger.info("dry run: this is what would be done; nothing was changed")
        for line in table(results) if results else ["no rows came: nothing to do"]:
            logger.info("%s", line)
