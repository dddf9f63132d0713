"""Sandboxes to ask, and a plain HTTP client to ask them with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = date(2025, 11, 21)


class Api:
    """One client of a sandbox: one HTTP session, one token."""

    def __init__(self, sandbox: Sandbox, scopes: str | None = None) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        answer = self.token(scope=scopes)
        self.session.headers["Authorization"] = f"Bearer {answer.json().get('access_token')}"

    def token(self, **form: str | None) -> requests.Response:
        """Ask for a token; keyword arguments replace fields of the usual form."""
        usual = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
        }
        return self.session.post(self.sandbox.url + "/oauth/token/", data=usual | form, timeout=10)

    def post(self, query: str, /, **variables: Any) -> requests.Response:
        body = {"query": query, "variables": variables}
        return self.session.post(self.sandbox.url + "/graphql/", json=body, timeout=10)

    def errors(self, query: str, /, **variables: Any) -> list[str]:
        answer = self.post(query, **variables)
        assert answer.status_code == 200
        return [error["message"] for error in answer.json()["errors"]]

    def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        answer = self.post(query, **variables)
        assert answer.status_code == 200
        assert "errors" not in answer.json(), answer.json()["errors"]
        data: dict[str, Any] = answer.json()["data"]
        return data

    def nodes(self, field: str, fields: str, /, **arguments: Any) -> list[Any]:
        """Read all pages of a connection by its cursors; arguments are GraphQL literals."""
        nodes: list[Any] = []
        after = "null"
        while True:
            given = ", ".join(f"{name}: {value}" for name, value in arguments.items())
            query = f"{{ page: {field}(after: {after} {given}) {{ edges {{ node {{ {fields} }} }}"
            page = self.data(query + " pageInfo { hasNextPage endCursor } count } }")["page"]
            nodes += [edge["node"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                assert len(nodes) == page["count"]
                return nodes
            after = f'"{page["pageInfo"]["endCursor"]}"'


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that no test changes."""
    with Sandbox(users=130, trainings=13, groups=14, portfolio=900, today=TODAY) as running:
        yield running


@pytest.fixture(scope="session")
def rich() -> Iterator[Sandbox]:
    with Sandbox(
        schema="rich", users=130, trainings=13, groups=14, portfolio=900, today=TODAY
    ) as running:
        yield running


@pytest.fixture(scope="session")
def lean() -> Iterator[Sandbox]:
    with Sandbox(schema="lean", users=60, portfolio=200, today=TODAY) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., Api]]:
    """Give a client to a sandbox, closed after the test."""
    clients: list[Api] = []

    def open_client(sandbox: Sandbox, scopes: str | None = None) -> Api:
        clients.append(Api(sandbox, scopes))
        return clients[-1]

    yield open_client
    for client in clients:
        client.session.close()


@pytest.fixture
def api(sandbox: Sandbox, connect: Callable[..., Api]) -> Api:
    """A client that may ask everything."""
    return connect(sandbox)


@pytest.fixture(scope="module")
def faulty() -> Iterator[Sandbox]:
    with Sandbox(users=20, groups=4, yesterday_lacks=["User.id"]) as running:
        yield running


@pytest.fixture
def client(faulty: Sandbox, connect: Callable[..., Api]) -> Iterator[Api]:
    """A client of a sandbox that can be told what to do wrong."""
    faulty.set_faults()
    faulty.reset_log()
    yield connect(faulty)
    faulty.set_faults()
