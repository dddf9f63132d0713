from __future__ import annotations

import csv
import os
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)

# Where the locks are installed: dev.txt where this test runs, the tools by `make test`, others on
# request. build.txt only constrains builds, release.txt belongs to .github/build.sh.
ON_REQUEST = {"dbt-oldest", "dialects", "metricflow"}
TOOLS = [lock.stem for lock in LOCKS if lock.stem not in {"dev", "build", "release"} | ON_REQUEST]
OTHERS = [".venv-bench", ".venv-airflow", *(f".venv-tools/{tool}" for tool in sorted(ON_REQUEST))]
ENVIRONMENTS = [
    Path(sys.prefix),
    *(ROOT / ".venv-tools" / tool for tool in TOOLS),
    *(ROOT / name for name in OTHERS if (ROOT / name).is_dir()),
]


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
        *chain.from_iterable(project["project"]["optional-dependencies"].values()),
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


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)
def test_no_two_distributions_own_the_same_file(environment: Path) -> None:
    """The order of installation would decide which one is imported."""
    packages = next(environment.glob("lib/python3.*/site-packages"), None)
    if not packages and "CI" not in os.environ:
        pytest.skip(f"{environment.name} is not installed: run `make test`")
    assert packages
    owners: dict[str, set[str]] = defaultdict(set)
    for distribution in distributions(path=[str(packages)]):
        for file, *_ in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
            owners[file].add(distribution.name)
    assert owners
    shared = {file: names for file, names in owners.items() if len(names) > 1}
    # Each part of a namespace package brings the `__init__.py` that looks for the others.
    namespaces = {file for file in shared if b"extend_path" in (packages / file).read_bytes()}
    assert not {file: shared[file] for file in shared.keys() - namespaces}
