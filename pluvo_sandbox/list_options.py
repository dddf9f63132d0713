"""The options of the command that say how lists are ordered, filtered, counted and paged."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from pluvo_sandbox.argument_types import positive
from pluvo_sandbox.behaviour import Archived, Counts, DayFilter, ReportOrder, Ties

if TYPE_CHECKING:
    import argparse


def add_list_options(serve: argparse.ArgumentParser) -> None:
    """Add the options to the command `serve`."""
    add = serve.add_argument_group("lists").add_argument
    add(
        "--ties",
        choices=get_args(Ties),
        default="by-id",
        help="order of rows with the same name, title or day: by their id, by page (each page has "
        "an order of its own), or random at every request (%(default)s)",
    )
    add(
        "--report-order",
        choices=get_args(ReportOrder),
        default="id",
        help="what the portfolio report is ordered by (%(default)s)",
    )
    add(
        "--archived",
        choices=get_args(Archived),
        default="only",
        help="what `archived: true` lists: only archived rows, or archived rows too; ignored: "
        "lists hold everything, whatever the argument says; everything: only without the argument "
        "(%(default)s)",
    )
    add(
        "--day-filter",
        choices=get_args(DayFilter),
        default="inclusive",
        help="whether the days that filter the report are part of what it lists; midnight: results "
        "have a time of day, and the last day ends as it begins (%(default)s)",
    )
    add(
        "--counts",
        choices=get_args(Counts),
        default="exact",
        help="what connections say as their count: exact, as it was some requests ago, a few "
        "percent more or less, or never above a hundred (%(default)s)",
    )
    add(
        "--portfolio-lag",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long a certificate that was issued does not show (%(default)s)",
    )
    add(
        "--no-distinct",
        dest="distinct",
        action="store_false",
        help="list and count a row once for each match of a filter, such as groups with common "
        "members",
    )
    add(
        "--page-cap",
        type=positive,
        metavar="N",
        help="give at most N rows on a page, even when more are asked for",
    )
    add("--ignore-offset", action="store_true", help="accept `offset` and ignore it")
