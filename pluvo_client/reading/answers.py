"""Parts of answers that must be what they are said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ProtocolError

if TYPE_CHECKING:
    from pluvo_client.schema.selection import Record


def items(field: str, answer: Any) -> list[Record]:
    """Return a list of objects as it is.

    Raises:
        ProtocolError: the answer is not a list of objects.
    """
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        msg = f"`{field}` came without its list, or with an empty item in it"
        raise ProtocolError(msg)
    return answer


def count_of(field: str, answer: Any) -> int | None:
    """Return the `count` of a connection; None where it is null.

    Raises:
        ProtocolError: it is missing, or not a number of rows.
    """
    if not isinstance(answer, dict) or "count" not in answer:
        msg = f"`{field}` came without its count"
        raise ProtocolError(msg)
    count = answer["count"]
    if count is not None and (not isinstance(count, int) or count < 0):
        msg = f"`{field}` came with a count that is not a number of rows"
        raise ProtocolError(msg)
    return count
