"""What can go wrong, in words for users."""


class InboxError(Exception):
    """The inbox can't be opened, read or written; the message names cause and remedy."""
