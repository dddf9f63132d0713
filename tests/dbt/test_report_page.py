"""The report page: one file, complete, that fetches nothing and runs nothing it was not given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from charts import chart_compliance, chart_logins
from conftest import PACKAGE, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chart import Chart
    from warehouses import Warehouse

HEADINGS = [
    "Certificates that groups have to hold",
    "Certificates that end, month by month",
    "When people last signed in",
    "Trainings that groups completed",
    "From participant to completion",
    "Activity, month by month",
]


def render(project: Project, output: Path) -> str:
    options = [f"--output={output}", f"--warehouse={project.warehouse.name}"]
    subprocess.run(
        [sys.executable, str(PACKAGE / "report/render.py"), *options],
        env=os.environ | project.warehouse.environment,
        check=True,
    )
    return output.read_text(encoding="utf-8")


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_page(warehouse: str, build_consumer: Callable[[str], Project], tmp_path: Path) -> None:
    page = render(build_consumer(warehouse), tmp_path / "pages/report.html")
    assert re.findall("<h2>(.*?)</h2>", page) == HEADINGS
    assert page.count('class="plotly-graph-div"') == len(HEADINGS)
    assert "15 June 2025" in page
    assert "end within 30 days" in page
    # The library is inside, and nothing is loaded from elsewhere.
    assert len(page) > 3_000_000
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "@example.com" not in page


def test_both_warehouses_give_the_same_page(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    pages = [
        # Plotly gives each chart an id of its own.
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", render(build_consumer(name), tmp_path / name))
        for name in ("duckdb", "postgres")
    ]
    assert pages[0] == pages[1]


def test_page_of_nothing(new_warehouse: Callable[[str], Warehouse], tmp_path: Path) -> None:
    """Before the first sync there is a page that says so."""
    project = Project(PACKAGE, new_warehouse("duckdb"), tmp_path)
    project.dbt("build", "--exclude-resource-type", "test", "unit_test", "snapshot")
    page = render(project, tmp_path / "report.html")
    assert page.count('class="nothing"') == len(HEADINGS)


def bars(chart: Chart) -> dict[str, int]:
    assert chart.figure is not None
    (bar,) = chart.figure.data
    return dict(zip(bar.x, bar.y, strict=True))


def test_the_bars_of_the_inactive_are_those_of_the_figure() -> None:
    """The 90th day is inactive; whoever was invited since is not."""
    days = [(0, 400), (7, 400), (89, 400), (90, 400), (365, 400), (366, 400), (None, None)]
    invited = [(None, 89), (None, 90)]
    logins = [
        {"days_since_login": login, "days_since_invitation": invitation, "number": 1}
        for login, invitation in days + invited
    ]
    assert bars(chart_logins(logins, 90)) == {
        "0 to 7": 2,
        "8 to 30": 0,
        "31 to 89": 1,
        "90 to 365": 2,
        "longer ago": 1,
        "never": 2,
        "just invited": 1,
    }
    short = bars(chart_logins(logins, 10))
    assert list(short)[:4] == ["0 to 7", "8 to 9", "10 to 30", "31 to 365"]


def test_the_largest_group_is_on_top() -> None:
    """However many certificates another one has to hold."""

    def requirement(group: str, certificate: str, members: int) -> dict[str, Any]:
        counts = dict.fromkeys(["expiring", "in_grace", "expired", "missing"], 0)
        counts |= {"members": members, "held": members}
        return {"group_id": group, "group_name": group, "required_title": certificate} | counts

    many = [requirement("many requirements", f"Certificate {n}", 10) for n in range(3)]
    chart = chart_compliance([*many, requirement("many members", "Certificate 0", 20)])
    assert chart.figure is not None
    assert list(chart.figure.data[0].y) == ["many requirements", "many members"]


def test_no_database_is_said(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, PACKAGE / "report/render.py"],
        env=os.environ | {"PLUVO_DUCKDB_PATH": str(tmp_path / "none.duckdb")},
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert process.returncode == 1
    assert process.stderr.startswith("There is no ")
    assert "dbt build" in process.stderr
