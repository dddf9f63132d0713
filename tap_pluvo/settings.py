"""The tap's settings: those of the connection, and what to read.

Everything a user can set wrong is refused here or in `pluvo_client.settings`, with the setting's
name, the cause and the remedy, and never with the value of a secret.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import CONNECTION, ClientSettings, setting
from pluvo_client.settings.settings import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

EARLIEST, LATEST = 1900, 2999  # years of dates; date arithmetic cannot overflow between them

_READING: dict[str, dict[str, Any]] = {
    "start_date": setting(
        "string",
        "Start date",
        "Earliest completion, change or enrollment to read from incremental streams, as a date or "
        "date-time. Rows without a date are always read. Default: everything.",
        example="2024-01-01",
        format="date-time",
    ),
    "end_date": setting(
        "string",
        "End date",
        "Latest completion, change or enrollment to read from incremental streams, inclusive, to "
        "backfill a range. Default: everything up to now.",
        example="2024-12-31",
        format="date-time",
    ),
    "lookback_days": setting(
        "integer",
        "Look-back in days",
        "How many days before its bookmark an incremental sync starts, to catch results that "
        "were entered late.",
        default=7,
        example=7,
        minimum=0,
        maximum=3650,
    ),
    "window_days": setting(
        "integer",
        "Window in days",
        "Completions are read in windows of this many days; each finished window is a checkpoint "
        "from which an interrupted sync resumes.",
        default=30,
        example=30,
        minimum=1,
        maximum=3650,
    ),
    "full_refresh_days": setting(
        "integer",
        "Full refresh in days",
        "Results in progress have no completion date and cannot be requested alone, so the "
        "report is read in full when the last full read is this many days old. 0: never.",
        default=1,
        example=7,
        minimum=0,
        maximum=3650,
    ),
    "webhook_inbox": setting(
        "string",
        "Inbox of webhooks",
        "Database that `pluvo-webhooks` keeps received webhooks in, as its URL. Streams whose "
        "replication method is LOG_BASED read what has changed by it, results that webhooks tell "
        "of are read again, and the stream `webhook_events` is offered. Needs the extra "
        "`tap-pluvo[webhooks]`. Default: none.",
        example="sqlite:////var/lib/pluvo/inbox.db",
        secret=True,
        minLength=1,
    ),
    "reconcile_days": setting(
        "integer",
        "Reconcile in days",
        "A stream whose replication method is LOG_BASED is read in full when its last full read "
        "is this many days old, since a webhook may get lost. 0: in every sync.",
        default=7,
        example=7,
        minimum=0,
        maximum=3650,
    ),
    "add_organization_column": setting(
        "boolean",
        "Add organization column",
        "Adds the column `organization` to every stream and its key, so that several "
        "organizations fit into one warehouse.",
        default=False,
        example=True,
    ),
    "filters": setting(
        "object",
        "Filters",
        "Makes Pluvo restrict streams by documented arguments: for each stream, an object of "
        "arguments in snake_case.",
        example={"users": {"archived": False, "user_roles": ["PARTICIPANT"]}},
        additionalProperties={"type": "object"},
    ),
    "allow_incomplete": setting(
        "array",
        "Allow incomplete streams",
        "Streams whose run succeeds although nothing proves that all of their rows were read. "
        "What was found is emitted, `sync_log` says that it is not complete, and the models take "
        "nothing for gone because of it. Default: none.",
        example=["portfolio_report"],
        items={"type": "string"},
        uniqueItems=True,
    ),
    "emit_activate_version_messages": setting(
        "boolean",
        "Emit ACTIVATE_VERSION messages",
        "After a stream was read completely, tell the target that rows which did not come are "
        "gone. Targets that support this mark or delete them.",
        default=False,
        example=True,
    ),
    "metrics_file": setting(
        "string",
        "Metrics file",
        "Path, without an ending, of two files that say how the last run went, by stream: rows, "
        "requests, retries, repairs, seconds, and whether all was read. The one that ends in "
        "`.prom` is for Prometheus, the one in `.jsonl` holds JSON lines. Default: none.",
        example="output/prod/metrics",
    ),
    "batch_config": setting(
        "object",
        "Batch configuration",
        "Writes records to files in the folder `storage.root` and sends BATCH messages that name "
        "them, for targets on this machine that load such files: much cheaper than RECORD messages "
        "where the target is the SDK's. `encoding.compression` is `none` (default) or `gzip`, "
        "`encoding.format` always `jsonl`. Give each pipeline a folder of its own: a run removes "
        "the files that earlier ones left there.",
        example={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": "file:///var/lib/pluvo/batches"},
        },
        required=["storage"],
        additionalProperties=False,
        properties={
            "encoding": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {
                    "format": {"enum": ["jsonl", None]},
                    "compression": {"enum": ["gzip", "none", None]},
                },
            },
            "storage": {
                "type": "object",
                "required": ["root"],
                "additionalProperties": False,
                "properties": {"root": {"type": "string", "minLength": 1}},
            },
        },
    ),
}

PROPERTIES: dict[str, dict[str, Any]] = CONNECTION | _READING

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "additionalProperties": False,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What to read; `client` says from where. Dates are days in UTC, both inclusive."""

    client: ClientSettings
    start_date: dt.date | None
    end_date: dt.date | None
    lookback_days: int
    window_days: int
    full_refresh_days: int
    webhook_inbox: str | None
    reconcile_days: int
    allow_incomplete: frozenset[str]
    emit_activate_version_messages: bool
    metrics_file: str | None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration in which `problems` found nothing.

        Raises:
            ConfigurationError: a setting is missing, or does not go with another one.
        """
        start, end = (_day(name, config.get(name)) for name in ("start_date", "end_date"))
        if start and end and end < start:
            msg = f"setting `end_date` ({end}) is before `start_date` ({start}): swap them"
            raise ConfigurationError(msg)
        return cls(
            client=ClientSettings.from_config(config),
            start_date=start,
            end_date=end,
            allow_incomplete=frozenset(config.get("allow_incomplete") or ()),
            **{
                name: value_of(name, config, PROPERTIES)
                for name in (
                    "lookback_days",
                    "window_days",
                    "full_refresh_days",
                    "webhook_inbox",
                    "reconcile_days",
                    "emit_activate_version_messages",
                    "metrics_file",
                )
            },
        )


def organization_column(config: Mapping[str, Any]) -> str | None:
    """Return what the column `organization` holds: its name or host; None without that column."""
    if not config.get("add_organization_column"):
        return None
    label: str = config.get("organization") or urlsplit(config.get("api_url") or "").netloc
    return label.lower()


def _day(name: str, value: str | None) -> dt.date | None:
    """Return the UTC day of an ISO 8601 date or date-time."""
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as error:
        msg = f"setting `{name}` is not an ISO 8601 date: write it like 2024-01-31"
        raise ConfigurationError(msg) from error
    if not EARLIEST <= moment.year <= LATEST:
        msg = f"setting `{name}` must lie between the years {EARLIEST} and {LATEST}"
        raise ConfigurationError(msg)
    return (moment.astimezone(dt.UTC) if moment.tzinfo else moment).date()
