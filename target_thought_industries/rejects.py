"""The file of rejected rows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pluvo_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWNER_ONLY = 0o600


class Rejects:
    """JSON lines with stream, reason and row; only their owner can read them.

    Raises:
        ConfigurationError: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
            os.fchmod(descriptor, _OWNER_ONLY)  # of a file that was there before, too
        except OSError as error:
            msg = f"setting `rejects`: the file {path!r} cannot be written ({error.strerror})"
            raise ConfigurationError(msg) from error
        self._file: IO[str] = os.fdopen(descriptor, "w", encoding="utf-8")

    def write(self, stream: str, reason: str, row: Mapping[str, Any]) -> None:
        """Add a row."""
        line = {"stream": stream, "reason": reason, "record": dict(row)}
        self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
