"""The charts of the report page, each made from rows of the marts."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from chart import (
    BLUE,
    EXPIRED,
    EXPIRING,
    HELD,
    LIGHT_BLUE,
    MISSING,
    PALETTE,
    Chart,
    label,
    layout,
    month,
    shown,
    unique_labels,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from warehouse import Row

MONTHS_AHEAD = 12
MONTHS_BACK = 24
MOST_GROUPS = 25
RECENT_DAYS = 30
MOST_TRAININGS = 15


def chart_compliance(rows: Sequence[Row]) -> Chart:
    """Who holds the required certificates, by group; a list chooses the certificate."""
    title = "Certificates that groups have to hold"
    text = (
        "Share of the participants of each group, the largest group on top. Choose a certificate."
    )
    if not rows:
        seed = "<code>pluvo__requirements</code>"
        nothing = f"Nothing is required yet: fill in the seed {seed}."
        return Chart(title, text, None, nothing, wide=True)
    parts: dict[str, tuple[str, Callable[[Row], int]]] = {
        "Held": (HELD, lambda row: row["held"] - row["expiring"]),
        "Expiring": (EXPIRING, lambda row: row["expiring"]),
        "In grace": (LIGHT_BLUE, lambda row: row["in_grace"]),
        "Expired": (EXPIRED, lambda row: row["expired"]),
        "Never held": (MISSING, lambda row: row["missing"]),
    }
    certificates: list[str | None] = [None, *sorted({row["required_title"] for row in rows})]
    # Each requirement of a group counts the same members.
    members = Counter({group_key(row): row["members"] for row in rows})
    groups = [group for group, _ in members.most_common(MOST_GROUPS)][::-1]
    labels = unique_labels(name for _, name in groups)
    figure = go.Figure()
    for certificate in certificates:
        for part, (colour, count) in parts.items():
            totals: Counter[tuple[str, str]] = Counter()
            for row in rows:
                if certificate in {None, row["required_title"]}:
                    totals[group_key(row)] += count(row)
            figure.add_bar(
                name=part,
                orientation="h",
                y=labels,
                x=[totals[group] for group in groups],
                customdata=[totals[group] for group in groups],
                marker_color=colour,
                visible=certificate is None,
                hovertemplate=f"%{{y}}<br>{part}: %{{customdata}} (%{{x:.0f}}%)<extra></extra>",
            )
    buttons = [
        {
            "label": "All requirements" if certificate is None else label(certificate),
            "method": "restyle",
            "args": [{"visible": [other == certificate for other in certificates for _ in parts]}],
        }
        for certificate in certificates
    ]
    layout(figure, height=150 + 26 * len(groups), barmode="stack", barnorm="percent")
    figure.update_xaxes(ticksuffix="%", range=[0, 100])
    figure.update_layout(
        updatemenus=[
            {
                "buttons": buttons,
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "pad": {"b": 12},
                "bgcolor": "#fff",
                "bordercolor": "#c3c9d1",
            }
        ],
        legend={"x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        margin={"t": 60, "b": 60},
    )
    return Chart(title, text + shown(len(members), MOST_GROUPS, "groups"), figure, wide=True)


def chart_expiring(certificates: Sequence[Row], today: date) -> Chart:
    """How many certificates expire in each of the next months."""
    months = [month(today, n) for n in range(MONTHS_AHEAD)]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in certificates:
        ends = row["expires_on"]
        if ends is not None and ends >= today and row["is_current"]:
            counts[row["certificate_title"] or "untitled"][f"{ends:%Y-%m}"] += row["number"]
    coming = {name: count for name, count in counts.items() if any(count[m] for m in months)}
    ranked = sorted(coming, key=lambda name: (-sum(coming[name][m] for m in months), name))
    kept, rest = ranked[: len(PALETTE) - 1], ranked[len(PALETTE) - 1 :]
    if rest:
        coming["Others"] = Counter()
        for name in rest:
            coming["Others"].update(coming[name])
        kept.append("Others")
    figure = go.Figure()
    for name, colour in zip(kept, PALETTE, strict=False):
        figure.add_bar(
            name=label(name),
            x=months,
            y=[coming[name][m] for m in months],
            marker_color=colour,
            hovertemplate=f"{label(name)}<br>%{{x}}: %{{y}}<extra></extra>",
        )
    layout(figure, height=400, barmode="stack")
    figure.update_layout(legend={"y": -0.32, "yanchor": "top", "x": 0})
    figure.update_xaxes(type="category", tickangle=-45)
    return Chart(
        "Certificates that end, month by month",
        "Newest certificate of each person and title, by its last day of validity.",
        figure if kept else None,
        f"No certificate expires in the next {MONTHS_AHEAD} months.",
    )


def chart_logins(logins: Sequence[Row], inactive_days: int) -> Chart:
    """How long ago people signed in; everyone from `inactive_days` on counts as inactive."""
    ends = sorted({end for end in (7, 30, inactive_days - 1, 365) if end > 0})
    starts = [0, *(end + 1 for end in ends)]
    steps = [f"{start} to {end}" for start, end in zip(starts, ends, strict=False)]
    names = [*steps, "longer ago", "never", "just invited"]
    counts: Counter[str] = Counter()
    for row in logins:
        days, invited = row["days_since_login"], row["days_since_invitation"]
        if days is not None:
            step = next((n for n, end in enumerate(ends) if days <= end), len(ends))
        else:
            step = len(ends) + (2 if invited is not None and invited < inactive_days else 1)
        counts[names[step]] += row["number"]
    recent = [HELD if end <= RECENT_DAYS else EXPIRING for end in ends if end < inactive_days]
    colours = [*recent, *[EXPIRED] * (len(ends) + 1 - len(recent)), MISSING, LIGHT_BLUE]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=[counts[name] for name in names],
        marker_color=colours,
        text=[counts[name] for name in names],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y}<extra></extra>",
    )
    layout(figure, height=400)
    known = any(row["days_since_login"] is not None for row in logins)
    return Chart(
        "When people last signed in",
        "Days ago.",
        figure if known else None,
        "The organization's API does not return last logins.",
    )


def chart_progress(rows: Sequence[Row]) -> Chart:
    """How many members completed the trainings assigned to their group."""
    title = "Trainings that groups completed"
    text = "Share of the participants of each group who completed the assigned training."
    if not any(row["members"] for row in rows):
        return Chart(
            title, text, None, "No training is assigned to a group with members.", wide=True
        )
    sizes = {group_key(row): row["members"] for row in rows if row["members"]}
    groups = sorted(sizes, key=lambda group: sizes[group])[-MOST_GROUPS:]
    cells = {(group_key(row), training_key(row)): row for row in rows}
    assigned = Counter(training_key(row) for row in rows if group_key(row) in set(groups))
    trainings = [training for training, _ in assigned.most_common(MOST_TRAININGS)]

    def cell(group: tuple[str, str], training: tuple[str, str], column: str) -> Any:
        return cells.get((group, training), {}).get(column)

    figure = go.Figure()
    figure.add_heatmap(
        x=unique_labels(name for _, name in trainings),
        y=unique_labels(name for _, name in groups),
        z=[
            [cell(group, training, "completed_share") for training in trainings] for group in groups
        ],
        customdata=[
            [
                [cell(group, training, name) for name in ("completed", "started", "members")]
                for training in trainings
            ]
            for group in groups
        ],
        hovertemplate=(
            "%{y}<br>%{x}<br>%{customdata[0]} completed, %{customdata[1]} started,"
            " of %{customdata[2]}<extra></extra>"
        ),
        texttemplate="%{z:.0%}",
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        colorscale=[[0, "#eef2f6"], [1, BLUE]],
        colorbar={"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
        hoverongaps=False,
    )
    layout(figure, height=190 + 26 * len(groups))
    figure.update_xaxes(tickangle=-35, showgrid=False)
    figure.update_yaxes(showgrid=False)
    text += shown(len(sizes), MOST_GROUPS, "groups") + shown(
        len(assigned), MOST_TRAININGS, "trainings", "most assigned"
    )
    return Chart(title, text, figure, wide=True)


def chart_funnel(rows: Sequence[Row]) -> Chart:
    """How many people started and completed each training."""
    ranked = sorted(rows, key=lambda row: row["people"])[-MOST_TRAININGS:]
    labels = unique_labels(row["training_title"] or "untitled" for row in ranked)
    figure = go.Figure()
    for column, name, colour in (
        ("people", "Participants or with a result", "#e3e7ec"),
        ("started", "Started", LIGHT_BLUE),
        ("completed", "Completed", BLUE),
    ):
        figure.add_bar(
            name=name,
            orientation="h",
            y=labels,
            x=[row[column] for row in ranked],
            marker_color=colour,
            hovertemplate=f"%{{y}}<br>{name}: %{{x}}<extra></extra>",
        )
    layout(figure, height=150 + 24 * len(ranked), barmode="overlay")
    figure.update_layout(legend={"y": 1, "yanchor": "bottom", "x": 0}, margin_t=40)
    return Chart(
        "From participant to completion",
        "People with closed accounts included." + shown(len(rows), MOST_TRAININGS, "trainings"),
        figure if ranked else None,
    )


def chart_activity(completions: Sequence[Row], certificates: Sequence[Row], today: date) -> Chart:
    """Completions and certificates issued, month by month."""
    months = [month(today, n - MONTHS_BACK + 1) for n in range(MONTHS_BACK)]
    completed: Counter[str] = Counter()
    for row in completions:
        completed[f"{row['completed_on']:%Y-%m}"] += row["number"]
    issued: Counter[str] = Counter()
    for row in certificates:
        issued[f"{row['issued_on']:%Y-%m}"] += row["number"]
    figure = go.Figure()
    figure.add_bar(
        name="Trainings completed",
        x=months,
        y=[completed[m] for m in months],
        marker_color=LIGHT_BLUE,
        hovertemplate="%{x}: %{y} completed<extra></extra>",
    )
    figure.add_scatter(
        name="Certificates issued",
        x=months,
        y=[issued[m] for m in months],
        mode="lines+markers",
        line={"color": EXPIRED, "width": 2},
        hovertemplate="%{x}: %{y} issued<extra></extra>",
    )
    layout(figure, height=400)
    figure.update_layout(legend={"y": 1, "yanchor": "bottom", "x": 0}, margin_t=40)
    figure.update_xaxes(type="category", tickangle=-45)
    any_at_all = any(completed[m] or issued[m] for m in months)
    return Chart(
        "Activity, month by month",
        "By the day of completion or issue; the last month is still running.",
        figure if any_at_all else None,
    )


def group_key(row: Row) -> tuple[str, str]:
    """Return the identifier of a group, since several may share a name."""
    return row["group_id"], row["group_name"] or row["group_ref"] or row["group_id"]


def training_key(row: Row) -> tuple[str, str]:
    """Return the identifier of a training, and its title, which says when it is archived."""
    title = row["training_title"] or "untitled"
    return row["training_id"], f"{title} (archived)" if row["is_archived"] else title
