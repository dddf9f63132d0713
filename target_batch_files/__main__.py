"""The command `target-batch-files`."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS_WITHOUT_ROWS = {"SCHEMA", "ACTIVATE_VERSION"}


class FailedError(Exception):
    """The messages cannot be taken; the text says why, and what to do."""


class Folder:
    """The folder that files are moved into."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # By the clock on the wall, as target-jsonl has it; the run makes the names unique.
        self._run = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}"
        self._number = 0
        path.mkdir(parents=True, exist_ok=True)

    def take(self, stream: str, address: str) -> None:
        """Move a file that the tap has written; the name says in which order they came."""
        self._number += 1
        name = f"{stream}-{self._run}-{self._number:06}.jsonl"
        Path(unquote(urlsplit(address).path)).rename(self._path / name)


def load(messages: Iterable[str], folder: Folder) -> None:
    """Take the files of all messages, and write each state after those that came before it.

    Raises:
        FailedError: a message brings rows in another way.
        OSError: a file cannot be moved.
    """
    for line in messages:
        message: dict[str, Any] = json.loads(line)
        kind = message["type"]
        if kind == "BATCH":
            if message["encoding"].get("compression") not in {None, "none"}:
                text = "the files are compressed: set `batch_config.encoding.compression` to none"
                raise FailedError(text)
            for address in message["manifest"]:
                folder.take(message["stream"], address)
        elif kind == "STATE":
            sys.stdout.write(json.dumps(message["value"]) + "\n")
            sys.stdout.flush()
        elif kind not in KINDS_WITHOUT_ROWS:
            text = (
                f"a {kind} message came, and this target takes files: set the tap's `batch_config`"
            )
            raise FailedError(text)


def main() -> None:
    """Read messages from standard input, as Singer targets do."""
    parser = argparse.ArgumentParser(prog="target-batch-files", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help='{"destination_path": "..."}')
    config = json.loads(parser.parse_args().config.read_text("utf-8"))
    if not config.get("destination_path"):
        parser.error("the setting `destination_path` is missing: the folder to move files into")
    try:
        load(sys.stdin, Folder(Path(config["destination_path"])))
    except (FailedError, OSError) as error:
        sys.exit(f"target-batch-files: {error}")


if __name__ == "__main__":
    main()
