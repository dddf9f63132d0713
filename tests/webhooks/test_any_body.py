from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pluvo_webhooks.delivery import Delivery, NotAnEventError

if TYPE_CHECKING:
    from pluvo_webhooks.inbox import Inbox

NOW = datetime.now(UTC)
TEXTS = st.text() | st.sampled_from(
    ["\0", "USER_UPDATED", "9999-12-31T23:59:59-23:59", "0001-01-01", "x" * 5000]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
EVENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("event", "id", "ref", "sentDate", "extraFields"), VALUES)
)
ANY = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@ANY
@example(fields={"event": "\0", "id": "a\0b", "ref": "\0"}, ascii_only=True)
@example(fields={"event": "USER_UPDATED", "id": 1, "sentDate": "0001-01-01"}, ascii_only=True)
@given(fields=EVENTS, ascii_only=st.booleans())
def test_whatever_an_event_contains_can_be_kept(
    inbox: Inbox, fields: dict[str, object], ascii_only: bool
) -> None:
    """One that can't be would fail those that share its commit, again and again."""
    body = json.dumps(fields, ensure_ascii=ascii_only).encode()
    before = inbox.last_sequence()
    new = inbox.add([Delivery.parse(body, NOW)])
    kept = inbox.events_after(before, 10)
    assert [event.payload.encode() for event in kept] == [body] * new
    assert inbox.add([Delivery.parse(body, NOW)]) == 0


@ANY
@given(body=st.binary() | st.from_regex(rb'\{"(event|id)": ?"?[^"]*"?\}', fullmatch=True))
def test_whatever_a_body_is_it_is_kept_or_refused(inbox: Inbox, body: bytes) -> None:
    with suppress(NotAnEventError):
        inbox.add([Delivery.parse(body, NOW)])


def test_a_text_that_is_none_in_unicode_is_refused() -> None:
    with pytest.raises(NotAnEventError):
        Delivery.parse(b'{"id": "\\ud800"}', NOW)
