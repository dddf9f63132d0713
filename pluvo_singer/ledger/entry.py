"""What a ledger says about a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pluvo_singer.ledger.errors import LedgerError

if TYPE_CHECKING:
    from datetime import datetime

    from pluvo_singer.ledger.locks import Lock

State = Literal["new", "intent", "undecided", "done"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a ledger held about a key.

    Attributes:
        key: what happens once.
        state: `intent`: it was begun, and nobody knows how it ended; `undecided`: nobody could find
            out; `done`: it happened. `new`, in a claim only: there was nothing before.
        detail: what the key stands for, as it was claimed first.
        claimed_at: when it was claimed last, before this claim.
        outcome: what came of it, or why it is undecided.
    """

    key: str
    state: State
    detail: dict[str, Any]
    claimed_at: datetime
    outcome: Any = None


@dataclass(frozen=True, kw_only=True)
class Claim(Entry):
    """An entry that no other process can claim meanwhile."""

    lock: Lock

    def check(self) -> None:
        """Make sure that the claim is still exclusive, right before anything is done.

        Raises:
            LedgerError: the connection to the database is gone, and the lock with it.
        """
        if not self.lock.is_held():
            msg = "ledger: the connection to its database was lost: run this again"
            raise LedgerError(msg)
