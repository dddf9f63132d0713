"""Organizations in whose schema a field became something else, or is gone."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from drift_support import organization, warnings
from expected import by_key
from graphql import GraphQLField, GraphQLList, GraphQLObjectType, default_field_resolver
from support import DEFAULT_STREAMS

import pluvo_sandbox.service
from pluvo_sandbox.schema import executable

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema
    from support import Result

    Change = Callable[[GraphQLSchema, GraphQLObjectType, str], None]


def into_list(schema: GraphQLSchema, owner: GraphQLObjectType, name: str) -> None:
    """Let a field give a list of what it gave."""
    del schema
    field = owner.fields[name]
    resolve = field.resolve or default_field_resolver
    field.type = GraphQLList(field.type)
    field.resolve = lambda *given, **arguments: [resolve(*given, **arguments)]


def into_object(schema: GraphQLSchema, owner: GraphQLObjectType, name: str) -> None:
    """Let a field give an object that holds what it gave."""
    field = owner.fields[name]
    resolve = field.resolve or default_field_resolver
    kind = GraphQLObjectType(f"{owner.name}{name.title()}", {"value": GraphQLField(field.type)})
    schema.type_map[kind.name] = kind
    field.type = kind
    field.resolve = lambda *given, **arguments: {"value": resolve(*given, **arguments)}


def into_text(schema: GraphQLSchema, owner: GraphQLObjectType, name: str) -> None:
    """Let a field that gives an object, or a list, give some text."""
    field = owner.fields[name]
    field.type = schema.type_map["String"]
    field.resolve = lambda *_given, **_arguments: "text"


def into_nothing(schema: GraphQLSchema, owner: GraphQLObjectType, name: str) -> None:
    """Remove a field."""
    del schema
    del owner.fields[name]


def changed(monkeypatch: pytest.MonkeyPatch, path: str, change: Change) -> None:
    """Let sandboxes serve a schema in which the field at `path` is another one."""
    schema = executable.__wrapped__("documented")
    owner, name = path.split(".")
    change(schema, schema.type_map[owner], name)  # type: ignore[arg-type]
    monkeypatch.setattr(pluvo_sandbox.service, "executable", lambda _variant: schema)


SEEN = pytest.mark.parametrize("introspection", ["auto", "off"])


@SEEN
@pytest.mark.parametrize(
    ("path", "change", "stream", "columns"),
    [
        ("User.name", into_object, "users", {"name"}),
        ("User.lastLogin", into_object, "users", {"last_login"}),
        ("User.language", into_object, "users", {"language"}),
        ("User.roles", into_object, "users", {"roles"}),
        ("User.profileImage", into_text, "users", {"profile_image_url"}),
        ("User.isActive", into_nothing, "users", {"is_active"}),
        ("Training.overviewImage", into_text, "trainings",
         {"overview_image_id", "overview_image_url"}),
        ("PortfolioReportNode.score", into_object, "portfolio_report", {"score"}),
        ("PortfolioReportNode.timeSpent", into_text, "portfolio_report",
         {"time_spent_days", "time_spent_seconds"}),
        ("ExtraCategory.choiceOptions", into_text, "custom_fields", {"choice_options"}),
    ],
)  # fmt: skip
def test_a_field_that_changed_its_kind_stays_empty(  # noqa: PLR0913, PLR0917 - a case and its fixtures
    path: str,
    change: Change,
    stream: str,
    columns: set[str],
    introspection: str,
    documented: dict[str, Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = documented[introspection]
    changed(monkeypatch, path, change)
    with organization("documented") as pluvo:
        after = pluvo.sync(introspection=introspection)
    wanted = [row | dict.fromkeys(columns) for row in before.records[stream]]
    found = [row | {name: row.get(name) for name in columns} for row in after.records[stream]]
    assert by_key(stream, found) == by_key(stream, wanted)
    assert before.records.keys() == after.records.keys()
    said = Counter(text for text in warnings(after) if text.startswith(f"{stream}: "))
    assert said == Counter(
        f"{stream}: the organization's schema lacks the column {name}: it stays empty"
        for name in columns
    )


@pytest.mark.parametrize(
    ("path", "stream", "column"),
    [
        ("User.name", "users", "name"),
        ("User.lastLogin", "users", "last_login"),
        ("User.isActive", "users", "is_active"),
        ("PortfolioReportNode.score", "portfolio_report", "score"),
        ("PortfolioReportNode.timeSpent", "portfolio_report", "time_spent_seconds"),
    ],
)
def test_a_field_that_became_a_list_stays_empty_or_fails_its_stream(
    path: str, stream: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, path, into_list)
    with organization("documented") as pluvo:
        seen = pluvo.sync()
        # Unseen, only the values tell: what fits the column stays, what does not is an error.
        unseen = pluvo.run(introspection="off", max_retry_seconds=0.5)
    assert {row.get(column) for row in seen.records[stream]} == {None}
    assert f"{stream}: the organization's schema lacks the column {column}:" in seen.stderr
    if column == "name":
        assert all(row[column].startswith('["') for row in unseen.records[stream])
    else:
        assert stream in unseen.failed_streams()
        pattern = rf"stream {stream} failed: (column '{column}' holds|`timeSpent` came as a list)"
        assert re.search(pattern, unseen.stderr)
    assert unseen.failed_streams() <= {stream}


@SEEN
@pytest.mark.parametrize(
    ("path", "change", "streams"),
    [
        ("Query.certificates", into_nothing, {"certificates"}),
        ("Certificate.id", into_nothing, {"certificates"}),
        ("Certificate.id", into_object, {"certificates"}),
        ("Query.certificates", into_text, {"certificates"}),
        ("PortfolioReportNode.completionDate", into_nothing,
         {"issued_certificates", "portfolio_report"}),
        ("Group.trainings", into_nothing, {"group_trainings"}),
        ("Group.trainings", into_text, {"group_trainings"}),
    ],
)  # fmt: skip
def test_a_stream_without_its_root_or_key_is_left_out_or_fails_alone(  # noqa: PLR0913, PLR0917 - a case and its fixtures
    path: str,
    change: Change,
    streams: set[str],
    introspection: str,
    yesterday: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed(monkeypatch, path, change)
    with organization("documented") as pluvo:
        result = pluvo.sync(introspection=introspection)
        assert result.records.keys() == DEFAULT_STREAMS - streams
        for name in streams:
            said = [text for text in warnings(result) if f"{name}: left out" in text]
            said += [text for text in warnings(result) if f"stream {name} is left out" in text]
            assert len(said) == 1
        result = pluvo.run(catalog=yesterday, introspection=introspection)
        assert result.returncode == 1
        assert result.failed_streams() == streams
        assert result.records.keys() == DEFAULT_STREAMS - streams


@SEEN
@pytest.mark.parametrize("connection", ["GroupConnection", "UserConnection"])
def test_lists_without_a_count_are_read_all_the_same(
    connection: str,
    introspection: str,
    documented: dict[str, Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed(monkeypatch, f"{connection}.count", into_nothing)
    with organization("documented") as pluvo:
        after = pluvo.sync(introspection=introspection, page_size=7)
    # Unseen, a stream begins again when the API refuses its query: rows may come twice.
    for stream, rows in documented[introspection].records.items():
        assert set(map(str, after.records[stream])) == set(map(str, rows))
