"""The Meltano project, its jobs and the demo, as a user runs them."""

from __future__ import annotations

import codecs
import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from expected import by_key, expected
from support import DEFAULT_STREAMS, REPOSITORY, SYNC_LOG, tool

if TYPE_CHECKING:
    from pathlib import Path

    from pluvo_sandbox import Sandbox

# A run of Meltano: three programs, each with its start.
LONG = 300


def run(
    command: list[str | Path],
    folder: Path,
    variables: dict[str, str] | None = None,
    code: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with nothing of this shell's own settings."""
    others = ("TAP_PLUVO_", "TARGET_", "MELTANO_", "DBT_", "PLUVO_", "PG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        cwd=folder,
        env=environment | (variables or {}),
        timeout=LONG,
    )
    assert done.returncode == code, done.stdout[-10_000:]
    return done


def meltano(folder: Path, *arguments: str, **variables: str) -> str:
    return run([tool("meltano", "meltano"), *arguments], folder, variables).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """This Meltano project with its plugins, but with files, state and runs of its own."""
    installed = REPOSITORY / ".meltano"
    assert (installed / ".ready").exists(), "run `make setup`"
    folder = tmp_path / "a project"
    (folder / ".meltano").mkdir(parents=True)
    for kind in ("extractors", "loaders", "utilities"):
        (folder / ".meltano" / kind).symlink_to(installed / kind)
    for name in ("dbt", ".venv-tools"):
        (folder / name).symlink_to(REPOSITORY / name)
    # Meltano installs anew what comes from another place; here everything does, but the plugins.
    described = (REPOSITORY / "meltano.yml").read_text(encoding="utf-8")
    described = re.sub(r"(pip_url: .*)\$\{MELTANO_PROJECT_ROOT\}", rf"\1{REPOSITORY}", described)
    (folder / "meltano.yml").write_text(described, encoding="utf-8")
    for name in ("demo", "orchestrate"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def settings(sandbox: Sandbox) -> dict[str, str]:
    return {
        "TAP_PLUVO_API_URL": sandbox.url,
        "TAP_PLUVO_CLIENT_ID": sandbox.client_id,
        "TAP_PLUVO_CLIENT_SECRET": sandbox.client_secret,
    }


def test_demo(project: Path) -> None:
    demo: list[str | Path] = [sys.executable, project / "demo/demo.py"]
    output = project / "output/sandbox"

    shown = run(demo, project).stdout
    first = json.loads((output / "first-run.json").read_text(encoding="utf-8"))
    assert set(first) == DEFAULT_STREAMS
    assert completed(output) == reported(output)
    assert required(output) > 0, "the demo brings its own requirements"
    results, certificates = (
        [line.split() for line in shown.splitlines() if line.split()[:1] == [name]][-1]
        for name in ("portfolio_report", "issued_certificates")
    )
    for _, rows, requests, rows_again, requests_again in (results, certificates):
        assert number(rows) > 10 * number(rows_again) > 0
        assert number(requests) > 10 * number(requests_again) > 0
    assert "This run read" in shown
    assert "pluvo__dim_users" in shown
    assert "expired" in shown
    assert "TAP_PLUVO_ORGANIZATION" in shown

    before = completed(output)
    shown = run(demo, project).stdout
    assert "2. 25 people finish a training" in shown
    assert "This run read" in shown
    assert completed(output) == reported(output) == before + 25


def number(text: str) -> int:
    return int(text.replace(",", ""))


def completed(output: Path) -> int:
    """How many results the analyst sees as completed."""
    with duckdb.connect(str(output / "pluvo.duckdb"), read_only=True) as database:
        return scalar(
            database.execute("SELECT count(*) FROM pluvo__fct_training_progress WHERE is_completed")
        )


def required(output: Path) -> int:
    """How many certificates people must hold."""
    with duckdb.connect(str(output / "pluvo.duckdb"), read_only=True) as database:
        return scalar(database.execute("SELECT required FROM pluvo__rpt_overview"))


def reported(output: Path) -> int:
    """How many there are."""
    with closing(sqlite3.connect(output / "organization.db")) as database:
        return scalar(
            database.execute(
                "SELECT count(*) FROM report "
                "WHERE relatedObjectType = 'TRAINING' AND completionDate IS NOT NULL"
            )
        )


def scalar(result: Any) -> int:
    ((value,),) = result.fetchall()
    return int(value)


def test_demo_fails_loudly(project: Path) -> None:
    (project / "meltano.yml").write_text("plugins: [", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"output/sandbox/first-run\.log"):
        run([sys.executable, project / "demo/demo.py"], project)


def test_demo_keeps_off_a_real_organization(project: Path) -> None:
    (project / ".env").write_text("TAP_PLUVO_ORGANIZATION=my-academy\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="move the file aside"):
        run([sys.executable, project / "demo/demo.py"], project)
    assert not (project / "output").exists()


def test_to_postgres(project: Path, sandbox: Sandbox, postgres: dict[str, str]) -> None:
    variables = settings(sandbox) | postgres
    meltano(project, "run", "pluvo-to-postgres", **variables)
    for tap in ("tap-pluvo-batch", "tap-pluvo"):  # rows come again
        meltano(project, "run", tap, "target-postgres", **variables)
    parts = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    address: dict[str, Any] = {part: postgres[name] for part, name in parts.items()}
    with psycopg.connect(**address) as client:
        for stream in DEFAULT_STREAMS:
            rows = scalar(client.execute(f"SELECT count(*) FROM pluvo.{stream}"))
            assert rows == len(expected(sandbox.path, stream)), stream
        client.execute("SET search_path TO analytics")
        assert scalar(client.execute("SELECT count(*) FROM pluvo__dim_users")) == sandbox.users
        assert scalar(client.execute("SELECT count(*) FROM pluvo__rpt_group_progress")) > 0


def test_to_csv_every_day(project: Path, sandbox: Sandbox) -> None:
    """By the script for cron: it is silent unless the job fails, and leaves log and metrics."""
    output = project / "output/prod"
    daily: list[str | Path] = [project / "orchestrate/daily.sh", "prod", "pluvo-to-csv"]
    succeeded = output / "pluvo-to-csv.prom"
    # Files are replaced, so the second run must not be incremental.
    for encoding in ("utf-8", "utf-8-sig"):
        variables = settings(sandbox) | {"TARGET_CSV_ENCODING": encoding}
        assert run(daily, project, variables).stdout == ""
        assert {path.stem for path in (output / "csv").iterdir()} == DEFAULT_STREAMS | {SYNC_LOG}
        for stream in DEFAULT_STREAMS:
            path = output / f"csv/{stream}.csv"
            assert path.read_bytes().startswith(codecs.BOM_UTF8) == (encoding == "utf-8-sig")
            with path.open(encoding=encoding, newline="") as file:
                rows = list(csv.DictReader(file))
            assert len(by_key(stream, rows)) == len(expected(sandbox.path, stream)), stream
    assert not (project / "output/sandbox").exists()
    assert "tap_pluvo_run_complete" in (output / "metrics.prom").read_text("utf-8")
    about, kind, success = succeeded.read_text("utf-8").splitlines()
    assert about.startswith("# HELP pluvo_job_success_timestamp_seconds ")
    assert kind.endswith(" gauge")
    assert re.fullmatch(r'pluvo_job_\w+{environment="prod",job_name="pluvo-to-csv"} \d+', success)
    (log,) = (output / "logs").iterdir()
    assert log.read_text("utf-8").count("portfolio_report") > 0

    old = output / "logs/pluvo-to-csv-2026-01-01.log"
    old.touch()
    os.utime(old, (0, 0))
    said = run(daily, project, {"TAP_PLUVO_API_URL": "https://north.example.com"}, code=1).stdout
    assert said.startswith("pluvo-to-csv (prod) failed with exit code 1. The whole log is in")
    assert "client_id" in said, "the last lines of the log"
    assert succeeded.read_text("utf-8").splitlines()[-1] == success
    assert not old.exists()


def test_demo_of_the_bridge(project: Path) -> None:
    """One certificate earned in one LMS is granted in the other; the second run adds nothing."""
    output = run([sys.executable, project / "demo/bridge.py"], project).stdout
    assert output.count("Thought Industries has 1 certificate:") == 2
    assert output.count("BHV-certificaat, issued on ") == 2
    state = project / "output/sandbox/state/target-thought-industries-ledger.db"
    assert state.stat().st_mode & 0o777 == 0o600
    assert not (project / "output/sandbox/target-thought-industries-rejects.jsonl").exists()


NORTH = """
- name: north
  config:
    plugins:
      extractors:
      - name: tap-pluvo
        config:
          api_url: $NORTH_URL
          only_host: localhost
          client_id: $NORTH_CLIENT_ID
          client_secret: $NORTH_CLIENT_SECRET

jobs:
"""


def test_environments_of_several_organizations_do_not_mix(project: Path, sandbox: Sandbox) -> None:
    """As docs/how-to/schedule.md has it; the environment of the sandbox is for this machine."""
    path = project / "meltano.yml"
    path.write_text(path.read_text("utf-8").replace("\njobs:\n", NORTH), encoding="utf-8")
    own = {
        "NORTH_URL": sandbox.url,
        "NORTH_CLIENT_ID": sandbox.client_id,
        "NORTH_CLIENT_SECRET": sandbox.client_secret,
    }
    program = tool("meltano", "meltano")
    test: list[str | Path] = [program, "--environment=north", "invoke", "tap-pluvo", "--test"]
    assert "stream users: one page read" in run(test, project, own).stdout
    other = {"TAP_PLUVO_API_URL": "https://south.example.com"}
    said = "`only_host`: only localhost is to be read here, and not south.example.com"
    assert said in run(test, project, own | other, code=1).stdout
    for plugin in ("tap-pluvo", "tap-pluvo-batch", "tap-pluvo-full"):
        test = [program, "invoke", plugin, "--test"]
        assert said in run(test, project, settings(sandbox) | other, code=1).stdout


def test_plugin_definition_for_any_project(tmp_path: Path, sandbox: Sandbox) -> None:
    head = "requires_meltano: '>=4,<5'\nproject_id: any\nsend_anonymous_usage_stats: false\n"
    (tmp_path / "meltano.yml").write_text(head, encoding="utf-8")
    variables = settings(sandbox) | {
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        "MELTANO_HUB_API_ROOT": "http://127.0.0.1:9",  # nobody is there to be asked
        "TAP_PLUVO_PIP_URL": f"-e {REPOSITORY}",
        "TAP_PLUVO_PAGE_SIZE": "50",
        "TAP_PLUVO_REQUEST_TIMEOUT": "0.5",  # which Meltano passes on as text
        "TAP_PLUVO_ORGANIZATION": "",  # which Meltano passes on
    }
    meltano(
        tmp_path,
        *("add", "--plugin-type=extractor", "tap-pluvo"),
        *("--from-ref", str(REPOSITORY / "plugin.yml")),
        **variables,
    )
    shown = meltano(tmp_path, "config", "print", "tap-pluvo", "--format=json", **variables)
    config = json.loads(shown[shown.index("{") :])
    assert config["api_url"] == sandbox.url
    assert config["page_size"] == 50
    assert sandbox.client_secret not in shown
    assert "users" in meltano(tmp_path, "invoke", "tap-pluvo", "--discover", **variables)
