"""A second imagination of Pluvo, written from its documents: it keeps accounts in memory.

How it behaves where the documents say nothing is drawn (`Behaviour`), and so is what fails
(`Faults`). Every document is validated, so that a wrong one fails the test.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
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
from documents import arguments, checked, only_field, projected
from graphql import FieldNode
from nodes import nodes, user_node, value_node

from pluvo_client.errors import PluvoError, QueryError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """Answers documents; `mutations` are those that it was sent."""

    def __init__(self, state: State, behaviour: Behaviour, faults: Faults) -> None:
        self.state = state
        self.mutations: list[str] = []
        self.invitations: list[Invitation] = []
        self._behaviour = behaviour
        self.faults = faults
        self._random = Random(faults.seed)

    # Reading

    def read(self, field: str, selection: str, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all objects of a root field, with the fields of a selection."""
        connection = field.startswith("paginated")
        inner = f"{{ edges {{ node {{ {selection} }} }} }}" if connection else f"{{ {selection} }}"
        document = checked(f"{{ {field} {inner} }}")
        selected = only_field(document).selection_set
        for _ in range(2 if connection else 0):
            assert selected is not None
            (step,) = selected.selections
            assert isinstance(step, FieldNode)
            selected = step.selection_set
        return [projected(node, selected) for node in nodes(self.state, field, given)]

    def look_up(self, document: str) -> dict[str, Any]:
        """Answer a query for one group or training."""
        field = only_field(checked(document))
        kind = f"{field.name.value}s"
        ref = arguments(field, "query")["ref"]
        found = getattr(self.state, kind).get(ref)
        return {field.name.value: found and {"id": found}}

    # Writing

    def change(
        self, texts: Iterable[str], *, repeatable: bool
    ) -> list[dict[str, Any] | PluvoError]:
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
            field = only_field(checked(f"mutation {{ m0: {text} }}"))
            self.mutations.append(text)
            if len(self.mutations) - 1 == self.faults.killed_at:
                if self._random.random() < 0.5:
                    self._run(field)
                raise KilledError
            if self._random.random() < self.faults.refused:
                outcomes[number] = QueryError("Pluvo is not in the mood")
            elif self._random.random() < self.faults.lost:
                self._run(field)
                if not repeatable:
                    outcomes[number] = TransientError("no answer came")
                elif self._random.random() < 0.5:
                    msg = "no answer came"
                    raise TransientError(msg)
                else:
                    outcomes[number] = self._run(field)
            else:
                outcomes[number] = self._run(field)
        return [outcomes[number] for number in sorted(outcomes)]

    def _run(self, field: FieldNode) -> dict[str, Any] | PluvoError:
        given = arguments(field, "mutation")
        try:
            answer = self._effect(field.name.value, given)
        except QueryError as error:
            return error
        found: dict[str, Any] = projected(answer, field.selection_set)
        return found

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
            msg = "there is no such group or training"
            raise QueryError(msg)
        answer: dict[str, Any] = {"failedIds": [], "idsLinkedViaObject": []}
        accounts = self.state.by_id()
        for user_id in given["userIds"]:
            member = (stream, ref, role, user_id)
            if user_id not in accounts or self._random.random() < self.faults.failed_ids:
                answer["failedIds"].append(user_id)
            elif name.startswith("remove"):
                if stream == "training_participants" and self.state.is_linked(user_id, ref):
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
                msg = "a user needs a name"
                raise QueryError(msg)
            made = self._new_id(new_ref, new_email)
            if new_ref is None and self._behaviour.makes_refs:
                new_ref = str(uuid.UUID(made[::-1].replace("-", ""), version=4))
            account = Account(made, new_ref, new_email, user.get("name", ""))
            accounts.append(account)
        _apply(account, user)
        if not found and given.get("sendInvite") is not False:
            self._invite("users", account)
        return {"user": user_node(self.state, account), "created": not found}

    def _new_id(self, *identity: str | None) -> str:
        """Return an id that does not depend on the order in which accounts are made."""
        known = self.state.by_id()
        ids = (made_id("made", (*identity, number)) for number in itertools.count())
        return next(found for found in ids if found not in known)

    def _check_unique(self, account: Account | None, ref: str | None, email: str | None) -> None:
        for other in self.state.accounts if self._behaviour.unique else ():
            if other is not account and ref is not None and other.ref == ref:
                msg = "this ref is taken"
                raise QueryError(msg)
            if other is not account and email is not None and self._same(other.email, email):
                msg = "this address is taken"
                raise QueryError(msg)

    def _same(self, one: str | None, other: str) -> bool:
        if one is None or not self._behaviour.folds_case:
            return one == other
        return one.casefold() == other.casefold()

    def _set_values(self, given: dict[str, Any]) -> dict[str, Any]:
        account = self.state.by_id().get(given["modelId"])
        if account is None or given["contentType"] != "USER":
            msg = "there is no such user"
            raise QueryError(msg)
        titles = {found: title for title, found in FIELD_IDS.items()}
        for value in given["values"]:
            title = titles[value["categoryId"]]
            account.values[title] = _stored(CUSTOM_FIELDS[title], value)
        return {"extraCategoryValues": [value_node(*item) for item in account.values.items()]}


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
            msg = "this is no option of the field"
            raise QueryError(msg)
        return chosen[0]
    if kind == "DATE":
        return value["datetimeValue"]
    text = value["stringValue"]
    return text == "true" if kind == "BOOLEAN" else text
