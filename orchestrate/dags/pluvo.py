"""Sync many organizations in parallel: one task per organization and group of streams.

organizations.yml says what to sync; docs/scale.md says how to run this, and what its limits are.
"""  # noqa: INP001 - Airflow loads files, not packages

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import psycopg
import yaml
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Connection, dag, task, task_group
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

PROJECT = Path(__file__).parents[2]
LISTED = Path(os.environ.get("PLUVO_ORGANIZATIONS", PROJECT / "orchestrate/organizations.yml"))
LIST = yaml.safe_load(LISTED.read_text(encoding="utf-8"))
ORGANIZATIONS: dict[str, dict[str, Any] | None] = LIST["organizations"]
STREAM_GROUPS: dict[str, list[str]] = LIST["stream_groups"]

SCHEMA = "pluvo"  # where meltano.yml puts the rows of all organizations


def settings_of(organization: str) -> dict[str, Any]:
    """Return the settings of the tap for an organization, without its secrets."""
    own = ORGANIZATIONS[organization] or {}
    return {
        **({} if "api_url" in own else {"organization": organization}),
        **own,
        "add_organization_column": True,
        # These would mark the rows of all other organizations as deleted.
        "emit_activate_version_messages": False,
    }


def slug(organization: str) -> str:
    """Return the name of an organization as used in connections and schemas."""
    return organization.lower().replace("-", "_")


class Meltano(BashOperator):
    """A call to Meltano, for one organization or for all.

    Settings are passed in environment variables, so they do not show up in the process list, a log
    or Airflow's database. Plugins are not installed here, because several tasks on a host would do
    so at once: call `meltano install` beforehand.
    """

    template_fields: ClassVar[Sequence[str]] = ("organization",)

    def __init__(self, *, call: str, organization: str = "", **options: Any) -> None:
        super().__init__(
            bash_command=f"exec meltano --environment=prod {call}",
            cwd=str(PROJECT),
            map_index_template="{{ task.organization }}",
            **options,
        )
        self.organization = organization

    def execute(self, context: Context) -> None:
        """Run it in its own folder, since calls for one plugin overwrite each other's files."""
        with tempfile.TemporaryDirectory(prefix="meltano-") as folder:
            for kind in ("extractors", "loaders", "utilities"):
                Path(folder, kind).symlink_to(PROJECT / ".meltano" / kind)
            self.env = {
                # State and locks: next to the warehouse, shared by all hosts.
                "MELTANO_DATABASE_URI": "postgresql+psycopg:///meltano",
                "MELTANO_STATE_BACKEND_URI": "systemdb",
                **os.environ,
                "MELTANO_SYS_DIR_ROOT": folder,
                **self.variables(),
            }
            super().execute(context)

    def variables(self) -> dict[str, str]:
        """Return the variables of this call only."""
        return {}


class Sync(Meltano):
    """Load one group of streams of one organization into the warehouse."""

    def __init__(self, *, group: str, **options: Any) -> None:
        super().__init__(
            call='run --no-install --state-id-suffix="$SHARD" tap-pluvo target-postgres', **options
        )
        self.group = group

    def variables(self) -> dict[str, str]:
        """Return the tap's settings; the secrets come from the organization's connection."""
        secrets = Connection.get(f"pluvo_{slug(self.organization)}")
        settings = settings_of(self.organization) | {
            "client_id": secrets.login,
            "client_secret": secrets.password,
            "_select": [f"{stream}.*" for stream in (*STREAM_GROUPS[self.group], "sync_log")],
        }
        return {"SHARD": f"{self.organization}-{self.group}"} | {
            f"TAP_PLUVO_{name.upper()}": str(value)
            if isinstance(value, str | date)
            else json.dumps(value)
            for name, value in settings.items()
        }


class Build(Meltano):
    """Build and test the models of one organization."""

    def __init__(self, **options: Any) -> None:
        super().__init__(call='invoke --no-install dbt-postgres:build --vars "$VARS"', **options)

    def variables(self) -> dict[str, str]:
        """Return where the rows are, and where the models go."""
        name = slug(self.organization)
        files = str(PROJECT / "output/prod/dbt" / name)
        return {
            "VARS": json.dumps({"pluvo_schema": f"{SCHEMA}_{name}"}),
            "PLUVO_DBT_SCHEMA": f"analytics_{name}",
            "DBT_POSTGRES_TARGET_PATH": files,
            "DBT_POSTGRES_LOG_PATH": files,
        }


@task(map_index_template="{{ task.op_kwargs['organization'] }}")
def views(organization: str) -> None:
    """Create views of one organization's rows in a schema of their own, for its models."""
    own = settings_of(organization)
    label = urlsplit(own["api_url"]).netloc if "api_url" in own else organization
    schema = f"{SCHEMA}_{slug(organization)}"
    with psycopg.connect() as warehouse:  # given by the PG... variables
        warehouse.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        streams = warehouse.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = %s AND column_name = 'organization'",
            [SCHEMA],
        )
        for (stream,) in streams.fetchall():
            warehouse.execute(
                sql.SQL(
                    "CREATE OR REPLACE VIEW {} AS SELECT * FROM {} WHERE organization = {}"
                ).format(
                    sql.Identifier(schema, stream),
                    sql.Identifier(SCHEMA, stream),
                    sql.Literal(label.lower()),
                )
            )


@dag(
    schedule="@daily",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # Meltano refuses a second run of the same state
    default_args={"retries": 3},
    doc_md=__doc__,
)
def pluvo() -> None:
    """Sync each organization, then build its models; a failure does not stop the others."""

    @task_group
    def organization(organization: str) -> None:
        syncs = [
            Sync(task_id=f"sync_{group}", organization=organization, group=group)
            for group in STREAM_GROUPS
        ]
        build = Build(task_id="build", organization=organization)
        syncs >> views(organization=organization) >> build

    prepare = Meltano(task_id="prepare", call="upgrade database")
    prepare >> organization.expand(organization=list(ORGANIZATIONS))


pluvo()
