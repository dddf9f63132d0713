"""Servers that ignore in silence what their schema lacks, or what they accept.

Fields that such servers leave out are tested in `test_drift.py`, as one more way to hide a schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from expected import by_key, expected
from reliability_support import Watched
from support import DEFAULT_STREAMS, selecting

import pluvo_sandbox.service
from pluvo_sandbox.schema import executable

if TYPE_CHECKING:
    from support import Result, Row

CONCURRENCIES = pytest.mark.parametrize("concurrency", [1, 8])


def organization(**options: Any) -> Watched:
    """Return an organization whose lists have several pages of seven rows."""
    return Watched(users=30, trainings=9, groups=9, portfolio=160, **options)


def without(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    """Return how to run a server that ignores some arguments of root fields in silence."""
    schema = executable.__wrapped__("documented")
    for argument in arguments:
        field, _, name = argument.rstrip(")").partition("(")
        assert schema.query_type is not None
        del schema.query_type.fields[field].args[name]
    monkeypatch.setattr(pluvo_sandbox.service, "executable", lambda _variant: schema)
    return {"validation": False, "introspection": False}


def rows_of(result: Result, stream: str) -> list[Row]:
    """Return the records of a stream, of which none may come twice."""
    rows = result.records[stream]
    keys = result.schemas[stream]["key_properties"]
    assert len({tuple(row[key] for key in keys) for row in rows}) == len(rows)
    return by_key(stream, rows)


def said(result: Result, argument: str) -> int:
    """Return how often the log says that an argument has no effect."""
    return result.stderr.count(f"lacks argument Query.{argument}; going on without")


@CONCURRENCIES
def test_rows_that_are_neither_archived_nor_not_are_read(concurrency: int) -> None:
    """`User.archived` may be null: then a user is in neither half, but in the whole list."""
    with organization(archived="everything") as pluvo:
        found = pluvo.database.execute("SELECT id FROM users ORDER BY id").fetchall()
        pluvo.change_many("users", {row[0]: {"archived": None} for row in found[::4]})
        result = pluvo.sync(page_size=7, max_concurrency=concurrency)
        for stream in ("users", "custom_field_values", "enrollments"):
            assert rows_of(result, stream) == expected(pluvo.path, stream)
        assert {row["archived"] for row in result.records["users"]} == {None, False, True}
    assert "neither true nor false" in result.stderr


@CONCURRENCIES
@pytest.mark.parametrize("introspection", ["auto", "off"])
def test_halves_that_are_equal_are_read_once(introspection: str, concurrency: int) -> None:
    with organization(archived="ignored") as pluvo:
        result = pluvo.sync(page_size=7, max_concurrency=concurrency, introspection=introspection)
        for stream in ("users", "trainings", "custom_field_values", "enrollments"):
            assert rows_of(result, stream) == expected(pluvo.path, stream)
    for field in ("paginatedUsers", "paginatedTrainings"):
        sentence = f"`{field}` gives the same rows whatever `archived` is: reading them once"
        assert result.stderr.count(sentence) == 1


@CONCURRENCIES
@pytest.mark.parametrize("introspection", ["auto", "off"])
def test_archived_rows_that_come_with_the_others_are_read_once(
    introspection: str, concurrency: int
) -> None:
    """Also where a training has no archived participants, so that its halves are equal."""
    with organization(archived="too") as pluvo:
        result = pluvo.sync(page_size=7, max_concurrency=concurrency, introspection=introspection)
        for stream in ("users", "trainings", "custom_field_values", "enrollments"):
            assert rows_of(result, stream) == expected(pluvo.path, stream)
        assert any(row["archived"] for row in result.records["users"])


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("introspection", ["auto", "off"])
def test_who_is_in_a_training_twice_is_one_participant(introspection: str, distinct: bool) -> None:
    """As after a second attempt: the list has, and counts, them twice."""
    with organization(repeats=5, distinct=distinct) as pluvo:
        catalog = selecting(pluvo.sync("--discover").catalog, ["training_participants"])
        result = pluvo.sync(catalog=catalog, introspection=introspection, page_size=7)
        wanted = {tuple(row.items()) for row in expected(pluvo.path, "training_participants")}
    rows = rows_of(result, "training_participants")
    assert {tuple(row.items()) for row in rows} == {
        row for row in wanted if introspection == "auto" or ("role", "PARTICIPANT") in row
    }


@CONCURRENCIES
def test_without_the_argument_what_comes_is_read_once(
    concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the API gives then is not documented; the sandbox leaves archived users out."""
    with organization(**without(monkeypatch, "paginatedUsers(archived)")) as pluvo:
        result = pluvo.sync(page_size=7, max_concurrency=concurrency)
        active = [row for row in expected(pluvo.path, "users") if not row["archived"]]
    assert rows_of(result, "users") == active
    sentence = "`paginatedUsers` gives the same rows whatever `archived` is: reading them once"
    assert result.stderr.count(sentence) == 1


@CONCURRENCIES
@pytest.mark.parametrize(
    ("argument", "stream"),
    [
        ("paginatedUsers(offset)", "users"),
        ("paginatedGroups(offset)", "groups"),
        ("paginatedTrainings(offset)", "trainings"),
    ],
)
@pytest.mark.parametrize("validation", [True, False])
def test_without_an_offset_lists_are_read_by_cursors(
    validation: bool,
    argument: str,
    stream: str,
    concurrency: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = without(monkeypatch, argument) | {"validation": validation}
    with organization(**options) as pluvo:
        result = pluvo.sync(page_size=3, max_concurrency=concurrency)
        found = {row["id"]: row for row in result.records[stream]}
        assert by_key(stream, [*found.values()]) == expected(pluvo.path, stream)
    assert said(result, argument) == 1


@CONCURRENCIES
@pytest.mark.parametrize("introspection", ["auto", "off"])
def test_an_offset_that_is_taken_and_has_no_effect(introspection: str, concurrency: int) -> None:
    with organization(ignore_offset=True) as pluvo:
        result = pluvo.sync(page_size=7, max_concurrency=concurrency, introspection=introspection)
        for stream in ("users", "groups", "trainings", "custom_field_values", "group_members"):
            found = {
                tuple(row[key] for key in result.schemas[stream]["key_properties"]): row
                for row in result.records[stream]
            }
            assert by_key(stream, [*found.values()]) == expected(pluvo.path, stream)
        assert len({row["id"] for row in result.records["portfolio_report"]}) == 160
    for field in ("paginatedUsers", "paginatedGroups", "paginatedTrainings", "portfolioReport"):
        assert said(result, f"{field}(offset)") == 1


@CONCURRENCIES
@pytest.mark.parametrize("cap", [2, 20, 49])
def test_pages_that_are_smaller_than_asked_for(cap: int, concurrency: int) -> None:
    with organization(page_cap=cap) as pluvo:
        result = pluvo.sync(max_concurrency=concurrency)
        for stream in DEFAULT_STREAMS - {"portfolio_report", "issued_certificates"}:
            assert rows_of(result, stream) == expected(pluvo.path, stream)
        assert len(rows_of(result, "portfolio_report")) == 160
    sentence = f"`portfolioReport`: the server returned {cap} rows per page instead of 50"
    assert result.stderr.count(sentence) == 1


def test_participants_are_not_told_apart_by_a_filter_that_has_no_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with organization(**without(monkeypatch, "paginatedUsers(trainingIds)")) as pluvo:
        result = pluvo.sync()
        catalog = selecting(pluvo.sync("--discover").catalog, ["training_participants", "users"])
        chosen = pluvo.run(catalog=catalog)
    lacks = "the organization's schema lacks `paginatedUsers(trainingIds:)`"
    assert "training_participants" not in result.records
    assert f"training_participants: left out: {lacks}" in result.stderr
    assert chosen.failed_streams() == {"training_participants"}
    assert f"stream training_participants failed: {lacks}" in chosen.stderr
    assert len(chosen.records["users"]) == 30


def test_results_that_no_filter_tells_apart_by_type_are_read_once_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with organization(**without(monkeypatch, "portfolioReport(relatedObjectTypes)")) as pluvo:
        result = pluvo.sync(page_size=7)
        titles = pluvo.database.execute("SELECT title FROM report ORDER BY title").fetchall()
    assert sorted(result.keys("portfolio_report", "title")) == titles
    assert len(rows_of(result, "portfolio_report")) == 160
    assert {row["related_object_type"] for row in result.records["portfolio_report"]} == {None}
    assert "issued_certificates" not in result.records
    assert "issued_certificates: left out: the organization's schema lacks" in result.stderr


def test_completions_that_cannot_be_asked_for_by_day_are_all_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ("portfolioReport(completionDateFrom)", "portfolioReport(completionDateTo)")
    with organization(**without(monkeypatch, *arguments)) as pluvo:
        first = pluvo.sync()
        again = pluvo.sync(state=first.state)
    for result in (first, again):
        assert len(rows_of(result, "portfolio_report")) == 160
        assert result.keys("portfolio_report", "id") == first.keys("portfolio_report", "id")
    assert said(again, "portfolioReport(completionDateFrom)") == 1


@pytest.mark.parametrize("stream", ["enrollments", "portfolio_items"])
def test_rows_that_come_for_every_user_at_once_are_read_once(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = {"enrollments": "enrollments", "portfolio_items": "portfolioItems"}[stream]
    with organization(**without(monkeypatch, f"{root}(userId)")) as pluvo:
        catalog = selecting(pluvo.sync("--discover").catalog, [stream])
        result = pluvo.sync(catalog=catalog)
        assert rows_of(result, stream) == expected(pluvo.path, stream)


@pytest.mark.parametrize("validation", [True, False])
def test_filters_are_refused_where_nobody_can_tell_whether_they_work(validation: bool) -> None:
    with organization(validation=validation, introspection=False) as pluvo:
        result = pluvo.run(filters={"users": {"archived": False}})
    if validation:
        assert result.returncode == 0
        assert {row["archived"] for row in result.records["users"]} == {False}
        return
    assert result.returncode == 1
    assert "setting `filters`: the organization's server ignores what it does not know" in (
        result.stderr
    )
    assert not result.records
