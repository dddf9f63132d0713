"""Organizations whose schema is not the documented one: less, more, and other than yesterday."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from drift_support import organization, warnings
from expected import by_key, expected
from graphql import build_schema
from support import DEFAULT_STREAMS, SYNC_LOG, metadata_of, of_stream, selecting

from pluvo_client.schema.files import read_schema
from pluvo_sandbox.schema import executable

if TYPE_CHECKING:
    from reliability_support import Watched
    from support import Result

    from pluvo_sandbox.contract import Variant

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
        assert result.sync_log.keys() == DEFAULT_STREAMS - LACKING_STREAMS
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
    assert names == DEFAULT_STREAMS - LACKING_STREAMS | {SYNC_LOG}
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
