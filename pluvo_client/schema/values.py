"""Values of the API made portable: the one place that decides how a value looks in the output.

Scalars stay, lists and free-form values become JSON text, moments are ISO 8601 in UTC with
`+00:00`, days are ISO 8601 days. So every target makes the same table of them. What does not fit is
a ValueError, whatever its type.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UTC_SUFFIX = "+00:00"


def text(value: Any) -> str:
    """Return a string as it is, everything else as JSON text."""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: Any) -> str:
    """Return a list, or whatever else it is, as JSON text."""
    return msgspec.json.encode(value).decode()


def json_members(value: Any) -> str:
    """Return a list of objects with one member each as a JSON list of these members.

    Raises:
        ValueError: it is no such list.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError
    return json_text([next(iter(item.values()), None) for item in value])


def integer(value: Any) -> int:
    """Return a whole number, also of a decimal or of digits.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - one error for all that does not fit
    if isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal()):
        return int(value)  # exact, however long it is
    number = float(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def number(value: Any) -> float:
    """Return a number, also of digits (the scalar `Decimal` travels as text).

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - one error for all that does not fit
    found = value if isinstance(value, int | float) else float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


def boolean(value: Any) -> bool:
    """Return true or false.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - one error for all that does not fit
    return value


def moment(value: Any) -> str:
    """Return a moment in UTC, such as 2024-01-31T12:00:00+00:00; without a zone it is UTC.

    Raises:
        ValueError: it is no ISO 8601 date or date-time.
    """
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - one error for all that does not fit
    parsed = dt.datetime.fromisoformat(value)
    if value.endswith(UTC_SUFFIX) and value[10] == "T":
        return value
    if parsed.tzinfo is None:
        return parsed.replace(tzinfo=dt.UTC).isoformat()
    return parsed.astimezone(dt.UTC).isoformat()


def day(value: Any) -> str:
    """Return a day such as 2024-01-31, of a moment its day in UTC.

    Raises:
        ValueError: it is no complete ISO 8601 date.
    """
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - one error for all that does not fit
    if len(value) == 10:  # noqa: PLR2004 - YYYY-MM-DD
        return dt.date.fromisoformat(value).isoformat()
    return moment(value)[:10]


def converter(schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return the conversion for values of a column with this JSON Schema."""
    match schema.get("format"), schema["type"][0]:
        case "date-time", _:
            return moment
        case "date", _:
            return day
        case _, "integer":
            return integer
        case _, "number":
            return number
        case _, "boolean":
            return boolean
        case _:
            return text
