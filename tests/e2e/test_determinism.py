"""The same data gives the same output, whatever the settings with which it was fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support import OFFERED, config, discover, selecting, sync

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    """A sandbox with lists of many pages, answers to which come late enough to overtake."""
    with Sandbox(users=110, groups=4, trainings=5, portfolio=400, latency=2) as running:
        yield running


def output(sandbox: Sandbox, streams: Iterable[str] = OFFERED, **settings: Any) -> str:
    """Return what a first sync of streams writes, without the time at which it ran."""
    catalog = selecting(discover({}), streams)
    text = sync(config(sandbox, **settings), catalog=catalog).stdout
    times = "time_extracted|full_read_at|started_at|finished_at|window_to"
    return re.sub(rf',"({times})":"[^"]*"', "", text)


@pytest.fixture(scope="module")
def one_by_one(organization: Sandbox) -> str:
    text = output(organization, max_concurrency=1, operations_per_request=1)
    assert text.count('"RECORD"') > 1500
    return text


@pytest.mark.parametrize(
    ("concurrency", "operations"), [(1, 1), (1, 5), (4, 5), (4, 50), (16, 1), (16, 5)]
)
def test_output_does_not_depend_on_how_many_requests_run(
    concurrency: int, operations: int, organization: Sandbox, one_by_one: str
) -> None:
    text = output(organization, max_concurrency=concurrency, operations_per_request=operations)
    assert text == one_by_one


@pytest.mark.parametrize("page_size", [11, 49])
def test_output_does_not_depend_on_the_page_size(
    page_size: int, organization: Sandbox, one_by_one: str
) -> None:
    """Only when equal rows come does, and whether one comes again: once they are known to be so."""
    lines = output(organization, page_size=page_size).splitlines()
    assert _without_repairs(lines) == _without_repairs(one_by_one.splitlines())


def _without_repairs(lines: list[str]) -> set[str]:
    """Return different lines, without how often a list was read again."""
    return {re.sub(r'"repairs":\d+', '"repairs":0', line) for line in lines}


def test_windows_come_in_order_whatever_the_concurrency(organization: Sandbox) -> None:
    settings = {"start_date": "2024-01-01", "end_date": "2025-06-30", "window_days": 20}
    report = ["portfolio_report"]
    texts = {output(organization, report, max_concurrency=n, **settings) for n in (1, 4, 16)}
    assert len(texts) == 1
    marks = re.findall(r'"replication_key_value":"(\d{4}-\d{2}-\d{2})"', texts.pop())
    assert len(set(marks)) == 28  # the last one comes twice: a run ends with its state
    assert marks == sorted(marks)
