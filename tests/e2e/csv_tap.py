"""Stands for tap-csv, which is on no package index: takes its settings, gives rows as it does.

Every column is a text; every run gives all rows.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk.typing import (
    ArrayType,
    ObjectType,
    PropertiesList,
    Property,
    StringType,
)
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class CsvStream(Stream):
    """The rows of a file."""

    def __init__(  # noqa: PLR0913 - the settings of a file
        self,
        tap: Tap,
        entity: str,
        path: str,
        keys: Sequence[str],
        *,
        delimiter: str = ",",
        encoding: str = "utf-8",
    ) -> None:
        with Path(path).open(encoding=encoding, newline="") as file:
            head, *rows = csv.reader(file, delimiter=delimiter)
        # As tap-csv does it: a line that was cut lacks columns, and an empty one has none.
        self._rows = [dict(zip(head, row, strict=False)) for row in rows]
        columns = PropertiesList(*(Property(name, StringType) for name in head))
        super().__init__(tap, columns.to_dict(), entity)
        self.primary_keys = keys

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        yield from self._rows


class CsvTap(Tap):
    """Reads CSV files."""

    name = "tap-csv"
    config_jsonschema: ClassVar[dict[str, Any]] = PropertiesList(
        Property(
            "files",
            ArrayType(
                ObjectType(
                    Property("entity", StringType),
                    Property("path", StringType),
                    Property("keys", ArrayType(StringType)),
                    Property("delimiter", StringType),
                    Property("encoding", StringType),
                )
            ),
            required=True,
        )
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [CsvStream(self, **file) for file in self.config["files"]]


if __name__ == "__main__":
    CsvTap.cli()
