"""Whose account a row is about; whatever is not certain is rejected.

An account is found by `ref`, and by address only if it has no `ref`. Nothing here depends on the
order of rows: they are grouped into people first, then all people are looked at side by side.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pluvo_singer.values import RejectedError, boolean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pluvo_singer.rows import Rejection, Row
    from target_pluvo.remote_state import Directory, Entity

How = Literal["ref", "address", "adopted", "renumbered", "new"]

_IDENTITY = ("name", "email")
_STATUS = ("archived", "is_active")
# Pluvo makes up a uuid4 for an account that is given no ref (notion/Request-data).
_UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)


@dataclass(eq=False)
class Person:
    """The rows of one person: with one ref, or without one with one address.

    `emails` are all their addresses; without a contradiction they differ in case at most. `values`
    is what the rows that count say together. `error` is why nothing is done about any of the rows;
    `errors` has what is wrong with single ones.
    """

    ref: str | None
    rows: list[Row] = field(default_factory=list)
    emails: set[str] = field(default_factory=set)
    leaves: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    contradiction: str | None = None
    error: RejectedError | None = None
    errors: dict[Row, RejectedError] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        """The address."""
        return min(self.emails, default=None)


class Match(NamedTuple):
    """A person, and the account that the rows are about; None where one is to be made."""

    person: Person
    entity: Entity | None
    how: How


class Matches(NamedTuple):
    """What is known of all people.

    `unreadable` says that there is a rejected row of which nobody knows whose it is.
    """

    found: list[Match]
    unchanged: list[Row]
    rejected: list[tuple[Row, RejectedError]]
    rejected_refs: set[str]
    left_refs: set[str]
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
    blank = {row for row in rows if _is_blank(row)}
    lost = {found.row: RejectedError(found.reason, found.column) for found in unread if found.row}
    people = _people([row for row in rows if row not in blank], lost, used)
    _reject_shared_addresses(people)
    claims = _claims(people, users)
    found = [
        match
        for person in sorted(people, key=lambda person: person.leaves)  # who claims what is active
        if (match := _match(person, people, claims, users, renumber=renumber))
    ]
    _reject_shared_accounts(found)
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
        protected={entity for person, _ in rejected for entity in _claimed(person, users)},
        unreadable=any(not person.ref and not person.emails for person, _ in rejected),
    )


def has_left(row: Row) -> bool:
    """Tell whether a row says that somebody has left.

    Raises:
        RejectedError: what it says is neither yes nor no.
    """
    if row.is_deleted:
        return True
    given = row.columns()
    if "archived" in given:
        return boolean(given["archived"], "archived")
    return "is_active" in given and not boolean(given["is_active"], "is_active")


def _is_blank(row: Row) -> bool:
    """Tell whether a row says nothing of anybody, as the last lines of a spreadsheet do."""
    return not row.is_deleted and not row.columns().keys() & {"ref", *_IDENTITY}


# People: rows that belong together


def _people(
    rows: Iterable[Row], lost: Mapping[Row, RejectedError], used: Collection[str]
) -> list[Person]:
    """Return the people that rows are about, each with what is wrong with their rows."""
    people: dict[Any, Person] = {}
    for row in (*rows, *lost):
        ref, email = _keys(row)
        name = ref or ("@", email.casefold() if email else row.place)
        person = people.setdefault(name, Person(ref))
        person.rows.append(row)
        person.emails |= {email} if email else set()
        if error := lost.get(row) or _error(row, ref, email):
            person.errors[row] = error
            person.error = RejectedError("another row of the same person was rejected")
    for person in people.values():
        if not person.error:
            _merge(person, used)
    return list(people.values())


def _error(row: Row, ref: str | None, email: str | None) -> RejectedError | None:
    """Return what is wrong with a row by itself."""
    try:
        row.key("ref")
        row.key("email")
        has_left(row)
    except RejectedError as error:
        return error
    return None if ref or email else RejectedError("`ref` and `email` are both empty")


def _keys(row: Row) -> tuple[str | None, str | None]:
    """Return ref and address of a row, as far as they can be read."""
    found: list[str | None] = []
    for column in ("ref", "email"):
        try:
            found.append(row.key(column))
        except RejectedError:
            found.append(None)
    return found[0], found[1]


def _merge(person: Person, used: Collection[str]) -> None:
    """Find what the rows of a person say together, and whether they contradict each other.

    Rows that have left are passed over where another one is active, as after a change of contract.
    """
    active = [row for row in person.rows if not has_left(row)]
    person.leaves = not active
    differing = _differing(person.rows, _IDENTITY) or (
        _differing(active, [name for name in used if name not in _STATUS])
    )
    if differing:
        person.contradiction = f"several rows of this person differ in `{differing}`"
        if active:
            person.error = RejectedError(person.contradiction, differing)
    for row in active or person.rows:
        person.values |= row.columns()
    if person.email:
        person.values["email"] = person.email  # they may differ in upper and lower case


def _differing(rows: Sequence[Row], columns: Iterable[str]) -> str | None:
    """Return the first column in which rows differ that have a value there."""
    for column in columns:
        found = {
            str(value).casefold() if column == "email" else str(value)
            for row in rows
            if (value := row.columns().get(column)) is not None
        }
        if len(found) > 1:
            return column
    return None


def _reject_shared_addresses(people: Iterable[Person]) -> None:
    """Reject all active people who have one address."""
    by_email: dict[str, list[Person]] = {}
    for person in people:
        if person.email and not person.leaves:
            by_email.setdefault(person.email.casefold(), []).append(person)
    for sharing in by_email.values():
        if len(sharing) > 1:
            for person in sharing:
                msg = "several people in the data have this address"
                person.error = person.error or RejectedError(msg, "email")


# Accounts


def _claimed(person: Person, users: Directory) -> list[Entity]:
    """Return the accounts that a person's rows may be about."""
    by_email = [entity for email in person.emails for entity in users.with_email(email)]
    return [*users.with_ref(person.ref), *by_email]


def _claims(people: Iterable[Person], users: Directory) -> dict[Entity, list[Person]]:
    """Return the people who claim each account, without those who are known to have left."""
    found: dict[Entity, list[Person]] = {}
    for person in people:
        if person.error or not person.leaves:
            for entity in _claimed(person, users):
                found.setdefault(entity, []).append(person)
    return found


def _match(
    person: Person,
    people: Sequence[Person],
    claims: Mapping[Entity, Sequence[Person]],
    users: Directory,
    *,
    renumber: bool,
) -> Match | None:
    """Return whose account it is, or None if nothing is to be done; note what is wrong."""
    if person.error:
        return None
    try:
        if person.leaves:
            return _match_leaver(person, claims, users)
        return _match_active(person, people, users, renumber=renumber)
    except RejectedError as error:
        person.error = error
        return None


def _match_active(
    person: Person, people: Sequence[Person], users: Directory, *, renumber: bool
) -> Match:
    owner = _only(users.with_email(person.email), "address")
    if (found := _only(users.with_ref(person.ref), "ref")) is not None:
        if owner is not None and owner is not found:
            raise _taken(owner)
        return Match(person, found, "ref")
    if owner is None:
        return Match(person, None, "new")
    if owner.ref is None:
        return Match(person, owner, "adopted" if person.ref else "address")
    if person.ref is None:
        if _UUID4.fullmatch(owner.ref):
            return Match(person, owner, "address")
        raise _taken(owner)
    if not renumber:
        hint = ": set `renumber` if these rows are right" if _UUID4.fullmatch(owner.ref) else ""
        raise _taken(owner, hint)
    if not all(_is_gone(other) for other in people if other.ref in {owner.ref, None}):
        raise _taken(owner, ", which may be in the data, too")
    if not _is_same_name(person.values.get("name"), owner.node.get("name")):
        raise _taken(owner, ", which has another name")
    return Match(person, owner, "renumbered")


def _match_leaver(
    person: Person, claims: Mapping[Entity, Sequence[Person]], users: Directory
) -> Match | None:
    found = _only(users.with_ref(person.ref), "ref")
    how: How = "ref"
    if found is None and (owner := _only(users.with_email(person.email), "address")) is not None:
        found, how = owner, "address"
        foreign = owner.ref is not None and (person.ref or not _UUID4.fullmatch(owner.ref))
        if foreign and owner not in claims and not owner.node.get("archived"):
            raise _taken(owner)
    if found is None or found.node.get("archived"):
        return None
    if active := claims.get(found):
        if any(other.error for other in active):
            msg = "an active row that was rejected claims the same account"
            raise RejectedError(msg)
        return None
    if person.contradiction:
        raise RejectedError(person.contradiction)
    return Match(person, found, how)


def _is_gone(person: Person) -> bool:
    """Tell whether rows say for certain that somebody has left, or have no ref at all."""
    return not person.error and (person.leaves or person.ref is None)


def _only(found: Sequence[Entity], what: str) -> Entity | None:
    if len(found) > 1:
        msg = f"several accounts of Pluvo have this {what}"
        raise RejectedError(msg)
    return found[0] if found else None


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
