"""Organizations and HR files at random: everybody may have anybody's number, name and address.

Each value of a row comes with what it means, so that what a run did can be judged without reading
values a second time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from organization import Behaviour, Organization

if TYPE_CHECKING:
    from random import Random

REFS = ["101", "102", "103", "104", "000105", "106"]
NAMES = ["Xenia Qvist", "Quirijn Zwart", "Zo\u00eb Xhaka", "Ulrike Yxart", "Ivo Qahn", "Yves Zonn"]
EMAILS = [f"q{number}@mail.test" for number in range(6)]
GROUPS = ["department-a", "department-b", "choir"]
UNREADABLE = object()  # stands for what a value means that rejects its row


@dataclass
class Row:
    """A row as it came, and what it means: `left` is None where that cannot be read."""

    raw: dict[str, Any]
    ref: str | None = None
    email: str | None = None
    name: str | None = None
    left: bool | None = False
    restores: bool = False
    department: str | None = None
    readable: bool = True
    group: str | None = None


@dataclass
class File:
    """The rows of the two streams, and the settings of the run."""

    users: list[Row]
    members: list[Row]
    settings: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by stream."""
        found = {"users": [row.raw for row in self.users]}
        return found | (
            {"group_members": [row.raw for row in self.members]} if self.members else {}
        )


def some_organization(random: Random) -> Organization:
    """Return a small organization."""
    found = Organization(
        random,
        Behaviour(
            unique=random.random() < 0.8,
            folds_case=random.random() < 0.8,
            makes_refs=random.random() < 0.5,
            strips=random.random() < 0.3,
        ),
    )
    groups = [found.add_group(ref) for ref in GROUPS]
    refs, emails = random.sample(REFS, len(REFS)), random.sample(EMAILS, len(EMAILS))
    for number in range(random.randrange(7)):
        ref = refs[number] if random.random() < 0.75 else None
        if ref is None and random.random() < 0.5:
            ref = found._uuid()
        account = found.add_account(
            ref,
            emails[number] if random.random() < 0.9 else None,
            random.choice(NAMES),
            archived=random.random() < 0.2,
        )
        account.participantGroups |= set(random.sample(groups, random.randrange(3)))
    return found


def some_file(random: Random, organization: Organization) -> File:
    """Return a file about the people of an organization, and others."""
    users = [_user(random, organization) for _ in range(random.randrange(1, 7))]
    if users and random.random() < 0.2:
        users.append(random.choice(users))  # a row that comes twice
    members = []
    if random.random() < 0.6:
        members = [_member(random, users) for _ in range(random.randrange(1, 7))]
    settings: dict[str, Any] = {
        "renumber": random.random() < 0.3,
        "manage_roles": random.random() < 0.3,
        "send_invites": random.random() < 0.3,
        "custom_fields": {"department": "Department"},
    }
    if random.random() < 0.6:
        settings["max_archive_share"] = random.choice([0.25, 0.5, 1])
    if random.random() < 0.7:
        settings["membership_mode"] = "mirror"
    if random.random() < 0.4:
        settings["managed_groups"] = ["department-*"]
    return File(users, members, settings)


def _user(random: Random, organization: Organization) -> Row:
    ref, email, name = random.choice(REFS), random.choice(EMAILS), random.choice(NAMES)
    accounts = list(organization.accounts.values())
    if accounts and random.random() < 0.6:  # who is there, as he is, or nearly so
        account = random.choice(accounts)
        ref = account.ref or ref
        email = (account.email or email) if random.random() < 0.8 else email
        name = account.name if random.random() < 0.8 else name
    row = Row({})
    row.raw["ref"], row.ref = _key(random, ref)
    row.raw["email"], row.email = _key(random, email)
    row.raw["name"], row.name = _text(random, name)
    _status(random, row)
    row.raw["department"], row.department = _text(random, random.choice(["Care", "Sales"]))
    row.raw["roles"] = random.choice([None, "MANAGER", "PARTICIPANT"])
    row.readable = UNREADABLE not in {row.ref, row.email, row.name, row.department}
    for column in ("ref", "email", "name", "department"):
        if getattr(row, column) is UNREADABLE:
            setattr(row, column, None)
    return row


def _status(random: Random, row: Row) -> None:
    word, left = random.choice(
        [
            *[(None, False), ("", False), (False, False), ("no", False), (" No\u00a0", False)],
            *[(True, True), ("yes", True), ("1", True), ("left", None), ("perhaps", None)],
        ]
    )
    row.raw["archived"], row.left = word, left
    row.restores = left is False and word not in {None, ""}


def _key(random: Random, value: str) -> tuple[Any, Any]:
    lot = random.random()
    if lot < 0.1:
        return random.choice([None, "", "\u00a0", math.nan]), None
    if lot < 0.13:
        return random.choice([f"{value}\ud83d", math.inf, ["x"]]), UNREADABLE
    if lot < 0.4:
        forms: list[Any] = [f" {value}", f"{value}\u00a0", f"\u200b{value}\ufeff", value.upper()]
        if value.isdecimal() and not value.startswith("0"):
            forms += [int(value), float(value), f"{value}.0"]
        return random.choice(forms if "@" in value else [forms[0], *forms[1:3], *forms[4:]]), value
    return value, value


def _text(random: Random, value: str) -> tuple[Any, Any]:
    lot = random.random()
    if lot < 0.08:
        return random.choice([None, "", " \u2003", math.nan]), None
    if lot < 0.1:
        return f"{value}\ud800", UNREADABLE
    if lot < 0.3:
        return random.choice(
            [f" {value} ", f"{value}\u00a0", value.replace("\u00eb", "e\u0308")]
        ), value
    return value, value


def _member(random: Random, users: list[Row]) -> Row:
    row = Row({})
    ref = random.choice([other.ref for other in users if other.ref] + REFS)
    row.raw["user_ref"], row.ref = _key(random, ref)
    row.raw["group_ref"], row.group = _key(random, random.choice([*GROUPS, "department-none"]))
    row.readable = UNREADABLE not in {row.ref, row.group}
    row.ref = None if row.ref is UNREADABLE else row.ref
    row.group = None if row.group is UNREADABLE else row.group
    return row
