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

import yaml
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Connection, TriggerRule, dag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

PROJECT = Path(__file__).parents[2]
LISTED = Path(os.environ.get("PLUVO_ORGANIZATIONS", PROJECT / "orchestrate/organizations.yml"))
LIST = yaml.safe_load(LISTED.read_text(encoding="utf-8"))
ORGANIZATIONS: dict[str, dict[str, Any] | None] = LIST["organizations"]
STREAM_GROUPS: dict[str, list[str]] = LIST["stream_groups"]


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
    """Return the name of an organization as used in connections."""
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


@dag(
    schedule="@daily",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # Meltano refuses a second run of the same state
    default_args={"retries": 3},
    doc_md=__doc__,
)
def pluvo() -> None:
    """Sync all organizations, then build the models of all at once.

    A sync that fails does not keep the models of the others from being built: what it broke off
    speaks for nothing. But the run has failed then, which `synced` tells.
    """
    prepare = Meltano(task_id="prepare", call="upgrade database")
    build = Meltano(
        task_id="build",
        call="invoke --no-install dbt-postgres:build",
        trigger_rule=TriggerRule.ALL_DONE,
    )
    synced = EmptyOperator(task_id="synced")
    for group in STREAM_GROUPS:
        syncs = Sync.partial(
            task_id=f"sync_{group}", group=group, map_index_template="{{ task.organization }}"
        ).expand(organization=list(ORGANIZATIONS))
        prepare >> syncs >> [build, synced]


pluvo()
