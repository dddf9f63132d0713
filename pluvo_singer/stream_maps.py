"""The SDK's stream maps: which expression failed, and why a column that it names is not there."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any

from simpleeval import NameNotDefined

from pluvo_client.errors import did_you_mean
from pluvo_singer.values import RejectedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_BYTE_ORDER_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")  # read as UTF-8, and as Latin 1
_DELIMITERS = {";": "`;`", "\t": "a tab", "|": "`|`", ",": "`,`"}
_LONGEST_NAME = 40  # of a column; what is longer is rather a value


def failed_map(error: Exception, stream: str, record: Mapping[str, Any]) -> RejectedError:
    """Return what is wrong with a map of `stream` that failed with `error` for `record`.

    Which expression failed is known only to the SDK's function that evaluates it.
    """
    kind = type(error).__name__
    for frame, _ in traceback.walk_tb(error.__traceback__):
        seen = frame.f_locals
        if frame.f_code.co_name == "_eval" and {"expr", "property_name"} <= seen.keys():
            expression, column = seen["expr"], seen["property_name"]
            place = f"stream_maps.{stream}.{column}" if column else f"stream_maps.{stream}"
            used = dict.fromkeys(re.findall(r"\w+", expression))
            empty = [name for name in used if name in record and record[name] is None]
            remedy = f": write `{expression} if {empty[0]} else None`" if empty else ""
            reason = f", as `{empty[0]}` is empty" if empty else ""
            msg = f"setting `{place}`: `{expression}` fails for a row ({kind}){reason}{remedy}"
            return RejectedError(msg, column)
    msg = f"setting `stream_maps.{stream}`: it fails for a row ({kind})"
    return RejectedError(msg)


def unknown_name(error: Exception) -> str | None:
    """Return the name that an expression uses and its row does not have, if that is the error."""
    cause = error.__cause__
    return str(cause.name) if isinstance(cause, NameNotDefined) else None


def columns_that_came(columns: Collection[str], *wanted: str) -> str:
    """Return sentences about the columns of a stream that lacks one: which came, and why."""
    names = [name.strip("".join(_BYTE_ORDER_MARKS)) for name in columns]
    joined = "".join(columns)
    if "@" in joined:
        return "The file seems to have no line with the names of its columns."
    shown = ", ".join(name if len(name) <= _LONGEST_NAME else "..." for name in names)
    sentences = [f"It has {shown or 'no columns'}."]
    if joined.startswith(_BYTE_ORDER_MARKS):
        sentences.append("The file begins with a byte order mark: read it as utf-8-sig.")
    delimiter = next((mark for mark in _DELIMITERS if mark in joined), None)
    if delimiter and len(columns) == 1:
        sentences.append(f"Its delimiter seems to be {_DELIMITERS[delimiter]}.")
    for name in wanted:
        alike = [other for other in names if other.casefold() == name.casefold()]
        hint = f": did you mean `{alike[0]}`?" if alike else did_you_mean(name, names)
        if hint and name not in columns:
            sentences.append(f"No `{name}`{hint}")
    return " ".join(sentences)
