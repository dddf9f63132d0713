"""Receivers are killed while many connections deliver: nothing that was acknowledged may be lost.

`pytest tests/webhooks/long_chaos.py` runs it with 20,000 deliveries, the normal tests with fewer.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from webhook_support import Receiver, signed

from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 16
OBJECTS_EACH = 5
REPEATED = 0.05  # the share of deliveries that are made again although they were acknowledged


@dataclass
class Chaos:
    """Deliveries from 16 connections to receivers that are killed in between.

    Every object has its connection, which delivers an event until it is acknowledged, and then the
    next one of that object. Which receiver gets it is left to chance.
    """

    url: str
    receivers: list[Receiver]
    deliveries: int
    kills: int
    random: Random = field(default_factory=lambda: Random(12))
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    attempts: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._down: set[Receiver] = set()
        self._done = False

    def run(self) -> list[tuple[str, int]]:
        """Deliver everything; return what a program read meanwhile, in its order."""
        read: list[tuple[str, int]] = []
        reader = threading.Thread(target=self._guarded, args=(self._read, read))
        senders = [
            threading.Thread(target=self._guarded, args=(self._deliver, number))
            for number in range(CONNECTIONS)
        ]
        for thread in [reader, *senders]:
            thread.start()
        kills = sorted(self.random.sample(range(1, self.deliveries), self.kills))
        for number, at in enumerate(kills):
            with self._changed:
                while len(self.acknowledged) < at and not self.failures:
                    self._changed.wait()
            self._restart(self.receivers[number % len(self.receivers)])
        for thread in senders:
            thread.join()
        self._done = True
        reader.join()
        assert not self.failures, self.failures
        return read

    def _guarded(self, target: object, argument: object) -> None:
        try:
            target(argument)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - told by `run`
            with self._changed:
                self.failures.append(error)
                self._changed.notify_all()

    def _restart(self, receiver: Receiver) -> None:
        with self._changed:
            self._down.add(receiver)
        receiver.kill()
        receiver.start()
        with self._changed:
            self._down.remove(receiver)
            self._changed.notify_all()

    def _deliver(self, number: int) -> None:
        random = Random(number)
        share = self.deliveries // CONNECTIONS
        connections: dict[Receiver, http.client.HTTPConnection] = {}
        counts: dict[str, int] = defaultdict(int)
        for _ in range(share):
            name = f"user-{number}-{random.randrange(OBJECTS_EACH)}"
            event = (name, counts[name])
            counts[name] += 1
            self._until_acknowledged(event, random, connections)
            with self._changed:
                self.acknowledged.append(event)
                self._changed.notify_all()
            if random.random() < REPEATED:
                self._until_acknowledged(event, random, connections)
        for connection in connections.values():
            connection.close()

    def _until_acknowledged(
        self,
        event: tuple[str, int],
        random: Random,
        connections: dict[Receiver, http.client.HTTPConnection],
    ) -> None:
        name, version = event
        sent = f"2026-03-01T10:{version // 60:02}:{version % 60:02}Z"
        body = json.dumps(
            {"event": "USER_UPDATED", "id": name, "sentDate": sent, "version": version}
        ).encode()
        while not self.failures:
            receiver = random.choice(self.receivers)
            with self._changed:
                while receiver in self._down and not self.failures:
                    self._changed.wait()
                self.attempts += 1
            connection = connections.setdefault(receiver, receiver.connect())
            try:
                connection.request("POST", "/", body, signed(body))
                with connection.getresponse() as response:
                    response.read()
                if response.status == http.client.NO_CONTENT:
                    return
            except (OSError, http.client.HTTPException):
                connection.close()

    def _read(self, read: list[tuple[str, int]]) -> None:
        """Read as the tap does, again and again from where it was."""
        inbox = Inbox.open(self.url, create=False)
        bookmark = 0
        while True:
            was_done = self._done or self.failures
            events = inbox.events_after(bookmark, 500)
            for event in events:
                payload = json.loads(event.payload)
                read.append((payload["id"], payload["version"]))
                bookmark = event.sequence
            if was_done and not events:
                break
        inbox.close()


def run(url: str, folder: Path, deliveries: int, kills: int, receivers: int) -> Chaos:
    """Check the promises under chaos."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(Receiver(url, folder / f"log-{number}"))
            for number in range(receivers)
        ]
        chaos = Chaos(url, running, deliveries, kills)
        read = chaos.run()
    inbox = Inbox.open(url, create=False)
    kept = []
    sequences = []
    after = 0
    while events := inbox.events_after(after, 5000):
        kept += [(str(event.object_id), json.loads(event.payload)["version"]) for event in events]
        sequences += [event.sequence for event in events]
        after = sequences[-1]
    inbox.close()
    assert len(chaos.acknowledged) == deliveries // CONNECTIONS * CONNECTIONS
    assert set(kept) >= set(chaos.acknowledged), "an acknowledged event was lost"
    assert len(kept) == len(set(kept)), "an event was kept twice"
    assert sequences == [*range(1, len(kept) + 1)], "numbers have holes"
    by_object = defaultdict(list)
    for name, version in kept:
        by_object[name].append(version)
    assert all(versions == sorted(versions) for versions in by_object.values()), "out of order"
    assert read == kept, "a program that read meanwhile missed something"
    for log in folder.glob("log-*"):
        assert "Traceback" not in log.read_text()
    return chaos
