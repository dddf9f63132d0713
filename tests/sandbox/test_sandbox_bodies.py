"""Bodies that a client should bound: in time, and in size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api

USERS = "{ paginatedUsers(first: 4) { edges { node { id } } } }"


def test_a_body_that_trickles(client: Api) -> None:
    query = "{ __typename }"
    whole = client.post(query).content
    client.sandbox.set_faults("trickle=0.01@1", "trickle@2")
    before = time.monotonic()
    assert client.post(query).content == whole
    assert time.monotonic() - before >= 0.01 * (len(whole) - 1)
    with client.session.post(
        client.sandbox.url + "/graphql/", json={"query": query}, timeout=10, stream=True
    ) as answer:
        assert next(answer.iter_content(1)) == whole[:1]
    assert client.post(query).content == whole


@pytest.mark.parametrize("fault", ["endless", "endless=0.001"])
def test_a_body_that_never_ends(client: Api, fault: str) -> None:
    whole = client.post(USERS).content
    client.sandbox.set_faults(f"{fault}@1")
    with client.session.post(
        client.sandbox.url + "/graphql/", json={"query": USERS}, timeout=10, stream=True
    ) as answer:
        assert answer.status_code == 200
        parts = answer.iter_content(1 << 16)
        read = b"".join(next(parts) for _ in range(40))
    assert len(read) > 1_000_000
    assert read.strip() == b'{"data":'
    assert client.post(USERS).content == whole


def test_a_server_stops_although_bodies_are_not_at_their_end(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, faults=["endless@1", "trickle=60@2"]) as sandbox:
        api = connect(sandbox)
        graphql = sandbox.url + "/graphql/"
        answers = [
            api.session.post(graphql, json={"query": USERS}, timeout=10, stream=True)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        answer.close()


def test_a_body_that_unpacks_to_a_huge_size(client: Api) -> None:
    whole = client.post(USERS)
    client.sandbox.set_faults("gzip=30@1")
    answer = client.post(USERS)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 50_000
    assert len(answer.content) == len(whole.content) + 30 * 1024 * 1024
    assert answer.json() == whole.json()
