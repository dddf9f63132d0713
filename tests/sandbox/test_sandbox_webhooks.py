"""The sandbox tells subscribers what happens to its data, as the API's pages say Pluvo does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from test_sandbox_cli import ask, serving

from pluvo_sandbox import Sandbox
from pluvo_sandbox.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "webhook-key"


class Subscriber:
    """Takes webhooks, answers as it is told, and checks every signature."""

    def __init__(self) -> None:
        self.answers: list[int] = []  # the next ones; 200 when there are none left
        self.bodies: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.came = threading.Condition()
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = self.headers["X-Signature"], self.headers["X-Signature-Salt"]
                self.send_response(subscriber.take(body, *signed))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"

    def take(self, body: bytes, signature: str, salt: str) -> int:
        key = hashlib.sha1((salt + SECRET).encode()).digest()
        assert signature == base64.b64encode(hmac.digest(key, body, "sha1")).decode()
        with self.came:
            status = self.answers.pop(0) if self.answers else 200
            self.bodies.append(json.loads(body))
            self.statuses.append(status)
            self.came.notify_all()
        return status

    @property
    def events(self) -> list[str]:
        return [body["event"] for body in self.bodies]


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    found = Subscriber()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@contextmanager
def telling(subscriber: Subscriber, *faults: str) -> Iterator[Sandbox]:
    with Sandbox(
        users=6,
        groups=2,
        trainings=4,
        portfolio=30,
        webhooks=[subscriber.url],
        webhook_secret=SECRET,
        webhook_faults=faults,
        webhook_first_wait=0.001,
    ) as pluvo:
        yield pluvo


def test_what_happens_is_told(subscriber: Subscriber) -> None:
    with telling(subscriber) as pluvo:
        user = pluvo.insert_user("Ann", ref="7", email="ann@example.com")
        group = pluvo.insert_group("Care")
        training = pluvo.insert_training("Safety", startDate="2025-01-01")
        pluvo.insert_group_member(group, user)
        pluvo.insert_participant(training, user)
        pluvo.archive_user(user)
        pluvo.delete_group_member(group, user)
        pluvo.delete_user(user)
        pluvo.settle_webhooks()
        assert [(body["event"], body["id"]) for body in subscriber.bodies] == [
            ("USER_CREATED", user),
            ("GROUP_CREATED", group),
            ("TRAINING_CREATED", training),
            ("GROUP_UPDATED", group),
            ("TRAINING_UPDATED", training),
            ("USER_UPDATED", user),
            ("GROUP_UPDATED", group),
            ("USER_DELETED", user),  # and nothing of the training that the user was in
        ]
        created, archived = subscriber.bodies[0], subscriber.bodies[5]
        sent = created.pop("sentDate")
        assert sent.endswith("Z")
        assert created == {
            "id": user,
            "ref": "7",
            "event": "USER_CREATED",
            "name": "Ann",
            "email": "ann@example.com",
            "isActive": True,
            "extraFields": {},
            "afas_person_id": None,
            "afas_employee_id": None,
        }
        assert archived["isActive"] is False
        assert len({body["sentDate"] for body in subscriber.bodies[1:]}) == 7


def test_enrollments_and_certificates(subscriber: Subscriber) -> None:
    with telling(subscriber) as pluvo:
        ((user, name),) = pluvo.database.execute("SELECT id, name FROM users LIMIT 1")
        ((event,),) = pluvo.database.execute("SELECT id FROM offer_events LIMIT 1")
        pluvo.database.execute(
            "INSERT INTO enrollments VALUES ('e1', ?, ?, 'ENROLLED', '2025-01-01T00:00:00+00:00')",
            (user, event),
        )
        pluvo.change("enrollments", "e1", status="CANCELLED")
        pluvo.delete("enrollments", "e1")
        pluvo.insert_report_row(
            user,
            "First aid",
            relatedObjectType="CERTIFICATE",
            completionDate="2025-02-01",
            endDate="2026-02-01",
        )
        row = pluvo.insert_report_row(user, "Safety")
        pluvo.complete_report_row(row, "2025-03-01")
        pluvo.settle_webhooks()
        assert subscriber.events == [
            "OFFER_EVENT_ENROLLED",
            "OFFER_EVENT_ENROLLMENT_STATUS_UPDATED",
            "OFFER_EVENT_UNENROLLED",
            "EVENT_CERTIFICATE_ACHIEVED",
            "TRAINING_FINISHED",
        ]
        enrolled, _, _, certificate, _ = subscriber.bodies
        assert (enrolled["id"], enrolled["user"]["id"], enrolled["status"]) == (
            "e1",
            user,
            "ENROLLED",
        )
        assert enrolled["offer_event"]["id"] == event
        assert isinstance(enrolled["offer_event"]["price"], str)
        assert certificate["user"] == {"id": user, "name": name, "ref": certificate["user"]["ref"]}
        assert certificate["creationDate"] == "2025-02-01"
        assert certificate["expiryDate"] == "2026-02-01"
        assert "sentDate" not in certificate


def test_what_is_refused_is_sent_again(subscriber: Subscriber) -> None:
    subscriber.answers = [500, 404, 503, 200]
    with telling(subscriber) as pluvo:
        pluvo.insert_user("Ann")
        pluvo.settle_webhooks()
    assert subscriber.statuses == [500, 404, 503, 200]
    assert subscriber.bodies == [subscriber.bodies[0]] * 4


def test_after_72_retries_it_is_given_up(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluvo_sandbox.webhooks.LONGEST_WAIT", 0)
    subscriber.answers = [500] * 73
    with telling(subscriber) as pluvo:
        pluvo.insert_user("Ann")
        pluvo.settle_webhooks()
        pluvo.insert_group("Care")
        pluvo.settle_webhooks()
    assert subscriber.events == ["USER_CREATED"] * 73 + ["GROUP_CREATED"]


def test_410_ends_the_subscription(subscriber: Subscriber) -> None:
    subscriber.answers = [410]
    with telling(subscriber) as pluvo:
        pluvo.insert_user("Ann")
        pluvo.insert_user("Bob")
        pluvo.settle_webhooks()
        pluvo.insert_user("Cas")
        pluvo.settle_webhooks()
    assert subscriber.statuses == [410]


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        ("twice@1", ["Ann", "Ann", "Bob", "Cas"]),
        ("late=0.05@1", ["Bob", "Cas", "Ann"]),
        ("out-of-order=3600@1", ["Bob", "Cas", "Ann"]),
        ("lost:USER_CREATED@2", ["Ann", "Cas"]),
    ],
)
def test_faults(subscriber: Subscriber, fault: str, names: list[str]) -> None:
    with telling(subscriber, fault) as pluvo:
        pluvo.insert_many("users", [{"name": name} for name in ("Ann", "Bob", "Cas")])
        pluvo.settle_webhooks()
    assert [body["name"] for body in subscriber.bodies] == names


def test_the_command_sends_them(subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", SECRET)
    options = ["--webhook", subscriber.url, "--webhook-secret-env", "HOOK_KEY", "--movement", "1"]
    with serving(*options) as (_, ready, _), subscriber.came:
        ask(ready, "{ users { id } }")
        assert subscriber.came.wait_for(lambda: "USER_DELETED" in subscriber.events, 30)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--webhook", "localhost:8080"], "does not begin with http"),
        (["--webhook-secret-env", "NO_SUCH_KEY"], "NO_SUCH_KEY is not set"),
        (["--webhook-fault", "500"], "KIND is one of twice, late, out-of-order, lost"),
    ],
)
def test_wrong_options(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", *options])
    assert words in capsys.readouterr().err
