"""Many small lists (the members of each group) read side by side, several in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.errors import IncompleteError
from pluvo_client.outcome import ListOutcome
from pluvo_client.reading.connection import Page
from pluvo_client.reading.fetcher import Vanished
from pluvo_client.reading.list_reading import ListReading
from pluvo_client.reading.root_fields import RootField

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pluvo_client.reading.connection import Connection
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.schema.selection import Record


class NestedOutcome(NamedTuple):
    """How lists were read; the objects of which `vanished` are fields were gone meanwhile."""

    lists: ListOutcome
    vanished: Sequence[RootField[Page]]


def read_nested(
    plan: ReadPlan, connections: Sequence[tuple[Connection, Page | None]]
) -> Generator[tuple[int, list[Record]], None, NestedOutcome]:
    """Read connections to their end; those that have a first page already, from there.

    Yields the records as they come, page by page: the place of their connection among
    `connections`, and the records. An object that vanished meanwhile has no more of them.

    Raises:
        IncompleteError: nothing proves that all rows of a connection were read.
    """
    lists = [_NestedList(plan, connection) for connection, _ in connections]
    pages: list[Page | None] = [page for _, page in connections]
    vanished = list[RootField[Page]]()
    running = [place for place, page in enumerate(pages) if page or not plan.sample]
    while running:
        answers = plan.fetcher.ask_many(
            [lists[place].field for place in running if pages[place] is None]
        )
        for place in running:
            page, pages[place] = pages[place], None
            answer = next(answers) if page is None else page
            if isinstance(answer, Vanished):
                vanished.append(lists[place].field)
                lists[place].outcome = ListOutcome(counted=0)
            elif records := lists[place].take(answer):
                yield place, records
        running = [place for place in running if lists[place].outcome is None]
    if failed := next((item.failed for item in lists if item.failed), None):
        raise failed
    outcomes = (item.outcome for item in lists if item.outcome is not None)
    return NestedOutcome(sum(outcomes, ListOutcome(counted=0)), vanished)


class _NestedList:
    """The reading of one list: what to ask for next, or at the end its outcome."""

    def __init__(self, plan: ReadPlan, connection: Connection) -> None:
        self._steps = ListReading(plan, [connection]).steps()
        self.field: RootField[Page] = next(self._steps).fields[0]
        self.outcome: ListOutcome | None = None
        self.failed: IncompleteError | None = None

    def take(self, page: Page) -> list[Record]:
        """Take the answer to `field`, and return the records that are new."""
        records: list[Record] = []
        answers: list[Any] = [page]
        while True:
            try:
                step = self._steps.send(answers)
            except StopIteration as end:
                self.outcome = end.value
                return records
            except IncompleteError as error:
                self.failed, self.outcome = error, error.outcome
                return records
            records += [record for record, _ in step.rows]
            if step.fields:
                (self.field,) = step.fields
                return records
            answers = []
