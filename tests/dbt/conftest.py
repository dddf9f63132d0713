"""dbt as a program, run on both warehouses.

The environment variable DBT names the program (default: what `make setup` installs, else PATH).
PostgreSQL is the server that PGHOST names, else a private one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from organization import TODAY, of_organization, syncs
from warehouses import ROOT, DuckDB, Postgres, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = ROOT / "dbt"
INSTALLED = ROOT / ".venv-tools/dbt/bin/dbt"

sys.path += [str(ROOT / "tests/e2e"), str(PACKAGE), str(PACKAGE / "report")]


class Project:
    """A dbt project and the warehouse that it runs on."""

    def __init__(self, folder: Path, warehouse: Warehouse, work: Path) -> None:
        self.folder = folder
        self.warehouse = warehouse
        self.rows = warehouse.rows
        self.target = work / "target"
        self.said = ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DBT_")},
            **warehouse.environment,
            "DBT_PROFILES_DIR": str(PACKAGE),
            "DBT_TARGET": warehouse.name,
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(work / "logs"),
            # Nothing that dbt does here needs a network.
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
        }

    def dbt(self, *arguments: str, variables: dict[str, Any] | None = None) -> str:
        """Run a command of dbt and return what it says."""
        process = subprocess.run(
            [
                os.environ.get("DBT") or (INSTALLED if INSTALLED.exists() else "dbt"),
                "--no-use-colors",
                *arguments,
                *("--vars", json.dumps({"pluvo_today": TODAY.isoformat()} | (variables or {}))),
            ],
            cwd=self.folder,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.returncode == 0, process.stdout
        return process.stdout

    def artifact(self, name: str) -> dict[str, Any]:
        """Return what dbt wrote about its last command."""
        artifact: dict[str, Any] = json.loads((self.target / f"{name}.json").read_text())
        return artifact


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[dict[str, str]]:
    if "PGHOST" in os.environ:
        usual = {"PGPORT": "5432", "PGUSER": "postgres", "PGPASSWORD": "", "PGDATABASE": "postgres"}
        names = ("PGHOST", *usual)
        yield {name: os.environ.get(name) or usual[name] for name in names}
        return
    from private_postgres import private_postgres  # noqa: PLC0415 - needed only in this case

    with private_postgres() as variables:
        yield variables


@pytest.fixture(scope="session")
def new_warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Warehouse]:
    """Return a function that makes an empty warehouse of one kind."""

    def make(name: str) -> Warehouse:
        if name == "duckdb":
            return DuckDB(tmp_path_factory.mktemp("warehouse"))
        return Postgres(request.getfixturevalue("postgres_server"))

    return make


@pytest.fixture(params=["duckdb", "postgres"])
def project(
    request: pytest.FixtureRequest, new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> Project:
    """Return this project on an empty warehouse."""
    return Project(PACKAGE, new_warehouse(request.param), tmp_path)


@pytest.fixture(scope="session")
def build_consumer(
    new_warehouse: Callable[[str], Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Project]:
    """Return a function that builds another project, which installs this one as a package.

    Several organizations in its warehouse have the same rows, but for the column `organization`.
    """

    @cache
    def build(name: str, organizations: tuple[str, ...] = ()) -> Project:
        folder = tmp_path_factory.mktemp("consumer")
        shutil.copytree(Path(__file__).parent / "consumer", folder, dirs_exist_ok=True)
        packages = {"packages": [{"local": str(PACKAGE)}]}
        (folder / "packages.yml").write_text(json.dumps(packages))
        consumer = Project(folder, new_warehouse(name), tmp_path_factory.mktemp("work"))
        for sync in syncs():
            for organization in organizations or (None,):
                consumer.warehouse.load(of_organization(sync, organization))
        consumer.dbt("deps")
        consumer.said = consumer.dbt("build")
        return consumer

    return build
