"""What can go wrong with a ledger, in words for the user."""


class LedgerError(Exception):
    """The ledger cannot be used; the message says why, and what to do. It shows no password."""
