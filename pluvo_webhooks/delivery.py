"""What is kept of a webhook: the body as it came, and what it says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

# Of what the field `id` names. Of other events the documentation does not say it.
_OBJECT_TYPES = {
    **dict.fromkeys(("USER_CREATED", "USER_UPDATED", "USER_DELETED"), "user"),
    **dict.fromkeys(("GROUP_CREATED", "GROUP_UPDATED", "GROUP_DELETED"), "group"),
    **dict.fromkeys(("TRAINING_CREATED", "TRAINING_UPDATED", "TRAINING_DELETED"), "training"),
    **dict.fromkeys(
        (
            "OFFER_EVENT_ENROLLED",
            "OFFER_EVENT_ENROLLMENT_STATUS_UPDATED",
            "OFFER_EVENT_UNENROLLED",
        ),
        "enrollment",
    ),
    **dict.fromkeys(
        ("PORTFOLIO_ITEM_CREATED", "PORTFOLIO_ITEM_UPDATED", "PORTFOLIO_ITEM_DELETED"),
        "portfolio_item",
    ),
}


class NotAnEventError(Exception):
    """The body is not a JSON object."""


@dataclass(frozen=True)
class Delivery:
    """A webhook that was received.

    `delivery` is the same for a delivery and its retries. No id of deliveries is documented, so it
    is made of event, object and `sentDate`; where one of them is missing, of the body.
    """

    event: str | None
    object_type: str | None
    object_id: str | None
    ref: str | None
    sent_at: str | None
    received_at: str
    payload: str
    delivery: str

    @classmethod
    def parse(cls, body: bytes, received: datetime) -> Delivery:
        """Read a body.

        Raises:
            NotAnEventError: the body is not a JSON object.
        """
        try:
            fields = msgspec.json.decode(body, type=dict[str, Any])
            payload = body.decode()
        except (ValueError, RecursionError) as error:
            msg = "the body must be a JSON object"
            raise NotAnEventError(msg) from error
        event = _text(fields.get("event"))
        object_id = _text(fields.get("id"))
        sent = _text(fields.get("sentDate"))
        source = body
        if event and object_id and sent:
            source = f"{event}\0{object_id}\0{sent}".encode()
        return cls(
            event=event,
            object_type=_OBJECT_TYPES.get(event or ""),
            object_id=object_id,
            ref=_text(fields.get("ref")),
            sent_at=_time(sent),
            received_at=in_utc(received),
            payload=payload,
            delivery=hashlib.sha256(source).hexdigest(),
        )


def in_utc(moment: datetime) -> str:
    """Return a time as the inbox holds it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(value: object) -> str | None:
    """Return a text or number as text that every database can hold."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).replace("\0", "")


def _time(text: str | None) -> str | None:
    """Return a time in UTC; None if it is none, or none that can be placed."""
    try:
        moment = datetime.fromisoformat(text or "")
        return in_utc(moment.replace(tzinfo=moment.tzinfo or UTC))
    except (ValueError, OverflowError):
        return None
