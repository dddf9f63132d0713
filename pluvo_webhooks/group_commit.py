"""Events that arrive together share a commit, so that durability does not cost the throughput.

While one group is written, the next one gathers. Nobody waits for more to come.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pluvo_webhooks.delivery import Delivery

# So that a group of large events needs little memory and time.
_LARGEST_GROUP = 500


class GroupCommit:
    """Hands deliveries to a function, several at once, in the order of their arrival.

    Args:
        add: keeps deliveries, or raises an exception; called in a thread, never twice at a time.
    """

    def __init__(self, add: Callable[[Sequence[Delivery]], object]) -> None:
        self._add = add
        self._waiting: dict[asyncio.Future[None], Delivery] = {}
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, delivery: Delivery) -> None:
        """Return when the delivery is kept; raise what its group raised."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting[kept] = delivery
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        try:
            await kept
        finally:
            self._waiting.pop(kept, None)  # whoever gave up waiting takes up no room

    async def _write(self) -> None:
        while group := dict(islice(self._waiting.items(), _LARGEST_GROUP)):
            for kept in group:
                del self._waiting[kept]
            try:
                await asyncio.to_thread(self._add, list(group.values()))
            except Exception as error:  # noqa: BLE001 - whatever it is, each of them is told
                for kept in group:
                    if not kept.done():
                        kept.set_exception(error)
            else:
                for kept in group:
                    if not kept.done():
                        kept.set_result(None)
        self._writing = None
