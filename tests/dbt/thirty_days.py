"""Thirty days in the life of an organization: `make test-simulation`, since it takes minutes.

Each day people come, leave, complete and repeat; certificates are issued, corrected and revoked. A
sync reads that, or breaks off, and dbt runs. In the end, the warehouse says of today what one says
that was loaded only then, and of the past what is computed here from the days themselves.
"""

from __future__ import annotations

import json
import os
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from random import Random
from typing import TYPE_CHECKING

from conftest import PACKAGE, Project
from organization import Row, Sync, uid
from sync_log import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from warehouses import Warehouse

FIRST, LAST = date(2025, 5, 17), date(2025, 6, 15)
FIRST_MONTH = date(2024, 6, 1)
FOREVER = date.max
WINDOWED = {"portfolio_report", "issued_certificates"}

# Every seventh day all is read in full. On some days reads break off, one of them the last of May.
BROKEN = {
    date(2025, 5, 21): {"users", "issued_certificates"},
    date(2025, 5, 24): {"portfolio_report"},
    date(2025, 5, 31): {"group_members", "issued_certificates"},
    date(2025, 6, 7): {"users", "group_members", "portfolio_report"},
}

SNAPSHOTS = ("--select", "+pluvo__snap_users", "+pluvo__snap_group_members")

GRACE, FIRST_AID_FROM = timedelta(days=30), date(2024, 9, 1)
REQUIREMENTS = """\
everyone,,,certificate,First aid,24,2024-09-01,30,
group,Care,,training,Privacy,6,,,
group,Kitchen,,certificate,Hygiene,,,,
group,Closed,,certificate,Hygiene,,,,
"""

# What depends on how the organization came to be as it is.
HISTORY = {
    "base_pluvo__complete_reads",
    "stg_pluvo__sync_log",
    "pluvo__int_memberships_monthly",
    "pluvo__int_requirement_checks",
    "pluvo__fct_compliance_monthly",
    "pluvo__rpt_compliance_monthly",
}
HISTORY_COLUMNS = {"_sdc_extracted_at", "required_since", "due_on"}


@dataclass
class Organization:
    """What the learning management system says on a day: rows by their ids."""

    users: dict[str, Row] = field(default_factory=dict)
    groups: dict[str, Row] = field(default_factory=dict)
    trainings: dict[str, Row] = field(default_factory=dict)
    group_members: dict[tuple[str, str], Row] = field(default_factory=dict)
    issued_certificates: dict[str, Row] = field(default_factory=dict)
    portfolio_report: dict[str, Row] = field(default_factory=dict)

    def streams(self) -> Iterator[tuple[str, list[Row]]]:
        for stream, rows in vars(self).items():
            yield stream, list(rows.values())

    def invite(self, name: str, day: date) -> str:
        user = uid(name)
        self.users[user] = {
            "id": user,
            "name": name,
            "archived": False,
            "archived_at": None,
            "invited_on": moment(day),
            "roles": '["PARTICIPANT"]',
        }
        return user

    def join(self, user: str, group: str) -> None:
        row = {"group_id": uid(group), "user_id": user, "role": "PARTICIPANT"}
        self.group_members[uid(group), user] = row

    def certify(self, user: str, title: str, issued: date, expires: date | None) -> None:
        # As the tap computes it, so that a corrected certificate gets another.
        row_id = uid(f"{user} {title} {issued} {expires}")
        self.issued_certificates[row_id] = {
            "id": row_id,
            "user_id": user,
            "title": title,
            "completion_date": issued.isoformat(),
            "end_date": expires and expires.isoformat(),
        }

    def take(self, user: str, title: str, completed: date | None) -> None:
        row_id = uid(f"{user} {title} {completed}")
        self.portfolio_report[row_id] = {
            "id": row_id,
            "related_object_type": "TRAINING",
            "user_id": user,
            "title": title,
            "progress": 100.0 if completed else 10.0,
            "completion_date": completed and completed.isoformat(),
        }

    def remove(self, user: str) -> None:
        """Delete a user and whatever hangs on it."""
        del self.users[user]
        for rows in (self.group_members, self.issued_certificates, self.portfolio_report):
            for key in [key for key, row in rows.items() if row["user_id"] == user]:
                del rows[key]  # type: ignore[arg-type]  # keys of its own


def moment(day: date) -> str:
    return datetime.combine(day, time(8), UTC).isoformat()


def begin(random: Random) -> Organization:
    organization = Organization()
    for group in ("Care", "Kitchen", "Closed"):
        organization.groups[group] = {"id": uid(group), "name": group}
    organization.trainings["Privacy"] = {"id": uid("Privacy"), "title": "Privacy"}
    for n in range(60):
        user = organization.invite(f"user {n}", FIRST - timedelta(days=random.randrange(10, 800)))
        for group in random.sample(["Care", "Kitchen", "Closed"], random.randrange(3)):
            organization.join(user, group)
        for _ in range(random.randrange(4)):
            happen(organization, random, user, FIRST - timedelta(days=random.randrange(1, 900)))
    return organization


def happen(organization: Organization, random: Random, user: str, day: date) -> None:
    """Let a user obtain a certificate, or begin or complete a training."""
    title = random.choice(["First aid", "Hygiene", "Privacy"])
    if title == "Privacy":
        organization.portfolio_report.pop(uid(f"{user} {title} None"), None)
        organization.take(user, title, day if random.random() < 0.7 else None)
    else:
        expires = random.choice([None, day + timedelta(days=30), day + timedelta(days=365)])
        organization.certify(user, title, day, expires)


def change(organization: Organization, random: Random, day: date) -> None:
    """Let a day pass."""
    newcomer = organization.invite(f"came on {day}", day)
    organization.join(newcomer, random.choice(["Care", "Kitchen"]))
    active = [key for key, row in organization.users.items() if not row["archived"]]
    left, deleted, *others = random.sample(active, 12)
    if day.day % 3 == 0:
        organization.users[left] |= {"archived": True, "archived_at": moment(day)}
    if day.day % 4 == 0:
        organization.remove(deleted)
    for user in others:
        happen(organization, random, user, day)
    for key in random.sample(sorted(organization.group_members), 2):
        del organization.group_members[key]
    organization.join(others[0], "Care")
    revoked, corrected = random.sample(sorted(organization.issued_certificates), 2)
    del organization.issued_certificates[revoked]
    old = organization.issued_certificates.pop(corrected)
    issued = date.fromisoformat(old["completion_date"])
    organization.certify(old["user_id"], old["title"], issued, issued + timedelta(days=100))
    del organization.portfolio_report[random.choice(sorted(organization.portfolio_report))]
    if day == date(2025, 6, 3):
        del organization.groups["Closed"]
        for key in [key for key in organization.group_members if key[0] == uid("Closed")]:
            del organization.group_members[key]


def is_full_day(day: date) -> bool:
    return (day - FIRST).days % 7 == 0 or day == LAST


def read(organization: Organization, day: date, known: dict[str, list[Row]]) -> Sync:
    """Return what a sync in the evening reads; `known` is what was read completely so far."""
    sync = Sync(datetime.combine(day, time(20), UTC))
    for stream, rows in organization.streams():
        is_broken = stream in BROKEN.get(day, ())
        mode, given = "FULL", rows
        window: tuple[str | None, str | None] = (None, None)
        if stream in WINDOWED and not is_full_day(day):
            since = (day - timedelta(days=7)).isoformat()
            mode, window = "WINDOW", (since, day.isoformat())
            given = [row for row in rows if (row["completion_date"] or "") >= since]
        if is_broken:
            given = [row for row in given if row in known[stream]][: len(given) // 3]
        else:
            known[stream] = deepcopy(rows)
        for row in given:
            sync.add(stream, **row)
        log(sync, stream, mode, window, complete=not is_broken)
    return sync


def as_of_months() -> Iterator[tuple[date, date]]:
    """Give the months of the history, each with the day that it is reported for."""
    first = LAST.replace(day=1)
    yield first, LAST
    for _ in range(12):
        as_of = first - timedelta(days=1)
        first = as_of.replace(day=1)
        yield first, as_of


def expected_history(
    organization: Organization, known: dict[date, dict[str, list[Row]]]
) -> dict[tuple[date, str, str], tuple[bool, bool]]:
    """Compute month, person and title: were they compliant, and is that known?"""
    expected = {}
    for month, as_of in as_of_months():
        is_known = as_of >= FIRST
        then = known[as_of] if is_known else known[LAST]
        members = {(row["group_id"], row["user_id"]) for row in then["group_members"]}
        for user in then["users"]:
            invited = datetime.fromisoformat(user["invited_on"]).date()
            archived_at = user["archived_at"]
            if archived_at and datetime.fromisoformat(archived_at).date() <= as_of:
                continue
            if invited > as_of:
                continue

            def holds(rows: dict[str, Row], title: str, months: int | None) -> bool:
                return any(
                    obtained <= as_of <= ends(row, obtained, months)  # noqa: B023 - called at once
                    for row in rows.values()
                    if (row["user_id"], row["title"]) == (user["id"], title)  # noqa: B023
                    and row["completion_date"]
                    for obtained in [date.fromisoformat(row["completion_date"])]
                )

            def add(title: str, *, is_compliant: bool) -> None:
                expected[month, user["id"], title] = (is_compliant, is_known)  # noqa: B023

            certificates, results = organization.issued_certificates, organization.portfolio_report
            if as_of >= FIRST_AID_FROM:
                in_grace = as_of <= max(invited, FIRST_AID_FROM) + GRACE
                add("First aid", is_compliant=in_grace or holds(certificates, "First aid", 24))
            if (uid("Care"), user["id"]) in members:
                add("Privacy", is_compliant=holds(results, "Privacy", 6))
            if (uid("Kitchen"), user["id"]) in members:
                add("Hygiene", is_compliant=holds(certificates, "Hygiene", None))
    return expected


def ends(row: Row, obtained: date, months: int | None) -> date:
    if row.get("end_date"):
        return date.fromisoformat(row["end_date"])
    if months is None:
        return FOREVER
    year, month = divmod(obtained.year * 12 + obtained.month - 1 + months, 12)
    for day in (obtained.day, 30, 29, 28):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError


def new_project(warehouse: Warehouse, folder: Path) -> Project:
    project = Project(PACKAGE, warehouse, folder)
    header = (PACKAGE / "seeds/pluvo__requirements.csv").read_text()
    (seeds := folder / "seeds").mkdir(parents=True)
    (seeds / "pluvo__requirements.csv").write_text(header + REQUIREMENTS)
    project.environment["PLUVO_SEEDS"] = os.path.relpath(seeds, PACKAGE)
    return project


def build(project: Project, day: date, *more: str) -> None:
    project.dbt(
        *("build", "--exclude-resource-type", "test", "unit_test", *more),
        variables={"pluvo_today": day.isoformat()},
    )


def turn_back_the_clock(project: Project, day: date) -> None:
    """Put the simulated evening where dbt has written the machine's time into the snapshots."""
    evening = f"cast('{day} 20:30:00' as timestamp)"
    for table in ("pluvo__snap_users", "pluvo__snap_group_members"):
        for column in ("dbt_valid_from", "dbt_valid_to", "dbt_updated_at"):
            project.warehouse.execute(
                f"update {table} set {column} = {evening} where {column} > '{LAST} 23:59:59'"
            )


def rows_of(project: Project, model: str) -> list[str]:
    rows = project.rows(f"select * from {model}")
    kept = [{key: row[key] for key in row if key not in HISTORY_COLUMNS} for row in rows]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in kept)


def test_thirty_days(
    project: Project, new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    random = Random(7)
    lived = new_project(project.warehouse, tmp_path / "lived")
    organization = begin(random)
    known: dict[date, dict[str, list[Row]]] = {}
    read_so_far: dict[str, list[Row]] = {}
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        change(organization, random, day)
        lived.warehouse.load(read(organization, day, read_so_far))
        # On most days only what keeps the members, as all else is made anew each time.
        build(lived, day, *(() if is_full_day(day) else SNAPSHOTS))
        turn_back_the_clock(lived, day)
        known[day] = dict(read_so_far)

    history = {
        (row["month"], row["user_id"], row["required_title"]): (
            row["is_compliant"],
            row["is_membership_known"],
        )
        for row in lived.rows("select * from pluvo__fct_compliance_monthly")
        # Older months stay as they were computed when they were part of the history.
        if row["month"] >= FIRST_MONTH
    }
    expected = expected_history(organization, known)
    assert history == expected
    assert set(expected.values()) == set(product([True, False], repeat=2))

    fresh = new_project(new_warehouse(lived.warehouse.name), tmp_path / "fresh")
    fresh.warehouse.load(read(organization, LAST, {}))
    build(fresh, LAST, "snapshot")
    results = fresh.artifact("run_results")["results"]
    names = [row["unique_id"] for row in results if row["unique_id"].startswith("model.")]
    models = {name.rpartition(".")[2] for name in names}
    assert models > HISTORY
    current = sorted(models - HISTORY)
    assert [model for model in current if rows_of(lived, model) != rows_of(fresh, model)] == []
