"""The keys of rows, as small as they can be."""

from __future__ import annotations

from hashlib import blake2b


def digest(key: str, number: int = 0) -> bytes:
    """Return 15 bytes that stand for the `number`th row of a key.

    Two of a million keys have the same ones by chance with a probability below 10^-24.
    """
    text = f"{key}\0{number}" if number else key
    return blake2b(text.encode(), digest_size=15).digest()


class KeySet:
    """A set of keys: 15 bytes each, which Python stores in 48."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, key: str) -> bool:
        return digest(key) in self._digests

    def add(self, key: str, number: int = 0) -> bool:
        """Add the `number`th row of this key; return whether it was not there before."""
        return self.add_digest(digest(key, number))

    def add_digest(self, found: bytes) -> bool:
        """Add what `digest` returned; return whether it was not there before."""
        before = len(self._digests)
        self._digests.add(found)
        return len(self._digests) != before
