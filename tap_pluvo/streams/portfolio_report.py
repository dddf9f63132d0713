"""The portfolio report: progress, completions and issued certificates.

The documents (page `common-recipes`) show no identifier of a row, no modification time, and one
filter on days of completion. Hence:

- a row's key is computed from what it says, with a running number for equal rows;
- completions are read in windows of days, each a checkpoint; whether the ends of the filter are
  inclusive is not documented, so each window asks for a day more on both sides and drops those;
- rows in progress have no day of completion, so every `full_refresh_days` everything is read.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from pluvo_client.errors import PluvoError, SchemaDifferenceError
from pluvo_client.reading.by_days import DayFilter, Days
from pluvo_client.reading.key_set import KeySet
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.root_fields import CountField
from pluvo_client.schema.documents import Enum
from pluvo_client.schema.selection import identifier
from pluvo_client.schema.values import moment
from tap_pluvo.report_keys import (
    DETAILS,
    day_of,
    detail_fields,
    details_of,
    former_key,
    key_of_row,
    natural_key,
    typed_key,
)
from tap_pluvo.stream import PluvoStream, prefetch
from tap_pluvo.told_days import ToldDays
from tap_pluvo.windows import EVERYTHING, Window, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from pluvo_client.reading.connection import Connection
    from pluvo_client.reading.row_collector import Row
    from pluvo_client.schema.contract import Contract
    from pluvo_client.schema.selection import Record, Selection
    from tap_pluvo.bookmark import Bookmark
    from tap_pluvo.settings import Settings

TYPES = "relatedObjectTypes"  # the argument that filters by type
GROUPS = "userGroupIds"  # the argument that filters by groups of the users
DAYS = ("completionDateFrom", "completionDateTo")  # those that filter by day


def first_day(settings: Settings, bookmark: Bookmark | None) -> dt.date | None:
    """Return the first day of completion to read; None: there is no first one.

    A range is read whatever the bookmark, from where an earlier run of the same range broke off.
    """
    start, lookback = settings.start_date, dt.timedelta(days=settings.lookback_days)
    if settings.end_date:
        read_to = bookmark.range_read_to(start, settings.end_date) if bookmark else None
        return start if read_to is None or start is None else max(start, read_to - lookback)
    if bookmark and bookmark.value:
        return dt.date.fromisoformat(bookmark.value[:10]) - lookback
    return start


def full_read_is_due(settings: Settings, bookmark: Bookmark, now: dt.datetime) -> bool:
    """Tell whether an incremental run has to read everything, rows in progress included."""
    if settings.end_date:
        return False  # a backfill by range
    if not bookmark.value and not settings.start_date:
        return True
    interval = dt.timedelta(days=settings.full_refresh_days)
    last = bookmark.full_read_at
    return bool(interval) and (last is None or now - last >= interval)


class ReportStream(PluvoStream):
    """A stream that is read from `portfolioReport`, by type of related object."""

    node = "portfolioReport.edges.node"
    scopes = ("trainings.read",)
    required_columns = ("user_id", "title", "completion_date")
    every_type: ClassVar[bool] = True  # whether rows of types that nobody named belong to it

    _full = False

    def types(self) -> list[str | None]:
        """Return the related object types to read; None stands for "without a type filter"."""
        raise NotImplementedError

    @property
    def has_own_id(self) -> bool:
        """Whether the organization's schema gives rows an identifier."""
        return self.contract.is_live and self.contract.has(f"{self.node}.id")

    @property
    @override
    def key_sources(self) -> tuple[str, ...]:
        """The columns that a row's key is made of, where it has none of its own."""
        return () if self.has_own_id else self.required_columns

    @property
    @override
    def reads_all(self) -> bool:
        """Whether this run is to give every row, and not only those of the dates that are set."""
        dated = self.settings.start_date or self.settings.end_date
        return self.looks_at_all and not (self.incremental and dated)

    @property
    @override
    def looks_at_all(self) -> bool:
        """Whether this run goes through the whole report."""
        return not self.incremental or self._full

    @property
    @override
    def counted(self) -> int | None:
        """The count of the report, where all of it is read."""
        return self.progress.expected if self.reads_all else None

    # What is due

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        """Give everything when that is due, else what was completed since the bookmark."""
        now, settings = self.session.started, self.settings
        told = self._told()
        self._full = self._reads_everything(now) or (told is not None and told.missed)
        if self._full:
            yield from self._read_all()
            if self.incremental:
                self._note_days(settings.start_date, settings.end_date)
                self._advance(self._last_day(settings.end_date))
                if not settings.end_date:
                    self.bookmark.note_full_read(now)
            if told:
                told.note_read()
            return
        since = first_day(settings, self.bookmark)
        due = windows(since, settings.end_date, now.date(), settings.window_days)
        if not due:
            self.say_once("`start_date` lies in the future, so nothing is read")
        if told:
            yield from self._read_each(told.windows(settings.start_date, since), None)
        yield from self._read_each(due, None)
        if told:
            told.note_read()

    def _told(self) -> ToldDays | None:
        """Return what webhooks told, unless there are none, or a range is to be read."""
        if not (self.settings.webhook_inbox and self.incremental) or self.settings.end_date:
            return None
        return ToldDays(self.session.event_log, self.name, self.stream_state)

    def _last_day(self, end: dt.date | None) -> dt.date:
        """Return the last day of which a read up to `end` gave the rows: today at the latest.

        Today is the day on which the run began, and so asked, not the one on which it ended.
        """
        today = self.session.started.date()
        return min(end or today, today)

    def _advance(self, day: dt.date) -> None:
        """Move the bookmark to `day`, unless what was read leaves a gap after it."""
        start = self.settings.start_date
        whole = self._full or self.settings.end_date  # else it was read from the bookmark on
        self.bookmark.advance(str(day), str(start) if whole and start else None)

    def _note_days(self, first: dt.date | None, last: dt.date | None) -> None:
        """Note that all rows of these days were given; a day is noted as its midnight."""
        self.progress.window = (
            moment(str(first)) if first else None,
            moment(str(last)) if last else None,
        )

    def _reads_everything(self, now: dt.datetime) -> bool:
        if not self.incremental or not self.contract.accepts(self.root, "completionDateFrom"):
            return True
        return full_read_is_due(self.settings, self.bookmark, now)

    def _read_all(self) -> Iterator[Sequence[Record]]:
        self.logger.info("%s: reading everything, rows in progress included", self.name)
        settings = self.settings
        whole = (
            Window(settings.start_date, settings.end_date, undated=True)
            if self.incremental
            else EVERYTHING
        )
        yield from self._read_each([EVERYTHING], whole.holds)

    # How it is read

    def _read_each(
        self, due: list[Window], wanted: Callable[[str | None], bool] | None
    ) -> Iterator[Sequence[Record]]:
        """Give the rows of windows, each of which is a checkpoint unless it has undated rows."""
        selection = self.select()
        types = self.types()
        if due:
            self._check_types_are_told_apart(types, selection)
        untyped = self._misses_types(due, types, selection)
        due_readers = ((window, self._readers(window, types, selection)) for window in due)
        for window, readers in prefetch(due_readers, self.client.fetcher.read_ahead):
            holds = wanted or window.holds
            typed: Counter[str] = Counter()
            for rows in chain.from_iterable(map(self.rows, readers)):
                if untyped:
                    self._note_typed(typed, rows)
                yield [
                    self._identified(record, number)
                    for record, number in rows
                    if holds(record["completion_date"])
                ]
            if untyped:
                yield from self._read_untyped(window, selection, typed, holds)
            if not window.undated:
                day = self._last_day(window.end)
                self._note_days(due[0].start, day)
                self._advance(day)
                if end := self.settings.end_date:
                    reached = end if window.end == end else day
                    self.bookmark.note_range(self.settings.start_date, end, str(reached))
                if window is not due[-1]:  # after the last one comes the state of the stream's end
                    self.write_checkpoint()

    def _note_typed(self, typed: Counter[str], rows: Iterable[Row]) -> None:
        """Note how many rows of a key were given: one more than the highest number."""
        for record, number in rows:
            key = record["id"] if self.has_own_id else typed_key(record)
            typed[key] = max(typed[key], number + 1)

    def _readers(
        self, window: Window, types: list[str | None], selection: Selection
    ) -> list[ListReader]:
        """Return readers of a window: of each group on its own, if the rows of several are wanted.

        Of several groups together, some servers give the rows of whoever is in two of them twice.
        """
        groups = self.filters().get(GROUPS, [])
        if len(groups) < 2:  # noqa: PLR2004
            return [self._reader(window, types, selection, {})]
        given = KeySet()
        return [
            self._reader(window, types, selection, {GROUPS: [group]}, given) for group in groups
        ]

    def _reader(
        self,
        window: Window,
        types: list[str | None],
        selection: Selection,
        more: Mapping[str, Any],
        given: KeySet | None = None,
    ) -> ListReader:
        def connections(days: Days | None = None) -> list[Connection]:
            return [self._connection(window, kind, selection, more, days) for kind in types]

        if self.has_own_id:
            plan = self.client.plan(itemgetter("id"))
            return ListReader(plan, connections(), emitted=given)
        by_day = None
        if self.contract.accepts(self.root, DAYS[0]) and self.contract.accepts(self.root, DAYS[1]):
            by_day = DayFilter(
                Days(*window.asked),
                window.undated,
                connections,
                lambda record: day_of(record["completion_date"]),
            )
        plan = self.client.plan(typed_key, repeats=True, former=former_key)
        return ListReader(plan, connections(), by_day=by_day, emitted=given)

    def _connection(
        self,
        window: Window,
        kind: str | None,
        selection: Selection,
        more: Mapping[str, Any],
        part: Days | None = None,
    ) -> Connection:
        """Return the rows of a type in a window, or in some days of it; `more` are arguments."""
        arguments = {**self.filters(), **more}
        if kind is not None:
            arguments[TYPES] = [Enum(kind)]
        asked = part or window.asked
        days = {name: str(day) for name, day in zip(DAYS, asked, strict=True) if day}

        def record(node: Record) -> Record:
            row = selection.record(node)
            row["related_object_type"] = kind
            if self.has_own_id:
                row["id"] = identifier(row)
            elif details:
                row[DETAILS] = details_of(node, details)
            if days and window.misses(row["completion_date"]) and not self.client.probes.validates:
                raise SchemaDifferenceError(
                    [self.contract.root_argument(self.root, name) for name in days]
                )
            return row

        details = detail_fields(self.contract, self.node)
        fields = " ".join([*(["id"] if self.has_own_id else details), selection.text])
        return self.client.connection(self.root, fields, arguments | days, record)

    def _identified(self, record: Record, number: int) -> Record:
        """Return a row with its key, where the API gives it none; equal rows are numbered.

        The record itself stays as it is, since it may be given once more, with another number.
        """
        row = dict(record)
        if not self.has_own_id:
            row["id"] = key_of_row(record, number)
            row.pop(DETAILS, None)
        if "related_object_type" not in self.columns:
            del row["related_object_type"]
        return row

    # Types that the documents do not name, or that the server does not tell apart

    def _misses_types(
        self, due: list[Window], types: list[str | None], selection: Selection
    ) -> bool:
        """Tell whether the report has rows of types that the schema does not name.

        One request settles it.
        """
        if not self.every_type or None in types or not due:
            return False
        if not self.contract.has(f"{self.root}.count"):
            return False
        span = Window(due[0].start, due[-1].end, due[0].undated)
        total, *parts = self._counts(span, [None, *types], selection)
        return total > sum(parts)

    def _read_untyped(
        self,
        window: Window,
        selection: Selection,
        typed: Counter[str],
        holds: Callable[[str | None], bool],
    ) -> Iterator[Sequence[Record]]:
        """Give the rows that reading by type did not give, with a null type."""
        given: Counter[str] = Counter()
        for key, number in typed.items():
            given[key if self.has_own_id else key.partition("\x1f")[2]] += number
        readers = self._readers(window, [None], selection)
        for rows in chain.from_iterable(map(self.rows, readers)):
            found = []
            for record, number in rows:
                key = record["id"] if self.has_own_id else natural_key(record)
                if number >= given[key] and holds(record["completion_date"]):
                    found.append(self._identified(record, number - given[key]))
            yield found

    def _check_types_are_told_apart(self, types: list[str | None], selection: Selection) -> None:
        """Make sure that the filter by type has an effect, on a server that would not say.

        Raises:
            SchemaDifferenceError: it has none.
            PluvoError: that cannot be found out.
        """
        if self.client.probes.validates or None in types:
            return
        if not self.contract.has(f"{self.root}.count"):
            msg = (
                "the organization's server ignores what it does not know, and gives no count, so "
                "results cannot be told apart by type: deselect the stream, or ask Pluvo to allow "
                "introspection"
            )
            raise PluvoError(msg)
        total, *parts = self._counts(
            EVERYTHING, [None, *self.contract.values(self.root, TYPES)], selection
        )
        if total and len(parts) > 1 and set(parts) == {total}:
            raise SchemaDifferenceError([self.contract.root_argument(self.root, TYPES)])

    def _counts(self, window: Window, types: list[str | None], selection: Selection) -> list[int]:
        connections = (self._connection(window, kind, selection, {}) for kind in types)
        counts = self.client.fetcher.ask(*map(CountField, connections)).get()
        return [count or 0 for count in counts]


class PortfolioReport(ReportStream):
    """Every row of the report, of all types."""

    name = "portfolio_report"

    @override
    def types(self) -> list[str | None]:
        """Return all types that the schema names."""
        return [*self.contract.values(self.root, TYPES)] or [None]


class IssuedCertificates(ReportStream):
    """Certificates that users hold or held: the report's rows of type CERTIFICATE."""

    name = "issued_certificates"
    every_type = False

    @override
    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why certificates cannot be asked for, or None if they can."""
        root = cls.root_field()
        if "CERTIFICATE" not in contract.values(root, TYPES):
            return f"the organization's schema lacks `{root}({TYPES}: [CERTIFICATE])`"
        return super().unavailable(contract)

    @override
    def types(self) -> list[str | None]:
        """Return the one type."""
        return ["CERTIFICATE"]
