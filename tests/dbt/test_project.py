"""What dbt does with this project itself: builds, documents, watches and remembers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PACKAGE, Project
from organization import Sync, syncs, uid
from warehouses import DuckDB, Postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouses import Warehouse


def test_builds_on_nothing(project: Project) -> None:
    """No stream was loaded yet: everything is there, typed and empty; all unit tests pass."""
    project.dbt("build", "--warn-error")
    for table in ("stg_pluvo__users", "pluvo__fct_certificates", "pluvo__rpt_group_progress"):
        assert project.rows(f"select * from {table}") == []
    statuses = [
        result["status"]
        for result in project.artifact("run_results")["results"]
        if result["unique_id"].startswith("unit_test.")
    ]
    assert statuses == ["pass"] * 35


def test_freshness(project: Project) -> None:
    recent, old = (datetime.now(UTC) - timedelta(hours=hours) for hours in (30, 40))
    user, group = {"id": uid("ann")}, {"id": uid("Care")}
    project.warehouse.load(Sync(old, {"users": [user], "groups": [group]}))
    project.warehouse.load(Sync(recent, {"users": [user]}))
    project.dbt("source", "freshness")
    found = {
        result["unique_id"].rpartition(".")[2]: result["status"]
        for result in project.artifact("sources")["results"]
    }
    assert found["users"] == "pass"
    assert found["groups"] == found["trainings"] == "warn"
    assert "offers" not in found, "an optional stream"


def test_history(project: Project) -> None:
    """Snapshots keep who was what and who belonged where, when rows are deleted, too."""
    first, second, _ = syncs()
    for sync in (first, second):
        project.warehouse.load(sync)
        project.dbt(
            *("build", "--select", "+pluvo__snap_users", "+pluvo__snap_group_members"),
            *("--exclude-resource-type", "test", "unit_test"),
        )

    def members() -> set[str]:
        rows = project.rows("select user_id from stg_pluvo__group_members")
        return {row["user_id"] for row in rows} & {uid("ann"), uid("bob"), uid("cas")}

    assert members() == {uid("ann"), uid("bob")}
    if isinstance(project.warehouse, Postgres):
        project.warehouse.execute(
            "update pluvo.group_members set _sdc_deleted_at = '2025-06-15'"
            f" where user_id = '{uid('bob')}'"
        )
        assert members() == {uid("ann")}

    def history(table: str, column: str, user: str) -> list[tuple[Any, bool]]:
        rows = project.rows(
            f"select {column} as value, dbt_valid_to is null as is_valid from {table}"
            f" where user_id = '{uid(user)}' order by dbt_valid_from"
        )
        return [(row["value"], row["is_valid"]) for row in rows]

    assert history("pluvo__snap_users", "user_name", "ann") == [
        ("Ann as she was called before", False),
        ("Ann", True),
    ]
    assert history("pluvo__snap_users", "user_name", "cas") == [("Cas", True)]
    assert history("pluvo__snap_group_members", "member_role", "cas") == [("participant", False)]
    assert history("pluvo__snap_group_members", "member_role", "bob") == [("participant", True)]


def test_drift_and_misspelt_titles_warn(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    """A new role and a training without a title are loaded; what nobody knows is named."""
    warehouse = new_warehouse("duckdb")
    project = Project(PACKAGE, warehouse, tmp_path)
    (seeds := tmp_path / "seeds").mkdir()
    (seeds / "pluvo__required_certificates.csv").write_text(
        "group_ref_or_name,certificate_title\n*,First aid\n*,Frist aid\nNobody,First aid\n"
    )
    project.environment["PLUVO_SEEDS"] = os.path.relpath(seeds, PACKAGE)
    sync, *_ = syncs()
    untitled = uid("untitled")
    sync.add("trainings", id=untitled, title=None)
    sync.add("group_trainings", group_id=uid("Care"), training_id=untitled)
    sync.add("group_members", group_id=uid("Care"), user_id=uid("ann"), role="MENTOR")
    sync.add("training_participants", training_id=untitled, user_id=uid("ann"), role="GUEST")
    sync.add("portfolio_report", id="?", related_object_type="TRAINING", user_id=uid("ann"))
    warehouse.load(sync)
    project.dbt("build", "--exclude-resource-type", "unit_test")
    results = project.artifact("run_results")["results"]
    warned = {row["unique_id"].split(".")[2] for row in results if row["status"] == "warn"}
    assert {row["status"] for row in results} == {"success", "pass", "warn", "no-op"}
    assert warned == {
        "accepted_values_pluvo__lms_group_members_member_role__participant__manager",
        "accepted_values_pluvo__lms_training_participants_member_role__participant__trainer__mentor",
        "known_certificates_pluvo__required_certificates_",
        "known_groups_pluvo__required_certificates_",
    }
    assert project.rows("select 1 from pluvo__bridge_group_members where member_role = 'mentor'")
    assert project.rows(f"select 1 from pluvo__rpt_group_progress where training_id = '{untitled}'")


def test_custom_fields_that_would_share_a_column_are_an_error(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    project = Project(PACKAGE, new_warehouse("duckdb"), tmp_path)
    fields = {"user": ["Cost centre"], "group": ["Cost-centre"]}
    with pytest.raises(AssertionError, match="'Cost centre' and 'Cost-centre' would both become"):
        project.dbt("compile", variables={"pluvo_custom_fields": fields})


def test_a_broken_file_is_an_error(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    """A line that was cut off is said, not skipped."""
    warehouse = new_warehouse("duckdb")
    assert isinstance(warehouse, DuckDB)
    project = Project(PACKAGE, warehouse, tmp_path)
    (warehouse.files / "users-20250615T020000.jsonl").write_text('{"id": "a"}\n{"id": "b')
    with pytest.raises(AssertionError, match="users-20250615T020000"):
        project.dbt("run", "--select", "+stg_pluvo__users")
