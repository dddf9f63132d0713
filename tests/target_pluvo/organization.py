"""A Pluvo in memory, made from the documents alone: a second imagination beside the sandbox."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import parse, validate, value_from_ast_untyped

from pluvo_client.errors import PluvoError, QueryError, TransientError
from pluvo_client.schema.contract import Contract, documented_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from graphql import FieldNode

ROLES = {"participantGroups": "Users", "managerGroups": "Managers"}


class KilledError(BaseException):
    """The process ends here, as if it was killed."""


@dataclass
class Account:
    """An account; all that a file could change."""

    id: str
    ref: str | None
    email: str | None
    name: str
    archived: bool = False
    roles: tuple[str, ...] = ("PARTICIPANT",)
    invited: bool = False
    fields: dict[str, str] = field(default_factory=dict)
    participantGroups: set[str] = field(default_factory=set)  # noqa: N815 - as the API names it
    managerGroups: set[str] = field(default_factory=set)  # noqa: N815 - as the API names it


class Snapshot(NamedTuple):
    """What an account is at some moment."""

    ref: str | None
    email: str | None
    name: str
    archived: bool
    roles: tuple[str, ...]
    invited: bool
    fields: tuple[tuple[str, str], ...]
    groups: frozenset[str]


@dataclass
class Behaviour:
    """What no page says: how a server may be.

    `faults` is how often a mutation is refused, or has its effect without an answer, or is the last
    thing that the run does.
    """

    unique: bool = True
    folds_case: bool = True
    makes_refs: bool = True
    strips: bool = False
    faults: float = 0.0


class Organization:
    """Stands for `PluvoClient`: what the target asks is answered from what is in memory."""

    def __init__(self, random: Random, behaviour: Behaviour) -> None:
        self.accounts: dict[str, Account] = {}
        self.groups: dict[str, str] = {}  # ref by id
        self.mutations: list[str] = []
        self.behaviour = behaviour
        self.contract = Contract(None)
        self.authenticator = self
        self._random = random

    def snapshot(self) -> dict[str, Snapshot]:
        """Return what all accounts are."""
        return {
            found.id: Snapshot(
                *(found.ref, found.email, found.name, found.archived, found.roles, found.invited),
                tuple(sorted(found.fields.items())),
                frozenset(found.participantGroups),
            )
            for found in self.accounts.values()
        }

    def add_account(self, ref: str | None, email: str | None, name: str, **more: Any) -> Account:
        """Add an account, as somebody else does."""
        found = Account(self._uuid(), ref, email, name, **more)
        self.accounts[found.id] = found
        return found

    def add_group(self, ref: str) -> str:
        """Add a group and return its id."""
        group_id = self._uuid()
        self.groups[group_id] = ref
        return group_id

    # What the target uses of a client

    def require(self, _scopes: object) -> None:
        """Grant every scope."""

    def close(self) -> None:
        """End nothing."""

    def read(self, root: str, _selection: str, **_arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield all objects of a list, with more than was asked for."""
        if root == "paginatedGroups":
            for group_id, ref in self.groups.items():
                yield {"id": group_id, "ref": ref, "name": ref, "maxUsers": 99, "enableChat": True}
        elif root == "extraCategories":
            yield {
                "id": "field",
                "title": "Department",
                "categoryType": "TEXT",
                "choiceOptions": [],
            }
        else:
            assert root == "paginatedUsers"
            for found in list(self.accounts.values()):
                yield self._node(found)

    def _node(self, found: Account) -> dict[str, Any]:
        node: dict[str, Any] = {
            "id": found.id,
            "ref": found.ref,
            "email": found.email,
            "name": found.name,
            "archived": found.archived,
            "isActive": not found.archived,
            "language": "NL",
            "roles": list(found.roles),
            "afasEmployeeId": None,
            "__typename": "User",
        }
        for name in ROLES:
            node[name] = [{"id": group} for group in getattr(found, name)]
        node["extraCategoryValues"] = [
            {
                "__typename": "ExtraCategoryStringValue",
                "category": {"id": name},
                "stringValue": value,
            }
            for name, value in found.fields.items()
        ]
        return node

    def change(self, mutations: Iterable[str], *, repeatable: bool = True) -> Iterator[Any]:
        """Make changes, and yield what each gave, or why it failed."""
        assert repeatable, "of users and members all changes are"
        for text in list(mutations):
            self.mutations.append(text)
            name, arguments = _parsed(text)
            lot = self._random.random() / self.behaviour.faults if self.behaviour.faults else 1
            refuses_member = self.behaviour.faults and "addUsers" in name and lot < 2
            if lot < 1 / 4 or refuses_member:
                yield QueryError("the API answered with an error")
                continue
            if lot < 2 / 4:
                raise KilledError
            try:
                outcome: Any = getattr(self, f"_{name}")(**arguments)
            except PluvoError as error:
                outcome = error
            if lot < 3 / 4:
                msg = "no answer came"
                raise TransientError(msg)
            if lot < 1:
                raise KilledError
            yield outcome

    # Mutations

    def _updateOrCreateUser(  # noqa: N802 - as the API names it
        self,
        user: dict[str, Any],
        ref: str | None = None,
        email: str | None = None,
        sendInvite: bool = True,  # noqa: N803 - as the API names it
    ) -> dict[str, Any]:
        found = self._found(ref=ref, email=email)
        values = {name: self._stored(value) for name, value in user.items()}
        for name in ("ref", "email"):
            other = self._found(**{name: values.get(name)})
            if self.behaviour.unique and other is not None and other is not found:
                msg = f"{name}: User with this {name} already exists."
                raise QueryError(msg)
        if found is None:
            given = {"ref": ref, "email": email} | values
            if not given.get("name"):
                msg = "name: This field is required."
                raise QueryError(msg)
            made_up = self._uuid() if self.behaviour.makes_refs else None
            found = self.add_account(given["ref"] or made_up, given["email"], given["name"])
            found.invited = sendInvite
        elif sendInvite:
            found.invited = True
        for name in ("name", "ref", "email", "archived"):
            if values.get(name) is not None:
                setattr(found, name, values[name])
        if "isActive" in values:
            found.archived = not values["isActive"]
        if "roles" in values:
            found.roles = tuple(values["roles"])
        return {"user": {"id": found.id}}

    def _updateExtraCategoryValues(  # noqa: N802 - as the API names it
        self,
        contentType: str,  # noqa: N803
        modelId: str,  # noqa: N803
        values: list[dict[str, Any]],
    ) -> dict[str, Any]:
        assert contentType == "USER"
        for value in values:
            self.accounts[modelId].fields[value["categoryId"]] = value["stringValue"]
        return {"extraCategoryValues": []}

    def _addUsersToGroup(self, groupId: str, userIds: list[str]) -> dict[str, Any]:  # noqa: N802, N803
        for user_id in userIds:
            self.accounts[user_id].participantGroups.add(groupId)
        return {"failedIds": []}

    def _removeUsersFromGroup(self, groupId: str, userIds: list[str]) -> dict[str, Any]:  # noqa: N802, N803
        for user_id in userIds:
            self.accounts[user_id].participantGroups.discard(groupId)
        return {"failedIds": []}

    def _found(self, *, ref: str | None = None, email: str | None = None) -> Account | None:
        for account in self.accounts.values():
            if ref is not None and account.ref == ref:
                return account
            if ref is None and email is not None and self._fold(account.email) == self._fold(email):
                return account
        return None

    def _fold(self, email: str | None) -> str | None:
        return email.casefold() if email and self.behaviour.folds_case else email

    def _stored(self, value: Any) -> Any:
        return value.strip() if self.behaviour.strips and isinstance(value, str) else value

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


@cache
def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of a mutation, which the documented schema must have."""
    document = parse(f"mutation {{ {text} }}")
    wrong = validate(documented_schema(), document)
    assert not wrong, wrong
    (selection,) = document.definitions[0].selection_set.selections  # type: ignore[attr-defined]
    node: FieldNode = selection
    return node.name.value, {
        item.name.value: value_from_ast_untyped(item.value) for item in node.arguments
    }
