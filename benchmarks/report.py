"""The figures as tables, for the terminal and between two markers in a document."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workloads import Goal, Work

READING = "<!-- figures: written by benchmarks/reading.py -->"
END = "<!-- end of figures -->"
FIGURES = "<!-- figures: written by benchmarks/run.py -->"
MODELS = "<!-- figures: written by benchmarks/models.py -->"
LOG_BASED = "<!-- figures: written by benchmarks/log_based.py -->"
WEBHOOKS = "<!-- figures: written by benchmarks/webhooks.py -->"

CEILING = (
    "The server's own ceiling, measured with bare sockets at the other end: "
    "{pages_per_second:,.0f} pages/s ({rows_per_second:,.0f} rows/s, "
    "{megabytes_per_second:,.0f} MB/s); a page costs it {server_microseconds_per_page:.0f} µs of "
    "CPU time."
)


def machine() -> dict[str, str]:
    """Describe this machine without naming it."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        model = re.search(r"model name\s*: (.+)", info.read_text("utf-8"))
        cpu = model[1] if model else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _shown(goal: Goal) -> tuple[str, str]:
    digits = 0 if goal.unit == " MB" else 2
    sign = "at most" if goal.at_most else "at least"
    figure = f"{goal.figure:.{digits}f}{goal.unit}"
    return figure, f"{sign} {goal.limit:g}{goal.unit}"


def goals(works: Iterable[Work]) -> str:
    """Return the table of goals."""
    lines = ["| work | figure | to reach | measured | |", "| --- | --- | --- | --- | --- |"]
    for work in works:
        for goal in work.goals:
            figure, limit = _shown(goal)
            mark = "reached" if goal.reached else "**missed**"
            lines.append(f"| {work.title} | {goal.what} | {limit} | {figure} | {mark} |")
    return "\n".join(lines)


def figures(work: Work) -> str:
    """Return the table of a workload's medians."""
    lines = [
        f"{work.title}:",
        "",
        "| | wall s | CPU s | rows/s | rows/CPU s | peak MB | requests | server CPU s |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for label, run in work.figures.items():
        rows = (
            (f"{run.rows / run.wall:,.0f}", f"{run.rows / run.cpu:,.0f}") if run.rows else ("", "")
        )
        requests = (f"{run.requests:,.0f}", f"{run.server_cpu:.2f}") if run.requests else ("", "")
        cells = [label, f"{run.wall:.2f}", f"{run.cpu:.2f}", *rows, f"{run.peak:.0f}", *requests]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(
    works: list[Work],
    ceiling: Mapping[str, float],
    facts: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """Return the results of a run as Markdown."""
    parts = [
        "Machine: " + ", ".join(f"{name} {value}" for name, value in facts.items()) + ".",
        "Versions: " + ", ".join(f"{name} {value}" for name, value in versions.items()) + ".",
        CEILING.format(**ceiling),
    ]
    if any(work.goals for work in works):
        parts.append(goals(works))
    return "\n\n".join(parts + [figures(work) for work in works])


def models_page(work: Work, facts: Mapping[str, str]) -> str:
    """Return the results of the models as Markdown."""
    return works_page([work], facts)


def works_page(works: list[Work], facts: Mapping[str, str]) -> str:
    """Return the results of some workloads as Markdown."""
    parts = [
        "Machine: " + ", ".join(f"{name} {value}" for name, value in facts.items()) + ".",
        goals(works),
        *map(figures, works),
    ]
    return "\n\n".join(parts)


def write(document: Path, text: str, begin: str) -> None:
    """Write the figures between the markers of a document."""
    before, _, rest = document.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{begin}\n\n{text}\n\n{END}{after}", "utf-8")
