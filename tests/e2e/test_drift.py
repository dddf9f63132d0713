"""Organizations whose schema is not the documented one: less, more, and other than yesterday."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from expected import by_key, expected
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    build_schema,
    default_field_resolver,
)
from reliability_support import Watched
from support import DEFAULT_STREAMS, metadata_of, of_stream, selecting

import pluvo_sandbox.service
from pluvo_client.schema.files import read_schema
from pluvo_sandbox.schema import executable

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema
    from support import Result

    from pluvo_sandbox.contract import Variant

    Change = Callable[[GraphQLSchema, GraphQLObjectType, str], None]

# What hides the schema: nothing, the server, the tap's own setting.
MODES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "seen": ({}, {}),
    "hidden": ({"introspection": False}, {}),
    "not asked for": ({}, {"introspection": "off"}),
    "seen, not validated": ({"validation": False}, {}),
    "hidden, not validated": ({"validation": False, "introspection": False}, {}),
}
EVERY_MODE = pytest.mark.parametrize(
    ("server", "settings"),
    [
        pytest.param(
            server, settings | {"max_concurrency": concurrency}, id=f"{name}-{concurrency}"
        )
        for name, (server, settings) in MODES.items()
        for concurrency in (1, 8)
    ],
)


def is_seen(server: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Tell whether the tap sees the organization's own schema."""
    return server.get("introspection", True) and settings.get("introspection") != "off"


LACKING_STREAMS = {"enrollments", "offer_event_dates", "offer_events", "offers"}
LACKING_COLUMNS = {
    "archived_at",
    "is_active",
    "invited_on",
    "has_password",
    "group_count",
    "extra_fields",
    "extra_fields_profile",
    "user_via",
    "model_id",
    "afas_person_id",
    "afas_employee_id",
    "afas_contact_id",
    "afas_connection_id",
}


def organization(schema: Variant, **options: Any) -> Watched:
    return Watched(users=20, trainings=3, groups=3, portfolio=60, schema=schema, **options)


@pytest.fixture(scope="module")
def documented() -> dict[str, Result]:
    """Runs over an organization as documented, by the setting `introspection`."""
    with organization("documented") as pluvo:
        return {value: pluvo.sync(introspection=value) for value in ("auto", "off")}


@pytest.fixture(scope="module")
def yesterday() -> Any:
    """A catalog from an organization as documented."""
    with organization("documented") as pluvo:
        return selecting(pluvo.sync("--discover").catalog, DEFAULT_STREAMS)


def warnings(result: Result) -> list[str]:
    """Return the warnings of a run, but for those of requests that were sent again."""
    found = re.findall(r"\| WARNING  \| [\w.-]+ +\| (.*)", result.stderr)
    return [text for text in found if "; trying again in " not in text]


def check_rows(
    result: Result, pluvo: Watched, streams: set[str], lacking: set[str], *, trainers: bool
) -> None:
    """Compare what was emitted with the sandbox's tables, but for some columns of users."""
    assert result.records.keys() == streams
    for stream in streams:
        wanted = expected(pluvo.path, stream)
        if stream == "training_participants" and not trainers:
            wanted = [row for row in wanted if row["role"] == "PARTICIPANT"]
        if stream == "users":
            wanted = [row | dict.fromkeys(lacking) for row in wanted]
        found = by_key(stream, result.records[stream])
        columns = wanted[0].keys()
        assert [{name: row.get(name) for name in columns} for row in found] == wanted
        assert all(row.keys() <= columns for row in found)


@EVERY_MODE
def test_an_organization_with_less_gives_the_rest_and_says_once_what_it_lacks(
    server: dict[str, Any], settings: dict[str, Any]
) -> None:
    with organization("lean", **server) as pluvo:
        result = pluvo.sync(**settings)
        check_rows(
            result,
            pluvo,
            DEFAULT_STREAMS - LACKING_STREAMS,
            LACKING_COLUMNS,
            trainers=is_seen(server, settings),
        )
        said = Counter(warnings(result))
        assert set(said.values()) == {1}
        assert len(said) == len(LACKING_STREAMS) + len(LACKING_COLUMNS)
        for name in LACKING_COLUMNS:
            sentence = f"users: the organization's schema lacks the column {name}: it stays empty"
            assert sentence in said
        for name in LACKING_STREAMS:
            pattern = rf"(stream )?{name}(:| is) left out: the organization's schema lacks `.*`"
            assert [text for text in said if re.fullmatch(pattern, text)]


def test_what_is_lacking_is_not_offered() -> None:
    with organization("lean") as pluvo:
        catalog = pluvo.sync("--discover").catalog
    names = {stream["tap_stream_id"] for stream in catalog["streams"]}
    assert names == DEFAULT_STREAMS - LACKING_STREAMS
    unsupported = {
        entry["breadcrumb"][1]
        for entry in of_stream(catalog, "users")["metadata"]
        if entry["metadata"].get("inclusion") == "unsupported"
    }
    assert unsupported == LACKING_COLUMNS


@EVERY_MODE
def test_yesterdays_catalog_fails_only_the_streams_that_are_gone(
    server: dict[str, Any], settings: dict[str, Any], yesterday: Any
) -> None:
    with organization("lean", **server) as pluvo:
        result = pluvo.run(catalog=yesterday, **settings)
        assert result.returncode == 1
        assert result.failed_streams() == LACKING_STREAMS
        for name in LACKING_STREAMS:
            assert re.search(
                f"stream {name} failed: the organization's schema lacks", result.stderr
            )
        check_rows(
            result,
            pluvo,
            DEFAULT_STREAMS - LACKING_STREAMS,
            LACKING_COLUMNS,
            trainers=is_seen(server, settings),
        )
        said = Counter(warnings(result))
        assert set(said.values()) == {1}
        assert len(said) == len(LACKING_COLUMNS)


@EVERY_MODE
def test_yesterdays_catalog_works_where_there_is_more_today(
    server: dict[str, Any],
    settings: dict[str, Any],
    yesterday: Any,
    documented: dict[str, Result],
) -> None:
    with organization("rich", **server) as pluvo:
        result = pluvo.sync(catalog=yesterday, **settings)
    assert result.records.keys() == DEFAULT_STREAMS
    for stream, rows in result.records.items():
        assert all(row.keys() == documented["auto"].records[stream][0].keys() for row in rows)
    assert not warnings(result)


NEW_COLUMNS = {
    "users": {
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "job_title": "jobTitle",
        "is_external": "isExternal",
    },
    "portfolio_report": {"attempts": "attempts", "related_object_id": "relatedObjectId"},
}


def test_what_is_more_is_offered_and_given_to_those_who_want_it() -> None:
    tables = {"users": "users", "portfolio_report": "report"}
    with organization("rich") as pluvo:
        without = pluvo.sync()
        catalog = pluvo.sync("--discover").catalog
        for stream, columns in NEW_COLUMNS.items():
            for name in columns:
                metadata = metadata_of(catalog, stream, name)
                assert metadata["inclusion"] == "available"
                assert metadata["selected-by-default"] is False
            assert not columns.keys() & without.records[stream][0].keys()
        wanted = {stream: {"id", *columns} for stream, columns in NEW_COLUMNS.items()}
        chosen = pluvo.sync(catalog=selecting(catalog, wanted))
        for stream, columns in NEW_COLUMNS.items():
            query = f"SELECT id, {', '.join(columns.values())} FROM {tables[stream]} ORDER BY id"
            found = sorted(chosen.keys(stream, "id", *columns))
            assert found == pluvo.database.execute(query).fetchall()
            values = [dict(zip(columns, row[1:], strict=True)) for row in found]
            assert all({row[name] for row in values} - {None} for name in columns)
    # The organization goes back to what is documented: the columns stay empty, said once.
    with organization("documented") as pluvo:
        result = pluvo.sync(catalog=selecting(catalog, wanted))
        gone = [name for columns in NEW_COLUMNS.values() for name in columns]
        assert len(warnings(result)) == len(gone)
        assert all(f"lacks the column {name}:" in result.stderr for name in gone)
        assert len(result.records["users"]) == 20


@EVERY_MODE
def test_values_that_the_documents_do_not_name_pass_as_text(
    server: dict[str, Any], settings: dict[str, Any]
) -> None:
    contract = build_schema(read_schema("pluvo.graphql"), assume_valid=True)
    known = set(contract.type_map["Language"].values)  # type: ignore[attr-defined]
    with organization("rich", **server) as pluvo:
        (user,) = pluvo.database.execute("SELECT min(id) FROM users").fetchone()
        pluvo.change("users", user, language="DE")
        languages = dict(pluvo.sync(**settings).keys("users", "id", "language"))
    assert languages[user] == "DE"
    assert "DE" not in known
    assert known & set(languages.values())


# ---------- fields that became something else ----------


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


# ---------- what an administrator is told ----------


@pytest.mark.parametrize("variant", ["documented", "lean", "rich"])
def test_the_check_tells_how_the_organization_differs(variant: Variant) -> None:
    with organization(variant) as pluvo:
        result = pluvo.run("--test")
    assert result.returncode == 0
    said = set(re.findall(r"^ {7}((?:lacks|adds) .*)$", result.stdout, re.MULTILINE))
    contract, live = executable("documented"), executable(variant)
    for owner in ("Query", "User", "Training", "PortfolioReportNode"):
        ours, theirs = (
            set(schema.type_map[owner].fields)  # type: ignore[attr-defined]
            for schema in (contract, live)
        )
        wanted = {f"lacks {owner}.{name}" for name in ours - theirs}
        wanted |= {f"adds {owner}.{name}" for name in theirs - ours}
        found = {item for item in said if item.split()[1].startswith(f"{owner}.")}
        assert {item for item in found if "(" not in item} == wanted
    kinds = {item.split()[0] for item in said}
    assert kinds == {"documented": set(), "lean": {"lacks"}, "rich": {"adds"}}[variant]
    assert ("lacks Offer" in said) == (variant == "lean")
    assert ("adds Language.DE" in said) == (variant == "rich")
