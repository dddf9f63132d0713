"""What belongs to a row, as data: the queries behind fields that are more than a column."""

# ruff: noqa: S608 - SQL is put together from names in this module; values are parameters

from __future__ import annotations

from pluvo_sandbox.database import IN_LIST


def _through(link: str, owner: str, member: str, table: str, columns: str = "t.*") -> str:
    """Select the rows of `table` that a linking table ties to each of a list of owners."""
    order = "title" if table == "trainings" else "name"
    return (
        f"SELECT l.{owner} AS _owner, {columns} FROM {link} l JOIN {table} t ON t.id = l.{member} "
        f"WHERE l.{owner} {IN_LIST.format('?')} ORDER BY t.{order}, t.id"
    )


def _below(table: str, owner: str, order: str) -> str:
    """Select the rows of `table` that point at each of a list of owners."""
    return (
        f"SELECT {owner} AS _owner, * FROM {table} "
        f"WHERE {owner} {IN_LIST.format('?')} ORDER BY {order}, rowid"
    )


def _training_users(role: str, column: str) -> str:
    """Select a column of the links between trainings and the users in some role."""
    return (
        f"SELECT l.trainingId, {column} FROM training_users l JOIN users u ON u.id = l.userId "
        f"WHERE l.trainingId {IN_LIST.format('?')} AND l.role {role} ORDER BY u.name, u.id, l.id"
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

# The rank of a row in a list by the name of the user, equal for rows that tie.
_RANK = "dense_rank() OVER (ORDER BY {}.name)"

# (type, field) -> the table of a nested connection, a query for pairs of an owner and a key, and
# one for pairs of an owner and a rank, in the same order.
NESTED = {
    **{
        ("Group", field): (
            "users",
            _through(link, "groupId", "userId", "users", "t.rowid"),
            _through(link, "groupId", "userId", "users", _RANK.format("t")),
        )
        for field, link in (("users", "group_users"), ("managers", "group_managers"))
    },
    **{
        ("Training", field): (
            "training_users",
            _training_users(role, "l.rowid"),
            _training_users(role, _RANK.format("u")),
        )
        for field, role in (("participants", "= 'PARTICIPANT'"), ("trainers", "<> 'PARTICIPANT'"))
    },
}

# (type, field) -> a query for pairs of an owner and a number.
COUNTS = {
    (kind, field): f"SELECT {owner}, count(*) FROM {table} "
    f"WHERE {owner} {IN_LIST.format('?')} GROUP BY 1"
    for kind, field, table, owner in (
        ("Group", "userCount", "group_users", "groupId"),
        ("Group", "managerCount", "group_managers", "groupId"),
        ("User", "groupCount", "group_users", "userId"),
    )
}
