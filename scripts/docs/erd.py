"""Draw the streams and their references: a plain SVG, from the contracts in `schemas/`.

The positions are chosen here; a stream without one goes into the last column.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = [
    [
        "custom_fields",
        "custom_field_values",
        "portfolio_items",
        "portfolio_report",
        "issued_certificates",
    ],
    ["users", "offers", "certificates", "offer_event_dates"],
    ["group_members", "training_participants", "enrollments", "offer_events"],
    ["groups", "group_trainings", "trainings"],
]
COLOURS = ["#5d4037", "#2e7d32", "#c2185b", "#6a1b9a", "#b35c00", "#00796b", "#1565c0", "#37474f"]

WIDTH, ROW, HEAD = 204, 22, 29  # of a table, its rows and its title
GUTTER, GAP, MARGIN = 62, 28, 42  # between columns, between tables, around everything
STEP = 11  # between two parallel lines

NOTICE = "<!-- Written by scripts/docs/generate.py from schemas/: change it there. -->"
STYLE = (
    "text{font:14px ui-sans-serif,system-ui,sans-serif;fill:#212b36}"
    ".t{font-weight:600;fill:#fff}.k{font-weight:600}.m{fill:#66727f;font-size:13px}"
    ".l{fill:none;stroke-width:1.5}"
)


@dataclass
class Row:
    """A column that is a key or refers to another table."""

    name: str
    key: bool
    targets: list[str]
    listed: bool


@dataclass
class Table:
    """A stream as a box."""

    name: str
    rows: list[Row]
    more: int
    column: int = 0
    x: int = 0
    y: int = 0

    @property
    def height(self) -> int:
        """Height of the box."""
        return HEAD + ROW * (len(self.rows) + bool(self.more)) + 6

    def middle(self, column: str) -> int:
        """Return the vertical position of a column."""
        index = [row.name for row in self.rows].index(column)
        return self.y + HEAD + ROW * index + ROW // 2 + 2


def draw(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the diagram of these streams."""
    tables = _tables(schemas)
    targets = sorted(
        {
            name
            for table in tables.values()
            for row in table.rows
            for name in row.targets
            if not row.listed
        }
    )
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(targets)}
    width, height = _place(tables)
    lines = _lines(tables, colours)
    body = "\n".join([*(_box(table, colours) for table in tables.values()), *lines])
    return (
        f'{NOTICE}\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'aria-label="The streams, their keys and what they refer to">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#f6f8fa"/>\n{body}\n</svg>\n'
    )


def _tables(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Table]:
    tables = {}
    for stream, schema in schemas.items():
        rows = []
        for name, column in schema["properties"].items():
            references = column.get("x-references", [])
            key = name in schema["x-key"]
            if key or references:
                targets = [reference["stream"] for reference in references]
                listed = any(reference.get("many") for reference in references)
                rows.append(Row(name, key, targets, listed))
        tables[stream] = Table(stream, rows, len(schema["properties"]) - len(rows))
    return tables


def _place(tables: Mapping[str, Table]) -> tuple[int, int]:
    """Position the tables and return the size of the drawing."""
    known = {name for column in PLACES for name in column}
    places = [*PLACES[:-1], [*PLACES[-1], *(name for name in tables if name not in known)]]
    height = 0
    for index, names in enumerate(places):
        y = MARGIN
        for name in names:
            if name in tables:
                table = tables[name]
                table.column, table.x, table.y = index, MARGIN + index * (WIDTH + GUTTER), y
                y += table.height + GAP
        height = max(height, y - GAP)
    return 2 * MARGIN + len(places) * WIDTH + (len(places) - 1) * GUTTER, height + MARGIN


def _lines(tables: Mapping[str, Table], colours: Mapping[str, str]) -> list[str]:
    """Return the lines; those that lead to the same table share a trunk."""
    wanted = [
        (table, row, tables[target])
        for table in tables.values()
        for row in table.rows
        if not row.listed
        for target in row.targets
    ]
    ways: dict[int, list[str]] = {}  # by gutter, the tables that its lines lead to
    for table, _, target in wanted:
        names = ways.setdefault(_gutter(table, target), [])
        if target.name not in names:
            names.append(target.name)
    return [
        _line(table, row, target, ways[_gutter(table, target)], colours[target.name])
        for table, row, target in wanted
    ]


def _gutter(table: Table, target: Table) -> int:
    """Return the gutter next to the target: -1 is left of the first column, 0 right of it."""
    if target.column > table.column:
        return target.column - 1
    if target.column < table.column or table.column > 0:
        return target.column
    return -1


def _line(table: Table, row: Row, target: Table, names: list[str], colour: str) -> str:
    gutter = _gutter(table, target)
    offset = (names.index(target.name) - (len(names) - 1) / 2) * STEP
    right = MARGIN + (gutter + 1) * (WIDTH + GUTTER) - GUTTER  # of the column before the gutter
    width = GUTTER if gutter < len(PLACES) - 1 else MARGIN
    trunk = (right + width / 2 if gutter >= 0 else MARGIN / 2) + offset
    start_x = table.x + (WIDTH if gutter >= table.column else 0)
    end_x = target.x + (WIDTH if gutter >= target.column else 0)
    start_y, end_y = table.middle(row.name), target.middle(target.rows[0].name)
    if abs(table.column - target.column) > 1:  # above the tables in between
        near = table.x + WIDTH + 14
        path = f"M{start_x} {start_y}H{near}V{MARGIN / 2:g}H{trunk:g}V{end_y}H{end_x}"
    else:
        path = f"M{start_x} {start_y}H{trunk:g}V{end_y}H{end_x}"
    dashes = ' stroke-dasharray="5 3"' if len(row.targets) > 1 else ""
    side = 1 if start_x > table.x else -1
    foot = f"M{start_x} {start_y - 5}L{start_x + 8 * side} {start_y}L{start_x} {start_y + 5}"
    return (
        f'<path class="l" stroke="{colour}"{dashes} d="{path}"/>'
        f'<path class="l" stroke="{colour}" d="{foot}"/>'
        f'<circle cx="{end_x}" cy="{end_y}" r="3.5" fill="{colour}"/>'
    )


def _box(table: Table, colours: Mapping[str, str]) -> str:
    colour = colours.get(table.name, "#455463")
    x, y = table.x, table.y
    top = f"M{x} {y + HEAD}V{y + 5}a5 5 0 0 1 5 -5H{x + WIDTH - 5}a5 5 0 0 1 5 5V{y + HEAD}z"
    size = f'width="{WIDTH}" height="{table.height}"'
    parts = [
        f'<rect x="{x}" y="{y}" {size} rx="5" fill="#fff" stroke="{colour}"/>',
        f'<path d="{top}" fill="{colour}"/>',
        f'<text class="t" x="{x + 10}" y="{y + 19}">{escape(table.name)}</text>',
    ]
    for index, row in enumerate(table.rows):
        baseline = y + HEAD + ROW * index + 16
        kind = ' class="k"' if row.key else ""
        parts.append(f'<text{kind} x="{x + 10}" y="{baseline}">{escape(row.name)}</text>')
        if note := "key" if row.key else "list" if row.listed else "":
            parts.append(
                f'<text class="m" x="{x + WIDTH - 10}" y="{baseline}" text-anchor="end">'
                f"{note}</text>"
            )
    if table.more:
        baseline = y + HEAD + ROW * len(table.rows) + 16
        parts.append(f'<text class="m" x="{x + 10}" y="{baseline}">and {table.more} more</text>')
    return "".join(parts)
