"""The target's settings: those of the connection, and how to write."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import CONNECTION, ClientSettings, setting
from pluvo_client.settings.settings import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "target-pluvo"
ADD, MIRROR = "add", "mirror"

_WRITING: dict[str, dict[str, Any]] = {
    "operations_per_request": setting(
        "integer",
        "Operations per request",
        "How many changes, or small reads, share a request. Falls back to 1 if the API refuses "
        "more.",
        default=20,
        example=20,
        minimum=1,
        maximum=50,
    ),
    "dry_run": setting(
        "boolean",
        "Dry run",
        "Compare with what Pluvo has, print every change that would be made, and make none.",
        default=False,
        example=True,
    ),
    "show_values": setting(
        "boolean",
        "Show values",
        "Let a dry run print keys and values of people, too. Default: their rows by number, and "
        "the names of the columns that differ.",
        default=False,
        example=True,
    ),
    "max_changes": setting(
        "integer",
        "Most changes",
        "Stop before the first change if there are more of them. Default: no limit.",
        example=500,
        minimum=0,
    ),
    "max_archive_share": setting(
        "number",
        "Largest share to archive",
        "Stop before the first change if a larger part of the users who are not archived would "
        "be. 1 allows all.",
        default=0.1,
        example=0.05,
        minimum=0,
        maximum=1,
    ),
    "membership_mode": setting(
        "string",
        "Membership mode",
        "`add` only adds members and participants; `mirror` also removes who is not in the data, "
        "from the groups and trainings, and in the roles, that occur in it.",
        default=ADD,
        example=MIRROR,
        enum=[ADD, MIRROR, None],
    ),
    "custom_fields": setting(
        "object",
        "Custom fields",
        "Columns of the stream `users` that are values of custom fields: for each, the title or "
        "the id of the field, or its ref where the organization's schema shows refs.",
        example={"department": "Department"},
        additionalProperties={"type": "string", "minLength": 1},
    ),
    "send_invites": setting(
        "boolean",
        "Send invites",
        "Let Pluvo invite new users, and those who are added to a training, by e-mail.",
        default=False,
        example=True,
    ),
    "send_mail": setting(
        "boolean",
        "Send mail",
        "Let Pluvo send an e-mail to users who are enrolled.",
        default=False,
        example=True,
    ),
    "ledger": setting(
        "string",
        "Ledger",
        "SQLAlchemy URL of the ledger of certificates, which lets each be issued exactly once. All "
        "machines that issue certificates must share it: PostgreSQL for several.",
        default="sqlite:///target-pluvo-ledger.db",
        example="sqlite:///output/prod/ledger.db",
        minLength=1,
        secret=True,
    ),
    "rejects": setting(
        "string",
        "Rejects",
        "Path of the file of rejected rows, as JSON lines with the reason. It is written anew by "
        "each run, and only its owner can read it.",
        default="target-pluvo-rejects.jsonl",
        example="output/prod/rejects.jsonl",
        minLength=1,
    ),
}

PROPERTIES: dict[str, dict[str, Any]] = CONNECTION | _WRITING

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "additionalProperties": False,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How to write; `client` says where."""

    client: ClientSettings
    dry_run: bool
    show_values: bool
    max_changes: int | None
    max_archive_share: float
    membership_mode: str
    custom_fields: Mapping[str, str]
    send_invites: bool
    send_mail: bool
    ledger: str
    rejects: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration in which `problems` found nothing.

        Raises:
            ConfigurationError: a setting is missing, or does not go with another one.
        """
        values = {name: value_of(name, config, PROPERTIES) for name in _WRITING}
        together = values.pop("operations_per_request")
        client = ClientSettings.from_config({**config, "operations_per_request": together}, PROGRAM)
        values["custom_fields"] = values["custom_fields"] or {}
        twice = list(values["custom_fields"].values())
        if len(twice) != len(set(twice)):
            msg = "setting `custom_fields` names a custom field twice"
            raise ConfigurationError(msg)
        return cls(client=client, **values)
