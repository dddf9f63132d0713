"""From the first version with a pipeline to this one: `make test-upgrade`, as it installs both.

What docs/how-to/upgrade.md promises: data, state and choices are kept.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
from expected import expected
from support import REPOSITORY

from pluvo_sandbox import Sandbox
from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "9a60757"  # "make demo: a made-up organization read twice into DuckDB, ..."
OLD_LIST = "dbt/seeds/required_certificates.csv"
MINE = "Mine, and nobody else's"
DATABASE = "output/prod/pluvo.duckdb"
OLD_STATE = "prod:tap-pluvo-to-target-jsonl"
STATE = "prod:tap-pluvo-batch-to-target-batch-files"


def run(folder: Path, *command: str) -> str:
    ours = ("TAP_PLUVO_", "TARGET_", "MELTANO_", "DBT_", "PLUVO_", "PG", "UV_", "MAKE", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-10_000:]
    return done.stdout


def meltano(folder: Path, *arguments: str) -> str:
    return run(folder, ".venv-tools/meltano/bin/meltano", "--environment=prod", *arguments)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / DATABASE, read_only=True) as database:
        return database.execute(query).fetchall()


def state(folder: Path, name: str = STATE) -> Any:
    shown = meltano(folder, "state", "get", name)
    return json.loads(shown[shown.index("{") :])["singer_state"]["bookmarks"]


def install_first_version(clone: Path, sandbox: Sandbox) -> None:
    """Install it, with choices in files that git tracks, as there were no other places."""
    run(clone.parent, "git", "clone", "--quiet", str(REPOSITORY), clone.name)
    run(clone, "git", "checkout", "--quiet", "-b", "mine", FIRST)
    settings = {
        "TAP_PLUVO_API_URL": sandbox.url,
        "TAP_PLUVO_CLIENT_ID": sandbox.client_id,
        "TAP_PLUVO_CLIENT_SECRET": sandbox.client_secret,
    }
    (clone / ".env").write_text("".join(f"{name}={text}\n" for name, text in settings.items()))
    with (clone / OLD_LIST).open("a") as file:
        file.write(f'*,"{MINE}"\n')
    project = clone / "meltano.yml"
    text = project.read_text()
    selecting = "- '!portfolio_items.*'"
    assert selecting in text
    project.write_text(text.replace(selecting, f"{selecting}\n    - '!offers.*'"))
    run(clone, "make", ".venv/.ready", ".meltano/.demo-ready")


def upgrade(clone: Path) -> None:
    """Do what docs/how-to/upgrade.md says: choices go to files that git does not track."""
    required = list(csv.DictReader((clone / OLD_LIST).read_text().splitlines()))
    run(clone, "git", "checkout", "--quiet", "--", ".")
    run(clone, "git", "fetch", "--quiet", "origin", "HEAD")
    run(clone, "git", "merge", "--quiet", "--ff-only", "FETCH_HEAD")
    seeds = clone / "local/seeds"
    seeds.mkdir(parents=True)
    header = (clone / "dbt/seeds/pluvo__requirements.csv").read_text().splitlines()[0]
    with (seeds / "pluvo__requirements.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        file.write(header + "\n")
        for rule in required:
            group = rule["group_ref_or_name"]
            audience = ["everyone", "", ""] if group == "*" else ["group", group, ""]
            lines.writerow([*audience, "certificate", rule["certificate_title"], *[""] * 4])
    with (clone / ".env").open("a") as file:
        file.write("PLUVO_SEEDS=../local/seeds\n")
        file.write("DBT_DUCKDB_VARS={pluvo_expiring_days: 30}\n")
        file.write("""TAP_PLUVO__SELECT='["*.*", "!portfolio_items.*", "!offers.*"]'\n""")
    (clone / "local/own.yml").write_text("environments:\n- name: north\n")
    assert run(clone, "git", "status", "--short") == "", "git knows nothing of the choices"
    run(clone, "make", ".venv/.ready", ".meltano/.demo-ready")
    meltano(clone, "state", "copy", "--force", OLD_STATE, STATE)  # asks otherwise
    migrate = ("invoke", "dbt-duckdb", "run-operation", "migrate_names")
    meltano(clone, *migrate, "--args", "{dry_run: false}")


def rename_somebody(sandbox: Sandbox) -> str:
    with closing(Database(str(sandbox.path))) as database:
        editor = Editor(database.connection, random.Random(1))
        ((user,),) = editor.database.execute("SELECT id FROM users LIMIT 1").fetchall()
        editor.change("users", user, name="Renamed meanwhile")
    return str(user)


def test_a_clone_of_the_first_version_with_choices(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    with Sandbox(users=40, trainings=6, groups=4, portfolio=600) as sandbox:
        install_first_version(clone, sandbox)
        meltano(clone, "run", "pluvo-to-duckdb")
        before = state(clone, OLD_STATE)
        assert rows(clone, "select count(*) from snap_users") == [(40,)]

        upgrade(clone)
        user = rename_somebody(sandbox)
        said = meltano(clone, "run", "pluvo-to-duckdb")

        # The state is that of before: certificates were read from the bookmark on.
        read = [line.split() for line in said.splitlines() if " issued_certificates " in line][-1]
        everything = len(expected(sandbox.path, "issued_certificates"))
        assert int(read[read.index("issued_certificates") + 1].replace(",", "")) < everything / 2
        assert set(before) <= set(state(clone))
        # The data is all there, and the history goes back to the first version.
        for stream in ("users", "groups", "issued_certificates", "portfolio_report"):
            wanted = {row["id"] for row in expected(sandbox.path, stream)}
            found = {row_id for (row_id,) in rows(clone, f"select id from stg_pluvo__{stream}")}
            assert found == wanted, stream
    versions = (
        f"select count(*), count(dbt_valid_to) from pluvo__snap_users where user_id = '{user}'"
    )
    assert rows(clone, versions) == [(2, 1)]
    # The choices hold.
    titles = {
        title for (title,) in rows(clone, "select required_title from pluvo__dim_requirements")
    }
    assert MINE in titles
    assert len(titles) > 1
    assert rows(clone, "select expiring_days from pluvo__rpt_as_of") == [(30,)]
    assert not list((clone / "output/prod/jsonl").glob("offers-*"))
    assert "north" in meltano(clone, "environment", "list")
