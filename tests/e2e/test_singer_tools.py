"""The reference check of what a tap writes, from the makers of Singer.

It can also run a tap itself, but then goes on before it has read all that the tap wrote.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from support import FOREVER, OFFERED, Result, config, environment, selecting, sync, tool

if TYPE_CHECKING:
    from pathlib import Path

    from pluvo_sandbox import Sandbox


def check(run: Result, folder: Path) -> str:
    done = subprocess.run(
        [tool("singer-tools", "singer-check-tap")],
        check=False,
        input=run.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        cwd=folder,
        env=environment(),
        timeout=FOREVER,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_two_syncs(everything: Result, sandbox: Sandbox, catalog: object, tmp_path: Path) -> None:
    selected = selecting(catalog, OFFERED)
    again = sync(config(sandbox), catalog=selected, state=everything.state)
    for run in (everything, again):
        report = check(run, tmp_path)
        assert f"{len(run.messages)} messages for {len(OFFERED)} streams" in report
