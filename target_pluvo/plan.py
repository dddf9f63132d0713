"""The plan: what a run would do, in words that a person reads and approves by its digest."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError
from pluvo_singer.rejects import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_pluvo.changes import Change, Results

_USUAL = ("created", "updated", "unchanged", "archived", "removed", "rejected")
_RARE = ("adopted", "renumbered", "restored", "undecided")
_CHANGES, _DIGEST = "Changes:", "digest: "
_ROW = re.compile(r" \(row \d+\)$")
_ADDRESS = re.compile(r"<.*?>")
_MOST_SHOWN = 10
_DIGITS = 16


def table(results: Mapping[str, Results]) -> list[str]:
    """Return a table of outcomes by stream, line by line; rare ones only where there are any."""
    numbers = {name: found.numbers() for name, found in results.items()}
    total = sum(numbers.values(), Counter[str]())
    columns = (*_USUAL, *(name for name in _RARE if total[name]))
    width = max(map(len, ("stream", *numbers)))
    return [
        f"{'stream':<{width}}" + "".join(f"{name:>11}" for name in columns),
        *(
            f"{name:<{width}}" + "".join(f"{found[column]:>11}" for column in columns)
            for name, found in numbers.items()
        ),
    ]


class Plan:
    """The changes of a run, in an order that is not that of the rows.

    `address` is that of the organization: a plan for one is none for another.
    """

    def __init__(self, address: str, changes: Iterable[Change]) -> None:
        self._address = address
        self._changes = sorted(changes, key=lambda change: change.in_words())
        self.lines = [change.in_words() for change in self._changes]
        self.digest = _digest([address, *self.lines])

    def write(self, path: str, tables: Sequence[str]) -> None:
        """Write the plan to a file that only its owner can read.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        numbered = [
            line + (f" (row {change.rows[0].number})" if change.rows else "")
            for change, line in zip(self._changes, self.lines, strict=True)
        ]
        head = [f"Plan for {self._address}", "", *tables, "", _CHANGES]
        text = "\n".join([*head, *numbered, "", _DIGEST + self.digest, ""])
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_private(Path(path), text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            msg = f"setting `plan`: cannot write {path!r} ({error.strerror})"
            raise ConfigurationError(msg) from error

    def check_approved(self, digest: str, path: str) -> None:
        """Check that this is the plan that was approved.

        Raises:
            ConfigurationError: it is not; says what differs from the plan in the file, if that is
                the approved one.
        """
        if digest.strip() == self.digest:
            return
        msg = (
            f"setting `approved_plan`: this run's plan is another one ({self.digest}), so nothing "
            "was written: run with `dry_run`, and approve the new plan"
        )
        raise ConfigurationError("\n".join([msg, *self._differences(digest, path)]))

    def _differences(self, digest: str, path: str) -> Iterable[str]:
        """Yield what differs, without names and addresses, which stand in the file only."""
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, ValueError):
            text = ""
        if f"\n{_DIGEST}{digest.strip()}\n" not in text:
            yield f"what differs is not known: {path!r} (setting `plan`) is not the approved plan"
            return
        written = text.partition(f"\n{_CHANGES}\n")[2].partition("\n\n")[0].splitlines()
        approved = {_ROW.sub("", line) for line in written}
        mine = set(self.lines)
        for word, lines in (("no longer in it", approved - mine), ("new in it", mine - approved)):
            if lines:
                yield f"{len(lines)} changes are {word}: {_short(lines)}"


def _short(lines: Iterable[str]) -> str:
    """Return changes without their values; an address stands in the file only."""
    short = sorted({_ADDRESS.sub("(an address)", line.partition(";")[0]) for line in lines})
    return ", ".join(short[:_MOST_SHOWN]) + (", ..." if len(short) > _MOST_SHOWN else "")


def _digest(lines: Iterable[str]) -> str:
    text = "\n".join(lines).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
