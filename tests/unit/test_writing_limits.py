"""Limits of what is changed in a day, and the plan that a person approves."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from pluvo_client.errors import ConfigurationError
from target_pluvo.changes import Change, Results
from target_pluvo.limits import LIMITS, check_number, exceeded, planned
from target_pluvo.plan import Plan, table
from target_pluvo.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from target_pluvo.changes import Limited

ACCESS = {"organization": "a", "client_id": "x", "client_secret": "y"}


def settings(**values: Any) -> Settings:
    return Settings.from_config(ACCESS | values)


def due(kind: str, number: int, first: int = 0) -> set[tuple[str, str]]:
    return {(kind, str(what)) for what in range(first, first + number)}


def wholes(number: int) -> dict[Limited, int]:
    return dict.fromkeys(LIMITS, number)


@pytest.mark.parametrize(
    ("kind", "number", "whole", "allowed"),
    [
        ("archived", 2, 20, True),
        ("archived", 3, 20, False),
        ("archived", 1, 9, False),
        ("restored", 3, 20, True),
        ("restored", 4, 20, False),
        ("restored", 20, 1000, True),
        ("restored", 21, 1000, False),
        ("removed", 3, 4, True),
        ("removed", 30, 300, True),
        ("removed", 31, 300, False),
        ("renumbered", 4, 100, False),
        ("address", 5, 100, True),
        ("address", 6, 100, False),
        ("role", 4, 100, False),
    ],
)
def test_limits_by_default(kind: str, number: int, whole: int, allowed: bool) -> None:
    wrong = exceeded(settings(), due(kind, number), set(), wholes(whole))
    assert (wrong == []) is allowed


def test_what_was_done_in_the_last_day_counts_once() -> None:
    recent = due("address", 4)
    assert exceeded(settings(), due("address", 1, 4), recent, wholes(100)) == []
    (said,) = exceeded(settings(), due("address", 2, 4), recent, wholes(100))
    assert "would change the address of 2 of 100 active users, after 4 in the last 24 hours" in said
    assert "`max_address_change_share` (0.05)" in said
    assert "5 are allowed" in said
    # A run that was killed has noted the same ones, which it does not use up twice.
    assert exceeded(settings(), due("address", 5), due("address", 5), wholes(100)) == []
    # Of what is to be changed, not of what was: a run that changes nothing of a kind goes on.
    assert exceeded(settings(), set(), due("address", 9), wholes(10)) == []


def test_a_share_is_of_what_there_was_at_the_day_s_beginning() -> None:
    assert exceeded(settings(), due("archived", 5), due("archived", 5, 5), wholes(95)) == []
    assert exceeded(settings(), due("archived", 6), due("archived", 5, 6), wholes(95))


def test_a_limit_of_nothing_allows_nothing_and_one_of_all_allows_all() -> None:
    assert exceeded(settings(max_restore_share=0), due("restored", 1), set(), wholes(100))
    assert exceeded(settings(max_removal_share=1), due("removed", 9), set(), wholes(9)) == []
    assert check_number(settings(), 10**6) == []
    assert check_number(settings(max_changes=1), 2)


def change(who: str, **values: Any) -> Change:
    shown = {name: ("old", value) for name, value in values.items()}
    return Change("users", [], "updated", "(name)", who, shown, {"address": who})


def test_a_plan_does_not_depend_on_the_order_of_changes() -> None:
    changes = [change("1", name="Ann", email="a"), change("2", name="Bob")]
    one, other = Plan("https://a", changes), Plan("https://a", changes[::-1])
    assert one.digest == other.digest
    assert one.lines == [
        'users 1: updated; email: "old" -> "a"; name: "old" -> "Ann"',
        'users 2: updated; name: "old" -> "Bob"',
    ]
    assert Plan("https://b", changes).digest != one.digest
    assert planned(changes) == {("address", "1"), ("address", "2")}


def test_what_differs_from_the_approved_plan_is_said_without_values(tmp_path: Path) -> None:
    path = str(tmp_path / "plan.txt")
    approved = Plan("https://a", [change("1", name="Ann"), change("<a@b>", name="Bob")])
    approved.write(path, ["stream"])
    approved.check_approved(f" {approved.digest}\n", path)
    with pytest.raises(ConfigurationError) as found:
        Plan("https://a", [change("1", name="Anna")]).check_approved(approved.digest, path)
    said = str(found.value)
    assert "2 changes are no longer in it: users (an address): updated, users 1: updated" in said
    assert "1 changes are new in it: users 1: updated" in said
    assert "Ann" not in said
    with pytest.raises(ConfigurationError, match="what differs is not known"):
        approved.check_approved("0" * 16, path)
    with pytest.raises(ConfigurationError, match="what differs is not known"):
        approved.check_approved("0" * 16, str(tmp_path / "none"))


def test_a_row_s_number_and_odd_values_do_not_change_a_plan(tmp_path: Path) -> None:
    odd = change("1", name="a (row 7)\n\nChanges:\n\ud800")
    plan = Plan("https://a", [odd])
    path = tmp_path / "plan.txt"
    plan.write(str(path), [])
    assert 'name: "old" -> "a (row 7)\\n\\nChanges:\\n' in path.read_text("utf-8")
    plan.check_approved(plan.digest, str(path))


def test_rare_columns_of_the_table_are_there_when_they_are_needed() -> None:
    results = {"users": Results(changes=[dataclasses.replace(change("1"), done=True)])}
    assert table(results)[0].split() == [
        *("stream", "created", "updated", "unchanged", "archived", "removed", "rejected")
    ]
    results["users"].changes[0].kind = "adopted"
    assert table(results)[0].split()[-1] == "adopted"
    assert table(results)[1].split() == ["users", "0", "0", "0", "0", "0", "0", "1"]
