from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pluvo_sandbox.contract import read_contract

REPOSITORY = Path(__file__).parents[2]
CONTRACT = REPOSITORY / "schemas/pluvo.graphql"


def run(code: str, folder: Path) -> str:
    """Run Python code against the packages in `folder`; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    return done.stdout


def test_a_checkout_reads_the_contract_in_schemas() -> None:
    assert read_contract() == CONTRACT.read_text("utf-8")


def test_a_wheel_reads_the_contract_that_it_carries(tmp_path: Path) -> None:
    package = tmp_path / "pluvo_sandbox"
    shutil.copytree(REPOSITORY / "pluvo_sandbox", package)
    (package / "pluvo.graphql").write_text("packaged", "utf-8")
    code = "from pluvo_sandbox.contract import read_contract; print(read_contract())"
    assert run(code, tmp_path) == "packaged\n"


def test_the_sandbox_imports_nothing_of_the_programs_that_it_tests() -> None:
    code = "import pluvo_sandbox.__main__, sys; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run(code, REPOSITORY).split()}
    assert "pluvo_sandbox" in loaded
    ours = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")} - {"pluvo_sandbox"}
    assert ours
    assert not loaded & ours
