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

TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value JSON) WITHOUT ROWID;
CREATE TABLE users (
    id TEXT PRIMARY KEY, modelId TEXT, email TEXT, name TEXT NOT NULL, ref TEXT,
    archived BOOLEAN, archivedAt TEXT, isActive BOOLEAN, roles JSON, profileImage JSON,
    language TEXT, extraFields TEXT, extraFieldsProfile TEXT, hasPassword BOOLEAN,
    afasPersonId TEXT, afasEmployeeId TEXT, afasContactId TEXT, afasConnectionId TEXT,
    invitedOn TEXT, lastLogin TEXT, userVia JSON,
    createdAt TEXT, updatedAt TEXT, jobTitle TEXT, isExternal BOOLEAN
);
CREATE TABLE groups (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, ref TEXT, maxUsers INTEGER, enableChat BOOLEAN,
    isEditable BOOLEAN, permissions TEXT, skills JSON, createdAt TEXT, description TEXT
);
CREATE TABLE group_users (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (groupId, userId)
) WITHOUT ROWID;
CREATE TABLE group_managers (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (groupId, userId)
) WITHOUT ROWID;
CREATE TABLE trainings (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, subtitle TEXT, introduction TEXT, ref TEXT,
    isActive BOOLEAN NOT NULL, archived BOOLEAN NOT NULL, overviewImage JSON, image JSON,
    startDate TEXT, endDate TEXT, estimatedTimeSpent TEXT, showParticipants BOOLEAN,
    showSharedFiles BOOLEAN, enableChat BOOLEAN, portfolioItem JSON, modules JSON,
    rolesForCurrentUser JSON, allConditionsFulfilled BOOLEAN, conditions JSON, nextEvent TEXT,
    progress REAL, createdAt TEXT, updatedAt TEXT, isMandatory BOOLEAN
);
CREATE TABLE training_users (
    id TEXT PRIMARY KEY,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL
);
CREATE TABLE group_trainings (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    PRIMARY KEY (groupId, trainingId)
) WITHOUT ROWID;
CREATE TABLE report (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    relatedObjectType TEXT, relatedObjectId TEXT, title TEXT, progress REAL, score REAL,
    completionDate TEXT, endDate TEXT, timeSpent JSON, attempts INTEGER
);
CREATE TABLE certificates (id TEXT PRIMARY KEY, name TEXT, title TEXT, language TEXT);
CREATE TABLE offers (
    id TEXT PRIMARY KEY, ref TEXT, title TEXT NOT NULL, description TEXT, isActive BOOLEAN,
    archivedAt TEXT, createdAt TEXT, updatedAt TEXT
);
CREATE TABLE offer_events (
    id TEXT PRIMARY KEY,
    offerId TEXT NOT NULL REFERENCES offers ON DELETE CASCADE,
    ref TEXT, title TEXT, type TEXT NOT NULL, maxSubscriptions INTEGER, minSubscriptions INTEGER,
    enrolledCount INTEGER, spotsAvailable INTEGER, waitingList BOOLEAN, closingDate TEXT,
    price TEXT, cancelled BOOLEAN, publish BOOLEAN, accessCourses JSON,
    accessExternalContents JSON, accessScorms JSON, accessVideos JSON, certificateId TEXT,
    scoreThreshold REAL, contentId TEXT, contentType TEXT, isActive BOOLEAN,
    maxParticipants INTEGER, contentTitle TEXT
);
CREATE TABLE offer_event_dates (
    id TEXT PRIMARY KEY,
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    startDate TEXT, endDate TEXT, start TEXT NOT NULL, "end" TEXT
);
CREATE TABLE offer_event_trainers (
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (offerEventId, userId)
) WITHOUT ROWID;
CREATE TABLE offer_event_trainings (
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    PRIMARY KEY (offerEventId, trainingId)
) WITHOUT ROWID;
CREATE TABLE enrollments (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    status TEXT NOT NULL, enrolledAt TEXT NOT NULL
);
CREATE TABLE portfolio_items (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    title TEXT NOT NULL, description TEXT, startDate TEXT NOT NULL, endDate TEXT, files JSON,
    createdAt TEXT, updatedAt TEXT
);
CREATE TABLE extra_categories (
    id TEXT PRIMARY KEY, title TEXT, categoryType TEXT, forModelTypes JSON, extraFields JSON,
    position INTEGER NOT NULL
);
CREATE TABLE choice_options (
    id TEXT PRIMARY KEY,
    categoryId TEXT NOT NULL REFERENCES extra_categories ON DELETE CASCADE,
    ref TEXT, stringValue TEXT NOT NULL, color TEXT
);
CREATE TABLE extra_category_values (
    ownerId TEXT NOT NULL,
    categoryId TEXT NOT NULL REFERENCES extra_categories ON DELETE CASCADE,
    __typename TEXT NOT NULL, stringValue TEXT, choiceId TEXT, booleanValue BOOLEAN,
    datetimeValue TEXT
);
"""

INDEXES = """
CREATE INDEX users_by_name ON users (archived, name, id);
CREATE INDEX users_by_ref ON users (ref);
CREATE INDEX users_by_email ON users (email);
CREATE INDEX users_by_login ON users (lastLogin);
CREATE INDEX groups_by_name ON groups (name, id);
CREATE INDEX groups_of_user ON group_users (userId);
CREATE INDEX groups_of_manager ON group_managers (userId);
CREATE INDEX certificates_by_title ON certificates (title, id);
CREATE INDEX trainings_by_title ON trainings (title, id);
CREATE INDEX users_of_training ON training_users (trainingId, role, userId);
CREATE INDEX trainings_of_user ON training_users (userId);
CREATE INDEX groups_of_training ON group_trainings (trainingId);
CREATE INDEX report_by_completion ON report (completionDate, id);
CREATE INDEX report_by_type ON report (relatedObjectType, completionDate, id);
CREATE INDEX report_of_user ON report (userId);
CREATE INDEX events_of_offer ON offer_events (offerId);
CREATE INDEX dates_of_event ON offer_event_dates (offerEventId);
CREATE INDEX events_of_trainer ON offer_event_trainers (userId);
CREATE INDEX events_of_training ON offer_event_trainings (trainingId);
CREATE INDEX enrollments_of_user ON enrollments (userId, offerEventId);
CREATE INDEX enrollments_of_event ON enrollments (offerEventId);
CREATE INDEX items_of_user ON portfolio_items (userId);
CREATE INDEX options_of_category ON choice_options (categoryId);
CREATE INDEX values_of_owner ON extra_category_values (ownerId);
CREATE INDEX values_of_category ON extra_category_values (categoryId);
"""

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
    def snapshot(self) -> Iterator[None]:
        """Let all reads in the block see one state of the data."""
        self.connection.execute("BEGIN")
        try:
            ((theirs,),) = self.connection.execute("PRAGMA data_version")
            version = (theirs, self.connection.total_changes)
            if version != self._version or self._key_count > _MOST_KEYS:
                self._keys.clear()
                self._key_count = 0
                self._version = version
            yield
        finally:
            self.connection.execute("ROLLBACK")

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
