"""The report page in a browser: `make test-page` runs this, as it needs Chromium.

The environment variable CHROMIUM names the program (default: the first of the usual names on PATH).
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from test_report_page import charts_of, data_of, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Project

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"desk": {"width": 1240, "height": 900}, "phone": {"width": 360, "height": 740}}
# What the page shows, in the order of the page.
SHOWN = """() => ({
  figures: [...document.querySelectorAll("dd")].map(cell => cell.textContent),
  status: document.getElementById("status").textContent,
  charts: Object.fromEntries([...document.querySelectorAll(".chart")].map(chart => [chart.id, {
    bars: (chart.querySelector(".plot").data ?? []).map(({x, y, z}) => ({x, y, z})),
    table: [...chart.querySelectorAll("tr")].map(
      row => [...row.cells].map(cell => cell.textContent)
    ),
  }])),
})"""


@pytest.fixture(scope="module")
def page_file(
    build_consumer: Callable[[str], Project], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    render(build_consumer("duckdb"), path, "--field=Location")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "no Chromium: install it, or name it in the variable CHROMIUM"
    with sync_playwright() as playwright:
        # A sandbox is no use for a page of our own, and root cannot have one.
        yield playwright.chromium.launch(executable_path=program, chromium_sandbox=False)


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Any, page_file: Path) -> Iterator[Any]:
    """Open the page, and see to it that it needs nothing else and that its script never fails."""
    page = browser.new_page(viewport=SIZES[request.param])
    requested: list[str] = []
    errors: list[str] = []
    page.on("request", lambda asked: requested.append(asked.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(page_file.as_uri())
    yield page
    page.close()
    assert requested == [page_file.as_uri()]
    assert errors == []


def test_axe_finds_nothing(page: Any) -> None:
    for tables in ("false", "true"):
        page.evaluate(f"document.querySelectorAll('details').forEach(it => it.open = {tables})")
        found = Axe().run(page).response
        assert [
            (it["id"], it["impact"], it["nodes"][0]["html"]) for it in found["violations"]
        ] == []
        assert len(found["passes"]) > 20


def test_nothing_sticks_out(page: Any, page_file: Path) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    plots = page.locator(".plot:has(.main-svg):visible")
    charts = charts_of(page_file.read_text(encoding="utf-8"))
    assert plots.count() == sum(bool(chart["views"]) for chart in charts.values()) > 5
    assert all(plot.bounding_box()["height"] > 100 for plot in plots.all())


def test_filters_change_every_chart_and_figure(page: Any, page_file: Path) -> None:
    html = page_file.read_text(encoding="utf-8")
    data, charts = data_of(html), charts_of(html)
    everyone = page.evaluate(SHOWN)
    assert everyone["figures"] == data["figures"]["|"]
    page.get_by_label("Group", exact=True).select_option("Group 6")
    group = page.evaluate(SHOWN)
    page.get_by_label("Location", exact=True).select_option("North")
    both = page.evaluate(SHOWN)
    number = [*page.get_by_label("Group", exact=True).locator("option").all_inner_texts()].index(
        "Group 6"
    )
    for shown, before, key in (
        (group, everyone, f"{number - 1}|"),
        (both, group, f"{number - 1}|0"),
    ):
        assert shown["figures"] == data["figures"][key] != before["figures"]
        assert shown["status"] == f"{shown['figures'][0]} people are shown."
        for name, chart in charts.items():
            if not chart["views"]:
                continue
            assert shown["charts"][name] != before["charts"][name], name
            for drawn, meant in zip(
                shown["charts"][name]["bars"], chart["views"][f"{key}|"], strict=True
            ):
                assert {axis: drawn.get(axis) for axis in meant if axis in drawn} == {
                    axis: values for axis, values in meant.items() if axis in drawn
                }
    page.get_by_label("Group", exact=True).select_option("Everyone")
    page.get_by_label("Location", exact=True).select_option("All")
    assert page.evaluate(SHOWN) == everyone


def test_tables_say_what_the_charts_show(page: Any) -> None:
    shown = page.evaluate(SHOWN)["charts"]
    head, *rows = shown["logins"]["table"]
    (bars,) = shown["logins"]["bars"]
    assert head == ["Days ago", "People"]
    assert rows == [[name, str(number)] for name, number in zip(bars["x"], bars["y"], strict=True)]
    head, *rows = shown["compliance"]["table"]
    held, *_ = shown["compliance"]["bars"]
    assert head == ["Group", "Held", "Expiring", "Still has time", "Expired", "Never"]
    assert [row[:2] for row in rows] == [
        [name, str(number)] for name, number in zip(held["y"][::-1], held["x"][::-1], strict=True)
    ]


def test_a_list_chooses_the_requirement(page: Any) -> None:
    before = page.evaluate(SHOWN)["charts"]
    page.get_by_label("Requirement", exact=True).select_option("First aid")
    after = page.evaluate(SHOWN)["charts"]
    assert [name for name in before if before[name] != after[name]] == ["compliance"]
    groups = {row[0] for row in after["compliance"]["table"][1:]}
    assert groups == {"Care", "Kitchen, 'hot'"}


def test_too_few_people_are_not_shown(page: Any) -> None:
    page.get_by_label("Group", exact=True).select_option("Kitchen, 'hot'")
    page.get_by_label("Location", exact=True).select_option("Not filled in")
    assert set(page.locator("dd").all_inner_texts()) == {"\N{EN DASH}"}
    assert page.get_by_role("status").inner_text().startswith("Nobody, or too few people")
    assert page.locator(".plot:visible").count() == 0
