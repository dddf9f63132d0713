"""People: the rows of `users` that belong together, and what they say of somebody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pluvo_singer.values import RejectedError, boolean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Entity

_IDENTITY = ("name", "email")
_STATUS = ("archived", "is_active")


@dataclass(eq=False)
class Person:
    """The rows of one person: with one ref, or without one with one address.

    `emails` are all their addresses; without a contradiction they differ in case at most. `values`
    is what the rows that count say together. `account` is the one of somebody who has left, where
    it is known by the address only. `error` is why nothing is done about any of the rows; `errors`
    has what is wrong with single ones.
    """

    ref: str | None
    rows: list[Row] = field(default_factory=list)
    emails: set[str] = field(default_factory=set)
    leaves: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    contradiction: str | None = None
    account: Entity | None = None
    error: RejectedError | None = None
    errors: dict[Row, RejectedError] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        """The address."""
        return min(self.emails, default=None)


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


def is_blank(row: Row) -> bool:
    """Tell whether a row says nothing of anybody, as the last lines of a spreadsheet do."""
    return not row.is_deleted and not row.columns().keys() & {"ref", *_IDENTITY}


def read_people(
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


def reject_shared_addresses(people: Iterable[Person]) -> None:
    """Reject all active people who have one address."""
    by_email: dict[str, list[Person]] = {}
    for person in people:
        for email in set() if person.leaves else {email.casefold() for email in person.emails}:
            by_email.setdefault(email, []).append(person)
    for sharing in by_email.values():
        if len(sharing) > 1:
            for person in sharing:
                msg = "several people in the data have this address"
                person.error = person.error or RejectedError(msg, "email")
