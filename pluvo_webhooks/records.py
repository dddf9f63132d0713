"""What is read from an inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class InboxEvent(NamedTuple):
    """An event in the inbox; times are ISO 8601 in UTC, `payload` is the body as it came."""

    sequence: int
    event: str | None
    object_type: str | None
    object_id: str | None
    ref: str | None
    sent_at: str | None
    received_at: str
    payload: str


class Consumer(NamedTuple):
    """How far a program has read, and when it said so."""

    name: str
    sequence: int
    recorded_at: str


@dataclass(frozen=True)
class Status:
    """What is in an inbox. An event is unread until every consumer has read it."""

    events: int
    unread: int
    oldest_unread: str | None
    last_received: str | None
    last_sequence: int
    purged_to: int
    by_type: dict[str, int]
    consumers: list[Consumer]
