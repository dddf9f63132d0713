"""Ids as Pluvo has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


def new_id(random: Random) -> str:
    """Return a version 4 UUID drawn from `random`; faster by far than one made by `uuid.UUID`."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
