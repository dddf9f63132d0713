"""What stands behind the fields that are more than a column: declared as data where possible."""

# ruff: noqa: S608 - SQL is put together from names in this module; values are parameters

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLError

from pluvo_sandbox.connections import connection, window
from pluvo_sandbox.database import as_list

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from graphql import GraphQLResolveInfo

    from pluvo_sandbox.database import Database, Node
    from pluvo_sandbox.faults import Fault

    Resolver = Callable[..., Any]

# What counts as "not given", as in Django's filters: `groupIds: []` does not filter.
_EMPTY: tuple[Any, ...] = (None, "", [])
_IN_LIST = "IN (SELECT value FROM json_each({}))"


@dataclass(frozen=True)
class Context:
    """What a resolver may use.

    Attributes:
        database: the data.
        scopes: what the caller's token allows.
        faults: what goes wrong with this request.
    """

    database: Database
    scopes: frozenset[str]
    faults: Sequence[Fault] = ()

    def spoil(self, name: str, page: dict[str, Any], *, nested: bool) -> None:
        """Let the faults of this request change a page of the connection `name`."""
        for fault in self.faults:
            fault.change(name, page, nested=nested)


class Listing(NamedTuple):
    """A list at the top level.

    Attributes:
        table: where its rows are.
        order: columns by which they are ordered.
        filters: for each argument, the condition that a given value adds, with the argument's name
            as SQL parameter.
        defaults: values of arguments that were not given.
        always: a condition that holds for every row of the list.
    """

    table: str
    order: str
    filters: Mapping[str, str] = {}
    defaults: Mapping[str, Any] = {}
    always: str = "TRUE"

    def sql(self, columns: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the query, and its parameters, that the arguments ask for."""
        given = dict(self.defaults) | {
            name: value for name, value in arguments.items() if value not in _EMPTY
        }
        sort = arguments.get("sortBy") or {}
        direction = "DESC" if sort.get("direction") == "DESC" else "ASC"
        conditions = [self.filters[name] for name in given if name in self.filters]
        parameters = {
            name: as_list(value) if isinstance(value, list) else value
            for name in self.filters
            for value in [given.get(name)]
        }
        where = " AND ".join((self.always, *conditions))
        order = f"{self.order} {direction}, id"
        return f"SELECT {columns} FROM {self.table} WHERE {where} ORDER BY {order}", parameters


# ---------- the lists at the top level ----------

_MATCHING_VALUE = (
    "SELECT 1 FROM extra_category_values v LEFT JOIN choice_options o ON o.id = v.choiceId"
    " WHERE v.ownerId = users.id AND v.categoryId = json_extract(wanted.value, '$.categoryId')"
    " AND (json_extract(wanted.value, '$.stringValues') IS NULL"
    " OR coalesce(v.stringValue, o.stringValue)"
    " IN (SELECT value FROM json_each(wanted.value, '$.stringValues')))"
)

CONNECTIONS = {
    "paginatedUsers": Listing(
        "users",
        "name",
        {
            "q": "(contains(name, :q) OR contains(email, :q))",
            "archived": "archived = :archived",
            "userRoles": "EXISTS (SELECT 1 FROM json_each(roles) WHERE value "
            + _IN_LIST.format(":userRoles")
            + ")",
            "groupIds": "id IN (SELECT userId FROM group_users WHERE groupId "
            + _IN_LIST.format(":groupIds")
            + ")",
            "trainingIds": "id IN (SELECT userId FROM training_users"
            " WHERE role = 'PARTICIPANT' AND trainingId " + _IN_LIST.format(":trainingIds") + ")",
            "extraCategories": "NOT EXISTS (SELECT 1 FROM json_each(:extraCategories) AS wanted"
            f" WHERE NOT EXISTS ({_MATCHING_VALUE}))",
            "lastLogin_Gt": "lastLogin > :lastLogin_Gt",
            "lastLogin_Lt": "lastLogin < :lastLogin_Lt",
        },
        {"archived": False},
    ),
    "paginatedGroups": Listing("groups", "name", {"q": "contains(name, :q)"}),
    "paginatedTrainings": Listing(
        "trainings",
        "title",
        {
            "q": "contains(title, :q)",
            "active": "isActive = :active",
            "archived": "archived = :archived",
            "userId": "id IN (SELECT trainingId FROM training_users WHERE userId = :userId)",
            "trainingUserRoles": "id IN (SELECT trainingId FROM training_users WHERE role "
            + _IN_LIST.format(":trainingUserRoles")
            + " AND (:userId IS NULL OR userId = :userId))",
        },
        {"archived": False},
    ),
    "portfolioReport": Listing(
        "report",
        "id",
        {
            "userGroupIds": "userId IN (SELECT userId FROM group_users WHERE groupId "
            + _IN_LIST.format(":userGroupIds")
            + ")",
            "relatedObjectTypes": "relatedObjectType " + _IN_LIST.format(":relatedObjectTypes"),
            "completionDateFrom": "completionDate >= :completionDateFrom",
            "completionDateTo": "completionDate <= :completionDateTo",
        },
    ),
    "certificates": Listing("certificates", "title"),
}

LISTS = {
    "users": Listing("users", "name", {"active": "(isActive OR NOT :active)"}),
    # The caller is an API client: it is a member of no group and manages none.
    "groups": Listing("groups", "name", {"groupVia": "FALSE AND :groupVia"}),
    "trainings": Listing(
        "trainings", "title", {"query": "contains(title, :query)"}, always="NOT archived"
    ),
    "offers": Listing("offers", "title", always="isActive AND archivedAt IS NULL"),
    "enrollments": Listing("enrollments", "enrolledAt", {"userId": "userId = :userId"}),
    "portfolioItems": Listing("portfolio_items", "startDate", {"userId": "userId = :userId"}),
    "extraCategories": Listing(
        "extra_categories",
        "position",
        {
            "contentType": "EXISTS (SELECT 1 FROM json_each(forModelTypes)"
            " WHERE value = :contentType)"
        },
    ),
}

# Field -> table, and what its objects are called in messages.
OBJECTS = {
    "user": ("users", "User"),
    "group": ("groups", "Group"),
    "training": ("trainings", "Training"),
    "offer": ("offers", "Offer"),
    "offerEvent": ("offer_events", "Offer event"),
    "enrollment": ("enrollments", "Enrollment"),
    "portfolioItem": ("portfolio_items", "Portfolio item"),
    "extraCategory": ("extra_categories", "Extra category"),
}

# No page gives a table of scopes by operation; these follow the wording of the list of scopes.
SCOPES = {
    **dict.fromkeys(("user", "users", "paginatedUsers"), "users.read"),
    **dict.fromkeys(("group", "groups", "paginatedGroups"), "groups.read"),
    **dict.fromkeys(("training", "trainings", "paginatedTrainings"), "trainings.read"),
    **dict.fromkeys(("portfolioReport", "certificates"), "trainings.read"),
    **dict.fromkeys(("portfolioItem", "portfolioItems"), "trainings.read"),
    **dict.fromkeys(("offer", "offers", "offerEvent"), "events.read"),
    **dict.fromkeys(("enrollment", "enrollments"), "events.read"),
    **dict.fromkeys(("extraCategory", "extraCategories"), "users.read"),
}

# ---------- what belongs to a row ----------


def _through(link: str, owner: str, member: str, table: str, columns: str = "t.*") -> str:
    """Select the rows of `table` that a linking table ties to each of a list of owners."""
    order = "title" if table == "trainings" else "name"
    return (
        f"SELECT l.{owner} AS _owner, {columns} FROM {link} l JOIN {table} t ON t.id = l.{member} "
        f"WHERE l.{owner} {_IN_LIST.format('?')} ORDER BY t.{order}, t.id"
    )


def _below(table: str, owner: str, order: str) -> str:
    """Select the rows of `table` that point at each of a list of owners."""
    return (
        f"SELECT {owner} AS _owner, * FROM {table} "
        f"WHERE {owner} {_IN_LIST.format('?')} ORDER BY {order}, rowid"
    )


def _training_users(role: str) -> str:
    """Select the keys of the ties between trainings and the users in some role."""
    return (
        "SELECT l.trainingId, l.rowid FROM training_users l JOIN users u ON u.id = l.userId "
        f"WHERE l.trainingId {_IN_LIST.format('?')} AND l.role {role} ORDER BY u.name, u.id, l.id"
    )


VALUES = _below("extra_category_values", "ownerId", "categoryId")

# (type, field) -> the table of the one row it shows, and the column that holds its id.
TO_ONE = {
    ("PortfolioReportNode", "user"): ("users", "userId"),
    ("TrainingUser", "user"): ("users", "userId"),
    ("PortfolioItem", "user"): ("users", "userId"),
    ("Enrollment", "offerEvent"): ("offer_events", "offerEventId"),
    ("ExtraCategoryStringValue", "category"): ("extra_categories", "categoryId"),
    ("ExtraCategoryChoiceValue", "category"): ("extra_categories", "categoryId"),
    ("ExtraCategoryBooleanValue", "category"): ("extra_categories", "categoryId"),
    ("ExtraCategoryDatetimeValue", "category"): ("extra_categories", "categoryId"),
    ("ExtraCategoryChoiceValue", "choiceValue"): ("choice_options", "choiceId"),
}

# (type, field) -> a query for the rows of many owners at once.
TO_MANY = {
    ("User", "participantGroups"): _through("group_users", "userId", "groupId", "groups"),
    ("User", "managerGroups"): _through("group_managers", "userId", "groupId", "groups"),
    ("User", "extraCategoryValues"): VALUES,
    ("Group", "trainings"): _through("group_trainings", "groupId", "trainingId", "trainings"),
    ("Group", "extraCategoryValues"): VALUES,
    ("Training", "users"): _through("training_users", "trainingId", "userId", "users"),
    ("Training", "groups"): _through("group_trainings", "trainingId", "groupId", "groups"),
    ("Offer", "offerEvents"): _below("offer_events", "offerId", "title"),
    ("OfferEvent", "dates"): _below("offer_event_dates", "offerEventId", "startDate"),
    ("OfferEvent", "trainers"): _through("offer_event_trainers", "offerEventId", "userId", "users"),
    ("OfferEvent", "accessTrainings"): _through(
        "offer_event_trainings", "offerEventId", "trainingId", "trainings"
    ),
    ("ExtraCategory", "choiceOptions"): _below("choice_options", "categoryId", "stringValue"),
}

# (type, field) -> the table of a nested connection, and a query for pairs of an owner and a key.
NESTED = {
    ("Group", "users"): (
        "users",
        _through("group_users", "groupId", "userId", "users", "t.rowid"),
    ),
    ("Group", "managers"): (
        "users",
        _through("group_managers", "groupId", "userId", "users", "t.rowid"),
    ),
    ("Training", "participants"): ("training_users", _training_users("= 'PARTICIPANT'")),
    ("Training", "trainers"): ("training_users", _training_users("<> 'PARTICIPANT'")),
}

# (type, field) -> a query for pairs of an owner and a number.
COUNTS = {
    (kind, field): f"SELECT {owner}, count(*) FROM {table} "
    f"WHERE {owner} {_IN_LIST.format('?')} GROUP BY 1"
    for kind, field, table, owner in (
        ("Group", "userCount", "group_users", "groupId"),
        ("Group", "managerCount", "group_managers", "groupId"),
        ("User", "groupCount", "group_users", "userId"),
    )
}


# ---------- the resolvers ----------


def _page(name: str, listing: Listing) -> Resolver:
    def resolve(_root: object, info: GraphQLResolveInfo, **arguments: Any) -> dict[str, Any]:
        database: Database = info.context.database
        keys = database.keys(*listing.sql("rowid", arguments))
        page = window(name, len(keys), arguments)
        shown = keys[page.start : page.stop]
        rows = database.nodes_at(listing.table, shown)
        for row in rows.values():
            row["_arguments"] = arguments
        found = connection([rows[key] for key in shown], page, len(keys))
        info.context.spoil(name, found, nested=False)
        return found

    return resolve


def _list(listing: Listing) -> Resolver:
    def resolve(_root: object, info: GraphQLResolveInfo, **arguments: Any) -> list[Node]:
        database: Database = info.context.database
        return database.nodes(*listing.sql("*", arguments))

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
        if not found:
            message = f"{label} not found"
            raise GraphQLError(message)
        return found[0]

    return resolve


def _to_one(table: str, column: str) -> Resolver:
    sql = f"SELECT * FROM {table} WHERE id {_IN_LIST.format('?')}"

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


def _nested(name: str, table: str, sql: str) -> Resolver:
    def resolve(node: Node, info: GraphQLResolveInfo, **arguments: Any) -> dict[str, Any]:
        def load(siblings: Collection[Node]) -> dict[str, dict[str, Any]]:
            database: Database = info.context.database
            keys = database.keys_by_owner(sql, {sibling["id"] for sibling in siblings})
            pages = {owner: window(name, len(keys[owner]), arguments) for owner in keys}
            shown = {owner: keys[owner][page.start : page.stop] for owner, page in pages.items()}
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
            f"AND relatedObjectId {_IN_LIST.format('?')} ORDER BY id DESC",
            (user_id, as_list(sibling["id"] for sibling in siblings)),
        )
        return {row["relatedObjectId"]: row for row in rows}

    return node.siblings.related("userData", load).get(node["id"])


def _scoped(name: str, resolve: Resolver) -> Resolver:
    scope = SCOPES[name]

    def checked(root: object, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        if scope not in info.context.scopes:
            message = f"Insufficient scope: this operation requires {scope}"
            raise GraphQLError(message)
        return resolve(root, info, **arguments)

    return checked


def unavailable(_root: object, info: GraphQLResolveInfo, **_arguments: Any) -> None:
    """Refuse a mutation."""
    message = f"The mutation {info.field_name} is not available yet in the sandbox"
    raise GraphQLError(message)


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
