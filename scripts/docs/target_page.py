"""The page on target-pluvo: its streams, and its settings from `target-pluvo --about`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_text import NOTICE, table
from settings_page import introduction, sections

from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS = {
    "Organization and access": [
        *("organization", "api_url", "only_host", "client_id", "client_secret", "scopes"),
        *("ca_bundle", "user_agent", "introspection"),
    ],
    "What to write": [
        *("custom_fields", "membership_mode", "managed_groups", "manage_roles", "renumber"),
        *("send_invites", "send_training_invites", "send_mail", "issue_to_archived"),
        "max_days_ahead",
    ],
    "A plan": ["dry_run", "plan", "show_values", "approved_plan"],
    "Limits": [
        *("max_archive_share", "max_restore_share", "max_removal_share", "max_renumber_share"),
        *("max_address_change_share", "max_role_change_share", "max_changes"),
    ],
    "Safety": ["ledger", "rejects", "settle_seconds"],
    "Speed, limits and repair": [
        *("page_size", "max_concurrency", "requests_per_second", "operations_per_request"),
        *("request_timeout", "max_response_seconds", "max_response_mb"),
        *("max_retry_seconds", "max_repair_passes"),
    ],
}

# By stream: further columns, and what is done.
_STREAMS = {
    "users": (
        (
            "`name`, `language`, `roles`, `archived`, `afas_employee_id`, and what "
            "`custom_fields` names"
        ),
        (
            "Makes, changes, archives and restores accounts. `archived: true`, or a row that its "
            "source marks as deleted (`_sdc_deleted_at`), archives; nothing is deleted. A row "
            "finds its user by `ref`, and by `email` only one who has no `ref` "
            "([whose account it is](../how-to/write-safely.md#whose-account-it-is))."
        ),
    ),
    "groups": ("`name`, `max_users`, `enable_chat`, `is_editable`", "Makes and changes groups."),
    "custom_field_values": (
        "`string_value`, `boolean_value`, `datetime_value` or `choice_value`",
        (
            "Sets values of users and groups from rows as tap-pluvo emits them, to copy an "
            "organization. From an HR system, use `custom_fields`."
        ),
    ),
    "group_members": (
        "`role`: PARTICIPANT (default) or MANAGER",
        "Adds members, and with `membership_mode: mirror` removes those who are not in the data.",
    ),
    "trainings": (
        (
            "`title`, `subtitle`, `is_active`, `archived`, `start_date`, `end_date`, "
            "`show_participants`, `enable_chat`"
        ),
        "Makes trainings; of those that exist, changes `title`, `is_active` and `archived`.",
    ),
    "training_participants": (
        "`role`: PARTICIPANT (default), TRAINER or MENTOR",
        (
            "Adds users to trainings, and removes them as `group_members` does. Who is in a "
            "training through a group stays."
        ),
    ),
    "enrollments": (
        "",
        "Enrolls users in events. Who has an enrollment, even a cancelled one, keeps it as it is.",
    ),
    "certificates_to_issue": (
        "`title` (default: the template's), `training_ref`",
        (
            "Issues certificates, [each once](../how-to/issue-certificates.md). "
            "`certificate_id` is the id of the template."
        ),
    ),
}


def target_page(properties: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on target-pluvo."""
    rows = [
        [
            f"`{name}`",
            ", ".join(" or ".join(f"`{key}`" for key in keys) for keys in stream.keys),
            _STREAMS[name][0],
            _STREAMS[name][1],
            ", ".join(f"`{scope}`" for scope in (*stream.reads, *stream.writes)),
        ]
        for name, stream in STREAMS.items()
    ]
    return "\n".join(
        [
            NOTICE,
            "# target-pluvo\n",
            (
                "A Singer target: it writes what a tap sends into Pluvo. [HR data into "
                "Pluvo](../how-to/hr.md) is a recipe, [Writing safely](../how-to/write-safely.md) "
                "says what keeps it from doing harm.\n"
            ),
            "## Streams\n",
            (
                "Streams are written in this order, so that what a run makes can be belonged to in "
                "the same run. Streams and columns of other names are renamed with stream maps. A "
                "column that is not named here is left alone, unless the organization's own "
                "schema has it as a field of the mutation's input. An empty value leaves what "
                "Pluvo has. Lists (`roles`, several choices) are JSON, or texts with semicolons.\n"
            ),
            table(["stream", "needed columns", "further columns", "does", "scopes"], rows),
            (
                "Which scope custom field values and certificates need is not documented: what the "
                "API names as lacking is requested.\n"
            ),
            "## Exit codes\n",
            (
                "0: every row is in Pluvo. 1: rows were rejected, or the run could not be done; "
                "the last lines say which and why. 128 plus a signal number: the run was "
                "stopped; the next one does the rest.\n"
            ),
            "## Settings\n",
            introduction(properties, "written"),
            *sections(properties, GROUPS, "target-pluvo"),
        ]
    )
