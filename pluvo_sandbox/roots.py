"""The root fields of queries, as data: lists, their filters and order, objects, scopes."""

# ruff: noqa: S608 - SQL is put together from names in this module; values are parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_sandbox.database import IN_LIST, as_list

if TYPE_CHECKING:
    from collections.abc import Mapping

# What counts as "not given", as in Django's filters: `groupIds: []` does not filter.
_EMPTY: tuple[Any, ...] = (None, "", [])


class Membership(NamedTuple):
    """A filter that lets rows pass which have a counterpart in a linking table.

    Attributes:
        column: the column of the list that names the row.
        members: a query for its values, as `member`, with the argument's name as SQL parameter.
    """

    column: str
    members: str


class Listing(NamedTuple):
    """A list at the top level.

    Attributes:
        table: where its rows are.
        order: columns by which they are ordered.
        filters: for each argument, the condition that a given value adds, with the argument's name
            as SQL parameter.
        memberships: for each further argument, whose counterparts the rows must have.
        defaults: values of arguments that were not given.
        always: a condition that holds for every row of the list.
        distinct: whether a row with several counterparts comes once; if not, once for each.
    """

    table: str
    order: str
    filters: Mapping[str, str] = {}
    memberships: Mapping[str, Membership] = {}
    defaults: Mapping[str, Any] = {}
    always: str = "TRUE"
    distinct: bool = True

    def keys(self, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return a query for the keys (SQLite row ids) of the rows, and its parameters."""
        return self.sql(f"{self.table}.rowid", arguments)

    def ranks(self, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return a query for the ranks of the rows, equal for rows that tie, in their order."""
        return self.sql(f"dense_rank() OVER (ORDER BY {self._order(arguments)})", arguments)

    def sql(self, columns: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the query, and its parameters, that the arguments ask for."""
        given = dict(self.defaults) | {
            name: value for name, value in arguments.items() if value not in _EMPTY
        }
        conditions = [self.always, *(self.filters[name] for name in given if name in self.filters)]
        rows = self.table
        for name in given:
            if name in self.memberships:
                column, members = self.memberships[name]
                if self.distinct:
                    conditions.append(f"{column} IN ({members})")
                else:
                    rows += f" JOIN ({members}) AS {name} ON {name}.member = {column}"
        parameters = {
            name: as_list(value) if isinstance(value, list) else value
            for name in (*self.filters, *self.memberships)
            for value in [given.get(name)]
        }
        where, order = " AND ".join(conditions), self._order(arguments)
        return f"SELECT {columns} FROM {rows} WHERE {where} ORDER BY {order}, id", parameters

    def _order(self, arguments: Mapping[str, Any]) -> str:
        sort = arguments.get("sortBy") or {}
        return f"{self.order} {'DESC' if sort.get('direction') == 'DESC' else 'ASC'}"


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
            + IN_LIST.format(":userRoles")
            + ")",
            "extraCategories": "NOT EXISTS (SELECT 1 FROM json_each(:extraCategories) AS wanted"
            f" WHERE NOT EXISTS ({_MATCHING_VALUE}))",
            "lastLogin_Gt": "lastLogin > :lastLogin_Gt",
            "lastLogin_Lt": "lastLogin < :lastLogin_Lt",
        },
        {
            "groupIds": Membership(
                "users.id",
                "SELECT userId AS member FROM group_users WHERE groupId "
                + IN_LIST.format(":groupIds"),
            ),
            "trainingIds": Membership(
                "users.id",
                "SELECT userId AS member FROM training_users"
                " WHERE role = 'PARTICIPANT' AND trainingId " + IN_LIST.format(":trainingIds"),
            ),
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
        },
        {
            "userId": Membership(
                "trainings.id",
                "SELECT trainingId AS member FROM training_users WHERE userId = :userId",
            ),
            "trainingUserRoles": Membership(
                "trainings.id",
                "SELECT trainingId AS member FROM training_users WHERE role "
                + IN_LIST.format(":trainingUserRoles")
                + " AND (:userId IS NULL OR userId = :userId)",
            ),
        },
        {"archived": False},
    ),
    "portfolioReport": Listing(
        "report",
        "id",
        {
            "relatedObjectTypes": "relatedObjectType " + IN_LIST.format(":relatedObjectTypes"),
            "completionDateFrom": "completionDate >= :completionDateFrom",
            "completionDateTo": "completionDate <= :completionDateTo",
        },
        {
            "userGroupIds": Membership(
                "report.userId",
                "SELECT userId AS member FROM group_users WHERE groupId "
                + IN_LIST.format(":userGroupIds"),
            )
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
        always="NOT archived",
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
