"""The DAG as Airflow runs it: two organizations into one warehouse, and again after changes."""
# ruff: noqa: D102, D103, INP001, PLR2004, S101, S106, S603, S607 - as in tests/

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from expected import by_key, expected
from private_postgres import private_postgres
from psycopg import sql
from psycopg.rows import dict_row
from support import DEFAULT_STREAMS, today
from test_targets import as_written

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = REPOSITORY / ".venv-airflow/bin"
LISTED = yaml.safe_load((REPOSITORY / "orchestrate/organizations.yml").read_text(encoding="utf-8"))

# Fewer groups than in organizations.yml, as each of them takes a run of Meltano.
RESULTS = LISTED["stream_groups"]["results"]
GROUPS = {"results": RESULTS, "others": sorted(DEFAULT_STREAMS.difference(RESULTS))}


@dataclass
class Run:
    """What a run of the DAG left behind."""

    log: str
    tries: Counter[str]  # by task
    requests: dict[str, Counter[str]]  # by organization, how often the API was asked for what
    runs: Counter[tuple[str, str]]  # in Meltano's system database: shard and result
    rows: dict[str, dict[str, list[dict[str, Any]]]]  # by stream and organization
    users: list[int]  # how many the models have of each organization


@dataclass
class Airflow:
    """An installation of Airflow with this project, and the servers that it needs."""

    folder: Path
    organizations: dict[str, Sandbox]
    postgres: dict[str, str]

    def prepare(self) -> None:
        """Copy the project, with links to what `make` installed."""
        project = self.folder / "project"
        (project / ".meltano").mkdir(parents=True)
        installed = REPOSITORY / ".meltano"
        assert (installed / ".ready").exists(), "run `make setup`"
        for kind in ("extractors", "loaders", "utilities"):
            (project / ".meltano" / kind).symlink_to(installed / kind)
        (project / "dbt").symlink_to(REPOSITORY / "dbt")
        shutil.copy(REPOSITORY / "meltano.yml", project)
        shutil.copytree(REPOSITORY / "orchestrate/dags", project / "orchestrate/dags")
        listed = {
            "organizations": {
                name: {"api_url": sandbox.url, "page_size": 10}  # small, to count what was read
                for name, sandbox in self.organizations.items()
            },
            "stream_groups": GROUPS,
        }
        path = project / "orchestrate/organizations.yml"
        path.write_text(yaml.safe_dump(listed), encoding="utf-8")
        with self.connect(autocommit=True) as client:
            client.execute("CREATE DATABASE meltano")
        self.call("db", "migrate")

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        given = {option: self.postgres[name] for option, name in names.items()}
        return psycopg.connect(**given | options)

    def call(self, *arguments: str) -> str:
        """Call Airflow and return what it says."""
        others = ("AIRFLOW", "DBT_", "MELTANO_", "PG", "PLUVO_", "TAP_PLUVO_", "TARGET_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(others)}
        environment |= self.postgres | {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.folder / "project/orchestrate/dags"),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
            "PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}",
        }
        for name, sandbox in self.organizations.items():
            secrets = {"login": sandbox.client_id, "password": sandbox.client_secret}
            variable = f"AIRFLOW_CONN_PLUVO_{name.upper().replace('-', '_')}"
            environment[variable] = json.dumps({"conn_type": "generic", **secrets})
        done = subprocess.run(
            [PROGRAMS / "airflow", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=self.folder,
            env=environment,
        )
        assert done.returncode == 0, done.stdout[-20_000:]
        return done.stdout

    def run(self) -> Run:
        """Run the DAG and look at what it did."""
        for sandbox in self.organizations.values():
            sandbox.reset_log()
        log = self.call("dags", "test", "pluvo")
        with self.connect(dbname="meltano") as client:
            runs = client.execute("SELECT job_name, state FROM runs").fetchall()
        return Run(
            log,
            Counter(re.findall(r"end task task_id=(\S+ map_index=\S+)", log)),
            {
                name: Counter(
                    found
                    for request in sandbox.requests
                    for found in re.findall(
                        r"\b(?:paginatedUsers|portfolioReport)\b", str(request.query)
                    )
                )
                for name, sandbox in self.organizations.items()
            },
            Counter((job.split(":")[-1], state) for job, state in runs),
            {stream: self.rows(stream) for stream in DEFAULT_STREAMS},
            self.users(),
        )

    def rows(self, stream: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of a stream by organization, without what a target adds."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.connect(row_factory=dict_row) as client:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("pluvo", stream))
            for row in client.execute(query):
                found.setdefault(row.pop("organization"), []).append(
                    {k: as_written(v) for k, v in row.items() if not k.startswith("_sdc_")}
                )
        return found

    def users(self) -> list[int]:
        query = "SELECT count(*) FROM analytics.pluvo__dim_users GROUP BY organization"
        with self.connect() as client:
            return sorted(number for (number,) in client.execute(query))


def processes() -> str:
    return subprocess.run(
        ["ps", "-A", "-ww", "-o", "args"], check=True, capture_output=True, encoding="utf-8"
    ).stdout


@dataclass
class Story:
    """A first run, and a second one after changes, which has to try one task twice."""

    airflow: Airflow
    processes: str
    first: Run
    second: Run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    seen: list[str] = []
    with (
        Sandbox(
            seed=1,
            users=30,
            portfolio=150,
            client_secret="the-secret-of-north",
            before_request={5: lambda _: seen.append(processes())},
        ) as north,
        Sandbox(seed=2, users=20, portfolio=100, client_secret="the-secret-of-south") as south,
        private_postgres() as postgres,
    ):
        organizations = {"north": north, "south-side": south}
        airflow = Airflow(tmp_path_factory.mktemp("airflow"), organizations, postgres)
        airflow.prepare()
        first = airflow.run()
        check_rows(airflow, first)
        for number, sandbox in enumerate(organizations.values()):
            user = sandbox.insert_user(f"New in {number}")
            sandbox.insert_report_row(user, "Just done", completionDate=today())
            sandbox.before_request.clear()
        south.set_faults("no-data:portfolioReport")
        south.movement = lambda *_: heal(south)
        second = airflow.run()
        yield Story(airflow, seen[0], first, second)


def heal(sandbox: Sandbox) -> None:
    """Let nothing go wrong any more once each group was read: what asks then is another try.

    A run asks for two tokens: Meltano lets the tap discover its catalog first.
    """
    if sum("token" in request.path for request in sandbox.requests) > 2 * len(GROUPS):
        sandbox.set_faults()


def check_rows(airflow: Airflow, run: Run) -> None:
    """Compare all rows of both organizations with what the organizations have now."""
    hosts = {
        sandbox.url.removeprefix("http://"): sandbox for sandbox in airflow.organizations.values()
    }
    for stream, by_organization in run.rows.items():
        assert set(by_organization) <= set(hosts)
        for host, sandbox in hosts.items():
            wanted = expected(sandbox.path, stream)
            found = by_key(stream, by_organization.get(host, []))
            # Meltano selects every column, those included that are off by default.
            columns = wanted[0] if wanted else {}
            assert [{name: row[name] for name in columns} for row in found] == wanted, stream


def test_the_warehouse_holds_both_organizations(story: Story) -> None:
    # The rows after the first run were compared before anything changed.
    assert len(story.first.rows["users"]) == 2
    check_rows(story.airflow, story.second)


def test_the_organization_is_part_of_each_key(story: Story) -> None:
    with story.airflow.connect() as client:
        keys = client.execute(
            "SELECT table_name FROM information_schema.key_column_usage"
            " WHERE table_schema = 'pluvo' AND column_name = 'organization'"
        ).fetchall()
    assert {name for (name,) in keys} == DEFAULT_STREAMS | {"sync_log"}


def test_the_models_are_built_once_for_both(story: Story) -> None:
    assert story.first.users == [20, 30]
    assert story.second.users == [21, 31]
    assert [task for task in story.first.tries if "build" in task] == ["build map_index=-1"]


def test_each_shard_has_a_state_of_its_own(story: Story) -> None:
    shards = {f"{name}-{group}" for name in ("north", "south-side") for group in GROUPS}
    with story.airflow.connect(dbname="meltano") as client:
        states = dict(client.execute("SELECT state_id, completed_state FROM state").fetchall())
    assert {name.split(":")[-1] for name in states} == shards
    assert story.first.runs == Counter({(shard, "SUCCESS"): 1 for shard in shards})


def test_the_second_run_goes_on_where_the_first_ended(story: Story) -> None:
    first, second = (run.requests["north"] for run in (story.first, story.second))
    assert first["portfolioReport"] > 5 * second["portfolioReport"] > 0
    assert first["paginatedUsers"] <= second["paginatedUsers"]  # read in full each time


def test_a_task_that_fails_is_tried_again_and_no_other(story: Story) -> None:
    assert set(story.first.tries.values()) == {1}
    again = {task: number - 1 for task, number in story.second.tries.items() if number > 1}
    assert set(again) == {"sync_results map_index=1"}
    failed = {shard: n for (shard, state), n in story.second.runs.items() if state == "FAIL"}
    assert failed == {"south-side-results": sum(again.values())}


def test_secrets_are_neither_logged_nor_stored_nor_listed(story: Story) -> None:
    assert "--state-id-suffix" in story.processes  # Meltano was running
    home = story.airflow.folder / "airflow"
    files = [path for path in story.airflow.folder.rglob("*") if path.is_file()]
    assert home / "airflow.db" in files
    for sandbox in story.airflow.organizations.values():
        secret = sandbox.client_secret
        assert secret not in story.processes
        assert secret not in story.first.log + story.second.log
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_tasks_of_one_host_share_no_files(story: Story) -> None:
    # Meltano's catalog and state for a plugin would be in `run`, the same for all.
    project = story.airflow.folder / "project"
    assert {path.name for path in (project / ".meltano").iterdir()} == {
        "extractors",
        "loaders",
        "utilities",
    }
