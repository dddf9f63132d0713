"""MetricFlow answers what the semantic models promise, on DuckDB."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from organization import TODAY, syncs
from warehouses import DuckDB

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

# Each metric, and the same number by hand from the reports.
EXPECTED = {
    "people": "select people from pluvo__rpt_overview",
    "compliance_rate": "select 1.0 * people_compliant / people_required from pluvo__rpt_overview",
    "completion_rate": "select 1.0 * assignments_completed / assignments from pluvo__rpt_overview",
    "active_learners": "select count(*) from pluvo__dim_users"
    " where not is_archived and days_since_login < 90",
    "hours_spent": "select sum(seconds_spent) / 3600.0 from pluvo__fct_training_status"
    " join pluvo__dim_users using (user_id) where not is_archived",
    **{
        f"certificates_expiring_{days}": "select count(*) from pluvo__fct_certificates"
        " join pluvo__dim_users using (user_id)"
        f" where is_current and not is_archived and days_left between 0 and {days}"
        for days in (30, 60, 90)
    },
}


def test_metricflow_answers(consumer: Folder, tmp_path: Path) -> None:
    warehouse = DuckDB(tmp_path / "warehouse")
    for sync in syncs():
        warehouse.load(sync)

    def run(program: str, *arguments: str) -> None:
        consumer.run("metricflow", program, *arguments, **warehouse.environment)

    run("dbt", "deps")
    run(
        *("dbt", "build", "--exclude-resource-type", "test"),
        *("--vars", f"{{pluvo_today: '{TODAY}'}}"),
    )
    metrics = ",".join(f"pluvo_{name}" for name in EXPECTED)
    run("mf", "query", "--metrics", metrics, "--csv", "answer.csv", "--decimals", "6")
    (answer,) = csv.DictReader((consumer.path / "answer.csv").read_text().splitlines())
    for name, query in EXPECTED.items():
        ((number,),) = (row.values() for row in warehouse.rows(query))
        assert number > 0, name
        assert abs(float(answer[f"pluvo_{name}"]) - float(number)) < 0.005, name
