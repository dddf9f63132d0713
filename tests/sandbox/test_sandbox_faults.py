from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pluvo_sandbox import Sandbox
from pluvo_sandbox.faults import KINDS, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api

FIELDS = "edges { cursor node { id } } count pageInfo { hasNextPage endCursor }"
USERS = f"{{ paginatedUsers(first: 4) {{ {FIELDS} }} }}"
GROUPS = "{ paginatedGroups { count } }"


def statuses(api: Api, query: str, times: int) -> list[int]:
    return [api.post(query).status_code for _ in range(times)]


def page(api: Api, query: str = USERS) -> dict[str, Any]:
    found: dict[str, Any] = api.data(query)["paginatedUsers"]
    return found


# ---------- when ----------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("500@3", [200, 200, 500, 200, 200, 200]),
        ("500@2-4", [200, 500, 500, 500, 200, 200]),
        ("500/2", [200, 500, 200, 500, 200, 500]),
        ("500", [500] * 6),
    ],
)
def test_a_fault_hits_the_nth_the_nth_to_mth_every_nth_or_all(
    client: Api, fault: str, expected: list[int]
) -> None:
    client.sandbox.set_faults(fault)
    assert statuses(client, USERS, 6) == expected
    assert client.token().status_code == 200
    assert [request.status for request in client.sandbox.requests[1:-1]] == expected


def test_token_requests_have_faults_of_their_own(client: Api) -> None:
    client.sandbox.set_faults("503:token@2", "429:token@3")
    assert statuses(client, USERS, 3) == [200] * 3
    assert [client.token().status_code for _ in range(4)] == [200, 503, 429, 200]


def test_one_stream_can_fail_while_others_go_on(client: Api) -> None:
    client.sandbox.set_faults("500:paginatedUsers")
    assert statuses(client, USERS, 2) + statuses(client, GROUPS, 2) == [500, 500, 200, 200]
    both = "{ paginatedGroups { count } ...F } fragment F on Query { u: paginatedUsers { count } }"
    assert client.post(both).status_code == 500


def test_a_fault_counts_the_requests_it_is_about(client: Api) -> None:
    client.sandbox.set_faults("500:paginatedUsers@2", "503@2")
    assert statuses(client, GROUPS, 3) == [200, 503, 200]
    assert statuses(client, USERS, 3) == [200, 500, 200]


def test_faults_are_there_from_the_start(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, faults=["500@2"]) as sandbox:
        assert statuses(connect(sandbox), USERS, 3) == [200, 500, 200]


@pytest.mark.parametrize(
    "text", ["", "418", "500@", "500@0", "500/0", "500@3-", "500@x", "500:a-b", "slow=x", "500 @3"]
)
def test_what_is_not_a_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a fault"):
        Fault.parse(text)


# ---------- what ----------


def test_too_many_requests_in_three_forms(client: Api) -> None:
    client.sandbox.set_faults("429=7@1", "429@2", "429-date=90@3", "429-bare@4")
    answers = [client.post(USERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429] * 4
    waits = [answer.headers.get("Retry-After") for answer in answers]
    assert waits[:2] == ["7", "1"]
    assert waits[2] is not None
    assert waits[3] is None
    assert 80 < parsedate_to_datetime(waits[2]).timestamp() - time.time() <= 91


def test_server_errors(client: Api) -> None:
    client.sandbox.set_faults("500@1", "502@2", "503@3", "html@4")
    answers = [client.post(USERS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 502, 503, 200]
    for answer in (answers[1], answers[3]):
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")


def test_a_connection_reset_before_the_answer(client: Api) -> None:
    client.sandbox.set_faults("reset@1")
    with pytest.raises(requests.ConnectionError, match=r"(?i)reset"):
        client.post(USERS)
    assert client.post(USERS).status_code == 200
    assert [request.status for request in client.sandbox.requests[1:]] == [None, 200]


def test_a_connection_reset_within_the_body(client: Api) -> None:
    client.sandbox.set_faults("reset-body@1")
    request = requests.Request("POST", client.sandbox.url + "/graphql/", json={"query": USERS})
    with client.session.send(client.session.prepare_request(request), stream=True) as answer:
        assert answer.status_code == 200
        with pytest.raises(requests.RequestException, match=r"(?i)broken"):
            _ = answer.content
    assert client.post(USERS).status_code == 200


def test_connections_are_refused_for_a_while(client: Api) -> None:
    client.sandbox.set_faults("refused=0.3@1")
    with pytest.raises(requests.ConnectionError, match=r"(?i)reset"):
        client.post(USERS)
    with pytest.raises(requests.ConnectionError, match=r"(?i)refused"):
        client.post(USERS)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            assert client.post(USERS).status_code == 200
        except requests.ConnectionError:
            continue
        break
    else:
        pytest.fail("the sandbox stayed away")


def test_a_sandbox_can_stop_while_it_refuses_or_is_slow(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, faults=["refused=60@2", "slow=60@1"]) as sandbox:
        api = connect(sandbox)
        with pytest.raises(requests.Timeout):
            api.session.post(sandbox.url + "/graphql/", json={"query": USERS}, timeout=0.05)
        with pytest.raises(requests.ConnectionError):
            api.post(USERS)
        before = time.monotonic()
    assert time.monotonic() - before < 5


def test_half_of_a_json_document(client: Api) -> None:
    whole = client.post(USERS).content
    client.sandbox.set_faults("truncated@1", "truncated:token")
    answer = client.post(USERS)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(client.token().content)


def test_an_answer_slower_than_the_client_waits(client: Api) -> None:
    client.sandbox.set_faults("slow@1", "slow=0.05@2")
    graphql = client.sandbox.url + "/graphql/"
    with pytest.raises(requests.Timeout):
        client.session.post(graphql, json={"query": USERS}, timeout=0.05)
    before = time.monotonic()
    assert client.post(USERS).status_code == 200
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize("kind", ["revoked", "expired"])
def test_a_token_ends_in_the_middle(client: Api, kind: str) -> None:
    client.sandbox.set_faults(f"{kind}@2")
    assert statuses(client, USERS, 4) == [200, 401, 401, 401]
    client.session.headers["Authorization"] = f"Bearer {client.token().json()['access_token']}"
    assert statuses(client, USERS, 2) == [200, 200]


def test_the_older_form_of_an_authentication_error(client: Api) -> None:
    client.sandbox.set_faults("auth-error@1")
    answer = client.post(USERS)
    assert answer.status_code == 200
    assert "Auth" in answer.json()["errors"][0]["extensions"]["code"]
    assert answer.json()["data"] is None


def test_no_data_but_errors(client: Api) -> None:
    client.sandbox.set_faults("no-data@1")
    answer = client.post(USERS).json()
    assert answer["data"] is None
    assert answer["errors"][0]["message"]


def test_partial_data_with_errors(client: Api) -> None:
    whole = page(client)
    client.sandbox.set_faults("partial@1")
    answer = client.post(USERS).json()
    found = answer["data"]["paginatedUsers"]
    assert found["edges"][:3] == whole["edges"][:3]
    assert found["edges"][3]["node"] is None
    assert answer["errors"][0]["path"] == ["paginatedUsers", "edges", 3, "node"]


def test_one_null_node(client: Api) -> None:
    whole = page(client)
    client.sandbox.set_faults("null-node@1")
    found = page(client)
    assert [edge["node"] for edge in found["edges"]] == [
        *(edge["node"] for edge in whole["edges"][:3]),
        None,
    ]


def test_an_empty_page_that_promises_more(client: Api) -> None:
    client.sandbox.set_faults("empty-page@1")
    found = page(client)
    assert found["edges"] == []
    assert found["pageInfo"]["hasNextPage"] is True


def test_has_next_page_is_null(client: Api) -> None:
    client.sandbox.set_faults("null-next@1")
    assert page(client)["pageInfo"]["hasNextPage"] is None
    assert page(client)["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize("arguments", ["first: 4", 'first: 4, after: "YXJyYXljb25uZWN0aW9uOjM="'])
def test_a_cursor_that_does_not_move(client: Api, arguments: str) -> None:
    client.sandbox.set_faults("stuck-cursor")
    found = page(client, USERS.replace("first: 4", arguments))
    cursor = found["pageInfo"]["endCursor"]
    again = page(client, USERS.replace("first: 4", f'first: 4, after: "{cursor}"'))
    assert again == found
    assert {edge["cursor"] for edge in again["edges"]} == {cursor}


def test_a_count_that_lies(client: Api) -> None:
    whole = page(client)
    client.sandbox.set_faults("wrong-count@1", "wrong-count=-3@2")
    assert page(client) == whole | {"count": whole["count"] + 1}
    assert page(client) == whole | {"count": whole["count"] - 3}


def test_a_page_with_fewer_rows_than_asked(client: Api) -> None:
    whole = page(client)
    client.sandbox.set_faults("short-page@1-2")
    found = page(client)
    assert found["edges"] == whole["edges"][:2]
    assert found["pageInfo"] == {"hasNextPage": True, "endCursor": whole["edges"][1]["cursor"]}
    last = page(client, USERS.replace("first: 4", "first: 4, offset: 14"))
    assert last["pageInfo"]["hasNextPage"] is True


def test_rows_that_come_twice(client: Api) -> None:
    whole = page(client)
    client.sandbox.set_faults("duplicate-rows@1")
    assert page(client)["edges"] == [*whole["edges"], whole["edges"][-1]]


def test_a_token_answer_without_a_token(client: Api) -> None:
    client.sandbox.set_faults("no-token@1")
    answer = client.token()
    assert answer.status_code == 200
    assert "access_token" not in answer.json()
    assert "access_token" in client.token().json()


def test_objects_that_are_there_are_not_found_for_some_requests(client: Api) -> None:
    rows = client.nodes("paginatedGroups", "id")
    query = " ".join(
        f'r{place}: group(id: "{row["id"]}") {{ id }}' for place, row in enumerate(rows)
    )
    found = {f"r{place}": row for place, row in enumerate(rows)}
    assert client.data(f"{{ {query} }}") == found
    client.sandbox.set_faults("not-found:group@2-3", "not-found=3:group@5")
    for missing in (0, 1, 1, 0, 3, 0):
        answer = client.post(f"{{ {query} }}").json()
        gone = [f"r{place}" for place in range(missing)]
        errors = [(error["message"], error["path"]) for error in answer.get("errors", [])]
        assert errors == [("Group not found", [name]) for name in gone]
        assert answer["data"] == found | dict.fromkeys(gone)
    assert len(client.nodes("paginatedGroups", "id")) == len(rows)  # lists are as they were


def test_faults_reach_connections_in_connections_by_name(client: Api) -> None:
    query = "{ paginatedGroups { count edges { node { users { count } } } } }"
    whole = client.data(query)["paginatedGroups"]
    client.sandbox.set_faults("wrong-count=100:users@1", "wrong-count=100@2")
    nested = client.data(query)["paginatedGroups"]
    assert nested["count"] == whole["count"]
    for edge, other in zip(nested["edges"], whole["edges"], strict=True):
        assert edge["node"]["users"]["count"] == other["node"]["users"]["count"] + 100
    outer = client.data(query)["paginatedGroups"]
    assert outer == whole | {"count": whole["count"] + 100}


OF_ONE_FIELD = {"silent", "silent-refusal", "not-found"}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - OF_ONE_FIELD - {"endless"}))
def test_every_kind_can_last_and_end(
    faulty: Sandbox, connect: Callable[..., Api], kind: str
) -> None:
    """Each kind changes an answer, and the sandbox is itself again afterwards."""
    faulty.set_faults()
    api = connect(faulty)
    usual = api.post(USERS).content
    token = kind == "no-token"
    values = {"refused": "=0.05", "slow": "=0.05", "trickle": "=0.0001", "gzip": "=1"}
    faulty.set_faults(kind + values.get(kind, ""))
    try:
        answer = api.token() if token else api.post(USERS)
    except requests.RequestException:
        assert kind in {"refused", "reset", "reset-body"}
    else:
        if token:
            assert "access_token" not in answer.json()
        else:
            assert (answer.content != usual) == (kind not in {"slow", "trickle"})
    faulty.set_faults()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            assert connect(faulty).post(USERS).content == usual
        except requests.ConnectionError:
            continue
        return
    pytest.fail("the sandbox did not recover")
