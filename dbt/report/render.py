"""Render the report page: one HTML file that needs neither a server nor a network.

python dbt/report/render.py [--warehouse duckdb|postgres] [--output report.html]

Reads the marts from where dbt's profiles.yml puts them: for DuckDB the file PLUVO_DUCKDB_PATH, for
PostgreSQL the server in the PG... variables and the schema PLUVO_DBT_SCHEMA.
"""

# ruff: noqa: INP001 - a script next to the project, not a package
from __future__ import annotations

import argparse
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from charts import (
    chart_activity,
    chart_compliance,
    chart_expiring,
    chart_funnel,
    chart_logins,
    chart_progress,
)
from plotly.offline import get_plotlyjs
from warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse import Row

PAGE = Path(__file__).with_name("page.html")


def main() -> None:
    """Read the marts and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--warehouse", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--output", type=Path, default=Path("report.html"))
    options = parser.parse_args()
    with open_warehouse(options.warehouse) as query:
        page = render(query)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page, encoding="utf-8")
    print(f"{options.output}: {len(page) / 1_000_000:.1f} MB")  # noqa: T201 - what it is for


def render(query: Callable[[str], list[Row]]) -> str:
    """Return the page."""
    (overview,) = query("select * from pluvo__rpt_overview")
    certificates = query("""
        select certificate_title, is_current, issued_on, expires_on, count(*) as number
        from pluvo__fct_certificates
        inner join pluvo__dim_users using (user_id)
        where not is_archived
        group by certificate_title, is_current, issued_on, expires_on
    """)
    completions = query("""
        select completed_on, count(*) as number
        from pluvo__fct_training_progress
        inner join pluvo__dim_users using (user_id)
        where is_completed and not is_archived
        group by completed_on
    """)
    logins = query("""
        select days_since_login, days_since_invitation, count(*) as number
        from pluvo__dim_users
        where not is_archived
        group by days_since_login, days_since_invitation
    """)
    charts = [
        chart_compliance(query("select * from pluvo__rpt_compliance")),
        chart_expiring(certificates, overview["reported_on"]),
        chart_logins(logins, overview["inactive_days"]),
        chart_progress(query("select * from pluvo__rpt_group_progress")),
        chart_funnel(query("select * from pluvo__rpt_training_funnel")),
        chart_activity(completions, certificates, overview["reported_on"]),
    ]
    held = overview["held_share"]
    figures = [
        (f"{overview['people']:,}", "people"),
        ("none" if held is None else f"{held:.0%}", "of required certificates held"),
        (
            f"{overview['certificates_expiring']:,}",
            f"certificates end within {overview['expiring_days']} days",
        ),
        (f"{overview['certificates_expired']:,}", "certificates expired, not renewed"),
        (
            f"{overview['inactive_users']:,}",
            f"did not sign in for {overview['inactive_days']} days, or never",
        ),
    ]
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        day=f"{overview['reported_on']:%d %B %Y}".lstrip("0"),
        plotly=get_plotlyjs(),
        figures="".join(
            f'<div class="figure"><b>{number}</b><span>{what}</span></div>'
            for number, what in figures
        ),
        charts="".join(chart.html() for chart in charts),
    )


if __name__ == "__main__":
    main()
