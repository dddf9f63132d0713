"""The recipe of docs/how-to/hr.md, with the files and settings as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from support import REPOSITORY, environment
from target_support import Target, Written

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (REPOSITORY / "docs/how-to/hr.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PEOPLE, DEPARTMENTS = (text for language, text in BLOCKS if language == "csv")
TAP, TARGET = (json.loads(text) for language, text in BLOCKS if language == "json")
PLAN, NIGHT = (text for language, text in BLOCKS if language == "text")
SETTINGS = {name: value for name, value in TARGET.items() if name != "organization"}


class Recipe:
    """The two files in a folder, and what reads and writes them."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.target = Target(sandbox, folder, **SETTINGS)
        self.folder = folder
        self.write(PEOPLE)

    def write(self, people: str, departments: str = DEPARTMENTS) -> None:
        for name, text in (("people.csv", people), ("departments.csv", departments)):
            (self.folder / name).write_bytes(text.encode("cp1252"))

    def run(self, **settings: Any) -> Written:
        """Run tap-csv, by what stands for it, and the target."""
        (self.folder / "tap.json").write_text(json.dumps(TAP), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, REPOSITORY / "tests/e2e/csv_tap.py", "--config", "tap.json"],
            check=True,
            capture_output=True,
            encoding="utf-8",
            cwd=self.folder,
            env=environment(),
        )
        return self.target.run(done.stdout, **settings)

    def accounts(self) -> dict[str, tuple[Any, ...]]:
        """Return name, whether archived, and groups of the accounts with a number."""
        found = self.target.sandbox.database.execute(
            "SELECT u.ref, u.name, archived, group_concat(g.ref) FROM users u"
            " LEFT JOIN group_users l ON l.userId = u.id LEFT JOIN groups g ON g.id = l.groupId"
            " WHERE u.ref NOT LIKE '%-%' GROUP BY u.id ORDER BY u.ref"
        )
        return {ref: tuple(rest) for ref, *rest in found}


def says(stderr: str, printed: str) -> bool:
    """Tell whether a log has the lines of a text, each at the end of one of its own."""
    lines = stderr.splitlines()
    return all(any(line.endswith(text) for line in lines) for text in printed.splitlines())


def test_the_recipe(tmp_path: Path) -> None:
    with Sandbox(users=20, groups=1, trainings=0, portfolio=0) as sandbox:
        sandbox.insert_user("Cid Bakker", ref="1003", email="cid@example.com")
        recipe = Recipe(sandbox, tmp_path)
        dry = recipe.run(dry_run=True)
        assert dry.returncode == 0, dry.stderr
        plan = (tmp_path / "target-pluvo-plan.txt").read_text("utf-8")
        assert PLAN in plan, plan
        assert recipe.target.mutations() == []

        digest = plan.rpartition("digest: ")[2].strip()
        first = recipe.run(approved_plan=digest)
        assert first.returncode == 0, first.stderr
        assert first.states
        assert recipe.accounts() == {
            "1001": ("Ann Jansen", False, "department-Sales"),
            "1002": ("Zo\u00eb de Vries", False, "department-Care"),
            "1003": ("Cid Bakker", True, None),
        }

        sandbox.reset_log()
        second = recipe.run()
        assert second.returncode == 0, second.stderr
        assert says(second.stderr, NIGHT)
        assert recipe.target.mutations() == []

        # Zoë leaves, Ann moves to Care.
        people = PEOPLE.replace("ann@example.com;Sales", "ann@example.com;Care")
        recipe.write(people.replace("zoe@example.com;Care;In", "zoe@example.com;Care;Uit"))
        moved = recipe.run()
        assert moved.table["users"] == {"updated": 1, "archived": 1, "unchanged": 1}
        # The plan names the group that Zoë was in, too: of whoever has left, no row is in it.
        assert moved.table["group_members"] == {"created": 1, "removed": 2}


FAULTY = PEOPLE + (
    " 1004\u00a0;\u00a0Dee Smit ;dee@example.com\u00a0;Care ; in dienst\n"  # blanks of all kinds
    "1005.0;Eva Kok;eva@example.com;Sales;In dienst\n"  # a number of a spreadsheet
    "6001;Ida Bos;john@example.com;Sales;In dienst\n"  # an address that is another one's
    "6002;Leo Mol;leo@example.com;Sales;Uit dienst\n"  # left, and was never here
    "6003;Mia Pos;mia@example.com;Sales;Uit diens\n"  # a word that is misspelt
    "6004;Nel Ros;nel@example.com;Sales;\n"  # no status
    "6005;Oto Vis;oto@example.com;Sales;In dienst\n"  # one number, two people
    "6005;Piet Wit;piet@example.com;Sales;In dienst\n"
    "1006;Fay Post;fay@example.com;;In dienst\n"  # no department
    "2007;Gijs Tol;gijs@example.com;Care;In dienst\n"  # hired again, under a new number
    "1007;Gijs Tol;gijs@example.com;Care;Uit dienst\n"
    "1008;Rik Zon;sam@example.com;Sales;In dienst\n"  # swapped with the next one
    "1009;Sam Zon;rik@example.com;Sales;In dienst\n"
    "12;Tom Lak;tom@example.com;Care;In dienst\n"  # 000012, without its zeros
    ";;;;\n\n"  # as spreadsheets end
    "1010;Una Bal"  # cut
)


def test_a_file_with_everything_that_goes_wrong_harms_nobody(tmp_path: Path) -> None:
    with Sandbox(users=40, groups=1, trainings=0, portfolio=0) as sandbox:
        recipe = Recipe(sandbox, tmp_path)
        group = sandbox.insert_group("Care", ref="department-Care")
        there = {
            "1003": "Cid Bakker",
            "1006": "Fay Post",
            "1007": "Gijs Tol",
            "1008": "Rik Zon",
            "1009": "Sam Zon",
            "1010": "Una Bal",
            "4711": "John Doe",
            "000012": "Tom Lak",
        }
        for ref, name in there.items():
            email = f"{name.split()[0].lower()}@example.com"
            user = sandbox.insert_user(name, ref=ref, email=email)
            sandbox.insert_group_member(group, user)
        recipe.write(FAULTY)
        for night in range(2):
            sandbox.reset_log()
            written = recipe.run(max_removal_share=1)
            assert written.returncode == 1
            assert recipe.accounts() == {
                "000012": ("Tom Lak", False, "department-Care"),
                "1001": ("Ann Jansen", False, "department-Sales"),
                "1002": ("Zo\u00eb de Vries", False, "department-Care"),
                # Archived; he stays in the group, as a line that was cut may be about anybody.
                "1003": ("Cid Bakker", True, "department-Care"),
                "1004": ("Dee Smit", False, "department-Care"),
                "1005": ("Eva Kok", False, "department-Sales"),
                "1006": ("Fay Post", False, "department-Care"),
                "1007": ("Gijs Tol", False, "department-Care"),
                "1008": ("Rik Zon", False, "department-Care"),
                "1009": ("Sam Zon", False, "department-Care"),
                "1010": ("Una Bal", False, "department-Care"),
                "4711": ("John Doe", False, "department-Care"),
            }
            rejected = {
                row["record"].get("ref") for row in written.rejects if row["stream"] == "users"
            }
            assert rejected >= {
                "6001",
                "6003",
                "6004",
                "6005",
                "2007",
                "1007",
                "1008",
                "1009",
                "12",
            }
            assert (recipe.target.mutations() == []) == bool(night)
            for name in ("example.com", "Jansen", "Zon"):
                assert name not in written.stderr
