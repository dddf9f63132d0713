"""The recipe of docs/how-to/hr.md, with the files and settings as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from support import REPOSITORY, environment
from target_support import Target

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (REPOSITORY / "docs/how-to/hr.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PEOPLE, DEPARTMENTS = (text for language, text in BLOCKS if language == "csv")
TAP, TARGET = (json.loads(text) for language, text in BLOCKS if language == "json")
DRY, FIRST, SECOND = (text for language, text in BLOCKS if language == "text")


def read(folder: Path) -> str:
    """Return what tap-csv writes, by what stands for it."""
    (folder / "tap.json").write_text(json.dumps(TAP), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/e2e/csv_tap.py", "--config", "tap.json"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=environment(),
    )
    return done.stdout


def says(stderr: str, printed: str) -> bool:
    """Tell whether a log has the lines of a text, each at the end of one of its own."""
    lines = stderr.splitlines()
    return all(any(line.endswith(text) for line in lines) for text in printed.splitlines())


def test_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "departments.csv").write_text(DEPARTMENTS, encoding="utf-8")
    settings = {name: value for name, value in TARGET.items() if name != "organization"}
    with Sandbox(users=20, groups=1, trainings=0, portfolio=0) as sandbox:
        sandbox.insert_user("Cid Bakker", ref="1003", email="cid@example.com")
        target = Target(sandbox, tmp_path, **settings)
        messages = read(tmp_path)

        dry = target.run(messages, dry_run=True)
        assert dry.returncode == 0, dry.stderr
        assert says(dry.stderr, DRY), dry.stderr
        assert target.mutations() == []

        first = target.run(messages)
        assert first.returncode == 0, first.stderr
        assert says(first.stderr, FIRST)
        assert first.states
        found = sandbox.database.execute(
            "SELECT u.ref, archived, g.name, v.stringValue FROM users u"
            " LEFT JOIN group_users l ON l.userId = u.id LEFT JOIN groups g ON g.id = l.groupId"
            " LEFT JOIN extra_category_values v ON v.ownerId = u.id"
            " WHERE u.ref LIKE '100_' ORDER BY u.ref"
        ).fetchall()
        assert found == [
            ("1001", False, "Sales department", "Sales"),
            ("1002", False, "Care department", "Care"),
            ("1003", True, None, "Care"),
        ]

        sandbox.reset_log()
        second = target.run(messages)
        assert second.returncode == 0, second.stderr
        assert says(second.stderr, SECOND)
        assert target.mutations() == []

        # Bob leaves, Ann moves to Care.
        people = PEOPLE.replace("ann@example.com,Sales", "ann@example.com,Care")
        people = people.replace("bob@example.com,Care,active", "bob@example.com,Care,left")
        (tmp_path / "people.csv").write_text(people, encoding="utf-8")
        moved = target.run(read(tmp_path), membership_mode="mirror")
        assert moved.table["users"] == {"updated": 1, "archived": 1, "unchanged": 1}
        assert moved.table["group_members"] == {"created": 1, "removed": 1}
