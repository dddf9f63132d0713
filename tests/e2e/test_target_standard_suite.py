"""The SDK's own suite for targets: its streams become users by stream maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from suite_support import IDS
from support import config

from pluvo_sandbox import Sandbox
from target_pluvo.target import TargetPluvo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Target(TargetPluvo):
    """The target, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


def users(ref: str, **columns: str) -> dict[str, Any]:
    """Return the stream map that makes users of other rows."""
    kept = {"__alias__": "users", "__key_properties__": ["ref"], "__else__": None}
    return kept | {"ref": ref, "name": f"'User ' + {ref}"} | columns


STREAM_MAPS: dict[str, Any] = {
    **{stream: users(ref) for stream, ref in IDS.items()},
    "test_array_data": users("str(id)", roles="'PARTICIPANT'"),
    "example_stream": users("str(id)", name="name", email="email"),
    "test_record_missing_key_property": {"__alias__": "users", "ref": "str(metric)"},
}

SETTINGS: dict[str, Any] = {
    "api_url": "http://127.0.0.1:9",
    "client_id": "me",
    "client_secret": "secret",
    "stream_maps": STREAM_MAPS,
}


@pytest.fixture(scope="module", autouse=True)
def _organization(
    organization: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("suite")
    SETTINGS.update(config(organization), rejects=str(folder / "rejects.jsonl"))
    yield
    found = organization.database.execute("SELECT count(*) FROM users").fetchone()
    assert found[0] > 5  # its rows really came here


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    with Sandbox(users=5, trainings=1, groups=1, portfolio=0) as running:
        yield running


TestTargetPluvo: Any = get_target_test_class(Target, config=SETTINGS)
