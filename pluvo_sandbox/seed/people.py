"""Users and groups, and who is in which group."""

# ruff: noqa: PLR2004 - "one in nine" is said best by the nine itself

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pluvo_sandbox.seed import words
from pluvo_sandbox.seed.source import YEARS_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_sandbox.seed.source import Row, Source


def tables(source: Source) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the rows of each table."""
    yield "users", _users(source)
    yield "groups", _groups(source)
    yield "group_users", _group_users(source)
    yield "group_managers", _group_managers(source)


def _users(source: Source) -> Iterator[Row]:
    random = source.random("users")
    domains = ("example.com", "example.org", "übung.example", "mail.example.net")
    names: list[str] = []
    for n, user_id in enumerate(source.user_ids):
        name = words.person(random, n)
        if source.plan.names:
            names += [name] if n < source.plan.names else []
            name = names[n % source.plan.names]
        archived = n % 9 == 4
        archived_at = source.moment(random, 400) if archived else None
        invited = source.moment(random, YEARS_BACK, 30)
        logged_in = None if n % 6 == 2 else source.moment(random, 700)
        roles = ["PARTICIPANT"]
        roles += ["MANAGER"] if n % 11 == 0 else []
        roles += ["TRAINER"] if n % 7 == 3 else []
        roles += ["PLANNER"] if n % 23 == 5 else []
        employee = None if n % 4 == 1 else f"{100000 + n}"
        yield (
            *(user_id, f"{n + 1}"),
            None if n % 10 == 6 else f"user{n}@{domains[n % 4]}",
            *(name, None if n % 8 == 5 else f"EMP-{n:06}"),
            *(archived, archived_at, not archived),
            json.dumps([role for role in roles if role in source.roles]),
            json.dumps({"id": user_id, "url": f"https://files.pluvo.co/{user_id}.jpg"}),
            source.languages[n % len(source.languages)],
            json.dumps({"Afdeling": random.choice(words.DEPARTMENTS)}, ensure_ascii=False),
            *("{}", logged_in is not None),
            *(employee and f"P{employee}", employee, None, None),
            *(invited, logged_in, '["MANUAL"]'),
            *(invited, logged_in or invited, random.choice(words.JOBS), n % 13 == 0),
        )


def _groups(source: Source) -> Iterator[Row]:
    random = source.random("groups")
    permissions = json.dumps({"change": True, "delete": False})
    for n, group_id in enumerate(source.group_ids):
        skills = [{"id": group_id, "name": "Planning"}] if n % 3 == 0 else []
        yield (
            *(group_id, source.title(words.GROUPS, n), None if n % 5 == 3 else f"GRP-{n:04}"),
            *(1000, n % 2 == 0, n % 7 != 0, permissions, json.dumps(skills)),
            *(source.moment(random, YEARS_BACK), None if n % 2 else "Een groep,\nmet regels"),
        )


def _group_users(source: Source) -> Iterator[Row]:
    random = source.random("group_users")
    for n, group_id in enumerate(source.group_ids):
        # Some hundred members, none, one page exactly, one more than a page, or a handful.
        size = (
            (random.randrange(200, 700), 0, 50, 51)[n % 12]
            if n % 12 < 4
            else random.randrange(1, 40)
        )
        most = max(len(source.user_ids) * 2 // 3, min(len(source.user_ids), 51))
        for user_id in random.sample(source.user_ids, min(size, most)):
            yield group_id, user_id


def _group_managers(source: Source) -> Iterator[Row]:
    random = source.random("group_managers")
    for n, group_id in enumerate(source.group_ids):
        for user_id in random.sample(source.user_ids, min(n % 4, len(source.user_ids))):
            yield group_id, user_id
