"""Staging keeps what the newest complete read of a range gave, and drops what it no longer gave.

Each case is an organization of its own beside the others, so each also shows that none of them
speaks for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from conftest import PACKAGE, Project
from organization import Row, Sync
from sync_log import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouses import Warehouse


@dataclass
class Read:
    """What a sync read of a stream, and what it says about that; without a mode, nothing."""

    rows: list[Row]
    mode: str | None = "FULL"
    window: tuple[str | None, str | None] = (None, None)
    complete: bool = True


@dataclass
class Case:
    """Reads of a stream on the 1st, 2nd, ... of June 2025, and the ids of the rows that stay."""

    stream: str
    reads: list[Read]
    stay: list[str]


def certificate(name: str, ends: str = "2026-06-01") -> Row:
    row = {"id": name, "user_id": name, "title": "First aid"}
    return row | {"completion_date": "2025-06-01", "end_date": ends}


def result(name: str, completed: str | None = None) -> Row:
    row = {"id": f"{name} {completed or 'in progress'}", "user_id": name, "title": "Privacy"}
    return row | {"related_object_type": "TRAINING", "completion_date": completed}


def offer(name: str, changed: str | None) -> Row:
    return {"id": name, "updated_at": changed}


def user(name: str) -> Row:
    return {"id": name}


def gone(key: Row) -> Row:
    """Return what a LOG_BASED read gives of a row that is no more."""
    return key | {"_sdc_deleted_at": "2025-06-01T02:00:00+00:00"}


DAYS = ["2025-05-09", "2025-05-10", "2025-05-15", "2025-05-20", "2025-05-21"]

CASES = {
    "what webhooks told speaks for itself alone": Case(
        "users",
        [
            Read([user("ann"), user("bob"), user("cas"), user("dee")]),
            Read([user("bob"), gone(user("cas")), user("eve")], "LOG_BASED"),
            Read([gone(user("dee")), gone(user("eve"))], "LOG_BASED"),
            Read([user("eve")], "LOG_BASED"),  # it was an error, or the same id came back
        ],
        ["ann", "bob", "eve"],
    ),
    "a webhook was lost, and then everything was read": Case(
        "users",
        [
            Read([user("ann"), user("bob")]),
            Read([user("cas")], "LOG_BASED"),
            Read([user("cas")]),
        ],
        ["cas"],
    ),
    # A corrected certificate has a new id. Neither it nor the revoked one is held until 2026.
    "a corrected and a revoked certificate": Case(
        "issued_certificates",
        [
            Read([certificate("ann"), certificate("bob"), certificate("cas")]),
            Read([certificate("ann, corrected", ends="2025-06-02"), certificate("cas")]),
        ],
        ["ann, corrected", "cas"],
    ),
    "somebody was deleted": Case(
        "users", [Read([user("ann"), user("bob")]), Read([user("ann")])], ["ann"]
    ),
    "everybody was deleted": Case("users", [Read([user("ann")]), Read([])], []),
    "a read that broke off says nothing": Case(
        "portfolio_report",
        [
            Read([result("ann"), result("bob"), result("cas", "2025-05-01")]),
            Read([result("ann")], complete=False),
        ],
        ["ann in progress", "bob in progress", "cas 2025-05-01"],
    ),
    "the next that comes to its end does": Case(
        "portfolio_report",
        [
            Read([result("ann"), result("bob"), result("cas", "2025-05-01")]),
            Read([result("ann")], complete=False),
            Read([result("cas", "2025-05-01")]),
        ],
        ["cas 2025-05-01"],
    ),
    "a run that was killed leaves no word": Case(
        "users", [Read([user("ann"), user("bob")]), Read([user("ann")], mode=None)], ["ann", "bob"]
    ),
    # One withdrawn, one moved to another day, one of a training that got another title, and one of
    # two that are equal: each is another row in the next full read, or none.
    "completions that were corrected": Case(
        "portfolio_report",
        [
            Read(
                [
                    *(result(name, "2025-05-01") for name in ("ann", "bob", "cas", "dee")),
                    result("dee", "2025-05-01") | {"id": "dee, equal"},
                ]
            ),
            Read(
                [
                    result("ann"),
                    result("bob", "2025-05-02"),
                    result("cas", "2025-05-01") | {"id": "cas, retitled", "title": "Privacy 2"},
                    result("dee", "2025-05-01"),
                ]
            ),
        ],
        ["ann in progress", "bob 2025-05-02", "cas, retitled", "dee 2025-05-01"],
    ),
    # Ann completed it and began again on one day, which one sync read; bob and cas had only begun.
    # Bob's completion is of the day after; cas' is of the same day, so he may have begun again.
    "in progress, and then completed": Case(
        "portfolio_report",
        [
            Read([result("ann", "2025-06-01"), result("ann"), result("bob"), result("cas")]),
            Read(
                [
                    result("ann", "2025-06-01"),
                    result("bob", "2025-06-02"),
                    result("cas", "2025-06-01"),
                ],
                "WINDOW",
                ("2025-05-26", "2025-06-02"),
            ),
        ],
        [
            "ann 2025-06-01",
            "ann in progress",
            "bob 2025-06-02",
            "cas 2025-06-01",
            "cas in progress",
        ],
    ),
    "a window speaks for its days, both included": Case(
        "portfolio_report",
        [
            Read([*(result("ann", day) for day in DAYS), result("bob")]),
            Read([result("ann", DAYS[2])], "WINDOW", (DAYS[1], DAYS[3])),
        ],
        [f"ann {DAYS[0]}", f"ann {DAYS[2]}", f"ann {DAYS[4]}", "bob in progress"],
    ),
    "a window of moments, without a beginning": Case(
        "offers",
        [
            Read(
                [
                    offer("inside", "2025-05-01T10:00:00Z"),
                    offer("after", "2025-05-01T12:00:00Z"),
                    offer("undated", None),
                ]
            ),
            Read([], "WINDOW", (None, "2025-05-01T11:00:00+00:00")),
        ],
        ["after", "undated"],
    ),
    "a window without an end speaks for nothing": Case(
        "offers",
        [
            Read([offer("changed", "2025-05-01T10:00:00Z")]),
            Read([], "WINDOW", ("2025-05-01T09:00:00+00:00", None)),
        ],
        ["changed"],
    ),
    # A report with a `start_date`: results in progress come, earlier ones do not.
    "a full read from a day on, of what has no date, too": Case(
        "portfolio_report",
        [
            Read([*(result("ann", day) for day in DAYS[:3]), result("bob"), result("cas")]),
            Read([result("ann", DAYS[1]), result("cas")], window=(DAYS[1], None)),
        ],
        [f"ann {DAYS[0]}", f"ann {DAYS[1]}", "cas in progress"],
    ),
    "a full read from a day on leaves what is before to those before": Case(
        "portfolio_report",
        [
            Read([result("ann", DAYS[0]), result("bob", DAYS[0])]),
            Read([result("bob", DAYS[0])]),
            Read([], window=(DAYS[1], None)),
        ],
        [f"bob {DAYS[0]}"],
    ),
    "each range has its own newest read": Case(
        "portfolio_report",
        [
            Read([result("ann", "2025-05-01"), result("ann", "2025-06-01"), result("gone")]),
            Read([result("ann", "2025-05-01"), result("ann", "2025-06-01")]),
            Read([], "WINDOW", ("2025-05-25", "2025-06-02")),
            Read([], "WINDOW", ("2025-06-03", "2025-06-04")),
        ],
        ["ann 2025-05-01"],
    ),
}


def load(warehouse: Warehouse, day: int, stream: str, read: Read, **organization: str) -> None:
    sync = Sync(datetime(2025, 6, day, 2, tzinfo=UTC))
    if read.rows:
        sync.streams[stream] = [row | organization for row in read.rows]
    if read.mode:
        log(sync, stream, read.mode, read.window, complete=read.complete, **organization)
    warehouse.load(sync)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def loaded(
    request: pytest.FixtureRequest,
    new_warehouse: Callable[[str], Warehouse],
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Return a project whose warehouse has been through all cases."""
    warehouse = new_warehouse(request.param)
    project = Project(PACKAGE, warehouse, tmp_path_factory.mktemp("work"))
    for name, case in CASES.items():
        for day, read in enumerate(case.reads, start=1):
            rows = [row | {"id": f"{name}: {row['id']}"} for row in read.rows]
            rows = [row | {"user_id": f"{name}: {row.get('user_id')}"} for row in rows]
            this = Read(rows, read.mode, read.window, read.complete)
            load(warehouse, day, case.stream, this, organization=name)
    staging = {f"+stg_pluvo__{case.stream}" for case in CASES.values()}
    project.dbt("run", "--select", *staging, "+pluvo__fct_certificates")
    return project


@pytest.mark.parametrize("name", CASES)
def test_what_stays(loaded: Project, name: str) -> None:
    prefix = f"{name}: "
    rows = loaded.rows(f"select id from stg_pluvo__{CASES[name].stream}")
    kept = [row["id"].removeprefix(prefix) for row in rows if row["id"].startswith(prefix)]
    assert sorted(kept) == CASES[name].stay


def test_certificates_that_are_held(loaded: Project) -> None:
    """What was corrected to have ended, and what was revoked, is held by nobody."""
    rows = loaded.rows("select certificate_id, certificate_status from pluvo__fct_certificates")
    found = {row["certificate_id"].partition(": ")[2]: row["certificate_status"] for row in rows}
    assert found == {"ann, corrected": "expired", "cas": "valid"}


def test_without_a_sync_log_nothing_is_dropped_and_dbt_says_so(project: Project) -> None:
    def build() -> tuple[list[str], bool]:
        said = project.dbt("run", "--select", "+stg_pluvo__users")
        rows = project.rows("select id from stg_pluvo__users")
        warned = "The stream sync_log was not loaded" in " ".join(said.split())
        return sorted(row["id"] for row in rows), warned

    load(project.warehouse, 1, "users", Read([user("ann"), user("bob")], mode=None))
    load(project.warehouse, 2, "users", Read([user("ann")], mode=None))
    assert build() == (["ann", "bob"], True)
    # The first complete read that is known of speaks for all that came before.
    load(project.warehouse, 3, "users", Read([user("ann")]))
    assert build() == (["ann"], False)
