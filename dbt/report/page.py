"""Put the page together: words, key figures, charts, and the counts of every view as JSON."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from chart import unique_labels
from charts_of_certificates import compliance, ending, history
from charts_of_people import activity, logins
from charts_of_trainings import funnel, progress
from figures import captions, figures
from plotly.offline import get_plotlyjs
from views import View

if TYPE_CHECKING:
    from chart import Chart
    from language import Language
    from views import Report

FOLDER = Path(__file__).parent
CHARTS = [compliance, history, ending, logins, progress, funnel, activity]
AXIS = {"gridcolor": "#e3e7ec", "zeroline": False, "automargin": True, "fixedrange": True}
LAYOUT = {
    "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
    "font": {
        "family": "system-ui, Segoe UI, Roboto, Noto Sans, sans-serif",
        "color": "#1f2a37",
    },
    "paper_bgcolor": "#fff",
    "plot_bgcolor": "#fff",
    "legend": {"orientation": "h", "traceorder": "normal", "x": 0, "y": 1, "yanchor": "bottom"},
    "hoverlabel": {"bgcolor": "#fff"},
    "bargap": 0.25,
}


def page(report: Report, language: Language, field: str) -> str:
    """Return the page."""
    words = language.words["page"]
    charts = [make(report, language) for make in CHARTS]
    return Template(read("page.html")).substitute(
        language=language.code,
        title=words["title"],
        day=language.day(report.day),
        subtitle=words["subtitle"].format(day=language.day(report.day)),
        css=read("page.css"),
        js=read("page.js"),
        plotly=get_plotlyjs(),
        script_needed=words["script"],
        filters=filters(report, language, field),
        figures_title=words["figures"],
        figures="".join(
            f"<div><dt>{caption}</dt><dd>{figure}</dd></div>"
            for caption, figure in zip(
                captions(report, language), figures(report, language, View()), strict=True
            )
        ),
        charts="".join(section(chart, language) for chart in charts),
        footer=words["footer"],
        # "</" would end the script.
        data=json.dumps(data(report, language, charts), separators=(",", ":")).replace(
            "</", "<\\/"
        ),
    )


def read(name: str) -> str:
    """Return a part of the page."""
    return (FOLDER / name).read_text("utf-8")


def filters(report: Report, language: Language, field: str) -> str:
    """Return the selects of the views; without groups and a field there are none."""
    words = language.words["page"]
    group_labels = unique_labels(report.groups.values())
    selects = []
    if report.groups:
        selects.append(select("group", words["group"], [words["everyone"], *group_labels]))
    if report.values:
        values = unique_labels(value or words["no_value"] for value in report.values)
        selects.append(select("value", field, [words["any_value"], *values]))
    if not selects:
        return ""
    status = '<p id="status" role="status"></p>'
    return (
        f'<form class="filters" aria-label="{words["filters"]}">{"".join(selects)}{status}</form>\n'
    )


def select(name: str, caption: str, choices: list[str]) -> str:
    """Return a list of labels to choose from: all, or one of the others by its number."""
    options = "".join(
        f'<option value="{n - 1 if n else ""}">{choice}</option>'
        for n, choice in enumerate(choices)
    )
    # Browsers would keep the choice when the page is loaded again, but not draw it.
    return (
        f'<span class="choice"><label for="{name}">{escape(caption)}</label> '
        f'<select id="{name}" autocomplete="off">{options}</select></span>'
    )


def section(chart: Chart, language: Language) -> str:
    """Return the place of a chart, with a table of the same numbers for who cannot see it."""
    words = language.words[chart.name]
    name = chart.name
    labels = f'aria-labelledby="{name}-title" aria-describedby="{name}-text"'
    choice = select(f"{name}-choice", words["choose"], chart.choices) if chart.choices[1:] else ""
    return f"""
<section id="{name}" class="chart{" wide" if chart.wide else ""}" aria-labelledby="{name}-title">
  <h2 id="{name}-title">{words["title"]}</h2>
  <p id="{name}-text">{words["text"]} {chart.note}</p>{choice}
  <div class="scroll" tabindex="0" role="group" aria-labelledby="{name}-title">
    <div class="plot" role="img" {labels}></div>
  </div>
  <p class="nothing" hidden>{words["nothing"]}</p>
  <details>
    <summary>{language.words["page"]["data"]}</summary>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="{name}-title">
      <table><caption class="for-readers">{words["title"]}</caption></table>
    </div>
  </details>
</section>"""


def data(report: Report, language: Language, charts: list[Chart]) -> dict[str, Any]:
    """Return all that the script draws, by the numbers of the chosen group and value."""
    groups = {group: str(n) for n, group in enumerate(report.groups)} | {None: ""}
    values = {value: str(n) for n, value in enumerate(report.values)} | {None: ""}

    def key(view: View) -> str:
        return f"{groups[view.group]}|{values[view.value]}"

    words = language.words
    return {
        "figures": {key(view): figures(report, language, view) for view in report.views},
        "charts": [
            {
                "name": chart.name,
                "categories": chart.categories,
                "nothing": words[chart.name]["nothing"],
                "traces": chart.traces,
                "layout": chart.layout,
                "height": chart.height,
                "row_height": chart.row_height,
                "views": {
                    f"{key(view)}|{'' if choice is None else choice}": traces
                    for (view, choice), traces in chart.views.items()
                },
            }
            for chart in charts
        ],
        "layout": LAYOUT | {"separators": words["decimal"] + words["thousands"]},
        "axis": AXIS,
        "people_shown": words["page"]["people_shown"],
        "too_few": words["page"]["too_few"],
    }
