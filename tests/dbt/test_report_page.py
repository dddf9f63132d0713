"""The report page: one file, complete, that fetches nothing and names nobody."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from charts_of_certificates import history
from conftest import PACKAGE, Project
from figures import count
from language import LANGUAGES, Language
from organization import uid
from views import FEWEST_PEOPLE, Report, View, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from warehouses import Warehouse

HEADINGS = [
    "Key figures",
    "What people must hold or complete",
    "People who meet all requirements, month by month",
    "Certificates that end, month by month",
    "When people last signed in",
    "Trainings that groups completed",
    "From assignment to completion",
    "Activity, month by month",
]


def run(project: Project, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    where = [f"--output={output}", f"--warehouse={project.warehouse.name}"]
    return subprocess.run(
        [sys.executable, str(PACKAGE / "report/render.py"), *where, *options],
        env=os.environ | project.warehouse.environment,
        check=False,
        capture_output=True,
        text=True,
    )


def render(project: Project, output: Path, *options: str) -> str:
    process = run(project, output, *options)
    assert process.returncode == 0, process.stderr
    return output.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    """Return what the script of the page draws."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def charts_of(page: str) -> dict[str, Any]:
    return {chart["name"]: chart for chart in data_of(page)["charts"]}


class Outline(HTMLParser):
    """The elements of a page, in their order, each with those that it is in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> Iterator[tuple[dict[str, str | None], tuple[str, ...]]]:
        return ((attributes, inside) for name, attributes, inside in self.elements if name == tag)


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_page(warehouse: str, build_consumer: Callable[[str], Project], tmp_path: Path) -> None:
    project = build_consumer(warehouse)
    page = render(project, tmp_path / "pages/report.html", "--field=Location")
    assert re.findall("<h2[^>]*>(.*?)</h2>", page) == HEADINGS
    assert "15 Jun 2025" in page
    assert "end within 30 days" in page
    # The library is inside, and nothing is loaded from elsewhere.
    assert len(page) > 3_000_000
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    people = project.rows("select user_id, user_name, email from pluvo__dim_users")
    data = json.dumps(data_of(page), ensure_ascii=False)
    for person in people:
        assert not any(value in data for value in person.values() if value and value != "Ann")
    # Names are beside it.
    tasks = [path.read_text() for path in sorted((tmp_path / "pages/to-do").glob("*.csv"))]
    assert [len(list(csv.reader(text.splitlines()))) > 1 for text in tasks] == [True, True]
    assert sum("ann@example.com" in text for text in tasks) == 1


def test_page_for_those_who_do_not_see_it(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    page = render(build_consumer("duckdb"), tmp_path / "report.html", "--field=Location")
    outline = Outline(re.sub(r"(?s)<(script|style).*?</\1>", "", page))
    assert outline.open == []
    assert [attributes["lang"] for attributes, _ in outline.all("html")] == ["en"]
    for landmark in ("header", "main", "footer", "h1"):
        assert len(list(outline.all(landmark))) == 1
    ids = [attributes["id"] for _, attributes, _ in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    selects = [attributes["id"] for attributes, _ in outline.all("select")]
    assert len(selects) == 3
    assert [attributes["for"] for attributes, _ in outline.all("label")] == selects
    pictures = [
        attributes for _, attributes, _ in outline.elements if attributes.get("role") == "img"
    ]
    tables = [inside for _, inside in outline.all("table")]
    assert len(pictures) == len(tables) == len(HEADINGS) - 1
    assert all("details" in inside for inside in tables)
    for attributes in pictures:
        named = (attributes["aria-labelledby"], attributes["aria-describedby"])
        assert set(named) <= set(ids)


def test_both_warehouses_give_the_same_page(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    one, other = (
        render(build_consumer(name), tmp_path / name, "--field=Location", "--language=nl")
        for name in ("duckdb", "postgres")
    )
    assert data_of(one) == data_of(other)
    assert one == other
    assert '<html lang="nl">' in one
    assert "15 jun 2025" in one


def test_page_of_nothing(new_warehouse: Callable[[str], Warehouse], tmp_path: Path) -> None:
    """Before the first sync there is a page that says so."""
    project = Project(PACKAGE, new_warehouse("duckdb"), tmp_path)
    project.dbt("build", "--exclude-resource-type", "test", "unit_test", "snapshot")
    page = render(project, tmp_path / "report.html")
    charts = charts_of(page)
    assert len(charts) == len(HEADINGS) - 1
    assert not any(chart["views"] for chart in charts.values())
    assert "<select" not in page


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_figures_of_everyone_are_those_of_the_overview(
    warehouse: str, build_consumer: Callable[[str], Project]
) -> None:
    project = build_consumer(warehouse)
    (overview,) = project.rows("select * from pluvo__rpt_overview")
    figures = count(read(project.rows, "", ""), View())
    assert figures == {name: overview[name] for name in figures}
    assert all(number for name, number in figures.items() if name != "assignments_overdue")


@pytest.mark.parametrize(
    ("warehouse", "organizations"),
    [("duckdb", ()), ("postgres", ()), ("duckdb", ("north", "south"))],
)
def test_the_line_of_everyone_is_the_monthly_report(
    warehouse: str, organizations: tuple[str, ...], build_consumer: Callable[..., Project]
) -> None:
    project = build_consumer(warehouse, organizations)
    for organization in organizations or ("",):
        line = {
            row["month"]: (row["people_required"], row["people_compliant"], bool(row["is_known"]))
            for row in read(project.rows, organization, "").rows("history", View())
        }
        report = project.rows(
            "select * from pluvo__rpt_compliance_monthly"
            f" where coalesce(organization, '') = '{organization}'"
        )
        assert len(report) == 13
        assert line == {
            row["month"]: (
                row["people_required"],
                row["people_compliant"],
                row["is_membership_known"],
            )
            for row in report
        }


def test_filters_choose_people(build_consumer: Callable[[str], Project]) -> None:
    """Those of a group, of a value, of both, or without a value; each view counts by itself."""
    project = build_consumer("duckdb")
    report = read(project.rows, "", "Location")
    assert report.values == ["North", "South", ""]
    users = {
        row["user_id"]
        for row in project.rows("select * from pluvo__dim_users where not is_archived")
    }
    values = {
        row["owner_id"]: row["field_value"]
        for row in project.rows("select * from pluvo__lms_custom_field_values")
        if row["field_title"] == "Location"
    }
    members = project.rows(
        "select * from pluvo__bridge_group_members where member_role = 'participant'"
    )
    group = uid("group 5")
    chosen = {row["user_id"] for row in members if row["group_id"] == group} & users
    north = {user for user in users if values.get(user) == "North"}
    nowhere = {user for user in users if user not in values}
    held = project.rows(
        "select user_id from pluvo__fct_compliance_person"
        " where requirement_status in ('held', 'expiring')"
    )
    for view, people in {
        View(group): chosen,
        View(None, "North"): north,
        View(group, "North"): chosen & north,
        View(None, ""): nowhere,
    }.items():
        assert len(people) >= FEWEST_PEOPLE
        figures = count(report, view)
        assert figures["people"] == len(people)
        assert figures["held"] == sum(row["user_id"] in people for row in held)
    # Few people of a group who share a value would be told about.
    few = {View(uid("group 1"), value) for value in report.values}
    sizes = Counter(
        (row["group_id"], values.get(row["user_id"], ""))
        for row in members
        if row["user_id"] in users
    )
    assert {view for view in few if view in report.views} == {
        view for view in few if sizes[view.group, view.value] >= FEWEST_PEOPLE
    }
    assert not few <= set(report.views)


def test_the_bars_of_the_inactive_are_those_of_the_figure(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    """The 90th day, on which Bob signed in, is inactive; the 89th, on which Cas did, is not."""
    project = build_consumer("duckdb")
    chart = charts_of(render(project, tmp_path / "report.html"))["logins"]
    (bars,) = chart["views"]["||"]
    names = chart["traces"][0]["x"]
    assert names[2:] == ["31 to 89", "90 to 365", "longer ago", "never", "just invited"]
    (overview,) = project.rows("select * from pluvo__rpt_overview")
    assert sum(bars["y"][3:6]) == overview["inactive_users"]
    assert sum(bars["y"]) == overview["people"]


def test_the_largest_group_is_on_top(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    charts = charts_of(render(build_consumer("duckdb"), tmp_path / "report.html"))
    chart = charts["compliance"]
    held, *others = chart["views"]["||"]
    people = [sum(part["x"][n] for part in (held, *others)) for n in range(len(held["y"]))]
    assert held["y"][-2:] == ["Group 6", "Group 0"]
    assert people[-1] > people[0] > 0
    # Of two trainings that share a title, one has a number: each has bars of its own.
    assert {"Onboarding", "Onboarding (2)"} <= set(charts["funnel"]["traces"][0]["y"])


def test_history_is_dashed_where_members_are_not_known() -> None:
    """The dashed line goes on to the first month that is known; months without a row are a gap."""

    def month(number: int, compliant: int, *, is_known: bool) -> dict[str, Any]:
        counts = {"people_required": 4, "people_compliant": compliant, "is_known": int(is_known)}
        return {"month": date(2025, number, 1)} | counts

    rows = [
        month(2, 1, is_known=False),
        month(3, 2, is_known=False),
        month(4, 3, is_known=True),
        month(6, 4, is_known=True),
    ]
    report = Report({"reported_on": date(2025, 6, 15)})
    report.counts = {"people": {View(): []}, "history": {View(): rows}}
    chart = history(report, Language("en"))
    known, unknown = chart.views[View(), None]
    assert chart.traces[0]["x"][-5:] == ["Feb 2025", "Mar 2025", "Apr 2025", "May 2025", "Jun 2025"]
    assert known["y"] == [None] * 9 + [0.75, None, 1.0]
    assert unknown["y"] == [None] * 7 + [0.25, 0.5, 0.75, None, None]
    assert unknown["text"][-5:] == ["25%", "50%", "", "", ""]
    assert chart.traces[1]["line"]["dash"] == "dot"


def test_one_of_several_organizations(
    build_consumer: Callable[..., Project], tmp_path: Path
) -> None:
    alone = render(build_consumer("duckdb"), tmp_path / "alone.html", "--field=Location")
    project = build_consumer("duckdb", ("north", "south"))
    refused = run(project, tmp_path / "report.html")
    assert refused.returncode == 1
    assert refused.stderr == "Choose one with --organization; there are: north, south.\n"
    page = render(project, tmp_path / "report.html", "--organization=north", "--field=Location")
    assert data_of(page) == data_of(alone)


def test_an_unknown_field_is_refused(
    build_consumer: Callable[[str], Project], tmp_path: Path
) -> None:
    refused = run(build_consumer("duckdb"), tmp_path / "report.html", "--field=Lokation")
    assert refused.returncode == 1
    assert "No user has a custom field 'Lokation'; there are: Cost centre, First" in refused.stderr


def test_languages_say_the_same() -> None:
    def keys(words: object) -> object:
        return {key: keys(words[key]) for key in words} if isinstance(words, dict) else type(words)

    assert LANGUAGES == ["en", "nl"]
    english, dutch = (Language(code).words for code in LANGUAGES)
    assert keys(english) == keys(dutch)
    assert Language("nl").number(1234567) == "1.234.567"


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
