"""BATCH messages: records in files, which targets load without looking at each of them.

The SDK would fill its files with what a stream reads, before selection and stream maps. These hold
what would otherwise be RECORD messages, and whatever comes between records waits until the files of
those before it are written and announced: so a STATE never overtakes what it speaks of.

The files are removed by whoever takes them, or by the next run: nobody tells a tap when its target
has read them.
"""

from __future__ import annotations

import fcntl
import gzip
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from singer_sdk.contrib.msgspec import encoder
from singer_sdk.helpers._batch import BaseBatchFileEncoding, SDKBatchMessage

from pluvo_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.singerlib import Message, RecordMessage

FILE_BYTES = 1 << 23  # about 10,000 users; targets have a file in memory, several times as large
PREFIX = "tap-pluvo-"


class BatchFiles:
    """Turns records into files in a folder, and into messages that name them."""

    def __init__(self, folder: Path, compression: str) -> None:
        self._folder = folder
        self._encoding = BaseBatchFileEncoding(format="jsonl", compression=compression)
        self._rows: dict[str, bytearray] = {}
        self._run = f"{PREFIX}{secrets.token_hex(8)}"
        self._number = 0

    @classmethod
    def begin(cls, config: Mapping[str, Any]) -> Self:
        """Return the files of a run by `batch_config`, and remove those of earlier runs.

        Raises:
            ConfigurationError: the folder cannot be used, or another run is using it.
        """
        encoding = config.get("encoding") or {}
        folder = _folder(config["storage"]["root"])
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Held until the process ends.
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in folder.glob(f"{PREFIX}*"):
                path.unlink()
        except BlockingIOError:
            msg = (
                f"setting `batch_config.storage.root`: another run is writing to {folder}: "
                "wait for its end, or give each pipeline a folder of its own"
            )
            raise ConfigurationError(msg) from None
        except OSError as error:
            msg = f"setting `batch_config.storage.root`: {folder}: {error.strerror}"
            raise ConfigurationError(msg) from None
        return cls(folder, encoding.get("compression") or "none")

    def add(self, message: RecordMessage) -> Message | None:
        """Keep a record; return the message of its file, if that is full."""
        rows = self._rows.get(message.stream)
        if rows is None:
            rows = self._rows[message.stream] = bytearray()
        # A target adds these to RECORD messages itself, and has nothing else to know them from.
        row = {**message.record, "_sdc_extracted_at": message.time_extracted}
        if message.version is not None:
            row["_sdc_table_version"] = message.version
        encoder.encode_into(row, rows, -1)
        rows += b"\n"
        return self._written(message.stream) if len(rows) >= FILE_BYTES else None

    def finish(self) -> Iterator[Message]:
        """Give the messages of all records that have come so far."""
        for stream in list(self._rows):
            yield self._written(stream)

    def _written(self, stream: str) -> SDKBatchMessage:
        """Write the rows of a stream to a file that only its owner can read."""
        rows = self._rows[stream]
        self._number += 1
        compressed = self._encoding.compression == "gzip"
        suffix = ".jsonl.gz" if compressed else ".jsonl"
        path = self._folder / f"{self._run}-{self._number:06}{suffix}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(gzip.compress(rows, compresslevel=1) if compressed else rows)
        del self._rows[stream]
        return SDKBatchMessage(stream=stream, encoding=self._encoding, manifest=[path.as_uri()])


def _folder(root: str) -> Path:
    """Return the folder that a path or a `file:` address names.

    Raises:
        ConfigurationError: it is somewhere else.
    """
    address = urlsplit(root)
    if not address.scheme:
        return Path(root).absolute()
    if address.scheme == "file" and address.netloc in {"", "localhost"}:
        return Path(unquote(address.path)).absolute()
    msg = "setting `batch_config.storage.root` must be a folder on this machine"
    raise ConfigurationError(msg)
