"""What must hold after every run, whatever the file and the organization are like."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from files import EMAILS, NAMES, File, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driver import Outcome
    from organization import Organization, Snapshot

    Accounts = dict[str, Snapshot]

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()


def names(row: Row, account: Snapshot) -> bool:
    """Tell whether a row is about an account by its number or its address."""
    return (row.ref is not None and row.ref == account.ref) or same(row.email, account.email)


def finds(row: Row, account: Snapshot, file: File) -> bool:
    """Tell whether a row may change an account: an address finds only one without a number."""
    if row.ref is not None and row.ref == account.ref:
        return True
    if not same(row.email, account.email):
        return False
    if account.ref is None:
        return True
    made_up = bool(UUID4.fullmatch(account.ref))
    return (row.ref is None and made_up) or (row.ref is not None and file.settings["renumber"])


def changed(before: Accounts, after: Accounts) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Yield the accounts that a run has changed, apart from their groups."""
    for user_id, old in before.items():
        new = after[user_id]
        if old._replace(groups=new.groups) != new:
            yield old, new


def check(
    before: Accounts, after: Accounts, file: File, outcome: Outcome, organization: Organization
) -> None:
    """Check everything."""
    nobody_becomes_somebody_else(before, after)
    only_rows_change_accounts(before, after, file)
    numbers_stay(before, after, file)
    nobody_is_made_who_has_left(before, after, file)
    nobody_is_invited_unasked(before, after, file)
    only_who_has_left_is_archived(before, after, file)
    roles_stay(before, after, file)
    nobody_loses_a_group_for_lack_of_a_good_row(before, after, file, outcome, organization)
    nothing_personal_is_logged(outcome)
    if outcome.ended:
        each_row_is_done_or_rejected(before, after, file, outcome, organization)


def nobody_becomes_somebody_else(before: Accounts, after: Accounts) -> None:
    for old, new in changed(before, after):
        other = (old.ref != new.ref, old.name != new.name, not same(old.email, new.email))
        assert not all(other), (old, new)


def only_rows_change_accounts(before: Accounts, after: Accounts, file: File) -> None:
    for old, new in changed(before, after):
        assert any(finds(row, old, file) for row in file.users), (old, new)


def numbers_stay(before: Accounts, after: Accounts, file: File) -> None:
    for old, new in changed(before, after):
        if old.ref == new.ref or old.ref is None:
            continue
        assert file.settings["renumber"], (old, new)
        assert same(old.email, new.email)
        holders = [row for row in file.users if row.ref == old.ref]
        assert all(row.left and row.readable for row in holders), (old, new)


def nobody_is_made_who_has_left(before: Accounts, after: Accounts, file: File) -> None:
    for user_id in after.keys() - before.keys():
        new = after[user_id]
        assert any(names(row, new) and row.left is False for row in file.users), new
        assert not new.archived


def nobody_is_invited_unasked(before: Accounts, after: Accounts, file: File) -> None:
    for user_id, new in after.items():
        if new.invited and not (user_id in before and before[user_id].invited):
            assert file.settings["send_invites"]
            assert user_id not in before
            assert not new.archived


def only_who_has_left_is_archived(before: Accounts, after: Accounts, file: File) -> None:
    for old, new in changed(before, after):
        if new.archived and not old.archived:
            assert old._replace(archived=True, groups=new.groups) == new, (
                "a leaver's row only archives"
            )
            assert any(finds(row, old, file) and row.left for row in file.users), old
            assert not any(names(row, old) and not row.left for row in file.users), old
        if old.archived and not new.archived:
            assert any(finds(row, old, file) and row.restores for row in file.users), old


def roles_stay(before: Accounts, after: Accounts, file: File) -> None:
    for old, new in changed(before, after):
        assert old.roles == new.roles or file.settings["manage_roles"], (old, new)


def nobody_loses_a_group_for_lack_of_a_good_row(
    before: Accounts,
    after: Accounts,
    file: File,
    outcome: Outcome,
    organization: Organization,
) -> None:
    for user_id, old in before.items():
        new = after[user_id]
        for group_id in old.groups - new.groups:
            group = organization.groups[group_id]
            assert file.settings.get("membership_mode") == "mirror"
            patterns = file.settings.get("managed_groups")
            named = any(row.group == group for row in file.members)
            assert named if patterns is None else any(fnmatchcase(group, p) for p in patterns)
            for number, row in enumerate(file.members, 1):
                mine = row.ref is not None and row.ref in {old.ref, new.ref}
                assert not (mine and row.group == group), "who is in the data stays"
                if outcome.ended and number in outcome.rejected("group_members"):
                    assert not mine, "a row of the same user was rejected"
                    assert row.ref or row.group, "a row that may be anybody's was rejected"
            if outcome.ended:
                for number in outcome.rejected():
                    row = file.users[number - 1]
                    assert not names(row, old), "a row of the same user was rejected"
                    assert row.ref or row.email, "a row that may be anybody's was rejected"


def nothing_personal_is_logged(outcome: Outcome) -> None:
    for word in (*EMAILS, *(part for name in NAMES for part in name.split()), "hidden-secret"):
        assert word not in outcome.log, outcome.log


def each_row_is_done_or_rejected(
    before: Accounts, after: Accounts, file: File, outcome: Outcome, organization: Organization
) -> None:
    rejected = outcome.rejected()
    for number, row in enumerate(file.users, 1):
        if number in rejected:
            continue
        assert row.readable
        if not (row.ref or row.email):
            assert row.name is None
            continue
        assert row.left is not None
        if row.left:
            owners = [(old, after[key]) for key, old in before.items() if row.ref == old.ref]
            for old, new in owners:
                claimed = any(names(other, old) and not other.left for other in file.users)
                assert new.archived or claimed or row.ref is None, (row, old)
        else:
            _assert_done(row, [new for new in after.values() if _is_of(row, new)], organization)
    assert outcome.succeeded == (not outcome.rejects)


def _is_of(row: Row, account: Snapshot) -> bool:
    return account.ref == row.ref if row.ref else same(row.email, account.email)


def _assert_done(row: Row, found: list[Snapshot], organization: Organization) -> None:
    assert len(found) == 1, (row, found)
    (account,) = found
    wanted: list[tuple[Any, Any]] = [
        (row.name, account.name),
        (row.email and row.email.casefold(), account.email and account.email.casefold()),
        (row.department, dict(account.fields).get("field")),
        (False if row.restores else None, account.archived),
    ]
    for expected, actual in wanted:
        assert expected is None or expected == actual, (row, account, organization.behaviour)
