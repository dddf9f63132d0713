"""Singer messages, line by line; a line that cannot be read costs its row where it is one."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from typing import Any

from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.io_base import SingerReader
from typing_extensions import override

from pluvo_singer.values import TooDeep

# Bytes that are not UTF-8 become halves of characters, which reject the value that they are in.
ERRORS = "surrogateescape"

_MOST_DIGITS = sys.int_info.str_digits_check_threshold

_RECORD = re.compile(r'\s*\{(?=.{0,200}"type"\s*:\s*"RECORD").{0,200}?"stream"\s*:\s*"([^"]+)"')


class MessageReader(SingerReader):
    """Reads messages; the SDK's own reader logs a line that is no JSON, values and all.

    `line` is the number of the last line that was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 0

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Return the message on a line; numbers with a fraction are exact.

        Raises:
            InvalidInputLine: it is none.
        """
        self.line += 1
        try:
            found = json.loads(line, parse_float=Decimal, parse_int=_whole)
        except RecursionError:
            record = _RECORD.match(line)
            found = record and {"type": "RECORD", "stream": record[1], "record": {"": TooDeep()}}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._invalid()
        return found

    @override
    @staticmethod
    def assert_line_requires(line_dict: Any, requires: set[str]) -> None:
        """Check that a message has some parts; the SDK's own error shows the whole message.

        Raises:
            InvalidInputLine: one is missing.
        """
        if not isinstance(line_dict, dict) or not requires <= line_dict.keys():
            lacking = " or ".join(sorted(requires))
            msg = f"a line of the input is not a Singer message: it lacks {lacking}"
            raise InvalidInputLine(msg)

    @override
    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        raise self._invalid()

    def _invalid(self) -> InvalidInputLine:
        return InvalidInputLine(f"a line of the input is not a Singer message (line {self.line})")


def _whole(digits: str) -> int | Decimal:
    """Return a whole number; Python makes no `int` of thousands of digits."""
    return int(digits) if len(digits) <= _MOST_DIGITS else Decimal(digits)
