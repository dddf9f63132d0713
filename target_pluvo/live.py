"""What the organization has, read completely once, and kept up with what this run makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type

from pluvo_client.errors import UnavailableError
from target_pluvo.rows import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import GraphQLArgument, GraphQLNamedType

    from pluvo_client import PluvoClient
    from pluvo_client.schema.contract import Contract
    from target_pluvo.changes import Change


@dataclass(eq=False)
class Thing:
    """A user, a group or a training: what Pluvo says of it, or the change that makes it.

    `id` is None as long as it does not exist.
    """

    id: str | None
    ref: str | None
    node: dict[str, Any] = field(default_factory=dict)
    made_by: Change | None = None

    @property
    def known_id(self) -> str:
        """The id, once it exists.

        Raises:
            RejectedError: it was to be made before, and that failed.
        """
        if self.id is None:
            msg = "what it belongs to could not be made: see there"
            raise RejectedError(msg)
        return self.id


class Directory:
    """Things of one kind, by ref and, for users, by e-mail address."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.by_id: dict[str, Thing] = {}
        self._by_ref: dict[str, Thing] = {}
        self._by_email: dict[str, Thing] = {}

    def add(self, thing: Thing) -> None:
        """Take up a thing, or what is new about it."""
        if thing.id is not None:
            self.by_id[thing.id] = thing
        if thing.ref is not None:
            self._by_ref[thing.ref] = thing
        if email := thing.node.get("email"):
            self._by_email[email.lower()] = thing

    def with_ref(self, ref: str | None) -> Thing | None:
        """Return the thing with a ref."""
        return None if ref is None else self._by_ref.get(ref)

    def with_email(self, email: str | None) -> Thing | None:
        """Return the user with an e-mail address, in upper or lower case."""
        return None if email is None else self._by_email.get(email.lower())

    def find(self, column: str, ref: str) -> Thing:
        """Return the thing with a ref.

        Raises:
            RejectedError: there is none, and none is made in this run.
        """
        found = self.with_ref(ref)
        if found is None:
            msg = f"`{column}`: Pluvo has no {self._what} with this ref, and the data has none"
            raise RejectedError(msg)
        return found


class Live:
    """The organization. `users`, `groups` and `trainings` are read when they are first needed.

    `selections` is what is read of them beside the id and ref.
    """

    def __init__(self, client: PluvoClient) -> None:
        self.client = client
        self.selections: dict[str, list[str]] = {"users": [], "groups": [], "trainings": []}

    @property
    def contract(self) -> Contract:
        """What the API has."""
        return self.client.contract

    def want(self, kind: str, *parts: str) -> None:
        """Read some fields of users, groups or trainings, too."""
        wanted = self.selections[kind]
        wanted += [part for part in parts if part not in wanted]

    @cached_property
    def users(self) -> Directory:
        """All users, archived ones included."""
        self.want("users", "email", "archived")
        return self._directory("paginatedUsers", "users", "user")

    @cached_property
    def groups(self) -> Directory:
        """All groups."""
        return self._directory("paginatedGroups", "groups", "group")

    @cached_property
    def trainings(self) -> Directory:
        """All trainings, archived ones included."""
        return self._directory("paginatedTrainings", "trainings", "training")

    def has(self, root: str, name: str) -> bool:
        """Tell whether the nodes of a root connection have a field."""
        return self.contract.has(f"{root}.edges.node.{name}")

    def need(self, mutation: str, *arguments: str) -> None:
        """Make sure that the API has a mutation with some arguments.

        Raises:
            UnavailableError: it lacks it.
        """
        found = self.contract.mutation(mutation)
        lacking = [name for name in arguments if found is not None and name not in found.args]
        if found is None or lacking:
            what = f"{mutation}({lacking[0]}:)" if lacking else mutation
            msg = f"the organization's schema lacks the mutation `{what}`"
            raise UnavailableError(msg)

    def takes(self, mutation: str, argument: str) -> bool:
        """Tell whether a mutation takes an argument."""
        found = self.contract.mutation(mutation)
        return found is not None and argument in found.args

    def fields(self, mutation: str, argument: str) -> dict[str, GraphQLNamedType]:
        """Return the fields of the input that a mutation takes, each with its type."""
        found = self.contract.mutation(mutation)
        given: GraphQLArgument | None = found.args.get(argument) if found else None
        kind = get_named_type(given.type) if given else None
        if not isinstance(kind, GraphQLInputObjectType):
            return {}
        return {name: get_named_type(item.type) for name, item in kind.fields.items()}

    def names(self, mutation: str, argument: str) -> list[str]:
        """Return the names of the enum that an argument takes."""
        found = self.contract.mutation(mutation)
        given = found.args.get(argument) if found else None
        kind = get_named_type(given.type) if given else None
        return list(kind.values) if isinstance(kind, GraphQLEnumType) else []

    def _directory(self, root: str, kind: str, what: str) -> Directory:
        found = Directory(what)
        for node in self._nodes(root, ["id", "ref", *self.selections[kind]]):
            found.add(Thing(node["id"], node["ref"], node))
        return found

    def _nodes(self, root: str, parts: Iterable[str]) -> Iterator[dict[str, Any]]:
        return self.client.read(root, " ".join(parts))
