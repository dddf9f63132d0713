from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pluvo_sandbox import LoggedRequest, Sandbox
from pluvo_sandbox.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


@pytest.mark.parametrize("path", ["/graphql", "/oauth/token"])
def test_without_trailing_slash_comes_a_redirect(api: Api, sandbox: Sandbox, path: str) -> None:
    answer = api.session.post(sandbox.url + path, json={}, allow_redirects=False, timeout=10)
    assert answer.status_code == 301
    assert answer.headers["Location"] == path + "/"
    assert (sandbox.requests[-1].path, sandbox.requests[-1].status) == (path, 301)


def test_other_ways_of_asking_are_refused(api: Api, sandbox: Sandbox) -> None:
    graphql = sandbox.url + "/graphql/"
    answer = api.session.get(graphql, params={"query": "{ __typename }"}, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert api.session.post(graphql, data="{", timeout=10).status_code == 400
    assert api.session.post(sandbox.url + "/", timeout=10).status_code == 404
    for body in ([], [{"query": "{ __typename }"}], {"query": 1}, {"query": ["x"]}, {}, "text"):
        answer = api.session.post(graphql, json=body, timeout=10)
        assert (answer.status_code, list(answer.json())) == (200, ["errors"])


def test_an_answer_arrives_at_once_and_the_connection_stays_open(
    api: Api, sandbox: Sandbox
) -> None:
    body = json.dumps({"query": "{ paginatedUsers { edges { node { id name } } } }"})
    address = urlsplit(sandbox.url)
    request = (
        f"POST /graphql/ HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {api.session.headers['Authorization']!s}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(request)
            head, _, answer = connection.recv(1 << 20).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert len(json.loads(answer)["data"]["paginatedUsers"]["edges"]) == 50


def test_latency_holds_every_answer_back(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, latency=60) as sandbox:
        api = connect(sandbox)
        before = time.monotonic()
        api.data("{ __typename }")
        assert time.monotonic() - before >= 0.06


def test_above_the_rate_limit_comes_429_with_retry_after(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, rate_limit="3/m") as sandbox:
        api = connect(sandbox)
        assert [api.post("{ __typename }").status_code for _ in range(4)] == [200, 200, 429, 429]
        assert 15 <= int(api.post("{ __typename }").headers["Retry-After"]) <= 20
        assert api.token().status_code == 429


@pytest.mark.parametrize("text", ["", "3", "0/s", "-1/s", "x/s", "3/d", "1.5/s", "3/"])
def test_what_is_not_a_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        RateLimit.parse(text)


def test_the_log_tells_what_was_asked(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3) as sandbox:
        api = connect(sandbox, "users.read groups.read")
        api.session.headers["User-Agent"] = "me/1.0"
        query = "query Page($first: Int) { paginatedUsers(first: $first) { count } }"
        api.session.post(
            sandbox.url + "/graphql/",
            json={"query": query, "operationName": "Page", "variables": {"first": 2}},
            timeout=10,
        )
        api.session.post(sandbox.url + "/graphql/", data="{", timeout=10)
        token, page, broken = sandbox.requests
        assert token == LoggedRequest(
            path="/oauth/token/",
            status=200,
            query=None,
            operation=None,
            variables={},
            scopes=("users.read", "groups.read"),
            headers=token.headers,
        )
        assert (page.path, page.status, page.query) == ("/graphql/", 200, query)
        assert (page.operation, page.variables) == ("Page", {"first": 2})
        assert page.headers["user-agent"] == "me/1.0"
        assert (broken.status, broken.query) == (400, None)
        assert sandbox.client_secret not in repr(sandbox.requests)
        assert "Bearer" not in repr(sandbox.requests)
        sandbox.reset_log()
        assert sandbox.requests == []
