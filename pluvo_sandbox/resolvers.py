"""The functions behind the fields that are more than a column."""

# ruff: noqa: S608 - SQL is put together from names in this package; values are parameters

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from pluvo_sandbox.behaviour import ROOT_SCOPES, Behaviour
from pluvo_sandbox.connections import Counter, connection, window
from pluvo_sandbox.database import IN_LIST, as_list
from pluvo_sandbox.relations import COUNTS, NESTED, TO_MANY, TO_ONE
from pluvo_sandbox.roots import CONNECTIONS, LISTS, OBJECTS
from pluvo_sandbox.ties import shuffled
from pluvo_sandbox.variations import varied

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Collection, Mapping, Sequence

    from graphql import GraphQLResolveInfo

    from pluvo_sandbox.connections import Window
    from pluvo_sandbox.database import Database, Node
    from pluvo_sandbox.faults import Fault
    from pluvo_sandbox.roots import Listing

    Resolver = Callable[..., Any]


_PAGING = {"first", "after", "last", "before", "offset"}


@dataclass(frozen=True)
class Context:
    """What a resolver may use.

    Attributes:
        database: the data.
        scopes: what the caller's token allows.
        faults: what goes wrong with this request.
        behaviour: the options of the sandbox.
        number: of the request, counted from 1.
        counter: what counts connections.
        hidden: objects that this request does not find on purpose.
    """

    database: Database
    scopes: frozenset[str]
    faults: Sequence[Fault] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)
    number: int = 0
    counter: Counter = field(default_factory=lambda: Counter(1))
    hidden: list[Mapping[str, Any]] = field(default_factory=list)

    def window(self, name: str, length: int, arguments: Mapping[str, Any]) -> Window:
        """Find the page of the connection `name` that the arguments ask for."""
        if self.behaviour.ignore_offset:
            arguments = {**arguments, "offset": None}
        return window(name, length, arguments, self.behaviour.page_cap)

    def shown(
        self, page: Window, keys: array[int], ranks: Callable[[], array[int]]
    ) -> Sequence[int]:
        """Return the keys of the rows on a page.

        Args:
            page: where the rows are in the list.
            keys: of all rows of the list, in order.
            ranks: gives the ranks of all rows, equal for rows that tie.
        """
        if self.behaviour.ties == "by-id":
            return keys[page.start : page.stop]
        salt = f"{self.behaviour.seed}/{page.start}-{page.stop}"
        if self.behaviour.ties == "random":
            salt += f"/{self.number}"
        return shuffled(keys, ranks(), page, salt)

    def check_scopes(self, root: str) -> None:
        """Check that the caller may use a root field.

        Raises:
            GraphQLError: the caller's token lacks a scope; the message names it.
        """
        for scope in (ROOT_SCOPES[root], *self.behaviour.required_scopes.get(root, ())):
            if scope not in self.scopes:
                message = f"Insufficient scope: this operation requires {scope}"
                raise GraphQLError(message)

    def count(self, name: str, arguments: Mapping[str, Any], rows: int) -> int:
        """Return what the connection `name` says as its count."""
        filters = sorted(
            (key, str(value)) for key, value in arguments.items() if key not in _PAGING
        )
        listed = (name, *filters)
        return self.counter.count(self.behaviour.counts, listed, rows, self.number)

    def hides(self, name: str, given: Mapping[str, Any]) -> bool:
        """Tell whether an object of the root field `name` is not to be found."""
        objects = sum(
            fault.value
            for fault in self.faults
            if fault.kind == "not-found" and fault.where in {None, name}
        )
        hides = len(self.hidden) < objects
        if hides:
            self.hidden.append(given)
        return hides

    def spoil(self, name: str, page: dict[str, Any], *, nested: bool) -> None:
        """Let the faults of this request change a page of the connection `name`."""
        for fault in self.faults:
            fault.change(name, page, nested=nested)


def _page(name: str, listing: Listing) -> Resolver:
    def resolve(_root: object, info: GraphQLResolveInfo, **arguments: Any) -> dict[str, Any]:
        database: Database = info.context.database
        served = varied(listing, info.context.behaviour)
        keys = database.keys(*served.keys(arguments))
        page = info.context.window(name, len(keys), arguments)
        shown = info.context.shown(page, keys, lambda: database.keys(*served.ranks(arguments)))
        rows = database.nodes_at(listing.table, shown)
        for row in rows.values():
            row["_arguments"] = arguments
        count = info.context.count(name, arguments, len(keys))
        found = connection([rows[key] for key in shown], page, count)
        info.context.spoil(name, found, nested=False)
        return found

    return resolve


def _list(listing: Listing) -> Resolver:
    def resolve(_root: object, info: GraphQLResolveInfo, **arguments: Any) -> list[Node]:
        database: Database = info.context.database
        served = varied(listing, info.context.behaviour)
        return database.nodes(*served.sql("*", arguments))

    return resolve


def _object(table: str, label: str) -> Resolver:
    def resolve(_root: object, info: GraphQLResolveInfo, **arguments: Any) -> Node:
        given = {name: value for name, value in arguments.items() if value is not None}
        if not given:
            message = (
                f"{label}: give one of {', '.join(info.parent_type.fields[info.field_name].args)}"
            )
            raise GraphQLError(message)
        conditions = " AND ".join(f"{name} = :{name}" for name in given)
        sql = f"SELECT * FROM {table} WHERE {conditions}"
        found: list[Node] = info.context.database.nodes(sql, given)
        if not found or info.context.hides(info.field_name, given):
            message = f"{label} not found"
            raise GraphQLError(message)
        return found[0]

    return resolve


def _to_one(table: str, column: str) -> Resolver:
    sql = f"SELECT * FROM {table} WHERE id {IN_LIST.format('?')}"

    def resolve(node: Node, info: GraphQLResolveInfo) -> Node | None:
        def load(siblings: Collection[Node]) -> dict[str, Node]:
            ids = {sibling[column] for sibling in siblings}
            return {row["id"]: row for row in info.context.database.nodes(sql, (as_list(ids),))}

        return node.siblings.related((table, column), load).get(node[column])

    return resolve


def _to_many(sql: str) -> Resolver:
    def resolve(node: Node, info: GraphQLResolveInfo) -> list[Node]:
        def load(siblings: Collection[Node]) -> dict[str, list[Node]]:
            ids = {sibling["id"] for sibling in siblings}
            rows: dict[str, list[Node]] = {}
            for row in info.context.database.nodes(sql, (as_list(ids),)):
                rows.setdefault(row["_owner"], []).append(row)
            return rows

        return node.siblings.related(sql, load).get(node["id"], [])  # type: ignore[no-any-return]

    return resolve


def _nested(name: str, table: str, sql: str, ranks: str) -> Resolver:
    def resolve(node: Node, info: GraphQLResolveInfo, **arguments: Any) -> dict[str, Any]:
        def load(siblings: Collection[Node]) -> dict[str, dict[str, Any]]:
            database: Database = info.context.database
            keys = database.keys_by_owner(sql, {sibling["id"] for sibling in siblings})
            pages = {
                owner: info.context.window(name, len(keys[owner]), arguments) for owner in keys
            }
            shown = {
                owner: info.context.shown(
                    page, keys[owner], partial(_ranks_of, database, ranks, owner)
                )
                for owner, page in pages.items()
            }
            rows = database.nodes_at(table, {key for part in shown.values() for key in part})
            found = {
                owner: connection([rows[key] for key in shown[owner]], page, len(keys[owner]))
                for owner, page in pages.items()
            }
            for page in found.values():
                info.context.spoil(name, page, nested=True)
            return found

        related = node.siblings.related((sql, tuple(arguments.items())), load)
        return related[node["id"]]  # type: ignore[no-any-return]

    return resolve


def _ranks_of(database: Database, sql: str, owner: str) -> array[int]:
    return database.keys_by_owner(sql, [owner])[owner]


def _count(sql: str) -> Resolver:
    def resolve(node: Node, info: GraphQLResolveInfo) -> int:
        def load(siblings: Collection[Node]) -> dict[str, int]:
            ids = {sibling["id"] for sibling in siblings}
            return dict(info.context.database.connection.execute(sql, (as_list(ids),)))

        return node.siblings.related(sql, load).get(node["id"], 0)  # type: ignore[no-any-return]

    return resolve


def _user_data(node: Node, info: GraphQLResolveInfo) -> Node | None:
    """Show how far the user that the list was asked for is in this training."""
    user_id = node.get("_arguments", {}).get("userId")

    def load(siblings: Collection[Node]) -> dict[str, Node]:
        rows = info.context.database.nodes(
            "SELECT relatedObjectId, progress FROM report WHERE userId = ? "
            f"AND relatedObjectId {IN_LIST.format('?')} ORDER BY id DESC",
            (user_id, as_list(sibling["id"] for sibling in siblings)),
        )
        return {row["relatedObjectId"]: row for row in rows}

    return node.siblings.related("userData", load).get(node["id"])


def _scoped(name: str, resolve: Resolver) -> Resolver:
    def checked(root: object, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        info.context.check_scopes(name)
        return resolve(root, info, **arguments)

    return checked


QUERIES = {
    name: _scoped(name, resolve)
    for name, resolve in (
        *((name, _page(name, listing)) for name, listing in CONNECTIONS.items()),
        *((name, _list(listing)) for name, listing in LISTS.items()),
        *((name, _object(*found)) for name, found in OBJECTS.items()),
    )
}

FIELDS: dict[tuple[str, str], Resolver] = {
    **{place: _to_one(*target) for place, target in TO_ONE.items()},
    **{place: _to_many(sql) for place, sql in TO_MANY.items()},
    **{place: _nested(place[1], *target) for place, target in NESTED.items()},
    **{place: _count(sql) for place, sql in COUNTS.items()},
    ("Training", "userData"): _user_data,
}
