"""The file of rejected rows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluvo_singer.rows import Rejection

_START = b'{"stream": "'  # of every line in the file


class RejectsFile:
    """JSON lines, one for each rejected row with the reason; only its owner can read them.

    The file is replaced as a whole at the end of a run; without rejected rows there is none.

    Raises:
        ConfigurationError: it cannot be written, or the path is that of another file.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(f"{self._path.name}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._check_owned()
            write_private(self._part, b"")  # so that it is known now whether it can be
            self._part.unlink()
        except OSError as error:
            raise self._failed(error) from error

    def _check_owned(self) -> None:
        try:
            with self._path.open("rb") as file:
                start = file.read(len(_START))
        except FileNotFoundError:
            return
        if start not in {_START, b""}:
            msg = f"setting `rejects`: {str(self._path)!r} holds something else: name another file"
            raise ConfigurationError(msg)

    def write(self, rejected: Iterable[tuple[str, Rejection]]) -> None:
        """Write the rejected rows of each stream in place of those of the run before.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        lines = [f"{_line(stream, found)}\n" for stream, found in rejected]
        try:
            if lines:
                # What is no character is written as an escape, which JSON reads as what it was.
                write_private(self._part, "".join(lines).encode("utf-8", "backslashreplace"))
                self._part.replace(self._path)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"setting `rejects`: the file {str(self._path)!r} cannot be written ({error.strerror})"
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    os.fchmod(descriptor, 0o600)  # of one that was there before, too
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _line(stream: str, found: Rejection) -> str:
    row = found.row
    return json.dumps(
        {
            "stream": stream,
            "row": row and row.number,
            "line": row and row.line,
            "column": found.column,
            "reason": found.reason,
            "record": row and row.columns(),
        },
        ensure_ascii=False,
        default=str,
    )


def sentences(rejected: Iterable[tuple[str, Rejection]]) -> Iterable[str]:
    """Yield a sentence for each reason for which rows of a stream were rejected."""
    rows: dict[tuple[str, str], list[str]] = {}
    for stream, found in rejected:
        numbers = rows.setdefault((stream, found.reason), [])
        numbers.append(str(found.row.number) if found.row else "")
    for (stream, reason), numbers in rows.items():
        known = [number for number in numbers if number]
        shown = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "")  # noqa: PLR2004
        where = f" (row {shown})" if shown else ""
        yield f"{stream}: {len(numbers)} rejected{where}: {reason}"
