"""The page docs/how-to/issue-certificates.md, with the files and settings as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from support import REPOSITORY, environment
from target_support import Target, Written

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (REPOSITORY / "docs/how-to/issue-certificates.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PASSED,) = (text for language, text in BLOCKS if language == "csv")
TAP, _ = (text for language, text in BLOCKS if language == "json")
*TABLES, UNDECIDED = [text for language, text in BLOCKS if language == "text"]


def read(folder: Path, rows: str) -> str:
    """Return what tap-csv writes of some rows."""
    (folder / "passed.csv").write_text(rows, "utf-8")
    (folder / "tap.json").write_text(TAP, "utf-8")
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/e2e/csv_tap.py", "--config", "tap.json"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=environment(),
    )
    return done.stdout


def said(written: Written) -> list[str]:
    """Return the lines of a log, without what stands before each."""
    return [line.rpartition("| ")[2] for line in written.stderr.splitlines()]


def test_the_page(tmp_path: Path) -> None:
    with Sandbox(users=0, groups=0, trainings=0, portfolio=0) as sandbox:
        template = sandbox.insert_certificate("First aid")
        for ref in ("1001", "1002", "1003"):
            sandbox.insert_user(ref, ref=ref)
        target = Target(sandbox, tmp_path)
        rows = PASSED.replace("TEMPLATE", template)

        def issued() -> int:
            found: int = sandbox.database.execute(
                "SELECT count(*) FROM portfolio_items"
            ).fetchone()[0]
            return found

        for table in TABLES:
            written = target.run(read(tmp_path, rows))
            assert written.returncode == 0, written.stderr
            assert said(written)[-2:] == table.splitlines()
        assert issued() == 2

        # An answer without a word, of what was not carried out.
        messages = read(tmp_path, f"{rows}{template},1003,2026-02-02\n")
        sandbox.set_faults("silent-refusal:generateCertificate")
        undecided = target.run(messages)
        assert undecided.returncode == 1
        assert not undecided.states
        warning, *table = UNDECIDED.splitlines()
        assert said(undecided)[-2:] == table
        assert any(re.fullmatch(f"{re.escape(warning)} .* UTC", line) for line in said(undecided))
        sandbox.set_faults()
        assert said(target.run(messages))[-2:] == table
        while target.run(messages, settle_seconds=0).returncode:
            assert issued() == 2
        assert issued() == 3
