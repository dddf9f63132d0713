"""Whole pipelines: from the API to a table of users in PostgreSQL or DuckDB, as commands.

The loaders of the project as it is, as it was at the commit BEFORE (its tap, its settings of the
targets and its dbt project, run by the same locked programs), and dlt.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import ROOT, Program
from programs import BASELINES, CREDENTIALS, PYTHON, SCHEMA, TOOLS, take_keys

if TYPE_CHECKING:
    from bench_server import BenchServer, Load
    from programs import Programs

BEFORE = "7a91b5f"
POSTGRES = {
    "sqlalchemy_url": "postgresql+psycopg://",
    "default_target_schema": SCHEMA,
    "use_copy": True,
}


class Pipelines:
    """Makes the commands, beside the other programs."""

    def __init__(self, programs: Programs, server: BenchServer) -> None:
        self._programs = programs
        self._server = server
        self._folder = programs.folder / "pipelines"
        self._folder.mkdir(exist_ok=True)

    @cached_property
    def _before(self) -> Path:
        """The project as it was."""
        folder = self._folder / BEFORE
        folder.mkdir()
        archive = ["git", "-C", str(ROOT), "archive", BEFORE]
        packed = subprocess.run(archive, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], check=True, input=packed)
        return folder

    # PostgreSQL

    def postgres(self, load: Load, **settings: int) -> Program:
        """Return the tap with its files into target-postgres, as in meltano.yml."""
        target = self._target("target-postgres", POSTGRES | {"validate_records": False})
        tap = self._tap(load, **settings)
        return self._pipeline(f"{tap} | {target}", "postgres")

    def postgres_before(self, load: Load) -> Program:
        """Return the same as it was."""
        target = self._target("target-postgres", POSTGRES)
        return self._pipeline(f"{self._tap_before(load)} | {target}", "postgres")

    def postgres_dlt(self, load: Load) -> Program:
        """Return dlt into PostgreSQL."""
        return self._pipeline(self._dlt(load, "postgres"), "postgres")

    # DuckDB

    def duckdb(self, load: Load) -> Program:
        """Return the tap's files, moved by the target and merged by dbt, as in meltano.yml."""
        output = self._folder / "duckdb"
        settings = {"destination_path": str(output / "jsonl")}
        program = Path(sys.executable).with_name("target-batch-files")
        target = f"{program} --config {self._write('target-batch-files.json', settings)}"
        dbt = self._dbt(ROOT, output, "+raw_pluvo__users")
        return self._pipeline(f"{self._tap(load)} | {target} && {dbt}", "duckdb")

    def duckdb_before(self, load: Load) -> Program:
        """Return the same as it was: target-jsonl, and dbt's staging."""
        output = self._folder / "duckdb"
        settings = {"destination_path": str(output / "jsonl"), "do_timestamp_file": True}
        target = self._target("target-jsonl", settings)
        tap = self._tap_before(load)
        dbt = self._dbt(self._before, output, "stg_pluvo__users")
        return self._pipeline(f"{tap} | {target} && {dbt}", "duckdb")

    def duckdb_dlt(self, load: Load) -> Program:
        """Return dlt into DuckDB."""
        return self._pipeline(self._dlt(load, "duckdb"), "duckdb")

    def dbt_alone(self) -> Program:
        """Return dbt without anything to merge."""
        output = self._folder / "duckdb"
        return self._pipeline(self._dbt(ROOT, output, "+raw_pluvo__users"), "duckdb")

    def dbt_alone_before(self) -> Program:
        """Return the same as it was."""
        output = self._folder / "duckdb"
        return self._pipeline(self._dbt(self._before, output, "stg_pluvo__users"), "duckdb")

    # Their parts

    def _pipeline(self, command: str, warehouse: str) -> Program:
        output = self._folder / warehouse
        folders = f"mkdir -p {output}/jsonl {output}/out"
        return Program(
            warehouse,
            ["bash", "-o", "pipefail", "-c", f"{folders} && {command}"],
            output,
            {"PGTZ": "UTC", **self._programs.environment, "DLT_DATA_DIR": f"{output}/dlt"},
            to_stdout=False,
            fetch=partial(take_keys, warehouse),
        )

    def _tap(self, load: Load, **settings: Any) -> str:
        batches = {"storage": {"root": str(self._folder / "batch")}}
        return shlex.join(
            map(str, self._programs.tap(load, batch_config=batches, **settings).command)
        )

    def _tap_before(self, load: Load) -> str:
        config = {"api_url": self._server.url(load), **CREDENTIALS}
        command = f"cd {self._before} && {sys.executable} -m tap_pluvo"
        found = subprocess.run(
            ["bash", "-c", f"{command} --discover"], check=True, capture_output=True
        )
        streams = json.loads(found.stdout)["streams"]
        users = {"streams": [item for item in streams if item["stream"] == "users"]}
        options = f"--config {self._write('before.json', config)}"
        options += f" --catalog {self._write('before-catalog.json', users)}"
        return f"({command} {options})"

    def _target(self, name: str, settings: dict[str, Any]) -> str:
        path = self._write(f"{name}-{len(settings)}.json", settings)
        return f"{TOOLS / name / 'bin' / name} --config {path}"

    def _dbt(self, project: Path, output: Path, select: str) -> str:
        # What dbt has parsed is kept, as between the runs of a job.
        work = self._folder / f"dbt-{project.name}"
        variables = {
            "DBT_PROFILES_DIR": project / "dbt",
            "DBT_TARGET_PATH": work,
            "DBT_LOG_PATH": work,
            "PLUVO_JSONL_DIR": output / "jsonl",
            "PLUVO_DUCKDB_PATH": output / "warehouse.duckdb",
        }
        settings = " ".join(f"{name}={value}" for name, value in variables.items())
        return f"(cd {project}/dbt && {settings} {TOOLS}/dbt/bin/dbt -q run --select {select})"

    def _dlt(self, load: Load, warehouse: str) -> str:
        script = BASELINES / "dlt_pipeline.py"
        output = self._folder / warehouse
        return f"{PYTHON} {script} {self._server.url(load)} {output} {warehouse}"

    def _write(self, name: str, content: object) -> Path:
        path = self._folder / name
        path.write_text(json.dumps(content), "utf-8")
        return path
