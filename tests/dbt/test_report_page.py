"""The report page: one file, complete, that fetches nothing and runs nothing it was not given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import PACKAGE, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
