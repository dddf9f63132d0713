"""What tells one row of the portfolio report from another, where it has no identifier."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

from graphql import is_leaf_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluvo_client.schema.contract import Contract
    from pluvo_client.schema.selection import Record

NAMESPACE = uuid5(NAMESPACE_DNS, "pluvo.com")
# No page has them; where a live schema does, they tell results apart that are otherwise equal.
_DETAILS = ("relatedObjectId", "trainingId", "moduleId", "startDate")
DETAILS = "-details"  # where a record holds them; no column has such a name
_SEPARATOR = "\x1f"


def detail_fields(contract: Contract, node: str) -> list[str]:
    """Return the fields at the path `node` that make a key more exact: of a live schema only."""
    if not contract.is_live:
        return []
    return [name for name in _DETAILS if is_leaf_type(contract.type_at(f"{node}.{name}"))]


def details_of(node: Record, fields: Iterable[str]) -> str:
    """Return the values of such fields as a part of a key."""
    return _joined(node.get(name) for name in fields)


def natural_key(record: Record) -> str:
    """Return what tells one result from another, as far as the API shows it."""
    key = _joined(record[name] for name in ("user_id", "title", "completion_date"))
    return f"{key}{_SEPARATOR}{record[DETAILS]}" if DETAILS in record else key


def typed_key(record: Record) -> str:
    """Return the same, with the type of what the result is about in front."""
    return f"{record['related_object_type'] or ''}{_SEPARATOR}{natural_key(record)}"


def former_key(record: Record) -> str | None:
    """Return the typed key that a result had before it was completed, or None if it is not."""
    if not record["completion_date"]:
        return None
    return typed_key(record | {"completion_date": None})


def key_of_row(record: Record, number: int) -> str:
    """Return the id of the `number`th of the rows that are equal: a UUIDv5."""
    suffix = f"{_SEPARATOR}{number}" if number else ""
    return str(uuid5(NAMESPACE, typed_key(record) + suffix))


def day_of(value: str | None) -> dt.date | None:
    """Return the day of completion in a row; None: it has none that can be read."""
    try:
        return dt.date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None


def _joined(values: Iterable[Any]) -> str:
    return _SEPARATOR.join(str(value or "") for value in values)
