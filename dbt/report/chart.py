"""A chart of the report page, and what all charts share: colours, labels, style."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import plotly.graph_objects as go

# From good to bad; colour-blind readers can tell them apart.
HELD, EXPIRING, EXPIRED, MISSING = "#2a9d8f", "#e9c46a", "#e76f51", "#c3c9d1"
BLUE, LIGHT_BLUE = "#2f6f9f", "#a9cbe3"
PALETTE = ["#2f6f9f", "#e9c46a", "#2a9d8f", "#e76f51", "#8e6c8a", "#a9cbe3", "#6b7785"]
LONGEST_LABEL = 34


@dataclass
class Chart:
    """A question, and the figure that answers it."""

    title: str
    text: str
    figure: go.Figure | None
    nothing: str = "There is nothing to show yet."
    wide: bool = False

    def html(self) -> str:
        """Return the section of the page."""
        body = f'<div class="nothing">{self.nothing}</div>'
        if self.figure is not None:
            body = self.figure.to_html(
                full_html=False,
                include_plotlyjs=False,
                config={"displaylogo": False, "displayModeBar": False, "responsive": True},
            )
        kind = ' class="wide"' if self.wide else ""
        return f"<section{kind}><h2>{self.title}</h2><p>{self.text}</p>{body}</section>"


def layout(figure: go.Figure, height: int, **more: Any) -> None:
    """Apply the style of the page to a figure."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 16, "b": 8},
        font={"family": "system-ui, Segoe UI, Roboto, Noto Sans, sans-serif", "color": "#1f2a37"},
        paper_bgcolor="#fff",
        plot_bgcolor="#fff",
        legend={"orientation": "h", "traceorder": "normal"},
        hoverlabel={"bgcolor": "#fff"},
        bargap=0.25,
        **more,
    )
    figure.update_xaxes(gridcolor="#e3e7ec", zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(gridcolor="#e3e7ec", zeroline=False, automargin=True, fixedrange=True)


def label(text: str) -> str:
    """Return a text as a label: one short line without markup."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1] + "…"
    return escape(line, quote=False)


def unique_labels(texts: Iterable[str]) -> list[str]:
    """Return distinct labels: bars with the same label would be drawn as one."""
    seen: Counter[str] = Counter()
    labels = []
    for text in texts:
        name = label(text)
        seen[name] += 1
        labels.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return labels


def month(today: date, offset: int) -> str:
    """Return the month that is this many months from today's."""
    number = today.year * 12 + today.month - 1 + offset
    return f"{number // 12}-{number % 12 + 1:02}"


def shown(total: int, most: int, what: str, which: str = "largest") -> str:
    """Say when only some are shown."""
    return f" The {most} {which} of {total} {what}." if total > most else ""
