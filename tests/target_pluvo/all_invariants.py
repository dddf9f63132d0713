"""What must hold of memberships and of sequences of runs; and all that must hold, in two lists.

Each function raises `AssertionError`; its name is what it asserts.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import invariants
from accounts import PARTICIPANT
from invariants import changed_accounts, claims_of
from reading import UnreadableError, email_of, key, plain, ref_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from accounts import Account
    from driver import Run

    Member = tuple[str, str, str, str]

_LIMITS = {
    "archived": ("max_archive_share", 0.1, 0),
    "restored": ("max_restore_share", 0.02, 3),
    "removed": ("max_removal_share", 0.1, 3),
    "renumbered": ("max_renumber_share", 0.02, 3),
    "address": ("max_address_change_share", 0.05, 3),
    "role": ("max_role_change_share", 0.02, 3),
}
_OWNERS = {"group_members": "group_ref", "training_participants": "training_ref"}


# Memberships


def memberships_that_are_not_rejected_are_there(run: Run) -> None:
    if not run.finished:
        return
    left = {claim.ref for claim in claims_of(run) if claim.left}
    for stream, column in _OWNERS.items():
        rejected = run.rejected(stream)
        deleted = [row for row in run.rows.get(stream, ()) if row.get("_sdc_deleted_at")]
        for place, row in enumerate(run.rows.get(stream, ())):
            if place in rejected or row in deleted or not any(map(plain, row.values())):
                continue
            ref = key(row["user_ref"])
            users = _named(ref, run, left)
            if users is None:
                continue
            assert len(users) == 1, (row, users)
            user = users[0]
            role = str(plain(row.get("role")) or PARTICIPANT).upper()
            owner = key(row[column]) or ""
            is_in = (stream, owner, role, user.id) in run.after.members
            linked = stream == "training_participants" and run.after.is_linked(user.id, owner)
            assert is_in or linked, (stream, row, user)


def _named(ref: str | None, run: Run, left: set[str | None]) -> list[Account] | None:
    """Return whom a row of memberships names; None if it is somebody who has left for long."""
    accounts = run.after.accounts
    if by_ref := [account for account in accounts if ref_of(account) == ref]:
        return by_ref
    if ref in left:
        return None
    former = {account.id for account in run.before.accounts if ref_of(account) == ref}
    if former:  # renumbered by this run
        return [account for account in accounts if account.id in former]
    same = [claim for claim in claims_of(run) if claim.ref == ref]
    renumbers = bool(run.settings.get("renumber"))
    return [
        account
        for account in accounts
        if any(claim.is_about(account, by_any_address=renumbers) for claim in same)
    ]


def mirror_removes_only_who_is_certain_to_be_elsewhere(run: Run) -> None:
    gone = run.before.members - run.after.members
    if not run.finished:
        return
    refused = [claim for claim in claims_of(run) if claim.place in run.rejected("users")]
    users = run.before.by_id()
    for stream, owner, role, user_id in gone:
        rows = run.rows.get(stream, [])
        user = users[user_id]
        same = [row for row in rows if _names(row, (stream, owner, role, user_id), run)]
        if same and all(row.get("_sdc_deleted_at") for row in same):
            continue
        assert run.settings.get("membership_mode") == "mirror", user
        assert not same, (user, owner, same)
        patterns = run.settings.get("managed_groups") if stream == "group_members" else None
        if patterns is None:
            named = {_key(row.get(_OWNERS[stream])) for row in rows}
            assert owner in named, (owner, named)
        else:
            assert any(fnmatchcase(owner, pattern) for pattern in patterns), owner
        # Whose own row, with his number, was done may have given up an address to somebody else.
        done = any(claim.ref == ref_of(user) for claim in claims_of(run) if claim not in refused)
        for claim in refused:
            assert not claim.is_about(user, by_any_address=not done), (claim, user)
            assert claim.ref or claim.email, (claim, user)
        for place in run.rejected(stream):
            _check_cannot_be_about(rows[place], stream, owner, user, run)


def _check_cannot_be_about(
    row: dict[str, Any], stream: str, owner: str, user: Account, run: Run
) -> None:
    """A rejected row of memberships is certainly about somebody else, or about another group."""
    named = _key(row.get("user_ref"))
    known = {ref_of(account) for account in run.after.accounts}
    known |= {claim.ref for claim in claims_of(run)}
    where = _key(row.get(_OWNERS[stream]))
    assert named != ref_of(user) or named is None, (row, user)
    if named not in known or named is None:
        places = getattr(run.before, "groups" if stream == "group_members" else "trainings")
        assert where in places, (row, user)
        assert where != owner, (row, user)


def _names(row: dict[str, Any], member: Member, run: Run) -> bool:
    """Tell whether a row is about somebody in a group, by the ref before the run or after it."""
    stream, owner, role, user_id = member
    refs = {ref_of(state.by_id()[user_id]) for state in (run.before, run.after)} - {None}
    return (
        _key(row.get(_OWNERS[stream])) == owner
        and _key(row.get("user_ref")) in refs
        and str(plain(row.get("role")) or PARTICIPANT).upper() == role
    )


def _key(value: Any) -> str | None:
    try:
        return key(value)
    except UnreadableError:
        return None


# Sequences


def limits_hold_over_all_runs(runs: Sequence[Run]) -> None:
    if not runs:
        return
    changed: dict[str, set[Any]] = {kind: set() for kind in _LIMITS}
    active: set[str] = set()
    members: set[Any] = set()
    for run in runs:
        for state in (run.before, run.after):
            active |= {account.id for account in state.accounts if not account.archived}
            members |= state.members
        changed["removed"] |= {
            item for item in run.before.members - run.after.members if not _is_asked(run, item)
        }
        for old, new in changed_accounts(run):
            for kind in kinds_of(old, new):
                changed[kind].add(old.id)
    for kind, (setting, default, floor) in _LIMITS.items():
        share = runs[-1].settings.get(setting, default)
        whole = len(members if kind == "removed" else active)
        allowed = max(int(share * whole + 1e-9), floor if share else 0)
        assert len(changed[kind]) <= allowed, (kind, len(changed[kind]), allowed)


def _is_asked(run: Run, member: Member) -> bool:
    """Tell whether a row marked as deleted asks for a removal."""
    rows = run.rows.get(member[0], ())
    return any(row.get("_sdc_deleted_at") and _names(row, member, run) for row in rows)


def kinds_of(old: Account, new: Account) -> Iterable[str]:
    """Yield the kinds of limits that a change of an account counts for."""
    if new.archived != old.archived:
        yield "archived" if new.archived else "restored"
    if ref_of(old) not in {None, ref_of(new)}:
        yield "renumbered"
    if email_of(old) not in {None, email_of(new)}:
        yield "address"
    if sorted(old.roles) != sorted(new.roles):
        yield "role"


def a_second_run_changes_nothing(runs: Sequence[Run]) -> None:
    for first, second in pairwise(runs):
        calm = not first.faults.any and not second.faults.any
        if calm and first.rows == second.rows and first.after == second.before:
            # Whether somebody is in a training by himself, too, shows after he has left its groups.
            left = first.before.members - first.after.members
            late = (
                "removeUsersFromTraining"
                if any(item[0] == "group_members" for item in left)
                else ""
            )
            assert all(late and late in item for item in second.mutations), second.mutations


AFTER_A_RUN: tuple[Callable[[Run], None], ...] = (
    invariants.nobody_becomes_somebody_else,
    invariants.no_account_vanishes,
    invariants.a_number_changes_only_by_renumbering,
    invariants.only_accounts_with_a_row_of_their_own_change,
    invariants.an_account_is_made_only_for_an_active_row,
    invariants.nobody_gets_a_second_account,
    invariants.rows_that_contradict_each_other_are_rejected,
    invariants.nobody_is_invited_unasked_or_archived,
    invariants.nobody_is_archived_whom_an_active_row_claims,
    invariants.a_leavers_row_only_archives,
    invariants.nobody_is_restored_without_a_row_that_says_so,
    invariants.roles_change_only_if_they_are_managed,
    invariants.what_stops_has_not_begun,
    invariants.an_ended_run_says_so,
    invariants.rows_that_cannot_be_read_are_rejected,
    invariants.what_is_not_rejected_is_done,
    invariants.what_is_written_is_clean,
    memberships_that_are_not_rejected_are_there,
    invariants.rejected_rows_are_named,
    invariants.a_state_is_only_of_what_is_done,
    invariants.nothing_personal_is_logged,
    mirror_removes_only_who_is_certain_to_be_elsewhere,
)
AFTER_A_SEQUENCE: tuple[Callable[[Sequence[Run]], None], ...] = (
    limits_hold_over_all_runs,
    a_second_run_changes_nothing,
)
