"""What is not part of the gate, because it installs much: `make test-compatibility`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dbt"

sys.path.append(str(ROOT / "tests/dbt"))


class Folder:
    """A copy of a project, which uses the package unless it is the package."""

    def __init__(self, path: Path, project: Path) -> None:
        self.path = path
        shutil.copytree(project, path)
        if project != PACKAGE:
            packages = {"packages": [{"local": str(PACKAGE)}]}
            (path / "packages.yml").write_text(json.dumps(packages))

    def run(self, tool: str, program: str, *arguments: str, **environment: str) -> str:
        """Run a program of one of the tools' environments and return what it says."""
        process = subprocess.run(
            [ROOT / ".venv-tools" / tool / "bin" / program, *arguments],
            cwd=self.path,
            env={**os.environ, "DBT_PROFILES_DIR": str(PACKAGE)} | environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.returncode == 0, process.stdout
        return process.stdout


@pytest.fixture
def consumer(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "project", ROOT / "tests/dbt/consumer")
