"""Random organizations, random dirty files, in sequences of runs, with faults and kills between.

`SEQUENCES=40000 pytest tests/target_pluvo` runs as many; a failure names the seed that repeats it.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import os
import shutil
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from driver import run
from files import File, some_file, some_organization
from invariants import UUID4, check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from organization import Organization

SEQUENCES = int(os.environ.get("SEQUENCES", "2000"))
PARTS = 20
FAULTS = 0.25  # how often something goes wrong with a mutation, in one run of three


def seeds(part: int) -> Iterator[int]:
    return iter(range(part, SEQUENCES, PARTS))


@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_harmed(part: int, tmp_path: Path) -> None:
    for seed in seeds(part):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            sequence(Random(seed), folder)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        shutil.rmtree(folder)


def sequence(random: Random, folder: Path) -> None:
    """Let an organization live through some runs, and look at it after each."""
    organization = some_organization(random)
    file = some_file(random, organization)
    archived: set[str] = set()
    removed: set[tuple[str, str]] = set()
    counts = {"archived": 0.0, "active": 0.0, "members": 0.0}
    for _ in range(random.randrange(1, 5)):
        organization.behaviour.faults = FAULTS if random.random() < 1 / 3 else 0.0
        before = organization.snapshot()
        outcome = run(organization, folder, file.data(), **file.settings)
        after = organization.snapshot()
        check(before, after, file, outcome, organization)

        # Limits hold for a day, so for all runs together.
        share = file.settings.get("max_archive_share", 0.1)
        archived |= {key for key, old in before.items() if after[key].archived > old.archived}
        counts["active"] = max(counts["active"], sum(not old.archived for old in before.values()))
        counts["archived"] = max(counts["archived"], share)
        most = counts["archived"] * (counts["active"] + len(archived))
        assert len(archived) <= most + 1e-9, "archived"
        removed |= {
            (key, group) for key, old in before.items() for group in old.groups - after[key].groups
        }
        counts["members"] = max(counts["members"], sum(len(old.groups) for old in before.values()))
        assert len(removed) <= max(3, 0.1 * (counts["members"] + len(removed))), "removed"

        if not organization.behaviour.faults and outcome.ended:
            again = run(organization, folder, file.data(), **file.settings)
            assert again.mutations == [], "a second run with the same file changes nothing"
        if random.random() < 0.7:
            settings = {**file.settings}
            file = some_file(random, organization)
            file.settings |= {name: settings[name] for name in ("renumber", "manage_roles")}
        elif organization.accounts and random.random() < 0.5:  # somebody else changes something
            account = random.choice(list(organization.accounts.values()))
            account.archived = not account.archived


@pytest.mark.parametrize("part", range(PARTS))
def test_the_order_of_rows_changes_nothing(part: int, tmp_path: Path) -> None:
    for seed in itertools.islice(seeds(part), math.ceil(SEQUENCES / PARTS / 16)):
        random = Random(f"order {seed}")
        organization = some_organization(random)
        file = some_file(random, organization)
        if len(file.users) <= 4:
            orders: Any = itertools.permutations(file.users)
        else:
            orders = (random.sample(file.users, len(file.users)) for _ in range(8))
        wanted = None
        for number, users in enumerate(orders):
            members = random.sample(file.members, len(file.members))
            folder = tmp_path / f"{seed}-{number}"
            folder.mkdir()
            found = outcome_of(
                copy.deepcopy(organization), folder, File(list(users), members, file.settings)
            )
            wanted = wanted or found
            assert found == wanted, f"seed {seed}"
            shutil.rmtree(folder)


def outcome_of(organization: Organization, folder: Path, file: File) -> tuple[Any, ...]:
    """Return what a run does, without what is at random or by number."""
    known = set(organization.accounts)
    outcome = run(organization, folder, file.data(), **file.settings)
    rejected = sorted(json.dumps(row["record"], sort_keys=True) for row in outcome.rejects)
    accounts = sorted(
        [
            *("" if key not in known and made_up(found.ref) else str(found.ref), str(found.email)),
            *(found.name, found.archived, found.invited, found.roles, found.fields),
            sorted(found.groups),
        ]
        for key, found in organization.snapshot().items()
    )
    return outcome.ended, outcome.succeeded, rejected, accounts


def made_up(ref: str | None) -> bool:
    return UUID4.fullmatch(ref or "") is not None


def test_a_large_file_in_any_order(tmp_path: Path) -> None:
    random = Random(7)
    organization = some_organization(random)
    rows = [row for _ in range(12) for row in some_file(random, organization).users]
    wanted = None
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings = {
            "renumber": True,
            "max_archive_share": 1,
            "custom_fields": {},
            "manage_roles": False,
        }
        settings |= {"send_invites": False}
        file = File(random.sample(rows, len(rows)), [], settings)
        found = outcome_of(copy.deepcopy(organization), folder, file)
        wanted = wanted or found
        assert found == wanted


def test_the_generator_makes_what_it_is_to_make() -> None:
    """Of what happens to nobody in thousands of files, nothing is proved."""
    seen: set[str] = set()
    for seed in range(300):
        random = Random(seed)
        organization = some_organization(random)
        before = organization.snapshot()
        file = some_file(random, organization)
        for row in file.users:
            owners = [old for old in before.values() if old.ref == row.ref]
            seen |= {"known"} if owners else {"unknown"}
            seen |= {"left"} if row.left else {"unclear"} if row.left is None else {"here"}
            seen |= {"unreadable"} if not row.readable else set()
            for old in before.values():
                if row.email == old.email and row.ref and old.ref and row.ref != old.ref:
                    seen.add("an address of another number")
        refs = [row.ref for row in file.users if row.ref]
        seen |= {"twice"} if len(refs) > len(set(refs)) else set()
    assert seen >= {
        *{"known", "unknown", "left", "unclear", "here", "unreadable", "twice"},
        "an address of another number",
    }
