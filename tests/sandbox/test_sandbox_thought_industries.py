"""The local Thought Industries answers as the vendor's pages say."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pluvo_sandbox import Sandbox
from pluvo_sandbox.thought_industries import ThoughtIndustries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = "2025-03-01T00:00:00Z"


@pytest.fixture
def tenant() -> Iterator[ThoughtIndustries]:
    with ThoughtIndustries(users=130) as running:
        yield running


class Client:
    """One user and one course of a tenant, and requests about them."""

    def __init__(self, tenant: ThoughtIndustries) -> None:
        self.tenant = tenant
        self.headers = {"Authorization": f"Bearer {tenant.api_key}"}
        self.user = tenant.store.rows("SELECT id FROM users LIMIT 1")[0]["id"]
        self.course = tenant.store.add_resource("A course")

    def get(self, path: str, **query: Any) -> requests.Response:
        url = f"{self.tenant.url}/incoming/v2/{path}"
        return requests.get(url, query, headers=self.headers, timeout=10)

    def post(self, call: str = "certify", user: str | None = None, **body: Any) -> Any:
        user = user or self.user
        whole = {"userId": user, "resourceType": "course", "resourceId": self.course, **body}
        url = f"{self.tenant.url}/incoming/v2/users/{user}/{call}"
        return requests.post(url, json=whole, headers=self.headers, timeout=10)


def test_certify_answers_with_the_certificate_and_makes_an_event(tenant: ThoughtIndustries) -> None:
    client = Client(tenant)
    answer = client.post(issuedAt=DAY, expirationDate="2027-03-01T00:00:00Z", sendEmail=True)
    found = answer.json()["data"]["APICertifyUser"]
    assert found["user"]["id"] == client.user
    assert found["certificateTemplate"]["resource"] == client.course
    assert found["certificateTemplate"]["expirationDate"] == "2027-03-01T00:00:00Z"
    events = client.get("events/courseCertificate", userId=client.user).json()["data"]["APIEvents"]
    (event,) = events["events"]
    assert (event["notifiableId"], event["userDetail"]["id"]) == (client.course, client.user)
    assert not event.keys() & {"userId", "resourceId", "issuedAt"}
    assert events["pageInfo"]["hasMore"] is False


def test_recertify_takes_no_dates_and_starts_the_course_anew(tenant: ThoughtIndustries) -> None:
    client = Client(tenant)
    tenant.store.rows("INSERT INTO progress VALUES (?, ?, 80, 2)", (client.user, client.course))
    client.post(issuedAt=DAY)
    assert client.post("recertify", issuedAt=DAY).status_code == 422
    assert client.post("recertify").json() == {"data": {"APIRecertifyUser": True}}
    assert tenant.store.rows("SELECT percent FROM progress") == [{"percent": 0}]
    assert len(tenant.certificates()) == 1


@pytest.mark.parametrize(("show", "number"), [(0, 1), (3600.0, 0), (None, 0)])
def test_grants_show_at_once_or_late_or_never(show: float | None, number: int) -> None:
    with ThoughtIndustries(grants_show=show) as tenant:
        client = Client(tenant)
        client.post(issuedAt=DAY)
        events = client.get("events/courseCertificate").json()["data"]["APIEvents"]
        assert len(events["events"]) == number


def test_events_are_filtered_by_user_and_course_unless_filters_are_ignored() -> None:
    for ignored in (False, True):
        with ThoughtIndustries(ignore_filters=ignored) as tenant:
            client = Client(tenant)
            client.post(issuedAt=DAY)
            other = tenant.store.add_resource("Another course")
            for query in ({"userId": "x"}, {"notifiableId": other}):
                found = client.get("events/courseCertificate", **query).json()["data"]["APIEvents"]
                assert len(found["events"]) == ignored


def test_a_course_is_recorded_as_done_elsewhere_where_the_feature_is_on() -> None:
    for enabled, status in ((False, 403), (True, 200)):
        with ThoughtIndustries(external_activity=enabled, ignore_per_page=True) as tenant:
            client = Client(tenant)
            body = {"courseId": client.course, "userId": client.user, "completionDate": DAY}
            url = f"{tenant.url}/incoming/v2/courseExternalActivity"
            answer = requests.post(url, json=body, headers=client.headers, timeout=10)
            assert (answer.status_code, len(tenant.activities())) == (status, enabled)
            page = client.get("users", perPage=100).json()["data"]["APIUsers"]
            assert len(page["users"]) == 25


def test_what_is_wrong_is_said_and_has_no_effect(tenant: ThoughtIndustries) -> None:
    client = Client(tenant)
    nobody = "0" * 8 + "-0000" * 3 + "-" + "0" * 12
    wrong = client.post(resourceType="hat", issuedAt="soon", colour="red")
    assert wrong.status_code == 422
    fields = {error["field"] for error in wrong.json()["errors"]}
    assert fields == {"resourceType", "issuedAt", "colour"}
    assert client.post(user=nobody).status_code == 404
    assert client.post(resourceId=nobody).status_code == 404
    assert client.post("recertify").status_code == 404
    client.headers = {"Authorization": "Bearer other"}
    assert client.post().status_code == client.get("users").status_code == 401
    assert tenant.certificates() == []


def test_duplicates_are_granted_or_refused() -> None:
    for refuse, status in ((False, 200), (True, 409)):
        with ThoughtIndustries(refuse_duplicates=refuse) as tenant:
            client = Client(tenant)
            assert client.post(issuedAt=DAY).status_code == 200
            assert client.post(issuedAt=DAY).status_code == status


def test_users_are_the_people_of_a_pluvo_sandbox_and_come_in_pages(
    tenant: ThoughtIndustries,
) -> None:
    client = Client(tenant)
    pages = [client.get("users", page=number, perPage=500).json() for number in (1, 2)]
    found = [page["data"]["APIUsers"] for page in pages]
    assert [len(page["users"]) for page in found] == [100, 30]
    assert [page["pageInfo"]["hasMore"] for page in found] == [True, False]
    emails = {user["email"] for page in found for user in page["users"]}
    with Sandbox(users=130, trainings=0, groups=0, portfolio=0, seed=1) as pluvo:
        assert emails == {email for (email,) in pluvo.database.execute("SELECT email FROM users")}


def test_events_come_in_pages_by_cursor(tenant: ThoughtIndustries) -> None:
    client = Client(tenant)
    for year in range(30):
        tenant.store.grant(client.user, client.course, issuedAt=f"{1990 + year}")
    cursor, seen = None, []
    while True:
        page = client.get("events/courseCertificate", cursor=cursor).json()["data"]["APIEvents"]
        seen += [event["id"] for event in page["events"]]
        cursor = page["pageInfo"]["cursor"]
        if not page["pageInfo"]["hasMore"]:
            break
    assert len(seen) == len(set(seen)) == 30


def test_a_burst_is_allowed_and_then_the_limit_is_kept() -> None:
    with ThoughtIndustries(per_minute=60, burst=3) as tenant:
        client = Client(tenant)
        answers = [client.get("users") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["X-RateLimit-Limit"] == "60"
        assert answers[2].headers["X-RateLimit-Remaining"] == "0"
        assert int(answers[3].headers["Retry-After"]) == 1


@pytest.mark.parametrize(
    ("fault", "granted"), [("502:certify@1", 0), ("late-502:certify@1", 1), ("409:certify@1", 0)]
)
def test_faults_come_before_or_after_the_effect(
    fault: str, granted: int, tenant: ThoughtIndustries
) -> None:
    tenant.set_faults(fault)
    assert Client(tenant).post().status_code in {502, 409}
    assert len(tenant.certificates()) == granted


def test_the_command_serves_a_tenant_and_says_where(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "pluvo_sandbox", "thought-industries", "serve", "--port=0"]
    command += ["--users=3", f"--ready-file={ready}", f"--db={tmp_path}/tenant.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        text = process.stdout.readline()
        told = json.loads(process.stdout.readline())
        assert told == json.loads(ready.read_text("utf-8"))
        assert told["url"] in text
        url, headers = told["url"], {"Authorization": f"Bearer {told['api_key']}"}
        answer = requests.get(f"{url}/incoming/v2/users", headers=headers, timeout=10)
        assert answer.json()["data"]["APIUsers"]["pageInfo"]["total"] == 3
        assert told["resources"]["BHV-certificaat"]["resource_type"] == "course"
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
