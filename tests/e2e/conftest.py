"""Sandboxes that no test changes, and one run over everything that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from drift_support import organization
from incremental_support import REPORT
from private_postgres import private_postgres
from support import DEFAULT_STREAMS, Result, config, discover, selecting, sync
from wrong_input_support import SECRET

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def rich() -> Iterator[Sandbox]:
    with Sandbox(schema="rich") as running:
        yield running


@pytest.fixture(scope="session")
def lean() -> Iterator[Sandbox]:
    with Sandbox(schema="lean") as running:
        yield running


@pytest.fixture
def changeable() -> Iterator[Sandbox]:
    """A small sandbox that one test may change."""
    with Sandbox(users=20, trainings=4, groups=2, portfolio=150) as running:
        yield running


@pytest.fixture(scope="session")
def guarded() -> Iterator[Sandbox]:
    """A small sandbox whose client secret no output may show."""
    with Sandbox(users=6, trainings=2, groups=2, portfolio=12, client_secret=SECRET) as running:
        yield running


@pytest.fixture(scope="session")
def documented() -> dict[str, Result]:
    """Runs over an organization as documented, by the setting `introspection`."""
    with organization("documented") as pluvo:
        return {value: pluvo.sync(introspection=value) for value in ("auto", "off")}


@pytest.fixture(scope="session")
def yesterday() -> Any:
    """A catalog from an organization as documented."""
    with organization("documented") as pluvo:
        return selecting(pluvo.sync("--discover").catalog, DEFAULT_STREAMS)


@pytest.fixture(autouse=True)
def _fresh_log(request: pytest.FixtureRequest) -> None:
    """Let each test see its own requests only."""
    for name in {"sandbox", "rich", "lean"} & {*request.fixturenames}:
        request.getfixturevalue(name).reset_log()


@pytest.fixture(scope="session")
def catalog(sandbox: Sandbox) -> object:
    """What `--discover` writes for the sandbox."""
    return discover(config(sandbox))


@pytest.fixture
def only_report(catalog: object) -> Any:
    """The catalog with only the report selected."""
    return selecting(catalog, [REPORT])


@pytest.fixture(scope="session")
def everything(sandbox: Sandbox, catalog: object) -> Result:
    """A first sync of all streams, those included that are off by default."""
    names = [stream["tap_stream_id"] for stream in catalog["streams"]]  # type: ignore[index]
    return sync(config(sandbox), catalog=selecting(catalog, names))


@pytest.fixture(scope="session")
def postgres() -> Iterator[dict[str, str]]:
    """The environment variables that lead to a PostgreSQL server of our own."""
    with private_postgres() as variables:
        yield variables
