"""Where the SDK puts the rows of a stream: they are kept until all have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from singer_sdk.sinks import Sink
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.sinks.core import BaseJSONSchemaValidator
    from singer_sdk.target_base import Target


class Keeps(Protocol):
    """A target that keeps rows until all have come."""

    def keep(self, stream: str, record: dict[str, Any]) -> None:
        """Keep a row."""


class PluvoSink(Sink):
    """Hands rows on. Nothing is written before the last one has come and all were compared."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._keeper = cast("Keeps", target)

    @override
    def setup(self) -> None:
        """Check that the columns are there by which the stream's rows are told apart.

        Raises:
            ConfigurationError: one is not.
        """
        super().setup()
        columns = self.schema["properties"]
        missing = [
            " or ".join(f"`{name}`" for name in names)
            for names in STREAMS[self.stream_name].keys
            if not any(name in columns for name in names)
        ]
        if missing:
            msg = (
                f"stream {self.stream_name} lacks the column {' and '.join(missing)}: select it in "
                "the tap, or give it with a stream map. Nothing was written"
            )
            raise ConfigurationError(msg)

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """Keep `_sdc_deleted_at`, which says that a row is gone from its source."""
        return True

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """Leave it to the comparison: the SDK's would show values in the log."""
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Leave values as they are: a wrong one concerns its row, not the run."""
        return record

    @property
    @override
    def is_full(self) -> bool:
        """Never be full: limits are checked against all changes."""
        return False

    @override
    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:
        """Keep a row."""
        self._keeper.keep(self.stream_name, record)

    @override
    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing: all streams are written together in the end."""

    @override
    def activate_version(self, new_version: int) -> None:
        """Do nothing: who is not in the data is left alone, except by `membership_mode`."""


class DroppedSink(PluvoSink):
    """Stands for a stream that a stream map drops: no row of it comes."""

    @override
    def setup(self) -> None:
        """Check nothing."""


def no_such_stream(name: str) -> ConfigurationError:
    """Return the error about a stream that cannot be written."""
    msg = (
        f"stream {name} is none that this target writes ({', '.join(STREAMS)}): leave it out in "
        "the tap's catalog or with the stream map null, or rename it with `__alias__`. Nothing "
        "was written"
    )
    return ConfigurationError(msg)
