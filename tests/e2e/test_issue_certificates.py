"""The page docs/how-to/issue-certificates.md, with the files and settings as they stand there."""

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

PAGE = (REPOSITORY / "docs/how-to/issue-certificates.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(PASSED,) = (text for language, text in BLOCKS if language == "csv")
TAP, _ = (text for language, text in BLOCKS if language == "json")
TABLES = [text for language, text in BLOCKS if language == "text"]


def test_the_page(tmp_path: Path) -> None:
    with Sandbox(users=0, groups=0, trainings=0, portfolio=0) as sandbox:
        template = sandbox.insert_certificate("First aid")
        for ref in ("1001", "1002"):
            sandbox.insert_user(ref, ref=ref)
        (tmp_path / "passed.csv").write_text(PASSED.replace("TEMPLATE", template), "utf-8")
        (tmp_path / "tap.json").write_text(json.dumps(json.loads(TAP)), "utf-8")
        done = subprocess.run(
            [sys.executable, REPOSITORY / "tests/e2e/csv_tap.py", "--config", "tap.json"],
            check=True,
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environment(),
        )
        target = Target(sandbox, tmp_path)
        for table in TABLES:
            written = target.run(done.stdout)
            assert written.returncode == 0, written.stderr
            lines = [line.rpartition("| ")[2] for line in written.stderr.splitlines()]
            assert lines[-2:] == table.splitlines()
        found = sandbox.database.execute("SELECT count(*) FROM portfolio_items").fetchone()
        assert found == (2,)
