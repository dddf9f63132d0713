"""What a made-up Pluvo holds: accounts, groups, trainings and custom fields."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any

PARTICIPANT, MANAGER = "PARTICIPANT", "MANAGER"

# By title, the kind of each custom field of users; the choice has the options of `OPTIONS`.
CUSTOM_FIELDS = {
    "Afdeling": "TEXT",
    "Uren": "NUMBER",
    "Niveau": "SELECT",
    "BHV": "BOOLEAN",
    "In dienst": "DATE",
}
OPTIONS = ("junior", "sénior")


def made_id(kind: str, name: object) -> str:
    """Return an id that is the same in each process."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}"))


FIELD_IDS = {title: made_id("field", title) for title in CUSTOM_FIELDS}


@dataclass
class Account:
    """A user; `values` are those of custom fields, by title."""

    id: str
    ref: str | None
    email: str | None
    name: str
    archived: bool = False
    roles: list[str] = field(default_factory=lambda: [PARTICIPANT])
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str | None, str, str | None]:
        """What people tell an account by."""
        return self.ref, self.name, self.email

    @property
    def content(self) -> tuple[Any, ...]:
        """All that a row of `users` can change."""
        values = sorted((title, repr(value)) for title, value in self.values.items())
        return (*self.identity, self.archived, sorted(self.roles), values)


@dataclass
class State:
    """All that an organization holds at a moment.

    `groups` and `trainings` are ids by ref; `members` has who (by id) is in what, and as what:
    stream, ref, role, user. `linked` are the groups of which all participants are in a training.
    """

    accounts: list[Account] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    trainings: dict[str, str] = field(default_factory=dict)
    members: set[tuple[str, str, str, str]] = field(default_factory=set)
    linked: dict[str, str] = field(default_factory=dict)

    def copy(self) -> State:
        """Return the state as it will still be when the organization has changed."""
        return copy.deepcopy(self)

    def by_id(self) -> dict[str, Account]:
        """Return the accounts by id."""
        return {account.id: account for account in self.accounts}

    def ref_of(self, kind: str, object_id: str) -> str | None:
        """Return the ref of a group (`groups`) or a training (`trainings`)."""
        found: dict[str, str] = getattr(self, kind)
        return next((ref for ref, known in found.items() if known == object_id), None)

    def is_linked(self, user_id: str, training: str | None) -> bool:
        """Tell whether a group keeps a user in a training."""
        group = self.linked.get(training or "")
        return group is not None and ("group_members", group, PARTICIPANT, user_id) in self.members
