"""Scopes that an organization does not grant, or that the API asks for without a document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support import DEFAULT_STREAMS, OFFERED, config, discover, run_tap, selecting, sync
from wrong_input_support import check

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_PEOPLE = {  # streams that need users.read and groups.read only
    "custom_field_values",
    "custom_fields",
    "group_members",
    "group_trainings",
    "groups",
    "users",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Sandbox]:
    """An organization that grants two scopes and no more."""
    with Sandbox(
        users=9, trainings=3, groups=3, portfolio=9, scopes=["users.read", "groups.read"]
    ) as running:
        yield running


def test_scopes_that_are_not_granted_fail_the_streams_that_need_them(strict: Sandbox) -> None:
    result = run_tap(config(strict))
    check(
        result,
        "stream trainings failed: the organization did not grant the scope trainings.read",
        "ask Pluvo for it, or deselect the stream",
    )
    (warning,) = [line for line in result.stderr.splitlines() if "does not grant" in line]
    assert "events.read (for enrollments, offer_event_dates, offer_events, offers)" in warning
    assert "trainings.read (for certificates, issued_certificates, portfolio_report, " in warning
    assert result.records.keys() == OF_PEOPLE
    assert result.failed_streams() == DEFAULT_STREAMS - OF_PEOPLE


def test_the_check_names_the_streams_whose_scopes_are_not_granted(strict: Sandbox) -> None:
    result = run_tap(config(strict), "--test")
    assert result.returncode == 1
    failed = set(re.findall(r"FAIL stream (\w+): the organization did not grant", result.stdout))
    assert failed == DEFAULT_STREAMS - OF_PEOPLE
    assert set(re.findall(r"ok +stream (\w+)", result.stdout)) == OF_PEOPLE


def test_discovery_needs_no_scope_in_particular(strict: Sandbox) -> None:
    catalog = sync(config(strict), "--discover").catalog
    assert {stream["tap_stream_id"] for stream in catalog["streams"]} == OFFERED


def test_without_any_scope_that_is_needed_nothing_is_read() -> None:
    with Sandbox(users=3, trainings=1, groups=1, portfolio=3, scopes=["events.write"]) as strict:
        result = run_tap(config(strict))
    check(result, "does not grant all of these scopes", "users.read (for ", "set `scopes` to what")
    assert result.stdout == ""


def test_a_scope_that_the_api_then_misses(guarded: Sandbox) -> None:
    result = run_tap(config(guarded, scopes=["users.read", "groups.read"]))
    check(
        result,
        "stream trainings failed: the token lacks trainings.read",
        "stream offers failed: the token lacks events.read",
        "ask Pluvo to grant it to this client, or deselect the stream",
    )
    assert result.records.keys() == OF_PEOPLE
    assert result.failed_streams().isdisjoint(result.records)


# ---------- scopes that nobody documented ----------


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_scope_that_the_api_names_is_requested_once(concurrency: int) -> None:
    needed = {"portfolioReport": ["users.read"], "certificates": ["groups.read"]}
    with Sandbox(
        users=9, trainings=3, groups=3, portfolio=90, required_scopes=needed
    ) as organization:
        settings = config(organization, max_concurrency=concurrency)
        catalog = selecting(discover(settings), ["portfolio_report", "certificates"])
        organization.reset_log()
        result = sync(settings, catalog=catalog)
        asked = [item.scopes for item in organization.requests if item.path == "/oauth/token/"]
    assert len(result.records["portfolio_report"]) == 90
    assert result.records["certificates"]
    for scope in ("users.read", "groups.read"):
        said = f"the API says that the scope {scope} is needed: requesting a token with it"
        assert result.stderr.count(said) == 1
    assert [set(scopes) for scopes in asked] == [
        {"trainings.read"},
        {"trainings.read", "groups.read"},
        {"trainings.read", "groups.read", "users.read"},
    ]


def test_a_scope_that_the_api_names_and_nobody_grants_fails_its_streams() -> None:
    with Sandbox(
        users=9,
        trainings=3,
        groups=3,
        portfolio=9,
        required_scopes={"portfolioReport": ["users.read"]},
        scopes=["trainings.read"],
    ) as organization:
        settings = config(organization)
        catalog = selecting(discover(settings), ["portfolio_report", "trainings"])
        result = run_tap(settings, catalog=catalog)
    check(result, "stream portfolio_report failed: the token lacks users.read")
    assert result.failed_streams() == {"portfolio_report"}
    assert result.records["trainings"]
