"""What mutations are made of: rows found by id or ref, values checked, users sorted by outcome."""

# ruff: noqa: S608 - tables and columns are named by the program, not by its users

from __future__ import annotations

from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from graphql import GraphQLError

from pluvo_sandbox.database import IN_LIST, as_list
from pluvo_sandbox.editor import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pluvo_sandbox.database import Database, Node

Given = dict[str, Any]  # the arguments of a mutation, or the fields of an input
Payload = dict[str, Any]

LABELS = {
    "users": "User",
    "groups": "Group",
    "trainings": "Training",
    "certificates": "Certificate",
    "offers": "Offer",
    "offer_events": "Offer event",
    "portfolio_items": "Portfolio item",
    "extra_categories": "Extra category",
    "files": "File",
}


class InvalidError(GraphQLError):
    """Values that the API does not take: a message for each field that is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        message = "; ".join(f"{name}: {text}" for name, text in fields.items())
        super().__init__(message, extensions={"code": "ValidationError", "fields": dict(fields)})


class Chosen(NamedTuple):
    """Users that a mutation names.

    Attributes:
        users: those that exist.
        failed_ids: ids that no user has.
        failed_refs: refs that no user has.
    """

    users: list[Node]
    failed_ids: list[str]
    failed_refs: list[str]

    def failed(self) -> Payload:
        """Return the part of a payload that names those that do not exist."""
        return {"failedIds": self.failed_ids, "failedRefs": self.failed_refs}


class Writer(Rows):
    """Reads and changes rows for one mutation.

    `portfolio_lag` is how many seconds a certificate that is issued does not show.
    """

    def __init__(self, database: Database, portfolio_lag: float = 0) -> None:
        super().__init__(database.connection, SystemRandom())
        self.portfolio_lag = portfolio_lag
        self._nodes = database.nodes

    def find_all(self, table: str, column: str, values: Iterable[Any]) -> list[Node]:
        """Return the rows that have one of some values in a column."""
        wanted = IN_LIST.format("?")
        return self._nodes(
            f"SELECT * FROM {table} WHERE {column} {wanted}", (as_list(dict.fromkeys(values)),)
        )

    def found(self, table: str, **columns: Any) -> Node | None:
        """Return the row with these values, leaving out those that are None; None without one."""
        given = {name: value for name, value in columns.items() if value is not None}
        if not given:
            message = f"{LABELS[table]}: give one of {', '.join(columns)}"
            raise GraphQLError(message)
        where = " AND ".join(f"{name} = :{name}" for name in given)
        rows = self._nodes(f"SELECT * FROM {table} WHERE {where}", given)
        return rows[0] if rows else None

    def find(self, table: str, **columns: Any) -> Node:
        """Return the row with these values.

        Raises:
            GraphQLError: there is none.
        """
        row = self.found(table, **columns)
        if row is None:
            message = f"{LABELS[table]} not found"
            raise GraphQLError(message)
        return row

    def chosen(self, given: Given) -> Chosen:
        """Return the users that the arguments `userIds` and `userRefs` name."""
        ids, refs = (list(dict.fromkeys(given.get(name) or ())) for name in ("userIds", "userRefs"))
        users = {row["id"]: row for row in self.find_all("users", "id", ids)}
        by_ref = {row["ref"]: row for row in self.find_all("users", "ref", refs)}
        named = users | {row["id"]: row for row in by_ref.values()}
        return Chosen(
            list(named.values()),
            [user_id for user_id in ids if user_id not in users],
            [ref for ref in refs if ref not in by_ref],
        )

    def run(self, sql: str, *parameters: Any) -> int:
        """Change rows by a statement, and return how many."""
        return self.database.execute(sql, parameters).rowcount

    def unique(self, table: str, values: Given, own_id: str | None = None) -> dict[str, str]:
        """Return what is wrong with values that another row has already."""
        wrong = {}
        for name, value in values.items():
            other = self.found(table, **{name: value}) if value is not None else None
            if other is not None and other["id"] != own_id:
                wrong[name] = f"{LABELS[table]} with this {name} already exists."
        return wrong


def outcome(word: str, users: Iterable[Mapping[str, Any]]) -> Payload:
    """Return the part of a payload that names users by id and ref, such as `addedIds`."""
    users = list(users)
    return {
        f"{word}Ids": [user["id"] for user in users],
        f"{word}Refs": [user["ref"] for user in users if user["ref"] is not None],
    }


def bulk(succeeded: Iterable[str], failed: Iterable[str]) -> Payload:
    """Return a `BulkAction`."""
    return {"succeededIds": list(succeeded), "failedIds": list(failed)}


def filled(values: Given, *names: str) -> dict[str, str]:
    """Return what is wrong with values that must not be empty."""
    return {name: "This field is required." for name in names if not values.get(name)}


def check(wrong: Mapping[str, str]) -> None:
    """Raise `InvalidError` if something is wrong."""
    if wrong:
        raise InvalidError(wrong)


def picked(values: Given, *names: str) -> Given:
    """Return those of the values that were given and are not null."""
    return {name: values[name] for name in names if values.get(name) is not None}


def now() -> str:
    """Return the moment in the form of the database."""
    return datetime.now(UTC).isoformat()


def new_ref() -> str:
    """Return the key that an object gets if it is given none (notion/Request-data: a uuid4)."""
    return str(uuid4())
