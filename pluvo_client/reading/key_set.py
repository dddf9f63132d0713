"""The keys of the rows that were emitted, as small as they can be."""

from __future__ import annotations

from hashlib import blake2b


class KeySet:
    """A set of keys: 15 bytes each, which Python stores in 48.

    Two of a million keys are the same by chance with a probability below 10^-24.
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, key: str, number: int = 0) -> bool:
        """Add the `number`th row of this key; return whether it was not there before."""
        text = f"{key}\0{number}" if number else key
        digest = blake2b(text.encode(), digest_size=15).digest()
        before = len(self._digests)
        self._digests.add(digest)
        return len(self._digests) != before
