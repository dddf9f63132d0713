"""Many small connections (the members of each group) read side by side, several in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.connection_reader import check_complete, note_page_size
from pluvo_client.reading.fetcher import Vanished
from pluvo_client.reading.key_set import KeySet
from pluvo_client.reading.page_stitcher import PageStitcher
from pluvo_client.reading.root_fields import PageField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.connection_reader import ReadPlan
    from pluvo_client.schema.selection import Record


def read_nested(
    plan: ReadPlan, connections: Sequence[tuple[Connection, Page | None]]
) -> list[list[Record]]:
    """Read connections to their end; those that have a first page already, from there.

    Returns the records of each, in order. An object that vanished meanwhile has no more of them.

    Raises:
        IncompleteError: a connection has fewer rows than it counts.
    """
    if plan.sample:
        return [page.records if page else [] for _, page in connections]
    results: list[list[Record]] = [[] for _ in connections]
    kept = [KeySet() for _ in connections]
    first_pages = {index: page for index, (_, page) in enumerate(connections) if page is not None}
    unfinished = list(range(len(connections)))
    for _ in range(1 + plan.max_repair_passes):
        stitchers = {index: PageStitcher(plan.key) for index in unfinished}
        found = {index: KeySet() for index in unfinished}
        running = list(unfinished)
        while running:
            pages = plan.fetcher.ask_many(
                [
                    PageField(connections[index][0], plan.first, stitchers[index].next_position)
                    for index in running
                    if index not in first_pages
                ]
            )
            for index in running:
                page = first_pages.pop(index, None) or next(pages)
                if isinstance(page, Vanished):
                    stitchers[index].done = True
                    stitchers[index].count = None
                    continue
                note_page_size(plan, connections[index][0], page)
                for key, record in stitchers[index].add_page(page):
                    found[index].add(key)
                    if kept[index].add(key):
                        results[index].append(record)
            running = [index for index in running if not stitchers[index].done]
        unfinished = [
            index
            for index in unfinished
            if stitchers[index].moved or len(found[index]) < (stitchers[index].count or 0)
        ]
        if not unfinished:
            break
    for index in unfinished:
        check_complete(connections[index][0].field, len(kept[index]), stitchers[index].count)
    return results
