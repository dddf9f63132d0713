"""The recipe of docs/how-to/issue-certificates.md, with file and settings as they stand there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import test_hr
from support import REPOSITORY
from target_support import Target, Written
from test_hr import says

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = (REPOSITORY / "docs/how-to/issue-certificates.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PASSED,) = (text for language, text in BLOCKS if language == "csv")
TAP, TARGET = (json.loads(text) for language, text in BLOCKS if language == "json")
DRY, FIRST, SECOND, UNDECIDED = (text for language, text in BLOCKS if language == "text")
TEMPLATE = "7b9f0c1e-55b2-4d0e-9a44-6f1f6f0f2b11"


def read(folder: Path, rows: str) -> str:
    """Return what tap-csv writes of some rows."""
    (folder / "passed.csv").write_text(rows, encoding="utf-8")
    return test_hr.read(folder)


def succeeds(written: Written) -> Written:
    assert written.returncode == 0, written.stderr
    return written


def test_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_hr, "TAP", TAP)
    settings = {name: value for name, value in TARGET.items() if name != "organization"}
    with Sandbox(users=3, groups=0, trainings=0, portfolio=0) as sandbox:
        sandbox.insert("certificates", id=TEMPLATE, title="First aid")
        users = {ref: sandbox.insert_user(ref, ref=ref) for ref in ("1001", "1002", "1003")}
        target = Target(sandbox, tmp_path, **settings)

        def issued() -> list[tuple[str, str]]:
            found = sandbox.database.execute("SELECT userId, startDate FROM portfolio_items")
            return sorted((user, moment[:10]) for user, moment in found)

        dry = target.run(read(tmp_path, PASSED), dry_run=True)
        assert dry.returncode == 0, dry.stderr
        assert says(dry.stderr, DRY)
        assert issued() == []

        first = succeeds(target.run(read(tmp_path, PASSED)))
        assert says(first.stderr, FIRST)
        expected = [(users["1001"], "2026-01-31"), (users["1002"], "2026-02-01")]
        assert issued() == sorted(expected)

        assert says(succeeds(target.run(read(tmp_path, PASSED))).stderr, SECOND)

        more = f"{PASSED}1003,First aid,2026-02-02\n"
        sandbox.set_faults("silent-refusal:generateCertificate")
        undecided = target.run(read(tmp_path, more))
        assert undecided.returncode == 1
        assert not undecided.states
        assert says(re.sub(r"(again after) .*", r"\1", undecided.stderr), UNDECIDED)
        sandbox.set_faults()
        assert says(target.run(read(tmp_path, more)).stderr, UNDECIDED.splitlines()[-1])
        while target.run(read(tmp_path, more), settle_seconds=0).returncode:
            assert issued() == sorted(expected)
        assert issued() == sorted([*expected, (users["1003"], "2026-02-02")])

        unknown = target.run(read(tmp_path, f"{more}1003,Knitting,2026-02-02\n"))
        assert unknown.table["certificates_to_issue"] == {"unchanged": 3, "rejected": 1}
