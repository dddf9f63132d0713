"""Each invariant fails where what it forbids has happened: tampered runs, one for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import all_invariants
import pytest
from accounts import PARTICIPANT, Account, State, made_id
from driver import SECRET, Run, run
from pluvo_in_memory import Behaviour, Faults, Invitation, Organization

from pluvo_client.errors import ConfigurationError, PluvoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANN, BOB, CID = (made_id("user", name) for name in ("ann", "bob", "cid"))
IN_A = ("group_members", "department-a", PARTICIPANT)
IN_T = ("training_participants", "T-1", PARTICIPANT)


@pytest.fixture
def calm(tmp_path: Path) -> Run:
    """A run in which all goes well: Ann stays, Bob has left, Cid has no row, Dee is new."""
    state = State(
        [
            Account(ANN, "1", "ann@example.test", "Annabel Quist"),
            Account(BOB, "2", "bob@example.test", "Bobbejaan Quist"),
            Account(CID, "3", "cid@example.test", "Cidonia Quist"),
        ],
        groups={"department-a": made_id("group", "a"), "department-b": made_id("group", "b")},
        trainings={"T-1": made_id("training", 1)},
        members={(*IN_A, CID)},
    )
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"ref": "1", "name": "Annabel Quist", "email": "ann@example.test"},
            {"ref": "2", "name": "Bobbejaan Quist", "email": "bob@example.test", "archived": True},
            {"ref": "4", "name": "Deirdre Quist", "email": "dee@example.test"},
        ],
        "group_members": [{"group_ref": "department-a", "user_ref": "1"}],
        "training_participants": [{"training_ref": "T-1", "user_ref": "1"}],
    }
    found = run(
        rows, Organization(state, Behaviour(), Faults()), tmp_path, {"max_archive_share": 1}
    )
    assert found.succeeded
    for check in all_invariants.AFTER_A_RUN:
        check(found)
    for check_all in all_invariants.AFTER_A_SEQUENCE:
        check_all([found])
    return found


def _account(found: Run, user_id: str, **values: Any) -> None:
    for name, value in values.items():
        setattr(found.after.by_id()[user_id], name, value)


def _add(found: Run, *identity: str, archived: bool = False) -> None:
    ref, name, email = identity
    account = Account(made_id("user", identity), ref, email, name, archived)
    found.after.accounts.append(account)


def _reject(found: Run, stream: str, row: int, **values: Any) -> None:
    line = {"stream": stream, "row": row, "line": found.lines[stream][row - 1], "reason": "so"}
    found.rejects.append(line | {"record": {}} | values)


def _invite(found: Run, user_id: str, *, archived: bool) -> None:
    found.settings["send_invites"] = archived
    found.invitations.append(Invitation("users", user_id, archived))


def _set(found: Run, **values: Any) -> None:
    for name, value in values.items():
        setattr(found, name, value)


def _row(found: Run, number: int, **values: Any) -> None:
    found.rows["users"][number - 1] |= values


def _restore(found: Run) -> None:
    found.before.by_id()[ANN].archived = True


def _reject_twice(found: Run) -> None:
    _reject(found, "users", 1)
    _reject(found, "users", 1)


def _move(found: Run) -> None:
    found.settings["max_address_change_share"] = 0
    _account(found, ANN, email="eve@example.test")


TAMPERED: dict[str, list[Callable[[Run], object]]] = {
    "nobody_becomes_somebody_else": [
        partial(_account, user_id=ANN, ref="9", name="Eve", email="eve@example.test")
    ],
    "no_account_vanishes": [partial(lambda found: found.after.accounts.pop(0))],
    "a_number_changes_only_by_renumbering": [partial(_account, user_id=ANN, ref="9")],
    "only_accounts_with_a_row_of_their_own_change": [partial(_account, user_id=CID, name="Eve")],
    "an_account_is_made_only_for_an_active_row": [
        lambda found: _add(found, "9", "Eve", "eve@example.test"),
        lambda found: _reject(found, "users", 3),
    ],
    "nobody_gets_a_second_account": [
        lambda found: _add(found, "4", "Eve", "eve@example.test"),
        lambda found: _add(found, "9", "Eve", "ANN@example.test"),
    ],
    "rows_that_contradict_each_other_are_rejected": [
        partial(_row, number=3, email="ANN@example.test"),
        partial(_row, number=3, ref="1"),
    ],
    "nobody_is_invited_unasked_or_archived": [
        partial(_invite, user_id=ANN, archived=False),
        partial(_invite, user_id=BOB, archived=True),
    ],
    "nobody_is_archived_whom_an_active_row_claims": [
        partial(_account, user_id=ANN, archived=True),
        partial(_account, user_id=CID, archived=True),
    ],
    "a_leavers_row_only_archives": [partial(_account, user_id=BOB, name="Eve")],
    "nobody_is_restored_without_a_row_that_says_so": [_restore],
    "roles_change_only_if_they_are_managed": [partial(_account, user_id=ANN, roles=["MANAGER"])],
    "what_stops_has_not_begun": [partial(_set, error=ConfigurationError("a limit"))],
    "an_ended_run_says_so": [
        partial(_set, succeeded=False),
        partial(_set, error=PluvoError("down")),
    ],
    "rows_that_cannot_be_read_are_rejected": [
        partial(_row, number=1, archived="lef"),
        partial(_row, number=1, ref=1e21),
        partial(_row, number=1, name="\ud83d"),
    ],
    "what_is_not_rejected_is_done": [
        partial(_row, number=1, name="Eve"),
        partial(_row, number=1, email="eve@example.test"),
        partial(_account, user_id=BOB, archived=False),
        lambda found: found.after.accounts.pop(),
    ],
    "what_is_written_is_clean": [partial(_account, user_id=ANN, name=" Annabel")],
    "memberships_that_are_not_rejected_are_there": [
        lambda found: found.after.members.discard((*IN_A, ANN)),
        lambda found: found.after.members.discard((*IN_T, ANN)),
    ],
    "rejected_rows_are_named": [
        lambda found: _reject(found, "users", 1, reason=""),
        lambda found: _reject(found, "users", 1, line=1),
        _reject_twice,
    ],
    "a_state_is_only_of_what_is_done": [
        partial(_set, states=[]),
        lambda found: _reject(found, "group_members", 1),
        partial(_set, killed=True),
    ],
    "nothing_personal_is_logged": [
        partial(_set, log="Annabel was here"),
        partial(_set, log="dee@example.test"),
        partial(_set, log=SECRET),
    ],
    "mirror_removes_only_who_is_certain_to_be_elsewhere": [
        lambda found: found.after.members.discard((*IN_A, CID))
    ],
    "limits_hold_over_all_runs": [
        lambda found: found.settings.pop("max_archive_share"),
        _move,
    ],
}


def _check(name: str) -> Callable[[Any], None]:
    every: list[Callable[[Any], None]] = []
    every += [*all_invariants.AFTER_A_RUN, *all_invariants.AFTER_A_SEQUENCE]
    return next(check for check in every if check.__name__ == name)


@pytest.mark.parametrize(
    ("name", "tamper"), [(name, tamper) for name, some in TAMPERED.items() for tamper in some]
)
def test_it_fails(calm: Run, name: str, tamper: Callable[[Run], object]) -> None:
    tamper(calm)
    check = _check(name)
    with pytest.raises(AssertionError):
        check([calm] if check in all_invariants.AFTER_A_SEQUENCE else calm)


def test_a_second_run_is_compared_with_the_first(calm: Run) -> None:
    again = replace(calm, before=calm.after.copy(), mutations=[])
    all_invariants.a_second_run_changes_nothing([calm, again])
    again.mutations.append("one")
    with pytest.raises(AssertionError):
        all_invariants.a_second_run_changes_nothing([calm, again])


@pytest.mark.parametrize("wrong", ["own row", "membership", "nobody knows whose", "not in charge"])
def test_a_removal_is_certain(calm: Run, wrong: str) -> None:
    calm.settings["membership_mode"] = "mirror"
    calm.after.members.discard((*IN_A, CID))
    check = all_invariants.mirror_removes_only_who_is_certain_to_be_elsewhere
    check(calm)
    match wrong:
        case "own row":
            calm.rows["users"][0] |= {"ref": "3"}
            _reject(calm, "users", 1)
        case "membership":
            calm.rows["group_members"][0] |= {"group_ref": "nowhere", "user_ref": "3"}
            _reject(calm, "group_members", 1)
        case "nobody knows whose":
            calm.rows["group_members"][0] |= {"user_ref": None}
            _reject(calm, "group_members", 1)
        case _:
            calm.settings["managed_groups"] = ["team-*"]
    with pytest.raises(AssertionError):
        check(calm)


def test_every_invariant_is_tampered_with() -> None:
    names = {
        check.__name__ for check in (*all_invariants.AFTER_A_RUN, *all_invariants.AFTER_A_SEQUENCE)
    }
    assert names == TAMPERED.keys() | {"a_second_run_changes_nothing"}
