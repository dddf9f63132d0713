"""How a run fails when something that a user gave is wrong: with cause and remedy, no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support import Result

SECRET = "never-to-be-shown-5f1d"
TOKEN = "token-that-nobody-may-see"
CLIENT_REMEDY = "check the settings `client_id` and `client_secret`"
HOST_REMEDY = "the setting `organization` or `api_url`"


def check(result: Result, *phrases: str) -> None:
    """Make sure that a run failed in a way that helps."""
    told = "\n".join(
        line for line in result.stderr.splitlines() if "| CRITICAL |" in line or "| ERROR " in line
    )
    assert result.returncode == 1, result.stderr
    for phrase in phrases:
        assert phrase in told, told
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr + result.stdout
    assert TOKEN not in result.stderr + result.stdout
