"""A second imagination of Pluvo, written from its documents: it keeps accounts in memory.

How it behaves where the documents say nothing is drawn (`Behaviour`), and so is what fails
(`Faults`). Every document is validated, so that a wrong one fails the test.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from accounts import (
    CUSTOM_FIELDS,
    FIELD_IDS,
    MANAGER,
    OPTIONS,
    PARTICIPANT,
    Account,
    State,
    made_id,
)
from graphql import DocumentNode, FieldNode, InlineFragmentNode, parse, validate
from graphql.execution.values import get_argument_values

from pluvo_client.errors import PluvoError, QueryError, TransientError
from pluvo_client.schema.contract import documented_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import SelectionSetNode

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


class KilledError(KeyboardInterrupt):
    """The run is ended from outside, at any moment."""


@dataclass(frozen=True)
class Behaviour:
    """How an organization behaves where the documents leave it open."""

    unique: bool = True  # whether an address or a ref of somebody else is refused
    folds_case: bool = True  # whether addresses are compared without case
    makes_refs: bool = True  # whether an account without a ref gets a uuid4
    strips: bool = False  # whether values are stored without the blanks around them
    shuffles: bool = False  # whether requests that are under way at once overtake each other
    needs_names: bool = True  # whether an account without a name is refused


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a run: shares of mutations, and the mutation at which it is killed."""

    refused: float = 0.0
    lost: float = 0.0  # answers: the mutation had its effect, or not, and nobody says so
    failed_ids: float = 0.0
    killed_at: int | None = None
    seed: int = 0

    @property
    def any(self) -> bool:
        """Whether anything can go wrong."""
        return bool(self.refused or self.lost or self.failed_ids or self.killed_at is not None)


@dataclass(frozen=True)
class Invitation:
    """An e-mail that Pluvo has sent; `stream` says to what."""

    stream: str
    user_id: str
    archived: bool


class Organization:
    """Answers documents; `mutations` are those that it was sent, `executed` those that it ran."""

    def __init__(self, state: State, behaviour: Behaviour, faults: Faults) -> None:
        self.state = state
        self.mutations: list[str] = []
        self.invitations: list[Invitation] = []
        self._behaviour = behaviour
        self._faults = faults
        self._random = Random(faults.seed)

    # Reading

    def read(self, field: str, selection: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all objects of a root field, with the fields of a selection."""
        connection = field.startswith("paginated")
        inner = f"{{ edges {{ node {{ {selection} }} }} }}" if connection else f"{{ {selection} }}"
        document = _checked(f"{{ {field} {inner} }}")
        selected = _only_field(document).selection_set
        for _ in range(2 if connection else 0):
            assert selected is not None
            (step,) = selected.selections
            assert isinstance(step, FieldNode)
            selected = step.selection_set
        return [_projected(node, selected) for node in self._nodes(field, arguments)]

    def look_up(self, document: str) -> dict[str, Any]:
        """Answer a query for one group or training."""
        field = _only_field(_checked(document))
        kind = f"{field.name.value}s"
        ref = _arguments(field, "query")["ref"]
        found = getattr(self.state, kind).get(ref)
        return {field.name.value: found and {"id": found}}

    def _nodes(self, field: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        state = self.state
        match field:
            case "paginatedUsers":
                inside = [state.ref_of("trainings", found) for found in arguments.get("trainingIds", ())]
                return [
                    self._user_node(account)
                    for account in state.accounts
                    if "trainingIds" not in arguments or self._participates(account, inside)
                ]
            case "paginatedGroups":
                trainings = state.trainings
                return [
                    {"id": found, "ref": ref, "name": ref}
                    | {"trainings": [{"id": trainings[t]} for t, g in state.linked.items() if g == ref]}
                    for ref, found in state.groups.items()
                ]
            case "paginatedTrainings":
                return [
                    {"id": found, "ref": ref, "title": ref, "archived": False}
                    for ref, found in state.trainings.items()
                ]
            case "extraCategories":
                return [
                    {
                        "id": FIELD_IDS[title],
                        "title": title,
                        "categoryType": kind,
                        "choiceOptions": [{"stringValue": text} for text in OPTIONS]
                        if kind == "SELECT"
                        else [],
                    }
                    for title, kind in CUSTOM_FIELDS.items()
                ]
        msg = f"nobody should read {field}"
        raise AssertionError(msg)

    def _participates(self, account: Account, trainings: Iterable[str | None]) -> bool:
        members = self.state.members
        return any(
            ("training_participants", ref, PARTICIPANT, account.id) in members
            or self._is_linked(account.id, ref)
            for ref in trainings
        )

    def _is_linked(self, user_id: str, training: str | None) -> bool:
        """Tell whether a group keeps a user in a training."""
        group = self.state.linked.get(training or "")
        return ("group_members", group, PARTICIPANT, user_id) in self.state.members

    def _user_node(self, account: Account) -> dict[str, Any]:
        node = {
            "id": account.id,
            "ref": account.ref,
            "email": account.email,
            "name": account.name,
            "archived": account.archived,
            "isActive": not account.archived,
            "roles": list(account.roles),
            "language": "NL",
            "afasEmployeeId": None,
            "extraCategoryValues": [_value_node(*item) for item in account.values.items()],
        }
        for name, role in (("participantGroups", PARTICIPANT), ("managerGroups", MANAGER)):
            node[name] = [
                {"id": found}
                for ref, found in self.state.groups.items()
                if ("group_members", ref, role, account.id) in self.state.members
            ]
        return node

    # Writing

    def change(self, texts: Iterable[str], *, repeatable: bool) -> list[dict[str, Any] | PluvoError]:
        """Run mutations as the client sends them, and return an outcome for each.

        Raises:
            TransientError: as the client raises it if a request has failed for too long.
            KilledError: the run is killed.
        """
        waiting = list(enumerate(texts))
        outcomes: dict[int, dict[str, Any] | PluvoError] = {}
        if self._behaviour.shuffles:
            self._random.shuffle(waiting)
        for number, text in waiting:
            field = _only_field(_checked(f"mutation {{ m0: {text} }}", _TEXT.sub('""', text)))
            self.mutations.append(text)
            if len(self.mutations) - 1 == self._faults.killed_at:
                if self._random.random() < 0.5:  # noqa: PLR2004
                    self._run(field)
                raise KilledError
            if self._random.random() < self._faults.refused:
                outcomes[number] = QueryError("Pluvo is not in the mood")
            elif self._random.random() < self._faults.lost:
                self._run(field)
                if not repeatable:
                    outcomes[number] = TransientError("no answer came")
                elif self._random.random() < 0.5:  # noqa: PLR2004
                    raise TransientError("no answer came")
                else:
                    outcomes[number] = self._run(field)
            else:
                outcomes[number] = self._run(field)
        return [outcomes[number] for number in sorted(outcomes)]

    def _run(self, field: FieldNode) -> dict[str, Any] | PluvoError:
        given = _arguments(field, "mutation")
        try:
            answer = self._effect(field.name.value, given)
        except QueryError as error:
            return error
        return _projected(answer, field.selection_set)

    def _effect(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "updateOrCreateUser":
                return self._upsert(given)
            case "updateExtraCategoryValues":
                return self._set_values(given)
            case "addUsersToTraining" | "removeUsersFromTraining":
                ref = self.state.ref_of("trainings", given["trainingId"])
                return self._membership("training_participants", ref, given["role"], name, given)
            case _ if name.endswith(("UsersToGroup", "UsersFromGroup")):
                ref = self.state.ref_of("groups", given["groupId"])
                return self._membership("group_members", ref, PARTICIPANT, name, given)
            case _ if name.endswith(("ManagersToGroup", "ManagersFromGroup")):
                ref = self.state.ref_of("groups", given["groupId"])
                return {"response": self._membership("group_members", ref, MANAGER, name, given)}
        msg = f"nobody should call {name}"
        raise AssertionError(msg)

    def _membership(
        self, stream: str, ref: str | None, role: str, name: str, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Add users or remove them."""
        if ref is None:
            raise QueryError("there is no such group or training")
        answer: dict[str, Any] = {"failedIds": [], "idsLinkedViaObject": []}
        accounts = self.state.by_id()
        for user_id in given["userIds"]:
            member = (stream, ref, role, user_id)
            if user_id not in accounts or self._random.random() < self._faults.failed_ids:
                answer["failedIds"].append(user_id)
            elif name.startswith("remove"):
                if stream == "training_participants" and self._is_linked(user_id, ref):
                    answer["idsLinkedViaObject"].append(user_id)
                self.state.members.discard(member)
            elif member not in self.state.members:
                self.state.members.add(member)
                if given.get("sendInvites"):
                    self._invite(stream, accounts[user_id])
        return answer

    def _invite(self, stream: str, account: Account) -> None:
        self.invitations.append(Invitation(stream, account.id, account.archived))

    def _upsert(self, given: dict[str, Any]) -> dict[str, Any]:
        ref, email, user = given.get("ref"), given.get("email"), dict(given["user"])
        if self._behaviour.strips:
            user = {k: v.strip() if isinstance(v, str) else v for k, v in user.items()}
        accounts = self.state.accounts
        found = [one for one in accounts if ref is not None and one.ref == ref] or [
            one for one in accounts if email is not None and self._same(one.email, email)
        ]
        new_ref, new_email = user.get("ref", ref), user.get("email", email)
        account = found[0] if found else None
        self._check_unique(account, new_ref, new_email)
        if account is None:
            if self._behaviour.needs_names and not user.get("name"):
                raise QueryError("a user needs a name")
            # Ids do not depend on the order in which accounts are made, so that it can be compared.
            made = made_id("made", (len([one for one in accounts if one.email == new_email]), new_ref, new_email))
            if new_ref is None and self._behaviour.makes_refs:
                new_ref = str(uuid.UUID(made[::-1].replace("-", ""), version=4))
            account = Account(made, new_ref, new_email, user.get("name", ""))
            accounts.append(account)
        _apply(account, user)
        if not found and given.get("sendInvite") is not False:
            self._invite("users", account)
        return {"user": self._user_node(account), "created": not found}

    def _check_unique(self, account: Account | None, ref: str | None, email: str | None) -> None:
        for other in self.state.accounts if self._behaviour.unique else ():
            if other is not account and ref is not None and other.ref == ref:
                raise QueryError("this ref is taken")
            if other is not account and email is not None and self._same(other.email, email):
                raise QueryError("this address is taken")

    def _same(self, one: str | None, other: str) -> bool:
        if one is None or not self._behaviour.folds_case:
            return one == other
        return one.casefold() == other.casefold()

    def _set_values(self, given: dict[str, Any]) -> dict[str, Any]:
        account = self.state.by_id().get(given["modelId"])
        if account is None or given["contentType"] != "USER":
            raise QueryError("there is no such user")
        titles = {found: title for title, found in FIELD_IDS.items()}
        for value in given["values"]:
            title = titles[value["categoryId"]]
            account.values[title] = _stored(CUSTOM_FIELDS[title], value)
        return {"extraCategoryValues": [_value_node(*item) for item in account.values.items()]}


def _apply(account: Account, user: dict[str, Any]) -> None:
    for name in ("ref", "email", "name", "archived", "roles"):
        if user.get(name) is not None:
            setattr(account, name, user[name])
    if user.get("isActive") is not None:
        account.archived = not user["isActive"]


def _stored(kind: str, value: dict[str, Any]) -> Any:
    """Return a value of a custom field as it is kept.

    Raises:
        QueryError: the field cannot have it.
    """
    if kind == "SELECT":
        chosen = [choice["stringValue"] for choice in value.get("choiceValues", ())]
        if len(chosen) != 1 or chosen[0] not in OPTIONS:
            raise QueryError("this is no option of the field")
        return chosen[0]
    if kind == "DATE":
        return value["datetimeValue"]
    text = value["stringValue"]
    return text == "true" if kind == "BOOLEAN" else text


def _value_node(title: str, value: Any) -> dict[str, Any]:
    match CUSTOM_FIELDS[title]:
        case "SELECT":
            kind, content = "Choice", {"choiceValue": {"stringValue": value}}
        case "DATE":
            kind, content = "Datetime", {"datetimeValue": value}
        case "BOOLEAN":
            kind, content = "Boolean", {"booleanValue": value}
        case _:
            kind, content = "String", {"stringValue": value}
    return {
        "__typename": f"ExtraCategory{kind}Value",
        "category": {"id": FIELD_IDS[title]},
        **content,
    }


# Documents


def _checked(document: str, shape: str | None = None) -> DocumentNode:
    """Parse a document; documents of one shape are validated once."""
    _validate(_TEXT.sub('""', document))
    return _parse(document) if shape is None else parse(document, no_location=True)


@cache
def _parse(document: str) -> DocumentNode:
    return parse(document, no_location=True)


@cache
def _validate(document: str) -> None:
    errors = validate(documented_schema(), parse(document))
    assert not errors, (document, errors)


def _only_field(document: DocumentNode) -> FieldNode:
    (operation,) = document.definitions
    (field,) = operation.selection_set.selections  # type: ignore[attr-defined]
    assert isinstance(field, FieldNode)
    return field


def _arguments(field: FieldNode, kind: str) -> dict[str, Any]:
    owner = getattr(documented_schema(), f"{kind}_type")
    return get_argument_values(owner.fields[field.name.value], field)


def _projected(node: Any, selected: SelectionSetNode | None) -> Any:
    """Return of an object what a selection asks for."""
    if selected is None or node is None:
        return node
    if isinstance(node, list):
        return [_projected(item, selected) for item in node]
    found: dict[str, Any] = {}
    for part in selected.selections:
        if isinstance(part, InlineFragmentNode):
            assert part.type_condition is not None
            if part.type_condition.name.value == node["__typename"]:
                found |= _projected(node, part.selection_set)
        else:
            assert isinstance(part, FieldNode)
            name = part.name.value
            found[part.alias.value if part.alias else name] = _projected(
                node[name], part.selection_set
            )
    return found



def effects(text: str) -> list[str]:
    """Return what a mutation asks for, user by user, whatever the order of its parts."""
    field = _only_field(parse(f"mutation {{ {text} }}", no_location=True))
    given = _arguments(field, "mutation")
    name = field.name.value
    if "userIds" in given:
        users = given.pop("userIds")
        return [f"{name} {_sorted(given)} {user}" for user in users]
    return [f"{name} {_sorted(given)}"]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _sorted(item)) for name, item in sorted(value.items())]
    return sorted(map(str, map(_sorted, value))) if isinstance(value, list) else value
