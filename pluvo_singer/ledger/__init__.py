"""A ledger for what must happen exactly once and cannot be sent with an idempotency key.

The intent is written before, the outcome after. Who finds an intent without outcome, left by a run
that broke off, asks the other side what became of it instead of doing it again.

    ledger = Ledger.open("sqlite:///ledger.db")
    with ledger.claim(key, {"user": "..."}) as claim:
        if claim.state == "done":
            return
        if claim.state == "new" or not found_on_the_other_side():
            claim.check()
            issue()
        ledger.done(key, {"id": "..."})

SQLite serves the runs of one machine, PostgreSQL those of several.
"""

from pluvo_singer.ledger.entry import Claim, Entry, State
from pluvo_singer.ledger.errors import LedgerError
from pluvo_singer.ledger.ledger import Ledger

__all__ = ["Claim", "Entry", "Ledger", "LedgerError", "State"]
