"""What a run leaves behind: the file of rejected rows, and the table at its end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_pluvo.changes import Results
    from target_pluvo.rows import Row

_START = b'{"stream": "'  # of every line in the file
_COLUMNS = ("created", "updated", "unchanged", "archived", "removed", "rejected")


class Rejects:
    """The file of rejected rows; there is none as long as there are no such rows."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._remove_earlier()
        except OSError as error:
            raise self._failed(error) from error

    def _remove_earlier(self) -> None:
        """Remove the file of an earlier run.

        Raises:
            ConfigurationError: it is a file of something else.
        """
        with self._path.open("rb") as file:
            start = file.read(len(_START))
        if start != _START:
            msg = f"setting `rejects`: {str(self._path)!r} holds something else: name another file"
            raise ConfigurationError(msg)
        self._path.unlink()

    def write(self, results: Mapping[str, Results]) -> None:
        """Write all rejected rows, each with the reason."""
        lines = [
            json.dumps(
                {"stream": name, "row": row and row.number, "reason": reason}
                | {"record": row and row.columns()},
                ensure_ascii=False,
                default=str,
            )
            for name, found in results.items()
            for row, reason in found.rejected
        ]
        if not lines:
            return
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"setting `rejects`: the file {str(self._path)!r} cannot be written ({error.strerror})"
        )


def table(results: Mapping[str, Results]) -> list[str]:
    """Return the closing table, line by line."""
    rows = [(name, found.numbers()) for name, found in results.items()]
    width = max([len("stream"), *(len(name) for name, _ in rows)])
    head = f"{'stream':<{width}}" + "".join(f"{name:>11}" for name in _COLUMNS)
    return [
        head,
        *(
            f"{name:<{width}}" + "".join(f"{numbers[column]:>11}" for column in _COLUMNS)
            for name, numbers in rows
        ),
    ]


def reasons(results: Mapping[str, Results]) -> Iterable[str]:
    """Give a sentence for each reason for which rows were rejected."""
    for name, found in results.items():
        rows: dict[str, list[Row | None]] = {}
        for row, reason in found.rejected:
            rows.setdefault(reason, []).append(row)
        for reason, of_reason in rows.items():
            numbers = [str(row.number) for row in of_reason if row is not None]
            shown = ", ".join(numbers[:5]) + (", ..." if len(numbers) > 5 else "")  # noqa: PLR2004
            where = f" (row {shown})" if shown else ""
            yield f"{name}: {len(of_reason)} rejected{where}: {reason}"
