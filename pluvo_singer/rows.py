"""The rows that came in, as the targets see them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_singer.values import RejectedError, clean, key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DELETED_AT = "_sdc_deleted_at"


@dataclass(frozen=True, eq=False)
class Row:
    """A row whose values were read by `clean`.

    `place` is its number among all rows of the run, `number` that in its stream, `line` the line of
    the input that it came on; all count from 1.
    """

    stream: str
    place: int
    number: int
    line: int
    values: Mapping[str, Any]

    def key(self, *columns: str) -> str | None:
        """Return the first of some keys that is there.

        Raises:
            RejectedError: a value can be no key.
        """
        return next(
            (found for name in columns if (found := key(self.values.get(name), name))), None
        )

    def required_key(self, column: str) -> str:
        """Return a key that must be there.

        Raises:
            RejectedError: it is empty, or can be no key.
        """
        if (found := self.key(column)) is None:
            msg = f"`{column}` is empty"
            raise RejectedError(msg, column)
        return found

    @property
    def is_deleted(self) -> bool:
        """Whether the source marks the row as deleted."""
        return self.values.get(DELETED_AT) not in {None, ""}

    def columns(self) -> dict[str, Any]:
        """Return the values that were given, without the marks of taps and the SDK."""
        return {
            name: value
            for name, value in self.values.items()
            if value is not None and value != "" and not name.startswith("_sdc_")
        }


class Rejection(NamedTuple):
    """A row that was not used, and why; `column` is the one that is wrong, if it is a single one.

    Without a row, it is something that was to be done for lack of one.
    """

    row: Row | None
    reason: str
    column: str | None = None


@dataclass
class Incoming:
    """All that came in: rows by stream, and those that could not be read."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    rejected: dict[str, list[Rejection]] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    count: int = 0
    states: list[tuple[int, Any]] = field(default_factory=list)  # each with the rows before it

    def add(self, stream: str, line: int, record: Mapping[str, Any]) -> None:
        """Keep a row, or note why it cannot be read."""
        try:
            values = {name: clean(value, name) for name, value in record.items()}
        except RejectedError as error:
            self.reject(stream, line, record, error)
        else:
            row = self._row(stream, line, values)
            self.rows.setdefault(stream, []).append(row)

    def pass_over(self, stream: str) -> None:
        """Count a row that says nothing, so that the others keep their numbers."""
        self.numbers[stream] += 1

    def reject(
        self, stream: str, line: int, record: Mapping[str, Any], error: RejectedError
    ) -> None:
        """Note that a row cannot be read."""
        found = Rejection(self._row(stream, line, record), str(error), error.column)
        self.rejected.setdefault(stream, []).append(found)

    def _row(self, stream: str, line: int, values: Mapping[str, Any]) -> Row:
        self.count += 1
        self.numbers[stream] += 1
        return Row(stream, self.count, self.numbers[stream], line, values)

    def last_state(self, unfinished: Sequence[Row]) -> Any:
        """Return the last state before which every row is finished, or None."""
        first = min((row.place for row in unfinished), default=self.count + 1)
        found = [state for number, state in self.states if number < first]
        return found[-1] if found else None
