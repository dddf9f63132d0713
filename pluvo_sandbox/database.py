"""The data: SQLite tables whose columns bear the names of the API's fields, and ways to read them.

Because of those names a row is what the API returns: most fields need no resolver. Dates and
moments are text as Django prints them (`2024-01-31`, `2024-01-31T09:30:00+00:00`, always UTC), so
they sort and compare as text. Lists and objects are JSON text, read back by a converter.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

# A condition on a list that is one parameter: the text that `as_list` returns.
IN_LIST = "IN (SELECT value FROM json_each({}))"

# Positions kept in memory, so that deep pages cost no more than the first; 8 bytes each.
_MOST_KEYS = 10_000_000

sqlite3.register_converter("BOOLEAN", lambda text: text != b"0")
sqlite3.register_converter("JSON", json.loads)


class Node(dict[str, Any]):
    """A row, which knows the rows that were read along with it."""

    __slots__ = ("siblings",)

    siblings: Siblings


class Siblings:
    """Rows read together, so that what belongs to them can be read together as well."""

    def __init__(self, nodes: Collection[Node]) -> None:
        self._nodes = nodes
        self._related: dict[Any, Mapping[Any, Any]] = {}
        for node in nodes:
            node.siblings = self

    def related(
        self, name: Any, load: Callable[[Collection[Node]], Mapping[Any, Any]]
    ) -> Mapping[Any, Any]:
        """Return what `load` finds for all siblings; it is called once for each `name`."""
        if name not in self._related:
            self._related[name] = load(self._nodes)
        return self._related[name]


def as_list(values: Iterable[Any]) -> str:
    """Return `values` as one SQL parameter, for `IN_LIST`."""
    return json.dumps(list(values))


class Database:
    """One connection to the data.

    Attributes:
        connection: the SQLite connection, in autocommit mode.
    """

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(
            path,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            check_same_thread=False,
            cached_statements=512,
        )
        try:
            # Readers don't wait for writers; what a power cut leaves of a sandbox is no matter.
            self.connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
            )
        except sqlite3.DatabaseError:
            self.connection.close()
            raise
        self.connection.create_function("contains", 2, _contains, deterministic=True)
        self._version: tuple[int, int] | None = None
        self._keys: dict[Any, array[int]] = {}
        self._key_count = 0

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @contextmanager
    def snapshot(self, *, writes: bool = False) -> Iterator[None]:
        """Let all reads in the block see one state of the data; only one that writes changes it."""
        self.connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        try:
            ((theirs,),) = self.connection.execute("PRAGMA data_version")
            version = (theirs, self.connection.total_changes)
            if version != self._version or self._key_count > _MOST_KEYS:
                self._keys.clear()
                self._key_count = 0
                self._version = version
            yield
        finally:
            self.connection.execute("COMMIT")

    @contextmanager
    def change(self) -> Iterator[None]:
        """Let all changes in the block happen, or none if it fails; in a snapshot that writes."""
        self.connection.execute("SAVEPOINT change")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO change")
            raise
        finally:
            self.connection.execute("RELEASE change")
            self._keys.clear()
            self._key_count = 0

    def nodes(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Node]:
        """Return the rows of a query, as siblings."""
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        nodes = [Node(zip(names, row, strict=True)) for row in cursor]
        Siblings(nodes)
        return nodes

    def nodes_at(self, table: str, keys: Iterable[int]) -> dict[int, Node]:
        """Return the rows of `table` with these keys (SQLite row ids), as siblings."""
        sql = (
            f"SELECT rowid AS _key, * FROM {table} "  # noqa: S608 - one of our own tables
            "WHERE rowid IN (SELECT value FROM json_each(?))"
        )
        return {node["_key"]: node for node in self.nodes(sql, (as_list(keys),))}

    def keys(self, sql: str, parameters: Mapping[str, Any]) -> array[int]:
        """Return the keys that a query selects, in its order."""
        name = (sql, tuple(parameters.items()))
        if name not in self._keys:
            rows = self.connection.execute(sql, parameters)
            self._keep(name, array("q", (key for (key,) in rows)))
        return self._keys[name]

    def keys_by_owner(self, sql: str, owners: Iterable[str]) -> dict[str, array[int]]:
        """Return the keys that a query selects for each owner.

        Args:
            sql: a query that takes a list of owners and selects pairs of an owner and a key.
            owners: ids of rows.
        """
        owners = list(owners)
        missing = [owner for owner in owners if (sql, owner) not in self._keys]
        if missing:
            found: dict[str, array[int]] = {owner: array("q") for owner in missing}
            for owner, key in self.connection.execute(sql, (as_list(missing),)):
                found[owner].append(key)
            for owner, keys in found.items():
                self._keep((sql, owner), keys)
        return {owner: self._keys[sql, owner] for owner in owners}

    def _keep(self, name: Any, keys: array[int]) -> None:
        self._keys[name] = keys
        self._key_count += len(keys)


def _contains(text: str | None, part: str) -> bool:
    """Search without regard to case, in every alphabet (SQLite's LIKE knows ASCII only)."""
    return part.casefold() in (text or "").casefold()
