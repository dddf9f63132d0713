from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING

from webhook_support import SECRET, Receiver, signed, user_updated

from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path

    from pluvo_webhooks.inbox import InboxEvent

JSON = {"Content-Type": "application/json"}
BEGIN = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def kept(receiver: Receiver, after: int = 0) -> list[InboxEvent]:
    opened = Inbox.open(receiver.inbox, create=False)
    try:
        return opened.events_after(after, 1000)
    finally:
        opened.close()


def last(receiver: Receiver) -> int:
    return max((event.sequence for event in kept(receiver)), default=0)


def metric(receiver: Receiver, name: str) -> float:
    _, text = receiver.ask("GET", "/metrics")
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0


def test_an_event_is_kept_as_it_came(receiver: Receiver) -> None:
    before = last(receiver)
    body = (
        b'{ "event":"GROUP_UPDATED", "id":"g1","ref":"north",'
        b'"sentDate":"2026-03-01T12:30:00+02:00",  '
        b'"new field": {"name":"Zo\xc3\xab \\u0000"} }'
    )
    assert receiver.send(body) == 204
    (event,) = kept(receiver, before)
    assert event.sequence == before + 1
    assert (event.event, event.object_type, event.object_id) == ("GROUP_UPDATED", "group", "g1")
    assert (event.ref, event.sent_at) == ("north", "2026-03-01T10:30:00.000000Z")
    assert event.payload.encode() == body


def test_an_unknown_event_is_kept(receiver: Receiver) -> None:
    before = last(receiver)
    bodies = [
        b'{"event": "PLANET_FOUND", "id": 7, "sentDate": "soon"}',
        b'{"event": ["odd"], "id": {"a": 1}, "ref": true}',
        b"{}",
    ]
    assert [receiver.send(body) for body in bodies] == [204] * 3
    first, second, third = kept(receiver, before)
    assert (first.event, first.object_type, first.object_id) == ("PLANET_FOUND", None, "7")
    assert first.sent_at is None
    assert (second.event, second.object_id, second.ref) == (None, None, None)
    assert third.payload == "{}"


def test_a_retry_is_answered_well_and_kept_once(receiver: Receiver) -> None:
    before, counted = last(receiver), metric(receiver, "pluvo_webhooks_events_repeated_total")
    with_date, without = user_updated(900), b'{"event": "COURSE_FINISHED", "id": "retried"}'
    for body in (with_date, without, with_date, without):
        assert receiver.send(body) == 204
    assert receiver.send(user_updated(900, sent="2026-03-01T10:00:01Z")) == 204
    assert receiver.send(b'{"event": "COURSE_FINISHED", "id": "retried", "new": 1}') == 204
    assert [event.payload.encode() for event in kept(receiver, before)][:2] == [with_date, without]
    assert last(receiver) == before + 4
    assert metric(receiver, "pluvo_webhooks_events_repeated_total") == counted + 2


def test_both_secrets_and_both_forms_are_accepted(receiver: Receiver) -> None:
    for number, (secret, url_safe) in enumerate(
        [(SECRET, False), (SECRET, True), ("the-key-before", False), ("the-key-before", True)]
    ):
        body = user_updated(1000 + number)
        assert receiver.send(body, signed(body, secret, url_safe=url_safe)) == 204


def test_what_is_not_signed_is_refused_counted_and_not_kept(receiver: Receiver) -> None:
    before = last(receiver)
    counted = metric(receiver, 'pluvo_webhooks_answers_total{status="401"}')
    body = user_updated(901)
    good = signed(body)
    for headers in (
        JSON,
        {**good, "X-Signature": "AAAA"},
        {**good, "X-Signature-Salt": "other"},
        signed(body, "another-key"),
        signed(body + b" "),
    ):
        assert receiver.send(body, headers) == 401
    assert last(receiver) == before
    assert metric(receiver, 'pluvo_webhooks_answers_total{status="401"}') == counted + 5


def test_what_is_no_webhook_is_refused(receiver: Receiver) -> None:
    before = last(receiver)
    for body in (b"", b"[]", b'"text"', b"{", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a":' * 200_000):
        assert receiver.send(body) == 400, body[:20]
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert receiver.ask(method, "/")[0] == 405
    body = user_updated(902)
    form = {**signed(body), "Content-Type": "application/x-www-form-urlencoded"}
    assert receiver.send(body, form) == 415
    assert receiver.send(body, {"X-Signature": "x"}) == 415
    assert receiver.ask("POST", "/elsewhere", body, signed(body))[0] == 404
    assert last(receiver) == before
    charset = {**signed(body), "Content-Type": "Application/JSON; charset=utf-8"}
    assert receiver.send(body, charset) == 204


def test_a_body_has_a_limit(receiver: Receiver) -> None:
    largest = user_updated(903, pad="").replace(b'""', b'"' + b"x" * 2**20)[: 2**20 - 2] + b'"}'
    assert len(largest) == 2**20
    assert receiver.send(largest) == 204
    assert receiver.send(largest + b" ") == 413


def test_a_body_of_no_end_is_refused_before_it_ends(receiver: Receiver) -> None:
    head = BEGIN + b"Transfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        connection.sendall(head + b"110000\r\n" + b"x" * 0x110000)  # and no last chunk
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_sender_that_hangs_up_is_no_error(receiver: Receiver) -> None:
    head = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    )
    before = metric(receiver, 'pluvo_webhooks_answers_total{status="400"}')
    with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
        connection.sendall(head + b"{")
    while metric(receiver, 'pluvo_webhooks_answers_total{status="400"}') == before:
        pass  # it is noticed a little later
    assert "Traceback" not in receiver.log.read_text()


def test_health_and_metrics(receiver: Receiver) -> None:
    assert receiver.ask("GET", "/healthz") == (200, "ok")
    assert receiver.ask("GET", "/readyz") == (200, "ok")
    before = metric(receiver, "pluvo_webhooks_events_kept_total")
    receiver.send(user_updated(904))
    assert metric(receiver, "pluvo_webhooks_events_kept_total") == before + 1
    assert metric(receiver, "pluvo_webhooks_last_kept_timestamp_seconds") > 1.7e9


def test_payload_and_secret_are_in_no_log_and_no_answer(receiver: Receiver) -> None:
    body = user_updated(905, name="Quentin Private", email="quentin@private.example")
    wrong = b"[" + body + b"]"
    answers = [
        receiver.ask("POST", "/", body, signed(body)),
        receiver.ask("POST", "/", body, signed(body, "another-key")),
        receiver.ask("POST", "/", wrong, signed(wrong)),
        receiver.ask("GET", "/metrics"),
    ]
    said = receiver.log.read_text() + json.dumps(answers)
    assert "401" in said
    assert not re.search(rf"private|user-905|{SECRET}|the-key-before", said, re.IGNORECASE)


def test_another_path(tmp_path: Path) -> None:
    inbox = f"sqlite:///{tmp_path / 'inbox.db'}"
    with Receiver(inbox, tmp_path / "log", "--path", "/hooks/pluvo") as running:
        body = user_updated(1)
        assert running.ask("POST", "/hooks/pluvo", body, signed(body))[0] == 204
        assert running.ask("POST", "/", body, signed(body))[0] == 404
        assert running.stop() == 0
        assert not running.log.read_text()
