"""What must hold of accounts after each run, whatever organization, file and faults are like.

Each function raises `AssertionError`; its name is what it asserts.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accounts import CUSTOM_FIELDS
from driver import SECRET
from reading import Claim, claims, email_of, plain, ref_of, yes_or_no

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from accounts import Account, State
    from driver import Run


def changed_accounts(run: Run) -> Iterable[tuple[Account, Account]]:
    """Yield the accounts that the run has changed, before and after."""
    before = run.before.by_id()
    for account in run.after.accounts:
        old = before.get(account.id)
        if old is not None and old.content != account.content:
            yield old, account


def _made(run: Run) -> list[Account]:
    before = run.before.by_id()
    return [account for account in run.after.accounts if account.id not in before]


def claims_of(run: Run) -> list[Claim]:
    """Return the rows of users as they were read."""
    return claims(run.rows.get("users", ()))


def _used(run: Run) -> list[Claim]:
    """Return the rows that can have had an effect: all but the rejected ones.

    With faults, a rejected row may be one that failed half way.
    """
    rejected = set() if run.faults.any else run.rejected("users")
    return [claim for claim in claims_of(run) if claim.place not in rejected]


# Identity


def nobody_becomes_somebody_else(run: Run) -> None:
    for old, new in changed_accounts(run):
        differing = [a != b for a, b in zip(old.identity, new.identity, strict=True)]
        assert not all(differing), (old, new)


def no_account_vanishes(run: Run) -> None:
    assert run.before.by_id().keys() <= run.after.by_id().keys()


def a_number_changes_only_by_renumbering(run: Run) -> None:
    for old, new in changed_accounts(run):
        if old.ref is None or ref_of(old) == ref_of(new):
            continue
        assert run.settings.get("renumber"), (old, new)
        for claim in claims_of(run):
            assert claim.ref != ref_of(old) or claim.left, (old, new, claim)


def only_accounts_with_a_row_of_their_own_change(run: Run) -> None:
    for old, new in changed_accounts(run):
        renumbered = ref_of(old) not in {None, ref_of(new)}
        used = [claim for claim in _used(run) if claim.is_about(old, by_any_address=renumbered)]
        assert used, (old, new)


def an_account_is_made_only_for_an_active_row(run: Run) -> None:
    used = [claim for claim in _used(run) if not claim.left and claim.readable]
    for account in _made(run):
        assert any(claim.is_about(account) for claim in used), account
        assert not account.archived, account


def nobody_gets_a_second_account(run: Run) -> None:
    for what in (ref_of, email_of):
        before = Counter(what(account) for account in run.before.accounts)
        after = Counter(what(account) for account in run.after.accounts)
        for value, number in after.items():
            assert value is None or number <= max(1, before[value]), (value, number)


def rows_that_contradict_each_other_are_rejected(run: Run) -> None:
    rejected = run.rejected("users")
    active = [claim for claim in claims_of(run) if claim.readable and not claim.left]
    if not run.finished:
        return
    for one in active:
        for other in active:
            same_number = one.ref is not None and one.ref == other.ref
            shares = one.email is not None and one.email == other.email and one.ref != other.ref
            if shares or (same_number and _contradict(one, other)):
                assert {one.place, other.place} <= rejected, (one, other)


def _contradict(one: Claim, other: Claim) -> bool:
    if None not in {one.email, other.email} and one.email != other.email:
        return True
    names = {str(claim.given["name"]) for claim in (one, other) if "name" in claim.given}
    return len(names) > 1


# Who has left


def nobody_is_invited_unasked_or_archived(run: Run) -> None:
    settings = {"users": "send_invites", "training_participants": "send_training_invites"}
    for invitation in run.invitations:
        assert run.settings.get(settings[invitation.stream]), invitation
        assert not invitation.archived, invitation


def nobody_is_archived_whom_an_active_row_claims(run: Run) -> None:
    for old, new in changed_accounts(run):
        if new.archived and not old.archived:
            mine = claims_of(run)
            about = [claim for claim in mine if claim.is_about(old, by_any_address=True)]
            assert all(claim.left for claim in about if claim.readable), (old, about)
            assert any(claim.left and claim.is_about(old) for claim in _used(run)), (old, mine)


def a_leavers_row_only_archives(run: Run) -> None:
    for old, new in changed_accounts(run):
        renumbered = ref_of(old) not in {None, ref_of(new)}
        used = [claim for claim in _used(run) if claim.is_about(old, by_any_address=renumbered)]
        if all(claim.left for claim in used):
            assert (old.identity, old.roles, old.values) == (new.identity, new.roles, new.values)
            assert new.archived, (old, new)


def nobody_is_restored_without_a_row_that_says_so(run: Run) -> None:
    for old, new in changed_accounts(run):
        if old.archived and not new.archived:
            assert any(
                yes_or_no(claim.row.get("archived")) is False
                for claim in _used(run)
                if claim.readable and not claim.left and claim.is_about(new)
            ), (old, new)


def roles_change_only_if_they_are_managed(run: Run) -> None:
    for old, new in changed_accounts(run):
        assert old.roles == new.roles or run.settings.get("manage_roles"), (old, new)


# Done, rejected, or stopped: never in between


def what_stops_has_not_begun(run: Run) -> None:
    if run.stopped:
        assert not run.mutations
        assert run.before == run.after


def an_ended_run_says_so(run: Run) -> None:
    assert not run.succeeded or (run.finished and not run.rejects)
    if run.finished and not run.rejects:
        assert run.succeeded


def rows_that_cannot_be_read_are_rejected(run: Run) -> None:
    if run.finished:
        unreadable = {claim.place for claim in claims_of(run) if not claim.readable}
        assert unreadable <= run.rejected("users"), unreadable - run.rejected("users")


def what_is_not_rejected_is_done(run: Run) -> None:
    if not run.finished:
        return
    rejected = run.rejected("users")
    mine = [claim for claim in claims_of(run) if not claim.is_blank and claim.readable]
    for claim in mine:
        if claim.place in rejected:
            continue
        account = _account_of(claim, run.after)
        if claim.left:
            _check_left(claim, account, mine, run)
        else:
            assert account is not None, claim
            _check_values(claim, account, run)


def _account_of(claim: Claim, state: State) -> Account | None:
    """Return the account that a row is about."""
    if claim.ref is not None:
        by_ref = [account for account in state.accounts if ref_of(account) == claim.ref]
        if by_ref:
            (account,) = by_ref
            return account
    by_address = [account for account in state.accounts if claim.is_about(account)]
    return by_address[0] if len(by_address) == 1 else None


def _check_left(claim: Claim, account: Account | None, mine: Sequence[Claim], run: Run) -> None:
    if account is None:
        owners = [
            owner
            for owner in run.before.accounts
            if claim.email is not None and email_of(owner) == claim.email and not owner.archived
        ]
        account = run.after.by_id()[owners[0].id] if owners else None
    if account is None or account.archived:
        return
    others = [other for other in mine if not other.left]
    assert any(
        other.is_about(account, by_any_address=True) or (other.ref and other.ref == claim.ref)
        for other in others
    ), (claim, account)


def _check_values(claim: Claim, account: Account, run: Run) -> None:
    given = claim.given
    if "name" in given:
        assert plain(account.name) == str(given["name"]), (claim, account)
    if claim.email is not None:
        assert email_of(account) == claim.email, (claim, account)
    if yes_or_no(claim.row.get("archived")) is False:
        assert not account.archived, (claim, account)
    if run.settings.get("manage_roles") and "roles" in given:
        roles = str(given["roles"]).replace(";", " ").split()
        assert set(account.roles) == set(roles), (claim, account)
    for column, title in run.settings.get("custom_fields", {}).items():
        if column in given:
            found = account.values.get(title)
            assert _is_value(CUSTOM_FIELDS[title], given[column], found), (column, claim, account)


def _is_value(kind: str, wanted: Any, found: Any) -> bool:
    if found is None:
        return False
    match kind:
        case "NUMBER":
            return Decimal(str(wanted)) == Decimal(found)
        case "BOOLEAN":
            return yes_or_no(wanted) is found
        case "DATE":
            return _moment(str(wanted)) == _moment(found)
    return bool(plain(found) == str(wanted))


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def what_is_written_is_clean(run: Run) -> None:
    for old, new in [*changed_accounts(run), *((None, account) for account in _made(run))]:
        for name in ("ref", "name", "email"):
            value = getattr(new, name)
            if old is None or value != getattr(old, name):
                assert value == plain(value), (name, new)


def rejected_rows_are_named(run: Run) -> None:
    for found in run.rejects:
        stream, row = found["stream"], found["row"]
        assert found["reason"], found
        if row is not None:
            assert found["line"] == run.lines[stream][row - 1], found
            assert found["record"] is not None, found
    for stream in run.rows:
        rows = [found["row"] for found in run.rejects if found["stream"] == stream and found["row"]]
        assert len(rows) == len(set(rows)), rows


def a_state_is_only_of_what_is_done(run: Run) -> None:
    streams = list(run.rows)
    last = [streams.index(state["after"]) for state in run.states]
    if not run.finished:
        assert not last
        return
    bad = [streams.index(found["stream"]) for found in run.rejects if found["row"]]
    whole = streams[: min(bad, default=len(streams))]
    assert last == ([len(whole) - 1] if whole else []), (last, bad)


def nothing_personal_is_logged(run: Run) -> None:
    log = unicodedata.normalize("NFC", run.log).casefold()
    assert SECRET not in log
    assert "example.test" not in log, log
    names = [account.name for account in (*run.before.accounts, *run.after.accounts)]
    names += [str(row["name"]) for row in run.rows.get("users", ()) if row.get("name")]
    for name in names:
        for word in unicodedata.normalize("NFC", name).casefold().split():
            assert len(word) < 5 or word not in log, (word, log)
