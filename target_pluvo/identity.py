"""Whose account a row is about; whatever is not certain is rejected.

An account is found by `ref`, and by address only if it has no `ref`. Nothing here depends on the
order of rows: they are grouped into people first, then all people are looked at side by side.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pluvo_singer.values import RejectedError
from target_pluvo.people import Person, is_blank, read_people, reject_shared_addresses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pluvo_singer.rows import Rejection, Row
    from target_pluvo.remote_state import Directory, Entity

How = Literal["ref", "address", "adopted", "renumbered", "new"]

LONGEST_CHAIN = 100  # people of whom each gets the address of the next one

# Pluvo makes up a uuid4 for an account that is given no ref (notion/Request-data).
_UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)


class Match(NamedTuple):
    """A person, and the account that the rows are about; None where one is to be made.

    `giver` is who has the person's address now and gives it up by a row of his own, so that this
    has to be done first; `depth` is how many such steps there are.
    """

    person: Person
    entity: Entity | None
    how: How
    giver: Person | None = None
    depth: int = 0


class Matches(NamedTuple):
    """What is known of all people.

    `named` has accounts that go by the ref of a row, though it is not theirs. `unreadable` says
    that there is a rejected row of which nobody knows whose it is.
    """

    found: list[Match]
    unchanged: list[Row]
    rejected: list[tuple[Row, RejectedError]]
    rejected_refs: set[str]
    left_refs: set[str]
    named: list[tuple[str, Entity]]
    protected: set[Entity]
    unreadable: bool


def match_people(
    rows: Iterable[Row],
    unread: Iterable[Rejection],
    users: Directory,
    *,
    used: Collection[str],
    renumber: bool,
) -> Matches:
    """Return which account each row is about.

    Args:
        rows: of the stream `users`.
        unread: rows that were rejected before, since they could not be read.
        users: all accounts.
        used: the columns that are written, in which rows of a person must agree.
        renumber: whether an account may get another ref, where that is safe.
    """
    blank = {row for row in rows if is_blank(row)}
    lost = {found.row: RejectedError(found.reason, found.column) for found in unread if found.row}
    people = read_people([row for row in rows if row not in blank], lost, used)
    reject_shared_addresses(people)
    matcher = _Matcher(people, users, renumber=renumber)
    # First who is active, since a leaver's account may be claimed by one of them.
    found = [
        match
        for person in sorted(people, key=lambda person: person.leaves)
        if (match := matcher.match(person))
    ]
    _reject_shared_accounts(found)
    found.sort(key=lambda match: match.depth)
    for match in found:
        if match.giver and match.giver.error and not match.person.error:
            match.person.error = not_given_up()
    rejected = [(person, person.error) for person in people if person.error]
    matched = {match.person for match in found}
    idle = [person for person in people if not person.error and person not in matched]
    return Matches(
        found=[match for match in found if not match.person.error],
        unchanged=[*blank, *(row for person in idle for row in person.rows)],
        rejected=[
            (row, person.errors.get(row, error))
            for person, error in rejected
            for row in person.rows
            if row not in lost
        ],
        rejected_refs={person.ref for person, _ in rejected if person.ref},
        left_refs={person.ref for person in idle if person.ref},
        named=[
            (person.ref, person.account)
            for person in people
            if person.ref and person.account and not person.error
        ],
        protected={entity for person, _ in rejected for entity in _claimed(person, users)},
        unreadable=any(_may_be_anybody(person, users) for person, _ in rejected),
    )


def _claimed(person: Person, users: Directory) -> list[Entity]:
    """Return the accounts that a person's rows may be about."""
    by_email = [entity for email in person.emails for entity in users.with_email(email)]
    return [*users.with_ref(person.ref), *by_email]


def _may_be_anybody(person: Person, users: Directory) -> bool:
    """Tell whether rows may be about any account, as their ref cannot be read."""
    if person.ref or _claimed(person, users):
        return False
    return not person.emails or any("ref" in row.columns() for row in person.rows)


class _Matcher:
    """Finds the account of each person."""

    def __init__(self, people: Sequence[Person], users: Directory, *, renumber: bool) -> None:
        self._users = users
        self._renumber = renumber
        self._by_ref = {person.ref: person for person in people if person.ref}
        self._unreadable = any(person.error and not person.ref for person in people)
        # Who claims each account, without those who are known to have left.
        self._claims: dict[Entity, list[Person]] = {}
        for person in people:
            if person.error or not person.leaves:
                for entity in _claimed(person, users):
                    self._claims.setdefault(entity, []).append(person)
        self._found: dict[Person, Match | None] = {}
        self._open: set[Person] = set()

    def match(self, person: Person) -> Match | None:
        """Return whose account it is, or None if nothing is to be done; note what is wrong."""
        if person in self._found:
            return self._found[person]
        self._open.add(person)
        found = None
        if not person.error:
            try:
                found = self._leaver(person) if person.leaves else self._active(person)
            except RejectedError as error:
                person.error = error
        self._open.remove(person)
        self._found[person] = found
        return found

    def _active(self, person: Person) -> Match:
        owner = _only(self._users.with_email(person.email), "address")
        found = _only(self._users.with_ref(person.ref), "ref")
        if owner is not None and owner is not found and (giver := self._giver(owner, person)):
            how: How = "new" if found is None else "ref"
            return Match(person, found, how, giver.person, giver.depth + 1)
        if found is not None:
            if owner is not None and owner is not found:
                raise _taken(owner)
            return Match(person, found, "ref")
        if owner is None:
            return Match(person, None, "new")
        if owner.ref is None:
            return Match(person, owner, "adopted" if person.ref else "address")
        made_up = bool(_UUID4.fullmatch(owner.ref))
        if person.ref is None and made_up:
            return Match(person, owner, "address")
        if person.ref is None or not self._renumber:
            hint = ": set `renumber` if these rows are right" if made_up and person.ref else ""
            raise _taken(owner, hint)
        self._check_renumber(person, owner)
        return Match(person, owner, "renumbered")

    def _giver(self, owner: Entity, person: Person) -> Match | None:
        """Return the match of whoever has an address now and gets another one by a row."""
        giver = self._by_ref.get(owner.ref or "")
        if giver is None or giver.error or giver.leaves or not giver.email:
            return None
        if giver in self._open or len(self._open) > LONGEST_CHAIN or giver is person:
            return None
        if giver.email.casefold() == (person.email or "").casefold():
            return None
        match = self.match(giver)
        return match if match is not None and match.entity is owner else None

    def _check_renumber(self, person: Person, owner: Entity) -> None:
        """Check that an account may get a person's ref.

        Raises:
            RejectedError: its old one is in use, or may be, or it has another name.
        """
        holder = self._by_ref.get(owner.ref or "")
        if self._unreadable or (holder and (holder.error or not holder.leaves)):
            raise _taken(owner, ", which may be in the data, too")
        if not _is_same_name(person.values.get("name"), owner.node.get("name")):
            raise _taken(owner, ", which has another name")

    def _leaver(self, person: Person) -> Match | None:
        found = _only(self._users.with_ref(person.ref), "ref")
        how: How = "ref"
        is_taken = False
        if found is None:
            owners = {entity for email in person.emails for entity in self._users.with_email(email)}
            found, how = _only([*owners], "address"), "address"
            if found is None:
                return None
            is_taken = bool(found.ref and (person.ref or not _UUID4.fullmatch(found.ref)))
            person.account = None if is_taken else found
        if found.node.get("archived"):
            return None
        if is_taken and (holder := self._who_leaves(found)):
            holder.rows += person.rows  # the same person, without the ref
            person.rows = []
            return None
        if active := self._claims.get(found):
            if any(other.error for other in active):
                msg = "an active row that was rejected claims the same account"
                raise RejectedError(msg)
            if {*_claimed(person, self._users)} != {found}:
                msg = "its `ref` is of an account that an active row claims, its `email` of another"
                raise RejectedError(msg)
            return None
        if is_taken:
            raise _taken(found)
        if person.contradiction:
            raise RejectedError(person.contradiction)
        return Match(person, found, how)

    def _who_leaves(self, owner: Entity) -> Person | None:
        """Return the person with an account's ref, if the account is archived by that row."""
        holder = self._by_ref.get(owner.ref or "")
        return holder if holder and holder.leaves and self.match(holder) else None


def _only(found: Sequence[Entity], what: str) -> Entity | None:
    if len(found) > 1:
        msg = f"several accounts of Pluvo have this {what}"
        raise RejectedError(msg)
    return found[0] if found else None


def not_given_up() -> RejectedError:
    """Return what is wrong with a row whose address stays that of another account."""
    return RejectedError("`email` is an address that its account keeps, as its row failed", "email")


def _taken(owner: Entity, hint: str = "") -> RejectedError:
    whose = f"the account with ref {owner.ref}" if owner.ref else "an account without a ref"
    return RejectedError(f"`email` is the address of {whose}{hint}", "email")


def _is_same_name(one: Any, other: Any) -> bool:
    """Tell whether two names have the same words, whatever their order, case and accents."""
    return not one or not other or _words(str(one)) == _words(str(other))


def _words(name: str) -> list[str]:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name)
        if not unicodedata.combining(letter)
    )
    return sorted(re.findall(r"\w+", plain.casefold()))


def _reject_shared_accounts(found: Iterable[Match]) -> None:
    """Reject all people whose rows are about one account."""
    by_entity: dict[Entity, list[Person]] = {}
    for match in found:
        if match.entity is not None:
            by_entity.setdefault(match.entity, []).append(match.person)
    for people in by_entity.values():
        if len(people) > 1:
            for person in people:
                person.error = RejectedError("several people in the data claim one account")
