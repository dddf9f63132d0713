"""The models on an organization full of corner cases, as a package of another project."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from organization import day, uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


@pytest.fixture(params=["duckdb", "postgres"])
def built(request: pytest.FixtureRequest, build_consumer: Callable[..., Project]) -> Project:
    return build_consumer(request.param)


def values(project: Project, table: str, columns: str, **where: Any) -> list[tuple[Any, ...]]:
    """Return columns of the rows that have the given values, sorted."""
    conditions = " and ".join(f"{name} = '{value}'" for name, value in where.items()) or "true"
    rows = project.rows(f"select {columns} from {table} where {conditions}")
    return sorted((tuple(row.values()) for row in rows), key=repr)


def models_of(project: Project) -> list[str]:
    """Return the names of all models of the package that were built on every warehouse."""
    names = [result["unique_id"] for result in project.artifact("run_results")["results"]]
    models = [name.rpartition(".")[2] for name in names if name.startswith("model.pluvo.")]
    only_duckdb = ("raw_pluvo__", "base_pluvo__merged_files")
    models = [name for name in models if not name.startswith(only_duckdb)]
    assert len(models) > 30
    return models


def test_both_warehouses_give_identical_rows(build_consumer: Callable[..., Project]) -> None:
    duckdb, postgres = (build_consumer(name) for name in ("duckdb", "postgres"))
    models = models_of(duckdb)
    assert all("pluvo__" in name for name in models), "a name that another project may have"
    filled = set()
    for name in models:
        one, other = (
            [comparable(row) for row in it.rows(f"select * from {name}")]
            for it in (duckdb, postgres)
        )
        assert sorted(one) == sorted(other), name
        filled |= {name} if one else set()
    assert set(models) - filled == {"stg_pluvo__portfolio_items", "stg_pluvo__webhook_events"}


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_organizations_that_share_a_warehouse_do_not_mix(
    build_consumer: Callable[..., Project], warehouse: str
) -> None:
    """Two with the same identifiers and titles: each has the rows that it has on its own."""
    alone, shared = build_consumer(warehouse), build_consumer(warehouse, ("north", "south"))
    for name in sorted(set(models_of(alone)) - {"base_pluvo__complete_reads"}):
        rows = [comparable(row) for row in alone.rows(f"select * from {name}")]
        found = shared.rows(f"select * from {name}")
        if not found or "organization" not in found[0]:
            continue
        for organization in ("north", "south"):
            own = [
                comparable(row | {"organization": None}).replace(f"{organization}/", "")
                for row in found
                if row["organization"] == organization
            ]
            assert sorted(own) == sorted(rows), (name, organization)


def comparable(row: dict[str, Any]) -> str:
    """Return a row as text, without the moments of extraction, which differ by the target."""
    differs = {"_sdc_extracted_at", "gives_rows_since"}
    row = {name: value for name, value in row.items() if name not in differs}
    return json.dumps(row, default=str, sort_keys=True)


def test_nothing_is_wrong_but_what_was_made_so(built: Project) -> None:
    """No data test warns, and the other project's own list of requirements is used."""
    results = built.artifact("run_results")["results"]
    assert {result["status"] for result in results} <= {"success", "pass", "no-op"}
    assert values(built, "pluvo__requirements", "count(*)") == [(8,)]
    assert "WARN" not in built.said.replace("WARN=0", "")


def test_newest_row_of_each_key(built: Project) -> None:
    assert values(built, "stg_pluvo__users", "name", id=uid("ann")) == [("Ann",)]
    # Written twice by one sync: the later line holds.
    assert values(built, "stg_pluvo__users", "name", id=uid("bob")) == [
        ("Bob\n'Bobby' \"Ł\" \\N 🌷",)
    ]


def test_moments_are_in_utc(built: Project) -> None:
    rows = values(built, "pluvo__dim_users", "cast(last_login_at as text)", user_id=uid("ann"))
    assert rows == [("2025-06-15 08:00:00",)]


def test_columns_that_the_organization_lacks_are_null(built: Project) -> None:
    rows = values(built, "stg_pluvo__users", "language, model_id, is_active", id=uid("ann"))
    assert rows == [(None, None, None)]


def test_rows_in_progress(built: Project) -> None:
    """Gone when completed or given up; kept beside an older completion."""

    def results(user: str, title: str) -> list[tuple[Any, ...]]:
        columns = "completed_on, is_latest"
        where = {"user_id": uid(user), "training_title": title}
        return values(built, "pluvo__fct_training_progress", columns, **where)

    def completed(days: int, *, is_latest: bool) -> tuple[Any, ...]:
        return date.fromisoformat(day(days)), is_latest

    assert results("ann", "Privacy") == [completed(-2, is_latest=True)]
    assert results("bob", "Privacy") == [completed(0, is_latest=True)]
    assert results("dee", "Privacy") == [(None, True), completed(-3, is_latest=False)]
    assert results("ann", "Onboarding") == [(None, True), completed(-1, is_latest=False)]
    assert results("cas", "Privacy") == []


def test_certificates(built: Project) -> None:
    def held(user: str) -> list[tuple[Any, ...]]:
        columns = "issued_on, certificate_status, days_left, is_current"
        rows = values(built, "pluvo__fct_certificates", columns, user_id=uid(user))
        return [((issued - date.fromisoformat(day(0))).days, *more) for issued, *more in rows]

    assert held("ann") == [(-730, "expired", -365, False), (-365, "expiring", 0, True)]
    assert held("bob") == [(-400, "expired", -1, True), (1, "not_yet_valid", 366, False)]
    assert held("left") == [(-10, "no_expiry", None, True)]
    # What was without a day of issue in the first sync was issued by the third.
    assert held("dee") == [(0, "valid", 365, True)]


def test_requirements(built: Project) -> None:
    def asked(user: str, title: str) -> list[tuple[Any, ...]]:
        return values(
            built,
            "pluvo__fct_requirements left join pluvo__dim_groups using (group_id)",
            "group_name, requirement_status",
            user_id=uid(user),
            required_title=title,
        )

    # Ann is in two groups; those who left are asked nothing.
    assert asked("ann", "First aid") == [("Kitchen, 'hot'", "expiring"), ("Care", "expiring")]
    assert asked("bob", "First aid") == [("Care", "expired")]
    assert asked("dee", "First aid") == [("Kitchen, 'hot'", "held")]
    # Cas left the only group; what everyone must hold is still required.
    assert asked("cas", "First aid") == []
    assert asked("cas", "Hygiene") == [(None, "missing")]
    assert asked("left", "First aid") == []
    # Only Bob has the custom field's value.
    assert asked("bob", "Privacy") == [("Care", "held")]
    assert asked("ann", "Privacy") == []


def test_every_status_is_there_for_trainings_as_well(built: Project) -> None:
    columns = "distinct required_type, requirement_status"
    found = values(built, "pluvo__fct_requirements", columns)
    statuses = {"held", "expiring", "expired", "missing"}
    assert set(found) == {
        *(("certificate", status) for status in statuses),
        *(("training", status) for status in statuses | {"in_grace"}),
    }


def test_requirements_and_certificates_agree_on_which_one_counts(built: Project) -> None:
    """A certificate that a rule does not ask to repeat is the one that is current."""
    rows = built.rows("""
        select requirements.evidence_id, certificates.certificate_id
        from pluvo__fct_requirements as requirements
        left join pluvo__fct_certificates as certificates
            on requirements.user_id = certificates.user_id
            and requirements.required_title = certificates.certificate_title
            and certificates.is_current
        where required_type = 'certificate'
    """)
    assert [row for row in rows if row["evidence_id"] != row["certificate_id"]] == []
    assert any(row["evidence_id"] for row in rows)


def test_compliance_adds_up(built: Project) -> None:
    by_group = "pluvo__rpt_compliance"
    rows = values(built, by_group, "members, held, expiring, in_grace, expired, missing")
    assert len(rows) > 10
    for members, held, expiring, in_grace, expired, missing in rows:
        assert members == held + in_grace + expired + missing
        assert expiring <= held
    columns = "group_name, members, held, expiring, expired, missing, held_share"
    assert values(built, by_group, columns, required_title="First aid") == [
        ("Kitchen, 'hot'", 2, 2, 1, 0, 0, 1.0),
        ("Care", 2, 1, 1, 1, 0, 0.5),
    ]


def test_progress_of_a_group(built: Project) -> None:
    columns = "trainings_with_title, members, started, completed, average_score"
    table = "pluvo__rpt_group_progress"
    rows = values(built, table, f"training_title, {columns}", group_name="Care")
    # Ann takes part in both trainings of one title, so her completion counts for either.
    onboarding = ("Onboarding", 2, 2, 1, 1, None)
    assert rows == [onboarding, onboarding, ("Privacy", 1, 2, 2, 2, 7.375)]
    rows = values(built, table, columns, group_name="Empty")
    assert rows == [(1, 0, 0, 0, None)]


def test_inactive_users(built: Project) -> None:
    def inactive(user: str) -> list[tuple[Any, ...]]:
        return values(built, "pluvo__rpt_inactive_users", "inactivity", user_id=uid(user))

    assert inactive("bob") == [("inactive",)]
    assert inactive("cas") == []
    assert inactive("dee") == [("never_signed_in",)]
    assert inactive("left") == []


def test_custom_fields(built: Project) -> None:
    columns = "cost_centre, shift, first_aider, since"
    for user, row in {
        "ann": ("4100", "Days, Nights", "true", None),
        "bob": (None, None, "false", "1990-01-01"),
    }.items():
        assert values(built, "pluvo__dim_users", columns, user_id=uid(user)) == [row]
    assert values(built, "pluvo__dim_groups", "region", group_id=uid("Care")) == [("North",)]


def test_people_by_attribute(built: Project) -> None:
    """Ann works in both shifts; whoever has no value is counted beside those who have one."""
    report = "pluvo__rpt_by_attribute"
    (people,) = values(built, "pluvo__rpt_overview", "people")[0]
    assert values(built, report, "value, people", attribute="Shift") == [
        ("Days", 1),
        ("Nights", 1),
        (None, people - 1),
    ]
    assert values(built, report, "sum(people)", attribute="First aider?") == [(people,)]
    # A field of groups says nothing about people.
    assert values(built, report, "distinct attribute") == [
        ("Cost centre",),
        ("First aider?",),
        ("Shift",),
        ("Since",),
    ]


def test_enrollments(built: Project) -> None:
    columns = "enrollment_status, event_type, offer_title, event_starts_at < event_ends_at"
    assert values(built, "pluvo__fct_enrollments", columns) == [
        (status, "meeting", "First aid", True)
        for status in ("cancelled", "declined", "enrolled", "waitlisted")
    ]


def test_the_overview_counts_people_once(built: Project) -> None:
    columns = "distinct user_id, required_type, required_title"
    pairs = values(built, "pluvo__fct_requirements", columns)
    statuses = values(built, "pluvo__fct_compliance_person", "requirement_status")
    held = [status for (status,) in statuses if status in {"held", "expiring"}]
    assert values(built, "pluvo__rpt_overview", "required, held") == [(len(pairs), len(held))]
    assert len(values(built, "pluvo__fct_requirements", "1")) > len(pairs)


def test_descriptions_arrive_in_the_warehouse(built: Project) -> None:
    queries = {
        "duckdb": "select t.comment as model, c.comment as column from duckdb_tables() as t"
        " join duckdb_columns() as c using (schema_name, table_name)"
        " where table_name = 'pluvo__dim_users' and column_name = 'user_name'",
        "postgres": "select obj_description('pluvo__dim_users'::regclass) as model,"
        " col_description('pluvo__dim_users'::regclass, attnum) as column from pg_attribute"
        " where attrelid = 'pluvo__dim_users'::regclass and attname = 'user_name'",
    }
    (said,) = built.rows(queries[built.warehouse.name])
    assert said["model"].startswith("Who are the users")
    assert said["column"] == "Full name."


def test_what_others_read_is_under_contract(built: Project) -> None:
    """All marts and reports, but for those with columns that this project chose."""
    nodes = built.artifact("manifest")["nodes"].values()
    read = [
        node for node in nodes if node["fqn"][:-1] in (["pluvo", "marts"], ["pluvo", "reports"])
    ]
    models = [node for node in read if node["resource_type"] == "model"]
    assert len(models) > 15
    free = {node["name"] for node in models if not node["config"]["contract"]["enforced"]}
    assert free == {"pluvo__dim_users", "pluvo__dim_groups"}


def test_every_column_is_described(build_consumer: Callable[..., Project]) -> None:
    project = build_consumer("duckdb")
    project.dbt("docs", "generate", "--static")
    assert (project.target / "static_index.html").stat().st_size > 1_000_000
    manifest, catalog = project.artifact("manifest")["nodes"], project.artifact("catalog")["nodes"]
    models = {name: node for name, node in manifest.items() if node["resource_type"] == "model"}
    assert len(models) > 40
    chosen = {"cost_centre", "shift", "first_aider", "since", "region"}
    for name, node in models.items():
        described = {column["name"]: column["description"] for column in node["columns"].values()}
        assert set(catalog[name]["columns"]) - chosen == set(described), name
        assert all(described.values()), name
        assert node["description"], name
