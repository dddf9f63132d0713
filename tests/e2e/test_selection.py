"""What is not selected is not asked for: columns, streams and scopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from expected import KEYS, by_key, expected
from support import (
    ALL_STREAMS,
    DEFAULT_STREAMS,
    config,
    discover,
    metadata_of,
    of_stream,
    queries,
    run_tap,
    selecting,
    sync,
)

if TYPE_CHECKING:
    from pluvo_sandbox import Sandbox

# What each stream may ask for: scopes, and fields at the top level.
NEEDS: dict[str, tuple[set[str], set[str]]] = {
    "certificates": ({"trainings.read"}, {"certificates"}),
    "custom_field_values": ({"groups.read", "users.read"}, {"paginatedGroups", "paginatedUsers"}),
    "custom_fields": ({"users.read"}, {"extraCategories"}),
    "enrollments": ({"events.read", "users.read"}, {"enrollments", "paginatedUsers"}),
    "group_members": ({"groups.read"}, {"group", "paginatedGroups"}),
    "group_trainings": ({"groups.read"}, {"paginatedGroups"}),
    "groups": ({"groups.read"}, {"paginatedGroups"}),
    "issued_certificates": ({"trainings.read"}, {"portfolioReport"}),
    "offer_event_dates": ({"events.read"}, {"offers"}),
    "offer_events": ({"events.read"}, {"offers"}),
    "offers": ({"events.read"}, {"offers"}),
    "portfolio_items": ({"trainings.read", "users.read"}, {"paginatedUsers", "portfolioItems"}),
    "portfolio_report": ({"trainings.read"}, {"portfolioReport"}),
    "training_participants": (
        {"trainings.read", "users.read"},
        {"paginatedTrainings", "paginatedUsers", "training"},
    ),
    "trainings": ({"trainings.read"}, {"paginatedTrainings"}),
    "users": ({"users.read"}, {"paginatedUsers"}),
}


def roots(sandbox: Sandbox) -> set[str]:
    """Return the fields at the top level that were asked for."""
    return {name for query in queries(sandbox) for name in re.findall(r"\br\d+: (\w+)", query)}


def words(sandbox: Sandbox) -> set[str]:
    """Return all names in the documents that were sent."""
    return {word for query in queries(sandbox) for word in re.findall(r"\w+", query)}


def token_scopes(sandbox: Sandbox) -> list[set[str]]:
    """Return the scopes of each token request."""
    return [{*request.scopes} for request in sandbox.requests if request.path == "/oauth/token/"]


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_a_stream_alone_asks_for_its_own_needs(stream: str, catalog: Any, sandbox: Sandbox) -> None:
    result = sync(config(sandbox), catalog=selecting(catalog, [stream]))
    assert by_key(stream, result.records[stream]) == expected(sandbox.path, stream)
    assert result.records.keys() == result.schemas.keys() == {stream}
    scopes, fields = NEEDS[stream]
    assert token_scopes(sandbox) == [scopes]
    assert roots(sandbox)
    assert roots(sandbox) <= fields


def test_the_default_streams_ask_for_what_they_need_together(sandbox: Sandbox) -> None:
    sync(config(sandbox))
    wanted = set().union(*(NEEDS[stream][0] for stream in DEFAULT_STREAMS))
    assert token_scopes(sandbox) == [wanted]
    assert "portfolioItems" not in roots(sandbox)
    assert wanted == {"events.read", "groups.read", "trainings.read", "users.read"}


def test_the_setting_scopes_decides(catalog: Any, sandbox: Sandbox) -> None:
    settings = config(sandbox, scopes=["users.read", "users.write"])
    result = sync(settings, catalog=selecting(catalog, ["users"]))
    assert result.records["users"]
    assert token_scopes(sandbox) == [{"users.read", "users.write"}]


def test_a_catalog_that_selects_nothing_is_refused(catalog: Any, sandbox: Sandbox) -> None:
    result = run_tap(config(sandbox), catalog=selecting(catalog, []))
    assert result.returncode == 1
    assert "catalog: no stream is selected" in result.stderr
    assert result.messages == []
    assert queries(sandbox) == []


# One column to keep, and the API's fields that must then not be named anywhere.
COLUMNS = [
    ("certificates", "title", "name"),
    ("custom_field_values", "string_value", "booleanValue datetimeValue title ref stringValues"),
    ("custom_fields", "title", "categoryType forModelTypes choiceOptions color stringValue"),
    ("enrollments", "status", "offerEventId offerEvent"),
    ("group_members", "user_ref", "email name"),
    ("group_trainings", "training_title", "ref name"),
    ("groups", "name", "ref maxUsers userCount managerCount enableChat isEditable permissions"),
    ("issued_certificates", "end_date", "ref email name progress score timeSpent"),
    ("offer_event_dates", "start_date", "endDate title"),
    ("offer_events", "title", "ref type maxSubscriptions price trainers accessTrainings"),
    ("offers", "title", "ref description isActive archivedAt createdAt offerEvents"),
    ("portfolio_items", "title", "description startDate endDate files createdAt user"),
    ("portfolio_report", "progress", "ref email name score endDate timeSpent days seconds"),
    ("training_participants", "training_ref", "email name role title"),
    (
        "trainings",
        "title",
        "subtitle introduction overviewImage portfolioItem startDate enableChat",
    ),
    ("users", "name", "email ref roles language lastLogin profileImage extraFields groupCount"),
]


def test_every_stream_has_its_expectations() -> None:
    assert NEEDS.keys() == ALL_STREAMS, "NEEDS must say what each stream may ask for"
    assert {stream for stream, *_ in COLUMNS} == ALL_STREAMS, "COLUMNS must try each stream"


@pytest.mark.parametrize(("stream", "column", "others"), COLUMNS)
def test_a_deselected_column_is_in_no_query(
    stream: str, column: str, others: str, catalog: Any, sandbox: Sandbox
) -> None:
    result = sync(config(sandbox), catalog=selecting(catalog, {stream: [column]}))
    key = of_stream(catalog, stream).get("replication_key")
    kept = {*KEYS[stream], column, *filter(None, [key])}
    assert result.schemas[stream]["schema"]["properties"].keys() == kept
    wanted = [
        {name: row[name] for name in row if name in kept} for row in expected(sandbox.path, stream)
    ]
    assert by_key(stream, result.records[stream]) == wanted
    assert words(sandbox).isdisjoint(others.split())


def test_keys_and_the_replication_key_cannot_be_deselected(catalog: Any, sandbox: Sandbox) -> None:
    chosen: dict[str, list[str]] = {"portfolio_report": [], "group_members": []}
    result = sync(config(sandbox), catalog=selecting(catalog, chosen))
    assert {*result.records["portfolio_report"][0]} == {"id", "completion_date"}
    assert {*result.records["group_members"][0]} == {"group_id", "user_id", "role"}
    for stream, columns in {
        "portfolio_report": ("id", "completion_date"),
        "group_members": ("group_id", "user_id", "role"),
    }.items():
        for column in columns:
            assert metadata_of(catalog, stream, column)["inclusion"] == "automatic"


def test_columns_that_only_this_organization_has_come_when_selected(rich: Sandbox) -> None:
    catalog = discover(config(rich))
    rich.reset_log()
    default = sync(config(rich), catalog=selecting(catalog, ["users"]))
    assert not {"created_at", "job_title"} & default.schemas["users"]["schema"]["properties"].keys()
    assert not {"createdAt", "jobTitle"} & words(rich)
    chosen = selecting(catalog, {"users": ["job_title", "created_at"]})
    result = sync(config(rich), catalog=chosen)
    found = rich.database.execute("SELECT id, jobTitle, createdAt FROM users").fetchall()
    assert sorted(result.keys("users", "id", "job_title", "created_at")) == sorted(found)
    assert "email" not in result.records["users"][0]


def test_a_column_that_an_older_catalog_does_not_know_is_left_out(
    catalog: Any, sandbox: Sandbox
) -> None:
    chosen = selecting(catalog, ["users"])
    entry = of_stream(chosen, "users")
    del entry["schema"]["properties"]["email"]
    entry["metadata"] = [
        item for item in entry["metadata"] if item["breadcrumb"] != ["properties", "email"]
    ]
    result = sync(config(sandbox), catalog=chosen)
    assert "email" not in result.schemas["users"]["schema"]["properties"]
    assert all("email" not in row for row in result.records["users"])
    assert "email" not in words(sandbox)


def test_a_selected_column_that_the_organization_has_lost_stays_empty_and_is_named(
    catalog: Any, lean: Sandbox
) -> None:
    result = sync(config(lean), catalog=selecting(catalog, ["users"]))
    assert {row.get("model_id") for row in result.records["users"]} == {None}
    assert result.stderr.count("the organization's schema lacks the column model_id") == 1


def test_a_selected_stream_that_the_organization_has_lost_fails_and_the_others_go_on(
    catalog: Any, lean: Sandbox
) -> None:
    result = run_tap(config(lean), catalog=selecting(catalog, ["offers", "users"]))
    assert result.returncode == 1
    assert result.failed_streams() == {"offers"}
    assert "stream offers failed: the organization's schema lacks `offers`" in result.stderr
    assert len(result.records["users"]) == 120


def test_the_schema_is_asked_for_once_in_a_run(sandbox: Sandbox) -> None:
    sync(config(sandbox))
    asked = [request for request in sandbox.requests if "__schema" in (request.query or "")]
    assert len(asked) == 1


def test_filters_are_left_to_the_organization(catalog: Any, sandbox: Sandbox) -> None:
    (group,) = sandbox.database.execute(
        "SELECT groupId FROM group_users GROUP BY 1 HAVING count(*) BETWEEN 5 AND 60"
    ).fetchone()
    filters = {
        "users": {"group_ids": [group], "archived": False},
        "groups": {"q": "Team"},
        "portfolio_report": {"user_group_ids": [group]},
        "group_members": {"q": "Team"},
    }
    chosen = selecting(catalog, {*filters, "trainings"})
    result = sync(config(sandbox, filters=filters), catalog=chosen)
    members = {
        row[0]
        for row in sandbox.database.execute(
            "SELECT userId FROM group_users WHERE groupId = ?", (group,)
        )
    }
    tables = {stream: expected(sandbox.path, stream) for stream in chosen_names(chosen)}
    teams = {row["id"] for row in tables["groups"] if "Team" in row["name"]}
    assert teams
    wanted = {
        "users": [r for r in tables["users"] if r["id"] in members and not r["archived"]],
        "groups": [row for row in tables["groups"] if row["id"] in teams],
        "portfolio_report": [r for r in tables["portfolio_report"] if r["user_id"] in members],
        "group_members": [row for row in tables["group_members"] if row["group_id"] in teams],
        "trainings": tables["trainings"],
    }
    for stream, rows in wanted.items():
        found = by_key(stream, result.records[stream])
        if stream == "portfolio_report":  # the numbers of equal rows are among the same users' rows
            assert len(found) == len(rows) > 0
        assert found == rows
    sent = " ".join(queries(sandbox))
    assert f'groupIds: ["{group}"]' in sent
    assert f'userGroupIds: ["{group}"]' in sent
    assert "archived: true" not in re.findall(r"paginatedUsers\(.*?\)", sent)
    assert 'q: "Team"' in sent


def chosen_names(catalog: Any) -> set[str]:
    return {
        stream["tap_stream_id"]
        for stream in catalog["streams"]
        if metadata_of(catalog, stream["tap_stream_id"])["selected"]
    }


@pytest.mark.parametrize("archived", [False, True])
def test_a_filter_on_archived_reads_one_half(
    archived: bool, catalog: Any, sandbox: Sandbox
) -> None:
    filters = {"users": {"archived": archived}}
    result = sync(config(sandbox, filters=filters), catalog=selecting(catalog, ["users"]))
    wanted = [row for row in expected(sandbox.path, "users") if row["archived"] is archived]
    assert by_key("users", result.records["users"]) == wanted
    assert f"archived: {str(not archived).lower()}" not in " ".join(queries(sandbox))


def test_filters_with_fields_of_their_own(catalog: Any, sandbox: Sandbox) -> None:
    (category, value) = sandbox.database.execute(
        "SELECT categoryId, stringValue FROM extra_category_values v JOIN users u"
        " ON u.id = v.ownerId WHERE stringValue IS NOT NULL"
    ).fetchone()
    given = [{"category_id": category, "string_values": [value]}]
    filters = {"users": {"extra_categories": given, "last_login_gt": "2000-01-01T00:00:00"}}
    result = sync(config(sandbox, filters=filters), catalog=selecting(catalog, ["users"]))
    wanted = sandbox.database.execute(
        "SELECT id FROM users WHERE lastLogin IS NOT NULL AND id IN (SELECT ownerId"
        " FROM extra_category_values WHERE categoryId = ? AND stringValue = ?)",
        (category, value),
    ).fetchall()
    assert sorted(result.keys("users", "id")) == sorted(wanted)
    assert wanted
