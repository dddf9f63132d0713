"""Webhooks: what happens to the data is sent to those who subscribed, as Pluvo does it.

The page `webhooks-2` gives signature, timeout, retries and the meaning of 410. In what order events
come, whether one may come twice, and how long a retry waits is not documented: faults make all of
it happen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import urllib3

from pluvo_sandbox.database import Database
from pluvo_sandbox.faults import Fault
from pluvo_sandbox.outbox import Outbox
from pluvo_sandbox.payloads import Payloads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pluvo_sandbox.behaviour import Behaviour
    from pluvo_sandbox.outbox import Event

RETRIES = 72  # page `webhooks-2`
TIMEOUT = 30  # seconds, by the same page
LONGEST_WAIT = 3600  # seconds between two attempts
POLL = 0.02  # seconds between two looks at the data

FAULTS = {
    "twice": "the event is sent twice",
    "late": "the event is sent VALUE seconds later (1)",
    "out-of-order": "the event is sent after the one that follows, or after VALUE seconds (1)",
    "lost": "the event is not sent at all",
}


@dataclass(kw_only=True)
class Subscription:
    """Who is sent what happens.

    Attributes:
        url: where to.
        secret: the "Pluvo Webhook Key", which makes the signature.
        faults: what goes wrong, by `FAULTS`; a place is the name of an event.
        first_wait: seconds until the first retry; each further one waits twice as long.
    """

    url: str
    secret: str
    faults: Sequence[Fault] = ()
    first_wait: float = 1.0


@dataclass
class _Delivery:
    """An event to be sent when it is `due`; if `held`, as soon as a later one was sent."""

    number: int
    body: bytes
    due: float
    held: bool = False
    attempts: int = 0


@dataclass
class Webhooks:
    """Sends what happens to the data in a file to one subscriber, from a thread of its own.

    Attributes:
        path: the SQLite file, in which an `Outbox` notes events.
        subscription: who is told.
        ended: whether the subscriber has ended the subscription by 410.
    """

    path: str
    subscription: Subscription
    ended: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._pending: list[_Delivery] = []
        self._settled = threading.Condition()
        self._seen = 0
        self._stopping = threading.Event()
        self._last_sent = datetime.min.replace(tzinfo=UTC)
        self._http = urllib3.PoolManager(retries=False)

    def start(self, outbox: Outbox) -> None:
        """Send what happens from now on."""
        self._seen = outbox.last()
        self._thread = threading.Thread(target=self._run, name="pluvo-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping.set()
        self._thread.join()

    def settle(self, outbox: Outbox) -> None:
        """Wait until all that has happened so far was sent, is lost, or needs no more attempts."""
        newest = outbox.last()
        with self._settled:
            self._settled.wait_for(
                lambda: self.ended or (self._seen >= newest and not self._pending)
            )

    def _run(self) -> None:
        with closing(Database(self.path)) as database, self._http:
            outbox = Outbox(database.connection)
            payloads = Payloads(database.connection)
            while not (self._stopping.is_set() or self.ended):
                self._take(outbox, payloads)
                self._send_due()
                with self._settled:
                    self._settled.notify_all()
                self._stopping.wait(POLL)

    def _take(self, outbox: Outbox, payloads: Payloads) -> None:
        """Make deliveries of what happened since."""
        for event in outbox.after(self._seen):
            body = json.dumps(payloads.body(event, self._sent_date()), ensure_ascii=False)
            with self._settled:
                self._pending += self._deliveries(event, body.encode())
                self._seen = event.number

    def _sent_date(self) -> str:
        """Return the time, and never the same twice."""
        self._last_sent = max(datetime.now(UTC), self._last_sent + timedelta(microseconds=1))
        return self._last_sent.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _deliveries(self, event: Event, body: bytes) -> list[_Delivery]:
        """Return the deliveries of an event: one, if nothing goes wrong."""
        faults = {
            fault.kind: fault.value
            for fault in self.subscription.faults
            if fault.hits({event.name})
        }
        if "lost" in faults:
            return []
        wait = faults.get("late", 0.0) + faults.get("out-of-order", 0.0)
        delivery = _Delivery(event.number, body, time.monotonic() + wait, "out-of-order" in faults)
        twin = _Delivery(event.number, body, delivery.due)
        return [delivery, twin] if "twice" in faults else [delivery]

    def _send_due(self) -> None:
        """Send what is due, in the order in which it happened; what fails is due again later."""
        for delivery in list(self._pending):
            if self._stopping.is_set() or self.ended:
                return
            if delivery.due > time.monotonic():
                continue
            status = self._send(delivery.body)
            with self._settled:
                self.ended = status == HTTPStatus.GONE
                delivered = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
                if delivered or delivery.attempts == RETRIES:
                    self._pending.remove(delivery)
                    self._release(delivery.number)
                else:
                    wait = self.subscription.first_wait * 2.0**delivery.attempts
                    delivery.due = time.monotonic() + min(wait, LONGEST_WAIT)
                    delivery.attempts += 1

    def _release(self, number: int) -> None:
        """Let those go that waited for a later event, such as this one, to be sent first."""
        for delivery in self._pending:
            if delivery.held and delivery.number < number:
                delivery.due = 0.0

    def _send(self, body: bytes) -> int:
        """Send a body and return the status of the answer; 0 if none came."""
        salt = secrets.token_hex(8)
        headers = {
            "Content-Type": "application/json",
            "X-Signature": signature(self.subscription.secret, salt, body),
            "X-Signature-Salt": salt,
        }
        try:
            answer = self._http.request(
                "POST",
                self.subscription.url,
                body=body,
                headers=headers,
                timeout=TIMEOUT,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError:
            return 0
        return answer.status


@contextmanager
def sending(database: Database, path: str, behaviour: Behaviour) -> Iterator[list[Webhooks]]:
    """Send what happens inside the block to all who subscribed."""
    outbox = Outbox(database.connection)
    if behaviour.webhooks:
        outbox.begin()
    senders = [
        Webhooks(
            path=path,
            subscription=Subscription(
                url=url,
                secret=behaviour.webhook_secret,
                faults=[Fault.parse(text, FAULTS) for text in behaviour.webhook_faults],
                first_wait=behaviour.webhook_first_wait,
            ),
        )
        for url in behaviour.webhooks
    ]
    for sender in senders:
        sender.start(outbox)
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stop()


def signature(secret: str, salt: str, body: bytes) -> str:
    """Return what the header `X-Signature` holds."""
    key = hashlib.sha1((salt + secret).encode(), usedforsecurity=False).digest()
    return base64.b64encode(hmac.digest(key, body, "sha1")).decode()
