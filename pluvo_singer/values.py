"""Values of rows, read once: what is read here finds, compares and is written.

Text is Unicode NFC without blanks around it, whatever kind of blank; NaN is null. What cannot be
kept as it is (half of a character, Infinity) rejects its row.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from contextlib import suppress
from decimal import Decimal
from typing import Any

# Characters that nobody sees and `\s` does not know: zero width, marks of direction, fillers.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069"
    "\u206a-\u206f\u3164\ufeff\uffa0\x00"
)
_AROUND = re.compile(rf"^[\s{_UNSEEN}]+|[\s{_UNSEEN}]+$")
_WITHIN = re.compile(rf"[{_UNSEEN}]+")
_BLANKS = re.compile(r"\s+")
# What spreadsheets make of a number: 70001.0 says what it was, 1.23E+11 does not.
_WHOLE = re.compile(r"(\d{1,15})\.0+")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+\d+")

_LARGEST_EXACT = 2**53  # up to which a float is the whole number that was meant
_LONGEST_NUMBER = 100  # digits
_TRUE = {"true", "t", "yes", "y", "ja", "1"}
_FALSE = {"false", "f", "no", "n", "nee", "0"}


class RejectedError(Exception):
    """A row cannot be used; the message says why and shows no value of it.

    `column` is the one that is wrong, where it is a single one.
    """

    def __init__(self, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.column = column


class TooDeep:
    """Stands for a row that is nested too deeply to be read."""


def clean(value: Any, column: str) -> Any:
    """Return a value, of whatever depth, with its texts cleaned and NaN as null.

    Raises:
        RejectedError: it holds half of a character, bytes that are not UTF-8, or Infinity.
    """
    match value:
        case str():
            return _clean_text(value, column)
        case TooDeep():
            msg = "the row is nested too deeply"
            raise RejectedError(msg)
        case float() | Decimal() if value != value:  # noqa: PLR0124 - only NaN is not itself
            return None
        case float() | Decimal() if value in {math.inf, -math.inf}:
            msg = f"`{column}` is infinite"
            raise RejectedError(msg, column)
        case list():
            return [clean(item, column) for item in value]
        case dict():
            return {name: clean(item, column) for name, item in value.items()}
    return value


def _clean_text(text: str, column: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"`{column}` holds half of a character, or bytes that are not UTF-8"
        raise RejectedError(msg, column) from None
    return _AROUND.sub("", unicodedata.normalize("NFC", text))


def key(value: Any, column: str) -> str | None:
    """Return a value that something is found by, or None if it is empty.

    A whole number is its digits, however it was written; nothing unseen is left inside.

    Raises:
        RejectedError: it can be no key.
    """
    if value is None:
        return None
    if isinstance(value, float | Decimal):
        if -_LARGEST_EXACT < value < _LARGEST_EXACT and value == int(value):
            return str(int(value))
        msg = f"`{column}` is a number with a fraction, or one that has lost digits"
        raise RejectedError(msg, column)
    if isinstance(value, bool) or not isinstance(value, str | int):
        msg = f"`{column}` is neither a text nor a number"
        raise RejectedError(msg, column)
    text = folded(_clean_text(str(value), column))
    if _SCIENTIFIC.fullmatch(text):
        msg = f"`{column}` is a number that a spreadsheet has shortened"
        raise RejectedError(msg, column)
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    return None if text.casefold() in {"", "nan"} else text


def folded(text: str) -> str:
    """Return a text as people read it: without what nobody sees, and with single blanks."""
    return _BLANKS.sub(" ", _WITHIN.sub("", text)).strip()


def boolean(value: Any, column: str) -> bool:
    """Return a value as true or false.

    Raises:
        RejectedError: it is no known word for either.
    """
    whole = isinstance(value, float | Decimal) and value in {0, 1}
    word = str(int(value) if whole else value).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    msg = f"`{column}` is neither true nor false"
    raise RejectedError(msg, column)


def integer(value: Any, column: str) -> int:
    """Return a value as a whole number.

    Raises:
        RejectedError: it is none.
    """
    found = number(value, column)
    if found != found.to_integral_value():
        msg = f"`{column}` is not a whole number"
        raise RejectedError(msg, column)
    return int(found)


def number(value: Any, column: str) -> Decimal:
    """Return a value as a number, exactly as it was written.

    Raises:
        RejectedError: it is none, or longer than a hundred digits.
    """
    with suppress(ArithmeticError, ValueError):
        found = Decimal(str(value))
        if found.is_finite() and not isinstance(value, bool):
            _, digits, exponent = found.as_tuple()
            if isinstance(exponent, int) and len(digits) + abs(exponent) <= _LONGEST_NUMBER:
                return found
    msg = f"`{column}` is no number"
    raise RejectedError(msg, column)


def number_text(value: Decimal) -> str:
    """Return a number without zeros at its end and without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: Any, column: str) -> dt.datetime:
    """Return an ISO 8601 date or date-time in UTC; without a time zone it is UTC.

    A midnight stands for a day and keeps that day, whatever its zone.

    Raises:
        RejectedError: it is neither.
    """
    try:
        found = dt.datetime.fromisoformat(str(value))
        if found.timetz().replace(tzinfo=None) == dt.time.min:
            return found.replace(tzinfo=dt.UTC)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        msg = f"`{column}` is not an ISO 8601 date or date-time, such as 2026-01-31"
        raise RejectedError(msg, column) from None


def parse_list(value: Any) -> list[str]:
    """Return a list that is given as one, as JSON, or as text with semicolons."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    items = value if isinstance(value, list) else str(value).split(";")
    return [text for item in items if (text := _AROUND.sub("", str(item)))]


def parse_names(value: Any) -> list[str]:
    """Return a list of names of an API, which may also be apart by commas or blanks."""
    return [word.upper() for text in parse_list(value) for word in re.split(r"[,\s]+", text)]
