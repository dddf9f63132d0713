"""The SDK's own suite for targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from thought_industries_support import config

from pluvo_sandbox.thought_industries import ThoughtIndustries
from target_thought_industries.target import TargetThoughtIndustries

if TYPE_CHECKING:
    from collections.abc import Iterator


class Target(TargetThoughtIndustries):
    """The target, which leaves this process's signals alone and can be closed when all is done."""

    made: list[Target]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.made.append(self)

    def _setup_signal_handlers(self) -> None:
        pass


Target.made = []

# The suite makes its tests before there is a sandbox.
SETTINGS: dict[str, Any] = {
    "api_url": "http://127.0.0.1:9",
    "api_key": "key",
    "resources": {"A title": {"resource_type": "course", "resource_id": "any"}},
}


@pytest.fixture(scope="module", autouse=True)
def _tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with ThoughtIndustries() as tenant:
        SETTINGS.update(config(tenant, tmp_path_factory.mktemp("suite")))
        yield
        assert tenant.certificates() == []
    while Target.made:
        Target.made.pop().close()


TestTargetThoughtIndustries: Any = get_target_test_class(Target, config=SETTINGS)
