from __future__ import annotations

import pytest
from fake_http import Api


@pytest.fixture
def api() -> Api:
    """An organization made of prepared answers."""
    return Api()
