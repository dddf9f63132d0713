"""A year of daily runs: `make test-year`, since it takes an hour. Nothing grows without bound.

The calendar ends today, so that the files of each day are as old as they would be; a build is told
to keep files for as many days more as it has until today.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from organization import Row, Sync, uid
from sync_log import log
from test_build_beside import build, readable
from warehouses import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouses import Warehouse

DAYS = 365
KEEP_DAYS = 30
USERS = 200
SELECTED = ("+stg_pluvo__users", "+stg_pluvo__group_members", "+pluvo__snap_users")


def test_disk_use_after_a_year_is_that_after_a_month(
    new_warehouse: Callable[[str], Warehouse],
) -> None:
    warehouse = new_warehouse("duckdb")
    assert isinstance(warehouse, DuckDB)
    random = Random(1)
    users: dict[str, Row] = {}
    for number in range(USERS):
        users[uid(f"{number}")] = {"id": uid(f"{number}"), "name": f"user {number}"}
    used: dict[int, int] = {}
    now = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    for day in range(1, DAYS + 1):
        until_today = DAYS - day
        leaver = random.choice(sorted(users))
        del users[leaver]
        users[uid(f"new {day}")] = {"id": uid(f"new {day}"), "name": f"new on {day}"}
        for user in random.sample(sorted(users), 5):
            users[user] = users[user] | {"name": f"renamed on {day}"}
        sync = Sync(now - timedelta(days=until_today))
        members = [
            {"group_id": uid("group"), "user_id": user, "role": "PARTICIPANT"} for user in users
        ]
        sync.streams = {"users": list(users.values()), "group_members": members}
        log(sync, "users")
        log(sync, "group_members")
        before = set(warehouse.files.iterdir())
        warehouse.load(sync)
        written = time.time() - until_today * 86400
        for path in set(warehouse.files.iterdir()) - before:
            os.utime(path, (written, written))
        build(
            warehouse,
            *("--select", *SELECTED),
            PLUVO_KEEP_DAYS=str(KEEP_DAYS + until_today),
        )
        folder = warehouse.path.parent
        used[day] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with readable(warehouse) as reader:
        found = reader.execute("select id, name from stg_pluvo__users").fetchall()
        members_found = reader.execute("select user_id from stg_pluvo__group_members").fetchall()
    assert dict(found) == {user: row["name"] for user, row in users.items()}
    assert {user for (user,) in members_found} == set(users)
    assert used[DAYS] < 1.1 * used[KEEP_DAYS], used
