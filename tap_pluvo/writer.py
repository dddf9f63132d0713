"""Messages to standard output, many records in one write.

The SDK's writer flushes after each message. Every flush lets another thread run, and this one then
waits for its turn: with several workers that costs more than making the records. Records are only
held back until the next other message, so a STATE never overtakes what it speaks of, and until
their stream ends. After a write that failed nothing more is written: a STATE must not follow
records that were lost.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message

    from tap_pluvo.batches import BatchFiles

CHUNK = 1 << 18  # bytes; a few pages


class ChunkWriter(MsgSpecWriter):
    """Writes records in chunks, or to `batches`, and everything else at once."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: BatchFiles | None = None
        self._buffer = bytearray()
        self._writing = False
        self._exit_code: int | None = None
        self._failure: OSError | None = None

    @override
    def write_message(self, message: Message) -> None:
        """Write a message, or keep it for the next write.

        Raises:
            OSError: it cannot be written, or an earlier write failed.
        """
        if self._failure is not None:
            raise self._failure
        try:
            if self.batches is None:
                self._put(message)
            elif isinstance(message, RecordMessage):
                if (batch := self.batches.add(message)) is not None:
                    self._put(batch)
            else:
                self._put_batches()
                self._put(message)
        except OSError as error:
            self._failure = error
            raise

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            OSError: it cannot be written, or an earlier write failed.
        """
        if self._failure is not None:
            raise self._failure
        try:
            self._put_batches()
            self._write()
        except OSError as error:
            self._failure = error
            raise

    def _put_batches(self) -> None:
        if self.batches is not None:
            for batch in self.batches.finish():
                self._put(batch)

    def _put(self, message: Message) -> None:
        encoder.encode_into(message.to_dict(), self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= CHUNK or not isinstance(message, RecordMessage):
            self._write()

    def _write(self) -> None:
        chunk, self._buffer = memoryview(self._buffer), bytearray()
        self._writing = True
        try:
            while chunk:  # without a buffer (PYTHONUNBUFFERED), a signal ends a write half-way
                chunk = chunk[sys.stdout.buffer.write(chunk) :]
            sys.stdout.buffer.flush()
        finally:
            self._writing = False
            if self._exit_code is not None:
                os._exit(self._exit_code)

    def leave(self, code: int) -> None:
        """End the process, from the handler of a signal: at once, but never within a line.

        While lines are being written, it ends after them; asked once more, at once all the same,
        since a target that hangs takes no more.
        """
        if not self._writing or self._exit_code is not None:
            os._exit(code)
        self._exit_code = code
