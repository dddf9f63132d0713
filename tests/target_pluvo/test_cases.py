"""Small files that once did harm, each standing for a kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from accounts import Account, State, made_id
from driver import run_messages
from pluvo_in_memory import Behaviour, Faults, Organization

if TYPE_CHECKING:
    from driver import Run

CASES = Path(__file__).parent / "cases"


def _play(name: str, state: State, folder: Path) -> Run:
    text = (CASES / f"{name}.singer").read_text("utf-8")
    return run_messages(
        text, Organization(state, Behaviour(makes_refs=False), Faults()), folder, {}
    )


def _identities(state: State) -> set[tuple[str | None, str, str | None]]:
    return {account.identity for account in state.accounts}


def _rejected(found: Run) -> dict[int, str]:
    return {line["row"]: line["reason"] for line in found.rejects}


def test_what_is_found_without_blanks_is_written_without_them(tmp_path: Path) -> None:
    state = State()
    assert _play("f1-padded", state, tmp_path).succeeded
    assert _identities(state) == {
        ("P-1", "Anna van der Berg", "pad1@example.test"),
        ("P-2", "Bo", "pad2@example.test"),
    }
    next_night = _play("f1-padded-next-night", state, tmp_path)
    assert next_night.succeeded
    assert not next_night.mutations


@pytest.mark.parametrize("address", ["j.jansen@example.test", "J.Jansen@example.test "])
def test_a_recycled_address_does_not_give_an_account_away(tmp_path: Path, address: str) -> None:
    state = State([Account(made_id("user", 1), "OLD-1", address, "Jan Jansen")])
    found = _play("f2-recycled", state, tmp_path)
    assert not found.mutations
    assert not found.succeeded
    assert _rejected(found) == {1: "`email` is the address of the account with ref OLD-1"}
    assert "jansen" not in found.log.casefold()


def test_nan_is_neither_a_number_nor_a_name(tmp_path: Path) -> None:
    state = State()
    found = _play("f3-nan", state, tmp_path)
    assert _identities(state) == {
        (None, "Nan One", "nan1@example.test"),
        (None, "Nan Two", "nan2@example.test"),
    }
    assert _rejected(found).keys() == {3}


def test_a_whole_float_is_its_integer_and_infinity_is_nobody(tmp_path: Path) -> None:
    state = State()
    found = _play("f5-float-ref", state, tmp_path)
    assert _identities(state) == {("70001", "Float F", "float@example.test")}
    assert _rejected(found).keys() == {2}


def test_half_a_character_costs_its_row_only(tmp_path: Path) -> None:
    state = State()
    for _ in range(2):  # and the file of rejected rows is not in the way of the next run
        found = _play("f6-surrogate", state, tmp_path)
        assert _identities(state) == {("S-2", "Good", "s2@example.test")}
        assert _rejected(found).keys() == {1}
        assert found.rejects[0]["column"] == "name"
