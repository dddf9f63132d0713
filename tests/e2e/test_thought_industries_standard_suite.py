"""The SDK's own suite for targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from suite_support import IDS
from thought_industries_support import config

from pluvo_sandbox.thought_industries import ThoughtIndustries
from target_thought_industries.run import STREAM
from target_thought_industries.target import TargetThoughtIndustries

if TYPE_CHECKING:
    from collections.abc import Iterator


class Target(TargetThoughtIndustries):
    """The target, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


ROW = {"title": "'A title'", "completion_date": "'2025-03-01'", "user_email": "'x'"}


def certificates(ref: str) -> dict[str, Any]:
    """Return the stream map that makes certificates of other rows, of users who do not exist."""
    kept = {"__alias__": STREAM, "__key_properties__": ["id"], "__else__": None}
    return kept | ROW | {"id": ref}


# The suite makes its tests before there is a sandbox.
SETTINGS: dict[str, Any] = {
    "api_url": "http://127.0.0.1:9",
    "api_key": "key",
    "resources": {"A title": {"resource_type": "course", "resource_id": "any"}},
    "stream_maps": {
        **{stream: certificates(ref) for stream, ref in IDS.items()},
        "test_record_missing_key_property": {"__alias__": STREAM, **ROW},
    },
}


@pytest.fixture(scope="module", autouse=True)
def _tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with ThoughtIndustries() as tenant:
        SETTINGS.update(config(tenant, tmp_path_factory.mktemp("suite")))
        yield
        assert tenant.certificates() == []


TestTargetThoughtIndustries: Any = get_target_test_class(Target, config=SETTINGS)
