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
    assert [event["resourceId"] for event in events["events"]] == [client.course]
    assert events["pageInfo"]["hasMore"] is False
    assert client.post("recertify").json() == {"data": {"APIRecertifyUser": True}}
    assert [row["renewal"] for row in tenant.certificates()] == [0, 1]


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
        tenant.store.grant(client.user, client.course, renewal=False, issuedAt=f"{1990 + year}")
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
