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
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from uuid import NAMESPACE_DNS, uuid5

from tap_pluvo.connection import CountQuestion, Reading
from tap_pluvo.query import Enum
from tap_pluvo.stream import PluvoStream, ahead
from tap_pluvo.values import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_pluvo.connection import Connection
    from tap_pluvo.contract import Contract
    from tap_pluvo.query import Plan, Record

NAMESPACE = uuid5(NAMESPACE_DNS, "pluvo.com")
DAY = dt.timedelta(days=1)


class Window(NamedTuple):
    """Days of completion, both inclusive; None: without bound.

    `undated` tells whether rows in progress belong to it too.
    """

    start: dt.date | None
    end: dt.date | None
    undated: bool

    def holds(self, day: str | None) -> bool:
        """Tell whether a row completed on `day` (ISO 8601) belongs to the window."""
        if day is None:
            return True
        after = self.start is None or self.start.isoformat() <= day
        return after and (self.end is None or day <= self.end.isoformat())


class ReportStream(PluvoStream):
    """A stream that is read from `portfolioReport`."""

    node = "portfolioReport.edges.node"
    scopes = ("trainings.read",)
    needs = ("user_id", "title", "completion_date")
    type_argument: ClassVar[str] = "relatedObjectTypes"
    every_type: ClassVar[bool] = True  # whether rows of types that nobody named belong to it

    _full = False

    def types(self) -> list[str | None]:
        """Return the related object types to read; None stands for "without a type filter"."""
        raise NotImplementedError

    @property
    def own_id(self) -> bool:
        """Whether the organization's schema gives rows an identifier."""
        return self.contract.is_live and self.has(f"{self.node}.id")

    @property
    def made_of(self) -> tuple[str, ...]:
        """The columns of which a row's key is made, where it has none of its own."""
        return () if self.own_id else self.needs

    @property
    def read_everything(self) -> bool:
        """Whether the read that has just ended gave every row that the stream has."""
        return self._full and not (self.settings.start_date or self.settings.end_date)

    def read(self) -> Iterator[Record]:
        """Give everything when that is due, else what was completed since the bookmark."""
        now = dt.datetime.now(dt.UTC)
        since = self._since()
        if since is not None and since > now.date():
            self.logger.warning(
                "%s: the bookmark lies in the future, so nothing is read; remove it from the state "
                "to read the stream again",
                self.name,
            )
            return
        self._full = self._full_read_is_due(now)
        if self._full:
            yield from self._read_all()
            if self.incremental:
                self.advance(now.date().isoformat())
                self.stream_state["full_read_at"] = now.isoformat(timespec="seconds")
        else:
            yield from self._read_windows(since, now.date())

    def _since(self) -> dt.date | None:
        """Return the first day that an incremental run reads."""
        if self.incremental and self.bookmark:
            bookmark = dt.date.fromisoformat(self.bookmark[:10])
            return bookmark - dt.timedelta(days=self.settings.lookback_days)
        return self.settings.start_date

    def _full_read_is_due(self, now: dt.datetime) -> bool:
        settings = self.settings
        argument = "completionDateFrom"
        if not self.incremental or not self.contract.accepts(self.root, argument):
            return True
        if settings.end_date:
            return False  # a backfill by range
        if not self.bookmark and not settings.start_date:
            return True
        last = self.stream_state.get("full_read_at")
        interval = dt.timedelta(days=settings.full_refresh_days)
        return bool(interval) and (
            last is None or now - dt.datetime.fromisoformat(moment(last)) >= interval
        )

    def _read_all(self) -> Iterator[Record]:
        self.logger.info("%s: reading everything, rows in progress included", self.name)
        settings = self.settings
        whole = (
            Window(settings.start_date, settings.end_date, undated=True)
            if self.incremental
            else Window(None, None, undated=True)
        )
        yield from self._read_each([Window(None, None, undated=True)], whole.holds)

    def _read_windows(self, since: dt.date | None, today: dt.date) -> Iterator[Record]:
        """Give completions window by window; the last one has no end unless `end_date` sets it."""
        end = self.settings.end_date
        yield from self._read_each(windows(since, end, today, self.settings.window_days), None)

    def _read_each(
        self, all_windows: list[Window], wanted: Callable[[str | None], bool] | None
    ) -> Iterator[Record]:
        plan = self.plan()
        types = self.types()
        untyped = self._misses_types(all_windows, types)
        readings = (self._reading(window, types, plan) for window in all_windows)
        for window, reading in zip(
            all_windows, ahead(readings, self.fetcher.concurrency), strict=True
        ):
            holds = wanted or window.holds
            typed: Counter[str] = Counter()
            for record, number in self.rows(reading):
                if untyped:
                    typed[_natural_key(record)] += 1
                if holds(record["completion_date"]):
                    yield self._identified(record, number)
            if untyped:
                yield from self._read_untyped(window, plan, typed, holds)
            if not window.undated:
                today = dt.datetime.now(dt.UTC).date()
                self.advance(min(window.end or today, today).isoformat())
                self.checkpoint()

    def _reading(self, window: Window, types: list[str | None], plan: Plan) -> Reading:
        key = (lambda record: str(record["id"])) if self.own_id else _typed_key
        return Reading(
            self.reader(key, repeats=not self.own_id),
            [self._connection(window, kind, plan) for kind in types],
        )

    def _connection(self, window: Window, kind: str | None, plan: Plan) -> Connection:
        arguments = dict(self.filters())
        if kind is not None:
            arguments[self.type_argument] = [Enum(kind)]
        if not window.undated:
            if window.start:
                arguments["completionDateFrom"] = (window.start - DAY).isoformat()
            if window.end:
                arguments["completionDateTo"] = (window.end + DAY).isoformat()

        def shape(node: Record) -> Record:
            record = plan.record(node)
            record["related_object_type"] = kind
            return record

        selection = ("id " if self.own_id else "") + plan.selection
        return self.connection(self.root, selection, arguments, shape)

    def _misses_types(self, all_windows: list[Window], types: list[str | None]) -> bool:
        """Tell whether the report has rows of types that the documents do not name.

        One request settles it, and none is needed where the live schema names the types.
        """
        if not self.every_type or self.contract.is_live or None in types or not all_windows:
            return False
        if not self.has(f"{self.root}.count"):
            return False
        plan = self.plan()
        span = Window(all_windows[0].start, all_windows[-1].end, all_windows[0].undated)
        counts = self.fetcher.ask(
            *(CountQuestion(self._connection(span, kind, plan)) for kind in (None, *types))
        ).all()
        total, *parts = (count or 0 for count in counts)
        return total > sum(parts)

    def _read_untyped(
        self,
        window: Window,
        plan: Plan,
        typed: Counter[str],
        holds: Callable[[str | None], bool],
    ) -> Iterator[Record]:
        """Give the rows that reading by type did not give, with a null type."""
        for record, _ in self.rows(self._reading(window, [None], plan)):
            natural = _natural_key(record)
            typed[natural] -= 1
            if typed[natural] < 0 and holds(record["completion_date"]):
                yield self._identified(record, -typed[natural] - 1)

    def _identified(self, record: Record, number: int) -> Record:
        if not self.own_id:
            suffix = f"\x1f{number}" if number else ""
            record["id"] = str(uuid5(NAMESPACE, _typed_key(record) + suffix))
        if "related_object_type" not in self.columns:
            del record["related_object_type"]
        return record


def windows(since: dt.date | None, end: dt.date | None, today: dt.date, days: int) -> list[Window]:
    """Return the windows from `since` to `end`, or to `today`; what lies beyond is in the last."""
    last = min(end or today, today)
    if since is None:
        return [Window(None, end, undated=False)]
    found = []
    while since <= last:
        stop = since + dt.timedelta(days=days - 1)
        found.append(Window(since, stop if stop < last else end, undated=False))
        since = stop + DAY
    return found


def _natural_key(record: Record) -> str:
    """Return what tells one result from another, as far as the documents show it."""
    return "\x1f".join(str(record[name] or "") for name in ("user_id", "title", "completion_date"))


def _typed_key(record: Record) -> str:
    return f"{record['related_object_type'] or ''}\x1f{_natural_key(record)}"


class PortfolioReport(ReportStream):
    """Every row of the report, of all types."""

    name = "portfolio_report"

    def types(self) -> list[str | None]:
        """Return all types that the schema names."""
        return [*self.contract.values(self.root, self.type_argument)] or [None]


class IssuedCertificates(ReportStream):
    """Certificates that users hold or held: the report's rows of type CERTIFICATE."""

    name = "issued_certificates"
    every_type = False

    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why certificates cannot be asked for, or None if they can."""
        root = cls.node.split(".", 1)[0]
        if "CERTIFICATE" not in contract.values(root, cls.type_argument):
            return f"the organization's schema lacks `{root}({cls.type_argument}: [CERTIFICATE])`"
        return super().unavailable(contract)

    def types(self) -> list[str | None]:
        """Return the one type."""
        return ["CERTIFICATE"]
