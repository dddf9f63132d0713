"""Inboxes of both kinds."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

sys.path.append(str(Path(__file__).parents[1] / "e2e"))

from private_postgres import private_postgres
from webhook_support import Receiver

from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[dict[str, str]]:
    with private_postgres() as variables:
        yield variables


@pytest.fixture(scope="session")
def server(postgres: dict[str, str]) -> str:
    """The server's URL, without a database."""
    return f"postgresql://postgres@{postgres['PGHOST']}:{postgres['PGPORT']}"


@pytest.fixture
def postgres_url(server: str) -> str:
    """The URL of an empty database."""
    name = f"inbox_{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}".replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'inbox.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that is still empty."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def inbox(url: str) -> Iterator[Inbox]:
    opened = Inbox.open(url, create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that tests share; each counts what it adds itself."""
    folder = tmp_path_factory.mktemp("receiver")
    inbox = f"sqlite:///{folder / 'inbox.db'}"
    variables = {"PLUVO_WEBHOOKS_SECRET_PREVIOUS": "the-key-before"}
    with Receiver(inbox, folder / "log", **variables) as running:
        yield running
