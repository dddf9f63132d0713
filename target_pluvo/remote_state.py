"""What the organization has, read completely once, and kept up with what this run makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type

from pluvo_client.errors import UnavailableError
from pluvo_singer.values import RejectedError, key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import GraphQLArgument, GraphQLNamedType

    from pluvo_client import PluvoClient
    from pluvo_client.schema.contract import Contract


@dataclass(eq=False)
class Entity:
    """A user, a group or a training: what Pluvo says of it, or what a change is to make.

    `id` is None as long as it does not exist. `ref` is how rows name it. `archived` is what it is
    after this run. `doubtful` says why nothing may be done about it any more in this run.
    """

    id: str | None
    ref: str | None
    node: dict[str, Any] = field(default_factory=dict)
    archived: bool = False
    doubtful: str | None = None

    @property
    def known_id(self) -> str:
        """The id, once it exists.

        Raises:
            RejectedError: it was to be made or changed before, and that failed.
        """
        if self.doubtful is not None:
            msg = "the row of its user was rejected; see the error there"
            raise RejectedError(msg)
        if self.id is None:
            msg = "its parent was not created; see the error there"
            raise RejectedError(msg)
        return self.id


class Directory:
    """Entities of one kind, by ref and, for users, by e-mail address.

    Refs and addresses are read as those of rows are. `rejected` and `left` are refs of rows of this
    run: those that were rejected, and those of people who have left and have no account.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.by_id: dict[str, Entity] = {}
        self.rejected: set[str] = set()
        self.left: set[str] = set()
        self._by_ref: dict[str, list[Entity]] = {}
        self._by_email: dict[str, list[Entity]] = {}

    def add(self, entity: Entity) -> None:
        """Take up an entity."""
        if entity.id is not None:
            self.by_id[entity.id] = entity
        if entity.ref is not None:
            self._by_ref.setdefault(entity.ref, []).append(entity)
        if email := read_key(entity.node.get("email")):
            self._by_email.setdefault(email.casefold(), []).append(entity)

    def renumber(self, entity: Entity, ref: str) -> None:
        """Give an entity another ref; rows may go on naming it by the old one."""
        entity.ref = entity.node["ref"] = ref
        self.name(entity, ref)

    def name(self, entity: Entity, ref: str) -> None:
        """Let rows name an entity by a ref."""
        if entity not in self.with_ref(ref):
            self._by_ref.setdefault(ref, []).append(entity)

    def with_ref(self, ref: str | None) -> list[Entity]:
        """Return the entities with a ref: more than one only if Pluvo has refs that look alike."""
        return [] if ref is None else self._by_ref.get(ref, [])

    def with_email(self, email: str | None) -> list[Entity]:
        """Return the users with an e-mail address, in upper or lower case."""
        return [] if email is None else self._by_email.get(email.casefold(), [])

    def find(self, column: str, ref: str) -> Entity:
        """Return the entity with a ref.

        Raises:
            RejectedError: there is none, and none is made in this run; or its own row was rejected.
        """
        if ref in self.rejected:
            msg = f"`{column}`: the row of this {self._what} was rejected; see the error there"
            raise RejectedError(msg, column)
        found = self.with_ref(ref)
        if len(found) == 1:
            return found[0]
        if found:
            msg = f"`{column}`: Pluvo has several {self._what}s with this ref"
        else:
            msg = f"`{column}`: Pluvo has no {self._what} with this ref, and the data has none"
        raise RejectedError(msg, column)


class RemoteState:
    """The organization. `users`, `groups` and `trainings` are read when they are first needed.

    `selections` is what is read of them beside the id and ref. Nobody who is `protected` is removed
    from anything for lack of a row, and nobody at all with `protects_everybody`. `leaving` has the
    ids of groups that this run removes users from, each with the id of the user.
    """

    def __init__(self, client: PluvoClient) -> None:
        self.client = client
        self.protected: set[Entity] = set()
        self.protects_everybody = False
        self.leaving: set[tuple[str, str]] = set()
        self.selections: dict[str, list[str]] = {"users": [], "groups": [], "trainings": []}

    @property
    def contract(self) -> Contract:
        """What the API has."""
        return self.client.contract

    def select_fields(self, kind: str, *parts: str) -> None:
        """Read some fields of users, groups or trainings, too."""
        wanted = self.selections[kind]
        wanted += [part for part in parts if part not in wanted]

    @cached_property
    def users(self) -> Directory:
        """All users, archived ones included."""
        self.select_fields("users", "email", "archived")
        return self._directory("paginatedUsers", "users", "user")

    @property
    def active_users(self) -> int:
        """How many users are not archived."""
        return sum(not user.node.get("archived") for user in self.users.by_id.values())

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

    def require_mutation(self, mutation: str, *arguments: str) -> None:
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

    def accepts(self, mutation: str, argument: str) -> bool:
        """Tell whether a mutation takes an argument."""
        found = self.contract.mutation(mutation)
        return found is not None and argument in found.args

    def fields(self, mutation: str, argument: str) -> dict[str, GraphQLNamedType]:
        """Return the fields of the input that a mutation takes, each with its type."""
        found = self.contract.mutation(mutation)
        taken: GraphQLArgument | None = found.args.get(argument) if found else None
        kind = get_named_type(taken.type) if taken else None
        if not isinstance(kind, GraphQLInputObjectType):
            return {}
        return {name: get_named_type(item.type) for name, item in kind.fields.items()}

    def names(self, mutation: str, argument: str) -> list[str]:
        """Return the names of the enum that an argument takes."""
        found = self.contract.mutation(mutation)
        taken = found.args.get(argument) if found else None
        kind = get_named_type(taken.type) if taken else None
        return list(kind.values) if isinstance(kind, GraphQLEnumType) else []

    def _directory(self, root: str, kind: str, what: str) -> Directory:
        found = Directory(what)
        for node in self._nodes(root, ["id", "ref", *self.selections[kind]]):
            archived = bool(node.get("archived"))
            found.add(Entity(node["id"], read_key(node["ref"]), node, archived))
        return found

    def _nodes(self, root: str, parts: Iterable[str]) -> Iterator[dict[str, Any]]:
        return self.client.read(root, " ".join(parts))


def read_key(value: Any) -> str | None:
    """Return a key of Pluvo as those of rows are read; one that can be none stays as it is."""
    try:
        return key(value, "")
    except RejectedError:
        return str(value)
