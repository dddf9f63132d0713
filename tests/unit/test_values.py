from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluvo_client.schema import values

if TYPE_CHECKING:
    from collections.abc import Callable

ZONES = st.one_of(
    st.just(dt.UTC),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))),
)
# A day off both ends, so that every zone's moment has one in UTC.
FIRST, LAST = map(dt.datetime.fromisoformat, ("0001-01-02", "9999-12-30"))
MOMENTS = st.datetimes(FIRST, LAST) | st.datetimes(FIRST, LAST, timezones=ZONES)
PRECISIONS = st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"])


def refuses(convert: Callable[[Any], Any], value: Any) -> bool:
    try:
        convert(value)
    except ValueError:
        return True
    return False


def written(moment: dt.datetime, precision: str, separator: str) -> str:
    return moment.isoformat(separator, precision)


def in_utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@given(MOMENTS, PRECISIONS, st.sampled_from("T "))
def test_a_moment_is_the_same_in_utc(moment: dt.datetime, precision: str, separator: str) -> None:
    text = written(moment, precision, separator)
    found = values.moment(text)
    assert found.endswith("+00:00")
    assert found[10] == "T"
    assert dt.datetime.fromisoformat(found) == in_utc(dt.datetime.fromisoformat(text))
    assert values.moment(found) == found


@given(MOMENTS)
def test_a_moment_may_end_in_z(moment: dt.datetime) -> None:
    text = in_utc(moment).isoformat().replace("+00:00", "Z")
    assert values.moment(text) == in_utc(moment).isoformat()


@given(MOMENTS, MOMENTS, PRECISIONS, PRECISIONS)
def test_moments_sort_as_text(
    one: dt.datetime, other: dt.datetime, first: str, second: str
) -> None:
    """Bookmarks are compared as text."""
    texts = values.moment(written(one, first, "T")), values.moment(written(other, second, "T"))
    moments = [dt.datetime.fromisoformat(text) for text in texts]
    if moments[0] != moments[1]:
        assert (texts[0] < texts[1]) == (moments[0] < moments[1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-01-31T12:00:00+00:00", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31T12:00:00.123456+00:00", "2024-01-31T12:00:00.123456+00:00"),
        ("2024-01-31T12:00:00Z", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31T12:00:00", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31 12:00:00+00:00", "2024-01-31T12:00:00+00:00"),
        ("2024-01-31T01:30:00+02:00", "2024-01-30T23:30:00+00:00"),
        ("2024-01-31T23:30:00-02:00", "2024-02-01T01:30:00+00:00"),
        ("2024-01-31", "2024-01-31T00:00:00+00:00"),
        ("20240131T120000Z", "2024-01-31T12:00:00+00:00"),
    ],
)
def test_moment(text: str, found: str) -> None:
    assert values.moment(text) == found


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2024-13-01T00:00:00", "2024-01-31T25:00:00", 1706702400, 1.5, True, [], {}],
)
def test_no_moment(value: Any) -> None:
    assert refuses(values.moment, value)


@given(st.dates())
def test_a_day_stays(day: dt.date) -> None:
    assert values.day(day.isoformat()) == day.isoformat()


@given(MOMENTS)
def test_the_day_of_a_moment_is_that_in_utc(moment: dt.datetime) -> None:
    assert values.day(moment.isoformat()) == in_utc(moment).date().isoformat()


@pytest.mark.parametrize("value", ["", "2025-03", "2025-02-30", "31-01-2025", 20250131, None])
def test_no_day(value: Any) -> None:
    assert refuses(values.day, value)


@given(st.integers())
def test_a_whole_number_stays(value: int) -> None:
    assert values.integer(value) == value
    assert values.integer(str(value)) == value


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_may_come_as_a_decimal(value: int) -> None:
    for form in (float(value), f"{value}.0", f"{value}.00"):
        found = values.integer(form)
        assert found == value
        assert type(found) is int


@pytest.mark.parametrize(
    "value", ["", "many", "1.5", 1.5, True, False, float("nan"), float("inf"), "nan", "inf"]
)
def test_no_whole_number(value: Any) -> None:
    assert refuses(values.integer, value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_stays_also_as_text(value: float) -> None:
    assert values.number(value) == value
    assert values.number(str(value)) == value


@pytest.mark.parametrize(
    "value", ["", "much", True, False, float("nan"), float("inf"), "nan", "-inf", "Infinity"]
)
def test_no_number(value: Any) -> None:
    """What JSON has no form for is none."""
    assert refuses(values.number, value)


def test_a_number_keeps_its_kind() -> None:
    assert type(values.number(5)) is int
    assert values.number("27.50") == 27.5


@pytest.mark.parametrize("value", [0, 1, "true", "", None, []])
def test_no_boolean(value: Any) -> None:
    assert refuses(values.boolean, value)


def test_boolean() -> None:
    assert values.boolean(True) is True
    assert values.boolean(False) is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_text_is_text_or_json(value: Any) -> None:
    found = values.text(value)
    assert isinstance(found, str)
    assert found == value if isinstance(value, str) else json.loads(found) == value


@given(st.lists(JSON, max_size=4))
def test_members_stand_for_their_objects(items: list[Any]) -> None:
    assert json.loads(values.json_members([{"id": item} for item in items])) == items


def test_lists_have_no_blanks_and_letters_as_they_are() -> None:
    assert values.json_text(["MANAGER", "Ελένη", 1]) == '["MANAGER","Ελένη",1]'


@pytest.mark.parametrize("value", ["text", {"id": 1}, [1], [None], ["a", {"id": 1}]])
def test_no_members(value: Any) -> None:
    assert refuses(values.json_members, value)


@pytest.mark.parametrize(
    ("schema", "conversion"),
    [
        ({"type": ["string", "null"], "format": "date-time"}, values.moment),
        ({"type": ["string", "null"], "format": "date"}, values.day),
        ({"type": ["string"]}, values.text),
        ({"type": ["integer", "null"]}, values.integer),
        ({"type": ["number", "null"]}, values.number),
        ({"type": ["boolean", "null"]}, values.boolean),
    ],
)
def test_converter(schema: dict[str, Any], conversion: Any) -> None:
    assert values.converter(schema) is conversion
