"""One reading of a value, for both targets."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest

from pluvo_singer.rows import Incoming, Row
from pluvo_singer.stream_maps import columns_that_came
from pluvo_singer.values import (
    RejectedError,
    TooDeep,
    boolean,
    clean,
    folded,
    integer,
    key,
    moment,
    number,
    number_text,
    parse_list,
    parse_names,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Anna\t", "Anna"),
        ("\u00a0\u200bAnna van  den Berg\ufeff", "Anna van  den Berg"),
        ("Zoe\u0308", "Zo\u00eb"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        (" \u3164\u00ad ", ""),
        (math.nan, None),
        (Decimal("NaN"), None),
        (Decimal("1E+400"), Decimal("1E+400")),
        ([" a", {"b": "c\u00a0"}], ["a", {"b": "c"}]),
        (None, None),
        (True, True),
    ],
)
def test_clean(value: Any, expected: Any) -> None:
    found = clean(value, "x")
    assert found == expected
    assert type(found) is type(expected)
    assert clean(found, "x") == expected  # what was read once is read the same again


@pytest.mark.parametrize("value", ["\ud83d", "a\udcff", math.inf, -math.inf, ["\ud800"], TooDeep()])
def test_what_cannot_be_kept_rejects_its_row(value: Any) -> None:
    with pytest.raises(RejectedError):
        clean(value, "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("70001", "70001"),
        (70001, "70001"),
        (70001.0, "70001"),
        (Decimal("70001.000"), "70001"),
        ("70001.0", "70001"),
        ("000123", "000123"),
        ("A\u00a0 1\u200b2", "A 12"),
        ("1E5", "1E5"),
        ("2.0.1", "2.0.1"),
        ("NaN", None),
        ("", None),
        (None, None),
        (12345678901234567890, "12345678901234567890"),
    ],
)
def test_key(value: Any, expected: str | None) -> None:
    assert key(value, "ref") == expected


@pytest.mark.parametrize(
    "value",
    [0.5, 1e21, 2.0**53, Decimal("1e400"), Decimal("1e999999"), "1.23457E+11", True, [], {}],
)
def test_what_can_be_no_key(value: Any) -> None:
    with pytest.raises(RejectedError, match="`ref`") as found:
        key(value, "ref")
    assert found.value.column == "ref"


def test_a_text_as_it_is_read() -> None:
    assert folded(" First\u00a0\u2003aid \u200b") == "First aid"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("ja", True), ("Yes", True), (1, True), (1.0, True), (Decimal(0), False), ("Nee", False)],
)
def test_boolean(value: Any, expected: bool) -> None:
    assert boolean(value, "x") is expected


@pytest.mark.parametrize("value", ["left", "Uit diens", 2, 0.5, "1.0", "", None, []])
def test_what_is_neither_true_nor_false(value: Any) -> None:
    with pytest.raises(RejectedError, match="neither true nor false"):
        boolean(value, "x")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**53 + 1, "9007199254740993"),
        ("12345678901234567890.10", "12345678901234567890.1"),
        (Decimal("36.50"), "36.5"),
        ("1e3", "1000"),
        ("-0.50", "-0.5"),
        (100, "100"),
    ],
)
def test_numbers_are_exact(value: Any, text: str) -> None:
    assert number_text(number(value, "x")) == text


@pytest.mark.parametrize("value", ["", "x", True, "1e400", "NaN", "Infinity", [], "9" * 101])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(RejectedError, match="is no number"):
        number(value, "x")


def test_whole_numbers() -> None:
    assert integer("20.0", "x") == 20
    with pytest.raises(RejectedError, match="not a whole number"):
        integer("20.5", "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-01T00:00:00+01:00", "2026-02-01T00:00:00+00:00"),
        ("2026-02-01T00:00:00-11:00", "2026-02-01T00:00:00+00:00"),
        ("2026-02-01T00:30:00+02:00", "2026-01-31T22:30:00+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31 12:00", "2026-01-31T12:00:00+00:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_midnight_keeps_its_day(value: str, expected: str) -> None:
    assert moment(value, "x") == dt.datetime.fromisoformat(expected)


@pytest.mark.parametrize("value", ["soon", "31-01-2026", "0001-01-01T00:30:00+01:00", None, 5])
def test_what_is_no_day(value: Any) -> None:
    with pytest.raises(RejectedError, match="ISO 8601"):
        moment(value, "x")


def test_lists() -> None:
    assert parse_list("a; b\u00a0;;") == ["a", "b"]
    assert parse_list('["a;b", " c"]') == ["a;b", "c"]
    assert parse_list([1, "x "]) == ["1", "x"]
    assert parse_names("manager, trainer;mentor") == ["MANAGER", "TRAINER", "MENTOR"]


def test_rows_keep_their_numbers_and_the_state_that_all_rows_before_it_are_done() -> None:
    incoming = Incoming()
    incoming.add("users", 2, {"ref": " 1 "})
    incoming.states.append((incoming.count, "first"))
    incoming.pass_over("users")
    incoming.add("users", 4, {"ref": math.inf})
    incoming.add("users", 5, {"ref": "2"})
    incoming.states.append((incoming.count, "second"))
    (first, last), (lost,) = incoming.rows["users"], incoming.rejected["users"]
    assert lost.row is not None
    assert [row.number for row in (first, lost.row, last)] == [1, 3, 4]
    assert (first.values["ref"], lost.column, lost.row.line) == ("1", "ref", 4)
    assert incoming.last_state([]) == "second"
    assert incoming.last_state([lost.row]) == "first"
    assert incoming.last_state([first]) is None
    assert last.values["ref"] == "2"


def test_keys_of_a_row() -> None:
    row = Row("users", 1, 1, 1, {"ref": "", "email": "a@b", "x": None, "_sdc_deleted_at": "now"})
    assert row.key("ref", "email") == "a@b"
    assert row.is_deleted
    assert row.columns() == {"email": "a@b"}
    with pytest.raises(RejectedError, match="`ref` is empty"):
        row.required_key("ref")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["a;b;c"], "It has a;b;c. Its delimiter seems to be `;`."),
        (["a\tb"], "Its delimiter seems to be a tab."),
        (["\u00ef\u00bb\u00bfref", "name"], "byte order mark"),
        (["Ref"], "No `ref`: did you mean `Ref`?"),
        (["reff"], "No `ref`: did you mean `reff`?"),
        (["x" * 41, "y"], "It has ..., y."),
        (["7", "ann@example.com"], "no line with the names of its columns"),
        ([], "It has no columns."),
    ],
)
def test_why_a_column_is_missing(columns: list[str], said: str) -> None:
    found = columns_that_came(columns, "ref")
    assert said in found
    assert "@" not in found
