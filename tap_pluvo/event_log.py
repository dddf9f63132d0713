"""The inbox of webhooks as streams see it: what happened until the run began to look."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError, PluvoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_webhooks.children import Children
    from pluvo_webhooks.inbox import Inbox, InboxEvent

AT_ONCE = 1000  # events


class EventLog:
    """What webhooks told, in order of their sequence numbers.

    `last` is the last event that counts in this run, whatever comes meanwhile: who reads the API
    after it is known reads what events up to there are about.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.last = inbox.last_sequence()

    @classmethod
    def open(cls, url: str) -> EventLog:
        """Open the inbox at a URL.

        Raises:
            ConfigurationError: there is none, or what reads it is not installed.
        """
        try:
            # Here, as the tap does without the extra, and without its time to load, otherwise.
            from pluvo_webhooks.inbox import Inbox, InboxError  # noqa: PLC0415
        except ModuleNotFoundError as error:
            msg = (
                f"setting `webhook_inbox`: it needs the package {error.name}: install the extra, "
                "`pip install 'tap-pluvo[webhooks]'`"
            )
            raise ConfigurationError(msg) from None
        try:
            return cls(Inbox.open(url, create=False))
        except InboxError as error:
            msg = f"setting `webhook_inbox`: {error}"
            raise ConfigurationError(msg) from None

    def after(self, sequence: int) -> Iterator[list[InboxEvent]]:
        """Give the events beyond a sequence number, up to `last`, some at a time."""
        while sequence < self.last:
            with self.in_words():
                events = self._inbox.events_after(sequence, AT_ONCE)
            if not events:
                return
            yield [event for event in events if event.sequence <= self.last]
            sequence = events[-1].sequence

    def misses_after(self, sequence: int) -> str | None:
        """Return why events beyond a sequence number are not all there; None: they are."""
        with self.in_words():
            if sequence > self.last:
                return "the inbox is another one than before"
            if sequence < self._inbox.purged_to():
                return "the inbox was purged of events that were not read"
        return None

    @property
    def purged_to(self) -> int:
        """The last event that was purged."""
        with self.in_words():
            return self._inbox.purged_to()

    def consumed(self, stream: str, sequence: int) -> None:
        """Let the inbox know that a stream needs no event up to this one any more."""
        with self.in_words():
            self._inbox.consumed(f"tap-pluvo {stream}", sequence)

    @property
    def children(self) -> Children:
        """Which children the objects of each stream had when they were read last."""
        return self._inbox.children

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Let an error of the database be the user's to read.

        Raises:
            PluvoError: the database failed.
        """
        from pluvo_webhooks.errors import InboxError  # noqa: PLC0415 - see `open`

        try:
            yield
        except InboxError as error:
            msg = f"setting `webhook_inbox`: {error}"
            raise PluvoError(msg) from None

    def close(self) -> None:
        """Close its connections."""
        self._inbox.close()
