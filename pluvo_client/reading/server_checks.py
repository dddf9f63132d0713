"""Arguments that a server takes and does nothing with: noticed by what comes back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pluvo_client.errors import QueryError, SchemaDifferenceError
from pluvo_client.reading.connection import ARCHIVED
from pluvo_client.reading.root_fields import AnythingField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.reading.root_fields import PageField

BEYOND_ANY_END = 1_000_000_000  # an offset at which no list has rows


def halves_are_equal(
    plan: ReadPlan, connections: Sequence[Connection], pages: Sequence[Page]
) -> bool:
    """Tell whether archived rows and the others are the same: the second half has all.

    The argument has no effect, or means "archived ones, too" and there are none.
    """
    if len(pages) != 2 or any(ARCHIVED not in item.arguments for item in connections):  # noqa: PLR2004
        return False
    one, other = map(plan.keys, pages)
    known = not pages[1].has_next or pages[1].total is not None
    return bool(one) and one == other and known and pages[0].total == pages[1].total


def check_arguments(
    plan: ReadPlan, connections: Sequence[Connection], pages: Sequence[Page]
) -> None:
    """Notice an argument that should tell connections apart, and does not.

    Halves may be equal for a while, and hold different rows in the end.

    Raises:
        SchemaDifferenceError: two connections begin with the same rows, and have as many.
    """
    keys = plan.keys(pages[0])
    for connection, page in zip(connections[1:], pages[1:], strict=True):
        if not keys or plan.keys(page) != keys or page.total != pages[0].total:
            continue
        equal = [
            plan.fetcher.contract.root_argument(connection.field, name)
            for name, value in connection.arguments.items()
            if connections[0].arguments.get(name) != value and name != ARCHIVED
        ]
        if equal:
            raise SchemaDifferenceError(equal)


class OffsetCheck:
    """Finds out whether `offset` has an effect, where a later page looks like the first one."""

    def __init__(self, plan: ReadPlan, first_pages: Sequence[Page]) -> None:
        self._plan = plan
        self._first_keys = {plan.key(page.records[0]) for page in first_pages if page.records}
        self._works: set[str] = set()

    def check(self, field: PageField, page: Page | None = None) -> None:
        """Check a page that came, or that was none; one request for each list settles it.

        Raises:
            SchemaDifferenceError: it has none.
        """
        connection = field.connection
        if not field.position or not connection.by_offset or connection.field in self._works:
            return
        if page and not (page.records and self._plan.key(page.records[0]) in self._first_keys):
            return
        with contextlib.suppress(QueryError):  # who complains about an offset does look at it
            beyond = {**connection.arguments, "offset": BEYOND_ANY_END}
            (ignored,) = self._plan.fetcher.ask(AnythingField(connection.field, beyond)).get()
            if ignored:
                contract = self._plan.fetcher.contract
                raise SchemaDifferenceError([contract.root_argument(connection.field, "offset")])
        self._works.add(connection.field)
