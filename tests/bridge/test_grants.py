"""Sequences of runs in drawn tenants: no certificate is ever issued twice.

`SEQUENCES=3000` draws ten times as many as usual; `SEED=123` plays the sequence of one seed.
"""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import time_machine
from tenant import USERS, Grant, Killed, Tenant

from pluvo_client.errors import ConfigurationError
from pluvo_singer.rows import Incoming
from target_thought_industries import run as run_module
from target_thought_industries.errors import ApiError
from target_thought_industries.run import STREAM, Run
from target_thought_industries.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

SEQUENCES = int(os.environ.get("SEQUENCES", "300"))
_PARTS = 10
_ONLY = os.environ.get("SEED")
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # in memory
_START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
_RESOURCES = {
    "First aid": {"resource_type": "courseGroup", "resource_id": "first-aid"},
    "Fire safety": {"resource_type": "courseGroup", "resource_id": "fire"},
}
Wanted = tuple[str, str, str]  # user, title and day


class World:
    """A tenant, the ledger of those who issue there, and what time it is."""

    def __init__(self, folder: Path, random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.random = random
        self.tenant = Tenant.drawn(random)
        self._settings = Settings.from_config(
            {
                "api_url": "https://tenant.example.test",
                "api_key": "made-up",
                "resources": _RESOURCES,
                "settle_seconds": random.choice([0, 600]),
                "max_retry_seconds": 0,
                "ledger": f"sqlite:///{folder}/ledger.db",
                "rejects": str(folder / "rejects.jsonl"),
            }
        )
        monkeypatch.setattr(run_module, "Http", lambda _: self.tenant)

    def run(self, wanted: Iterable[Wanted]) -> bool:
        """Run the target once, and tell whether it succeeded."""
        incoming = Incoming()
        for line, (user, title, day) in enumerate(wanted, 1):
            row = {"user_email": USERS[user], "title": title, "completion_date": day}
            incoming.add(STREAM, line, row)
        target = Run(self._settings)
        with suppress(Killed, ApiError, ConfigurationError):
            target(incoming)
            return target.succeeded
        return False


def issued(world: World, wanted: Wanted) -> int:
    user, title, day = wanted
    return world.tenant.counts()[user, _RESOURCES[title]["resource_id"], day]


def drawn(random: Random) -> list[Wanted]:
    days = ["2026-01-30", "2026-01-31"]
    every = [(user, title, day) for user in USERS for title in _RESOURCES for day in days]
    return random.sample(every, random.randint(1, 6))


def play(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    world = World(folder, random, monkeypatch)
    every: set[Wanted] = set()
    if world.tenant.says_day:  # some that somebody has issued by hand
        for user, title, day in drawn(random)[:2]:
            resource = _RESOURCES[title]["resource_id"]
            world.tenant.grants.append(Grant(user, resource, day, _START))
    with time_machine.travel(_START, tick=False) as clock:
        for _ in range(random.randint(1, 6)):
            wanted = drawn(random)
            every |= {*wanted}
            succeeded = world.run(wanted)
            assert max(world.tenant.counts().values(), default=0) <= 1, "issued twice"
            assert not succeeded or not {item for item in wanted if issued(world, item) != 1}
            clock.shift(random.choice([1, 60, 900, 4_000, 86_400]))
        # From now on nothing fails, and time passes: whatever was in doubt is decided.
        world.tenant.trouble = 0.0
        witness = ("user-0", "First aid", "2026-02-27")
        for _ in range(3):
            done = world.run([*every, witness])
            clock.shift(1_000_000)
        assert max(world.tenant.counts().values()) == 1, "issued twice"
        assert issued(world, witness) == 1
        # Without their days, certificates of several days cannot always be told apart.
        if world.tenant.delay is not None and world.tenant.says_day:
            assert done
        if done:
            assert not {item for item in every if issued(world, item) != 1}


@pytest.mark.parametrize("part", range(_PARTS) if _ONLY is None else [0])
def test_no_certificate_is_issued_twice(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = range(part, SEQUENCES, _PARTS) if _ONLY is None else [int(_ONLY)]
    for seed in seeds:
        with TemporaryDirectory(dir=_FOLDER) as folder:
            try:
                play(seed, Path(folder), monkeypatch)
            except AssertionError as error:
                pytest.fail(f"SEED={seed}: {error}")
