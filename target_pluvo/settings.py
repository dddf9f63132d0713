"""The target's settings: those of the connection, and how to write."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import CONNECTION, ClientSettings, setting
from pluvo_client.settings.settings import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = "target-pluvo"
ADD, MIRROR = "add", "mirror"


def _share(what: str, whole: str, default: float) -> dict[str, Any]:
    """Return the setting of a limit of which at least three are allowed."""
    return setting(
        "number",
        f"Largest share to {what}",
        f"Stop before the first change if more would be than this share {whole}, counting the last "
        "24 hours. At least 3 are allowed, unless it is 0; 1 allows all.",
        default=default,
        example=default,
        minimum=0,
        maximum=1,
    )


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
        "Compare with what Pluvo has, write the plan (setting `plan`), and change nothing.",
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
        "be, counting the last 24 hours. 1 allows all.",
        default=0.1,
        example=0.05,
        minimum=0,
        maximum=1,
    ),
    "max_restore_share": _share("restore from the archive", "of the active users", 0.02),
    "max_removal_share": _share(
        "remove from groups and trainings", "of the members of those that the data names", 0.1
    ),
    "max_renumber_share": _share("give another `ref`", "of the active users", 0.02),
    "max_address_change_share": _share("give another address", "of the active users", 0.05),
    "max_role_change_share": _share("give other roles", "of the active users", 0.02),
    "renumber": setting(
        "boolean",
        "Renumber",
        "Let an account that is found by its address get the `ref` of the row, if it has the same "
        "name and no row claims its old one. Default: such a row is rejected.",
        default=False,
        example=True,
    ),
    "manage_roles": setting(
        "boolean",
        "Manage roles",
        "Write the column `roles`. Default: it is ignored, since it decides who may do what.",
        default=False,
        example=True,
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
    "managed_groups": setting(
        "array",
        "Managed groups",
        "Patterns of the refs of the groups that this data is in charge of. With `mirror`, members "
        "are removed from these only, and also where the data no longer names the group.",
        example=["department-*"],
        items={"type": "string", "minLength": 1},
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
        "Let Pluvo invite new users by e-mail.",
        default=False,
        example=True,
    ),
    "send_training_invites": setting(
        "boolean",
        "Send training invites",
        "Let Pluvo invite those who are added to a training by e-mail.",
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
        "SQLAlchemy URL of the ledger: which certificates were issued, so that each is issued "
        "once, and what was changed in the last 24 hours, for the limits. All machines that write "
        "must share it: PostgreSQL for several.",
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
    "settle_seconds": setting(
        "number",
        "Seconds to settle",
        "How long at least a certificate of which no answer came is given to show in the "
        "portfolio, before it is issued again. Longer where this organization is known to be "
        "slower.",
        default=600,
        example=3600,
        minimum=0,
        maximum=604800,
    ),
    "issue_to_archived": setting(
        "boolean",
        "Issue to archived users",
        "Issue certificates to users who are archived, too. Default: their rows are rejected.",
        default=False,
        example=True,
    ),
    "max_days_ahead": setting(
        "integer",
        "Most days ahead",
        "Reject a certificate whose `issue_date` is more days ahead.",
        default=366,
        example=30,
        minimum=0,
        maximum=36500,
    ),
    "plan": setting(
        "string",
        "Plan",
        "Path of the file in which a dry run writes each change in words, for a person to read. "
        "Only its owner can read it.",
        default="target-pluvo-plan.txt",
        example="output/prod/plan.txt",
        minLength=1,
    ),
    "approved_plan": setting(
        "string",
        "Approved plan",
        "Digest of a plan, from its last line. The run does exactly that plan; if data or "
        "organization have changed it, nothing is written.",
        example="3f1c9a0b7d5e2468",
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
    max_restore_share: float
    max_removal_share: float
    max_renumber_share: float
    max_address_change_share: float
    max_role_change_share: float
    renumber: bool
    manage_roles: bool
    membership_mode: str
    managed_groups: Sequence[str] | None
    custom_fields: Mapping[str, str]
    send_invites: bool
    send_training_invites: bool
    send_mail: bool
    ledger: str
    rejects: str
    settle_seconds: float
    issue_to_archived: bool
    max_days_ahead: int
    plan: str
    approved_plan: str | None

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
