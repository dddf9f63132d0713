"""What dbt does with this project itself: builds, documents, watches and remembers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PACKAGE, Project
from organization import Sync, syncs, uid
from sync_log import log
from views import sql
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
    assert set(statuses) == {"pass"}
    assert len(statuses) > 30
    nodes = project.artifact("manifest")["nodes"]
    for table in ("pluvo__dim_users", "pluvo__dim_groups"):
        assert nodes[f"model.pluvo.{table}"]["config"]["contract"]["enforced"], "no field is chosen"


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
    """Snapshots keep who was what and who belonged where, when rows are deleted, too.

    And when the first of them were made by version 0.1, under other names.
    """
    first, second, _ = syncs()
    for sync in (first, second):
        project.warehouse.load(sync)
        project.dbt(
            *("build", "--select", "+pluvo__snap_users", "+pluvo__snap_group_members"),
            *("--exclude-resource-type", "test", "unit_test"),
        )
        if sync is first:
            migrate_from_version_0_1(project)

    def members() -> set[str]:
        rows = project.rows("select user_id from stg_pluvo__group_members")
        return {row["user_id"] for row in rows} & {uid("ann"), uid("bob"), uid("cas")}

    assert members() == {uid("ann"), uid("bob")}
    if isinstance(project.warehouse, Postgres):
        project.warehouse.execute(
            "update pluvo.group_members set _sdc_deleted_at = '2025-06-15'"
            f" where user_id = '{uid('bob')}'"
        )
        project.dbt("run", "--select", "stg_pluvo__group_members")
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


def migrate_from_version_0_1(project: Project) -> None:
    def names() -> set[str]:
        rows = project.rows("select table_name from information_schema.tables")
        return {row["table_name"] for row in rows} & (old | new | {"fct_own"})

    old = {"snap_users", "snap_group_members", "dim_users", "lms_users"}
    new = {"pluvo__snap_users", "pluvo__snap_group_members"}
    for name in ("snap_users", "snap_group_members"):
        project.warehouse.execute(f"alter table pluvo__{name} rename to {name}")
    project.warehouse.execute("create table dim_users as select 1 as one")
    project.warehouse.execute("create view lms_users as select 1 as one")
    project.warehouse.execute("create table fct_own as select 1 as one")

    project.dbt("run-operation", "migrate_names")
    assert names() == old | {"fct_own"}, "without being told, it only says what it would do"
    project.dbt("run-operation", "migrate_names", "--args", "{dry_run: false}")
    assert names() == new | {"fct_own"}


def test_months_that_are_closed(project: Project, tmp_path: Path) -> None:
    """A revoked certificate is gone from the months of the history; older ones stay as they were.

    Without a snapshot, today's members stand in for those of the past. The page says the same, also
    of somebody who was deleted since.
    """
    require(project, tmp_path / "seeds", "everyone,,,certificate,First aid,,,,")

    def run(day: str, users: list[str], **certificates: str) -> dict[str, tuple[Any, ...]]:
        sync = Sync(datetime.fromisoformat(f"{day}T02:00:00+00:00"))
        for user in users:
            sync.add("users", id=uid(user), roles='["PARTICIPANT"]')
        for user, issued in certificates.items():
            sync.add(
                "issued_certificates",
                id=uid(user),
                user_id=uid(user),
                title="First aid",
                completion_date=issued,
            )
        log(sync, "users")
        log(sync, "issued_certificates")
        project.warehouse.load(sync)
        project.dbt(
            *("build", "--select", "+pluvo__rpt_compliance_monthly", "+pluvo__dim_groups"),
            *("--exclude-resource-type", "snapshot", "test", "unit_test"),
            variables={"pluvo_today": day, "pluvo_history_months": 2},
        )
        rows = project.rows("select * from pluvo__rpt_compliance_monthly")
        query = sql("views", organization="", field="", most="9") + sql("history", organization="")
        drawn = [row for row in project.rows(query) if row["group_id"] is None]
        found, line = (
            {
                f"{row['month']:%Y-%m}": (
                    row["people_compliant"],
                    row["people_required"],
                    bool(row[is_known]),
                )
                for row in months
            }
            for months, is_known in ((rows, "is_membership_known"), (drawn, "is_known"))
        )
        assert line == found
        return found

    assert run("2025-04-10", ["ann", "bob", "cas"], ann="2025-02-28", bob="2025-03-01") == {
        "2025-02": (1, 3, False),
        "2025-03": (2, 3, False),
        "2025-04": (2, 3, True),
    }
    # Ann's was revoked, and Cas was deleted. February is too long ago to be computed again.
    assert run("2025-05-10", ["ann", "bob"], bob="2025-03-01") == {
        "2025-02": (1, 3, False),
        "2025-03": (1, 2, False),
        "2025-04": (1, 2, False),
        "2025-05": (1, 2, True),
    }


def test_drift_and_misspelt_titles_warn(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    """A new role and a training without a title are loaded; what nobody knows is named."""
    warehouse = new_warehouse("duckdb")
    project = Project(PACKAGE, warehouse, tmp_path)
    require(
        project,
        tmp_path / "seeds",
        "everyone,,,certificate,First aid,,,,",
        "everyone,,,certificate,Frist aid,,,,",
        "everyone,,,training,Frist aid,,,,",
        "group,Nobody,,certificate,First aid,,,,",
        "custom_field,Shift,Noons,certificate,First aid,,,,",
        "everyone,,,certificate,First aid,,,,nowhere",
    )
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
        "known_fields_pluvo__dim_requirements_",
        "known_groups_pluvo__dim_requirements_",
        "known_organizations_pluvo__dim_requirements_",
        "known_titles_pluvo__dim_requirements_",
    }
    assert project.rows("select 1 from pluvo__bridge_group_members where member_role = 'mentor'")
    assert project.rows(f"select 1 from pluvo__rpt_group_progress where training_id = '{untitled}'")


def test_a_rule_that_means_nothing_is_an_error(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    warehouse = new_warehouse("duckdb")
    project = Project(PACKAGE, warehouse, tmp_path)
    warehouse.load(syncs()[0])
    require(
        project,
        tmp_path / "seeds",
        "anyone,,,training,Privacy,,,,",
        "everyone,,,course,Privacy,,,,",
        "group,,,training,Privacy,,,,",
        "custom_field,Shift,,training,Privacy,,,,",
        "everyone,,,training,,,,,",
    )
    with pytest.raises(AssertionError):
        project.dbt("build", "--select", "+pluvo__dim_requirements")
    results = project.artifact("run_results")["results"]
    failed = {row["unique_id"].split(".")[2] for row in results if row["status"] == "fail"}
    model = "pluvo__dim_requirements"
    assert failed == {
        f"accepted_values_{model}_audience_type__everyone__group__custom_field",
        f"accepted_values_{model}_required_type__certificate__training",
        f"not_null_{model}_audience",
        f"not_null_{model}_audience_value",
        f"not_null_{model}_required_title",
    }


def require(project: Project, seeds: Path, *lines: str) -> None:
    """Give a project requirements of its own."""
    header = (PACKAGE / "seeds/pluvo__requirements.csv").read_text()
    seeds.mkdir()
    (seeds / "pluvo__requirements.csv").write_text(header + "\n".join(lines) + "\n")
    project.environment["PLUVO_SEEDS"] = os.path.relpath(seeds, PACKAGE)


def test_seeds_are_not_overwritten(
    new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    """As dbt does with those whose path is absolute."""
    project = Project(PACKAGE, new_warehouse("duckdb"), tmp_path)
    require(project, tmp_path / "seeds", "everyone,,,certificate,First aid,,,,")
    before = (tmp_path / "seeds/pluvo__requirements.csv").read_text()
    project.environment["PLUVO_SEEDS"] = str(tmp_path / "seeds")
    with pytest.raises(AssertionError, match="PLUVO_SEEDS is an absolute path"):
        project.dbt("seed")
    assert (tmp_path / "seeds/pluvo__requirements.csv").read_text() == before


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"user": ["Cost centre", "Cost-centre"]},
            "'Cost centre' and 'Cost-centre' would both become the column 'cost_centre'",
        ),
        (
            {"group": ["Group name"]},
            "'Group name' would become the column 'group_name', and pluvo__dim_groups already has",
        ),
    ],
)
def test_custom_fields_that_would_share_a_column_are_an_error(
    new_warehouse: Callable[[str], Warehouse],
    tmp_path: Path,
    fields: dict[str, list[str]],
    expected: str,
) -> None:
    project = Project(PACKAGE, new_warehouse("duckdb"), tmp_path)
    with pytest.raises(AssertionError) as error:
        project.dbt(
            "compile", "--select", "pluvo__dim_*", variables={"pluvo_custom_fields": fields}
        )
    assert expected in " ".join(str(error.value).split())


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
