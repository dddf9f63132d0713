"""Draws organizations and dirty HR files; a seed always draws the same."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from accounts import MANAGER, PARTICIPANT, Account, State, made_id
from dirt import DIRT, MEMBERSHIP_DIRT, NAMES
from pluvo_in_memory import Behaviour, Faults
from scenario import Edit, Scenario, Step

if TYPE_CHECKING:
    from random import Random

    from driver import Rows

Row = dict[str, Any]

GROUPS = ("department-a", "department-b", "project-x")
TRAININGS = ("T-1", "T-2")
_CUSTOM = {
    "department": "Afdeling",
    "hours": "Uren",
    "level": "Niveau",
    "first_aid": "BHV",
    "since": "In dienst",
}
# What clean rows have in columns that most of them lack.
_VALUES: dict[str, tuple[Any, ...]] = {
    "roles": ("MANAGER", "PARTICIPANT", "TRAINER;PARTICIPANT"),
    "department": ("Zorg", "Techniek"),
    "hours": (36, "36.50", 2**53 + 1),
    "level": ("junior", "se\u0301nior"),
    "first_aid": ("ja", "nee"),
    "since": ("2026-01-31",),
}


@dataclass(frozen=True)
class Person:
    """Somebody whom the HR system knows."""

    number: str
    name: str
    email: str
    left: bool = False

    def row(self, rng: Random) -> Row:
        """Return a clean row."""
        row: Row = {"ref": self.number, "name": self.name, "email": self.email}
        if self.left or rng.random() < 0.5:
            row["archived"] = self.left
        for column, values in _VALUES.items():
            if rng.random() < 0.1:
                row[column] = rng.choice(values)
        return row


def _person(number: int) -> Person:
    name = NAMES[number % len(NAMES)]
    name = name if number < len(NAMES) else f"{name} {number}"
    first = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return Person(str(1001 + number), name, f"{first.replace(' ', '.').lower()}@example.test")


def _mixed_up(rng: Random) -> Person:
    """Return somebody who has number, name and address of any of a few people."""
    one, two, three = (_person(rng.randrange(5)) for _ in range(3))
    return Person(one.number, two.name, three.email, left=rng.random() < 0.2)


def _people(size: int, rng: Random) -> list[Person]:
    """Return people who can be told apart, or who are thoroughly mixed up."""
    if rng.random() < 0.25:
        return [_mixed_up(rng) for _ in range(size)]
    return [_person(number) for number in range(size)]


def _account(person: Person, number: int, rng: Random) -> Account:
    """Return the account of a person, as years have left it."""
    ref: str | None = person.number
    dice = rng.random()
    if dice < 0.15:
        ref = None
    elif dice < 0.22:
        ref = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    elif dice < 0.27:
        ref = f" {person.number}\u00a0"
    email: str | None = person.email
    dice = rng.random()
    if dice < 0.08:
        email = None
    elif dice < 0.16:
        email = person.email.title()
    elif dice < 0.2:
        email = f"{person.email} "
    name = unicodedata.normalize("NFD", person.name) if rng.random() < 0.1 else person.name
    roles = rng.choice([[PARTICIPANT], [PARTICIPANT], [MANAGER], ["TRAINER", PARTICIPANT]])
    return Account(made_id("user", number), ref, email, name, rng.random() < 0.2, roles)


def _state(people: list[Person], rng: Random, *, members: bool) -> State:
    accounts = [_account(person, number, rng) for number, person in enumerate(people)]
    state = State(accounts)
    if members:
        state.groups = {ref: made_id("group", ref) for ref in GROUPS}
        state.trainings = {ref: made_id("training", ref) for ref in TRAININGS}
        state.linked = {"T-2": "department-a"} if rng.random() < 0.5 else {}
        for account in accounts:
            for ref in GROUPS:
                if rng.random() < 0.3:
                    role = MANAGER if rng.random() < 0.2 else PARTICIPANT
                    state.members.add(("group_members", ref, role, account.id))
            if rng.random() < 0.4:
                state.members.add(("training_participants", "T-1", PARTICIPANT, account.id))
    return state


def _file(people: list[Person], rng: Random, *, members: bool, dirt: int) -> Rows:
    clean = [person.row(rng) for person in people if rng.random() < 0.85]
    rows = [dict(row) for row in clean]
    for _ in range(rng.randrange(dirt + 1)):
        if rows:
            rng.choice(DIRT)(rows, rng)
    found: Rows = {"users": rows}
    if members:
        found["group_members"] = _memberships(clean, rng, "group_ref", GROUPS)
        if rng.random() < 0.5:
            found["training_participants"] = _memberships(clean, rng, "training_ref", TRAININGS)
    if rng.random() < 0.1:
        del found["users"]
    return found


def _memberships(people: list[Row], rng: Random, column: str, places: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = [
        {column: rng.choice(places[: rng.choice([1, 2, 3])]), "user_ref": row["ref"]}
        for row in people
        if rng.random() < 0.9
    ]
    for _ in range(rng.randrange(4)):
        if rows:
            rng.choice(MEMBERSHIP_DIRT)(rows, column, rng)
    return rows


# Sequences


def draw(rng: Random) -> Scenario:
    """Draw a sequence of one to five runs."""
    size = rng.randrange(20, 30) if rng.random() < 0.05 else rng.randrange(9)
    people = _people(size + 3, rng)
    members = rng.random() < 0.4
    state = _state(people[:size], rng, members=members)
    steps: list[Step] = []
    for _ in range(rng.choice([1, 1, 2, 2, 2, 3, 3, 4, 5])):
        if steps and rng.random() < 0.4:
            steps.append(Step(None, Faults(), _edits(state, rng)))
            continue
        people = [_life(person, rng) for person in people]
        rows = _file(people, rng, members=members, dirt=4 if size < 20 else 8)
        steps.append(Step(rows, _faults(rng), _edits(state, rng), _made(people, rng)))
    return Scenario(state, _behaviour(rng), _settings(rng), tuple(steps))


def draw_file(rng: Random, most: int) -> tuple[State, Behaviour, dict[str, Any], Rows]:
    """Draw an organization and a file of which no stream has more rows than `most`."""
    people = _people(rng.randrange(1, most + 1), rng)
    members = rng.random() < 0.3
    state = _state(people[: rng.randrange(len(people) + 1)], rng, members=members)
    rows = _file(people, rng, members=members, dirt=4 if most < 9 else 12)
    behaviour = replace(_behaviour(rng), shuffles=False)
    return state, behaviour, _settings(rng), {name: some[:most] for name, some in rows.items()}


def _life(person: Person, rng: Random) -> Person:
    """Return a person a day later."""
    dice = rng.random()
    if dice < 0.05:
        return replace(person, left=not person.left)
    if dice < 0.1:
        return replace(person, name=f"{person.name} {rng.choice(NAMES).split()[1]}")
    if dice < 0.15:
        return replace(person, email=f"new.{person.email}")
    return person


def _behaviour(rng: Random) -> Behaviour:
    return Behaviour(*(rng.random() < share for share in (0.7, 0.7, 0.7, 0.3, 0.3, 0.7)))


def _faults(rng: Random) -> Faults:
    seed = rng.getrandbits(32)
    match rng.randrange(8):
        case 0:
            return Faults(refused=0.3, failed_ids=0.3, seed=seed)
        case 1:
            return Faults(lost=0.3, seed=seed)
        case 2:
            return Faults(killed_at=rng.randrange(6), seed=seed)
        case 3:
            return Faults(refused=0.1, lost=0.1, failed_ids=0.1, killed_at=9, seed=seed)
    return Faults()


def _edits(state: State, rng: Random) -> tuple[Edit, ...]:
    if not state.accounts or rng.random() < 0.7:
        return ()
    field, value = rng.choice(
        [
            ("archived", True),
            ("archived", False),
            ("name", "Renske Byhandowski"),
            ("ref", None),
            ("email", None),
        ]
    )
    return (Edit(rng.choice(state.accounts).id, field, value),)


def _made(people: list[Person], rng: Random) -> tuple[Account, ...]:
    if rng.random() < 0.9:
        return ()
    person = rng.choice(people)
    ref = rng.choice([None, "777"])
    return (Account(made_id("by hand", person), ref, f"byhand.{person.email}", person.name),)


def _settings(rng: Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: True
        for name in ("renumber", "manage_roles", "send_invites", "send_training_invites")
        if rng.random() < 0.3
    }
    if rng.random() < 0.7:
        found["membership_mode"] = "mirror"
        if rng.random() < 0.4:
            found["managed_groups"] = ["department-*"]
    if rng.random() < 0.5:
        found["custom_fields"] = _CUSTOM
    if rng.random() < 0.6:  # or nothing much would ever happen in small organizations
        found["max_archive_share"] = rng.choice([0.5, 1])
    if rng.random() < 0.3:
        kinds = ("restore", "removal", "renumber", "address_change", "role_change")
        found |= {f"max_{kind}_share": rng.choice([0, 1]) for kind in kinds}
    return found
