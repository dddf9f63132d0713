"""The target: its settings, its streams, and what it does with their rows."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_singer.target import RowTarget
from target_pluvo.run import Run
from target_pluvo.settings import PROGRAM, SCHEMA, Settings
from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from pluvo_singer.rows import Incoming, Row


class TargetPluvo(RowTarget):
    """Singer target for Pluvo, a learning management system: users, groups, certificates."""

    name = PROGRAM
    # A copy, since the SDK adds settings of its own to it.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    streams: ClassVar = {name: stream.keys for name, stream in STREAMS.items()}
    _run: Run | None = None

    @override
    def check_settings(self) -> None:
        """Check the settings against each other.

        Raises:
            ConfigurationError: something is wrong.
        """
        Settings.from_config(self._config)

    @override
    def finish(self, incoming: Incoming) -> Sequence[Row] | None:
        """Write everything, and return the rows that may not be in Pluvo; None after a dry run."""
        self._run = Run(Settings.from_config(self._config), incoming)
        unfinished = self._run()
        self.succeeded = self._run.succeeded
        return unfinished

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End the run between two requests: what is done is done, and the next run sees it."""
        if self._run is not None:
            self._run.stop()
        super()._handle_termination(signum, frame)
