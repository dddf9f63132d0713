from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from webhook_support import FOREVER, user_updated

from pluvo_webhooks.delivery import Delivery
from pluvo_webhooks.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS = [Delivery.parse(user_updated(number), datetime.now(UTC)) for number in range(20)]


class SlowDisk:
    """Notes the groups, and is done with one when it may be."""

    def __init__(self) -> None:
        self.groups: list[list[Delivery]] = []
        self.busy = threading.Event()
        self.may_end = threading.Event()
        self.broken = False

    def add(self, deliveries: Sequence[Delivery]) -> None:
        self.groups.append([*deliveries])
        self.busy.set()
        assert self.may_end.wait(FOREVER)
        if self.broken:
            message = "the disk is full"
            raise OSError(message)

    async def is_busy(self) -> None:
        await asyncio.to_thread(self.busy.wait, FOREVER)


def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    async def run() -> None:
        disk = SlowDisk()
        commit = GroupCommit(disk.add)
        first = asyncio.create_task(commit.keep(EVENTS[0]))
        await disk.is_busy()
        others = [asyncio.create_task(commit.keep(event)) for event in EVENTS[1:]]
        await asyncio.sleep(0)
        assert not any(task.done() for task in (first, *others)), "nothing is on disk yet"
        disk.may_end.set()
        await asyncio.gather(first, *others)
        assert disk.groups == [EVENTS[:1], EVENTS[1:]]

    asyncio.run(run())


def test_each_of_a_group_that_failed_is_told_and_the_next_group_is_not() -> None:
    async def run() -> None:
        disk = SlowDisk()
        disk.may_end.set()
        disk.broken = True
        commit = GroupCommit(disk.add)
        done = await asyncio.gather(*map(commit.keep, EVENTS[:3]), return_exceptions=True)
        assert [type(result) for result in done] == [OSError] * 3
        disk.broken = False
        await commit.keep(EVENTS[3])

    asyncio.run(run())


def test_whoever_gives_up_waiting_is_forgotten() -> None:
    """Or a database that hangs would fill the memory."""

    async def run() -> None:
        disk = SlowDisk()
        commit = GroupCommit(disk.add)
        first = asyncio.create_task(commit.keep(EVENTS[0]))
        await disk.is_busy()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await commit.keep(EVENTS[1])
        first.cancel()
        disk.may_end.set()
        await commit.keep(EVENTS[2])
        assert disk.groups == [EVENTS[:1], EVENTS[2:3]]

    asyncio.run(run())
