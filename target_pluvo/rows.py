"""The rows that came in, and what their values mean."""

from __future__ import annotations

import datetime as dt
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}


class RejectedError(Exception):
    """A row cannot be written; the message says why, and shows no value of it."""


@dataclass(frozen=True, eq=False)
class Row:
    """A row as it came, with its place among all rows of the run and its number in its stream."""

    place: int
    number: int
    values: dict[str, Any]

    def text(self, column: str) -> str | None:
        """Return a value as text without blanks around it; None where there is none."""
        value = self.values.get(column)
        if value is None or isinstance(value, dict | list):
            return None
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        return text.strip() or None

    def required(self, column: str) -> str:
        """Return a value that must be there.

        Raises:
            RejectedError: it is not.
        """
        text = self.text(column)
        if text is None:
            msg = f"`{column}` is empty"
            raise RejectedError(msg)
        return text

    @property
    def is_deleted(self) -> bool:
        """Whether the source marks the row as deleted."""
        return self.text("_sdc_deleted_at") is not None

    def columns(self) -> dict[str, Any]:
        """Return the values that were given, without the marks of taps and the SDK."""
        return {
            name: value
            for name, value in self.values.items()
            if value is not None and value != "" and not name.startswith("_sdc_")
        }


def boolean(column: str, value: Any) -> bool:
    """Return a value as true or false."""
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    msg = f"`{column}` is neither true nor false"
    raise RejectedError(msg)


def integer(column: str, value: Any) -> int:
    """Return a value as a whole number."""
    try:
        return int(str(value).strip())
    except ValueError:
        msg = f"`{column}` is not a whole number"
        raise RejectedError(msg) from None


def texts(value: Any) -> list[str]:
    """Return a list that is given as one, as JSON, or as text with semicolons."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    items = value if isinstance(value, list) else str(value).split(";")
    return [text for item in items if (text := str(item).strip())]


def words(value: Any) -> list[str]:
    """Return a list of names of an API, which may also be apart by commas or blanks."""
    return [word.upper() for text in texts(value) for word in re.split(r"[,\s]+", text) if word]


def moment(column: str, value: Any) -> dt.datetime:
    """Return an ISO 8601 date or date-time in UTC; without time zone it is UTC."""
    try:
        found = dt.datetime.fromisoformat(str(value).strip())
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        msg = f"`{column}` is not an ISO 8601 date or date-time, such as 2026-01-31"
        raise RejectedError(msg) from None
