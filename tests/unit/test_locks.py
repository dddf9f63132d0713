from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text(encoding="utf-8")))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--find-links" not in text
    entries = re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_serves_all_that_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["sandbox"],
        *project["dependency-groups"]["dev"],
    ]
    locked = pins(ROOT / "requirements/dev.txt")
    for requirement in map(Requirement, declared):
        version = locked.get(requirement.name)
        assert version, f"{requirement.name} is not locked: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_dbt_and_the_tests_read_the_same_duckdb_files() -> None:
    dbt, dev = (pins(ROOT / f"requirements/{name}.txt") for name in ("dbt", "dev"))
    assert dbt["duckdb"] == dev["duckdb"]


def test_every_lock_comes_from_a_file_beside_it() -> None:
    sources = {path.stem for path in (ROOT / "requirements").glob("*.in")} | {"dev"}
    assert sources == {path.stem for path in LOCKS}
