"""Limits: how much of a kind may be changed within a day, whatever the number of runs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from pluvo_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_pluvo.changes import Change, Limited
    from target_pluvo.settings import Settings

SPAN = dt.timedelta(hours=24)
FLOOR = 3  # that are allowed of most kinds, however small the organization


class Limit(NamedTuple):
    """A limit: the setting that has it, what it is about, and how many are allowed at least."""

    setting: str
    what: str
    whole: str
    floor: int = FLOOR


LIMITS: dict[Limited, Limit] = {
    "archived": Limit("max_archive_share", "archive", "active users", floor=0),
    "restored": Limit("max_restore_share", "restore", "active users"),
    "removed": Limit("max_removal_share", "remove", "members"),
    "renumbered": Limit("max_renumber_share", "renumber", "active users"),
    "address": Limit("max_address_change_share", "change the address of", "active users"),
    "role": Limit("max_role_change_share", "change the roles of", "active users"),
}


def planned(changes: Iterable[Change]) -> set[tuple[str, str]]:
    """Return what is limited in some changes: the kind of limit, and what is changed."""
    return {(kind, what) for change in changes for kind, what in change.limits.items()}


def exceeded(
    settings: Settings,
    due: set[tuple[str, str]],
    recent: set[tuple[str, str]],
    wholes: Mapping[Limited, int],
) -> list[str]:
    """Return a sentence for each limit that would be exceeded.

    Args:
        settings: which hold the limits.
        due: what is to be changed, as `planned` gives it.
        recent: what was changed within `SPAN`, in the same form.
        wholes: of each kind, what a share is of. What was archived or removed lately is added.
    """
    wrong = []
    for kind, limit in LIMITS.items():
        new = {what for other, what in due if other == kind}
        before = {what for other, what in recent if other == kind} - new
        share: float = getattr(settings, limit.setting)
        whole = wholes[kind] + (len(before) if kind in {"archived", "removed"} else 0)
        allowed = max(int(share * whole + 1e-9), limit.floor if share else 0)
        if new and len(new | before) > allowed:
            earlier = f", after {len(before)} in the last 24 hours" if before else ""
            wrong.append(
                f"setting `{limit.setting}` ({share:g}): this run would {limit.what} {len(new)} of "
                f"{whole} {limit.whole}{earlier}, and {allowed} are allowed"
            )
    return wrong


def check_number(settings: Settings, number: int) -> list[str]:
    """Return what is wrong with the number of all changes, if something is."""
    if settings.max_changes is None or number <= settings.max_changes:
        return []
    allowed = settings.max_changes
    return [
        f"setting `max_changes`: this run would make {number} changes, and {allowed} are allowed"
    ]


def limit_error(wrong: Iterable[str]) -> ConfigurationError:
    """Return the error of a run that stops at a limit."""
    remedy = (
        "nothing written; preview the changes with `dry_run`, and raise the limit if they are meant"
    )
    return ConfigurationError("\n".join([*wrong, remedy]))
