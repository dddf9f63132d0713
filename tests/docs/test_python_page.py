"""The programs on the page about Python run as they stand, against a sandbox."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/how-to/python.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OUTPUTS = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(users=120) as running:
        yield running


def run(program: str, sandbox: Sandbox) -> str:
    """Run a program as a process, with the sandbox's address in place of the page's."""
    code = program.replace("http://127.0.0.1:8765", sandbox.url)
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_reading(sandbox: Sandbox) -> None:
    rows = sandbox.database.execute("SELECT name FROM users WHERE NOT archived").fetchall()
    names = [name.replace("\r\n", "\n") for (name,) in rows]  # as a pipe to a text gives them
    found = run(PROGRAMS[0], sandbox)
    assert len(names) > 50
    assert not [name for name in names if name not in found]
    assert found.count("\n") == len(names) + sum(name.count("\n") for name in names)


def test_another_list_and_an_operation(sandbox: Sandbox) -> None:
    titles = sandbox.database.execute("SELECT count(*) FROM extra_categories").fetchone()[0]
    *fields, groups = run(PROGRAMS[1], sandbox).splitlines()
    assert 0 < len(fields) <= titles
    assert groups == "6 groups"


def test_errors(sandbox: Sandbox) -> None:
    assert run(PROGRAMS[2], sandbox) == OUTPUTS[0]
