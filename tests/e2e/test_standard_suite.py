"""The SDK's own suite for taps, over everything that the sandbox has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from support import ALL_STREAMS, SYNC_LOG, Result, config, selecting

from tap_pluvo.tap import TapPluvo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_sandbox import Sandbox
    from tap_pluvo.catalog_stream import CatalogStream


class Tap(TapPluvo):
    """The tap, which leaves this process's signals alone and can be closed when all is done."""

    made: list[Tap]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.made.append(self)

    def _setup_signal_handlers(self) -> None:
        pass

    def discover_streams(self) -> list[CatalogStream]:
        """Leave out the log: the suite reads without `sync_run`, which writes it."""
        return [stream for stream in super().discover_streams() if stream.name != SYNC_LOG]


Tap.made = []

# The suite makes its tests before there is a sandbox, from the documented schema.
SETTINGS: dict[str, Any] = {
    "api_url": "http://127.0.0.1:9",
    "client_id": "me",
    "client_secret": "secret",
    "introspection": "off",
}


@pytest.fixture(scope="module", autouse=True)
def _organization(sandbox: Sandbox) -> Iterator[None]:
    SETTINGS.update(config(sandbox), introspection="auto")
    yield
    while Tap.made:
        Tap.made.pop().close()


TestTapPluvo: Any = get_tap_test_class(
    Tap,
    config=SETTINGS,
    suite_config=SuiteConfig(max_records_limit=None),
    parse_env_config=False,
    catalog=selecting(Tap(validate_config=False).catalog_dict, ALL_STREAMS),
)


def test_the_suite_knows_every_stream() -> None:
    names = {item.id for item in TestTapPluvo.params["test_tap_stream_returns_record"]}
    assert names == ALL_STREAMS
    columns = TestTapPluvo.params["test_tap_stream_attribute_not_null"]
    assert "users.id" in {item.id for item in columns}


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_keys_are_unique_and_complete(stream: str, everything: Result) -> None:
    """What the suite means to test, too, by comparing what is never equal."""
    names = everything.schemas[stream]["key_properties"]
    keys = everything.keys(stream, *names)
    assert len(keys) == len(set(keys)) > 0
    assert not [key for key in keys if None in key]
