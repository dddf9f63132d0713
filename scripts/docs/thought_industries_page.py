"""The page on target-thought-industries: its stream, and its settings from `--about`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markdown_text import NOTICE, table
from settings_page import introduction, sections

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "target-thought-industries"
GROUPS = {
    "Tenant and access": ["tenant", "api_url", "only_host", "api_key"],
    "What to issue": ["resources", "via", "match_users_by", "send_email", "max_days_ahead"],
    "Safety": ["ledger", "rejects", "settle_seconds"],
    "Speed and limits": [
        *("requests_per_minute", "burst", "request_timeout", "max_retry_seconds"),
    ],
}
_COUNTS = [
    ("issued", "The certificate was granted (`certify`)."),
    ("verified", "The events show it: no answer had come, or it was there already."),
    ("unchanged", "The ledger has it as done."),
    ("rejected", "It was not issued: the file of rejects says why."),
    ("undecided", "No answer came, and nobody can tell yet. The next run asks again."),
]


def thought_industries_page(properties: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on target-thought-industries."""
    return "\n".join(
        [
            NOTICE,
            f"# {PROGRAM}\n",
            (
                "A Singer target: it issues the certificates that Pluvo's users earned in Thought "
                "Industries. [Certificates into Thought Industries](../how-to/bridge.md) says how, "
                "and what keeps a certificate from being issued twice.\n"
            ),
            (
                "It takes the stream `issued_certificates` as the tap emits it, with the columns "
                "`title`, `completion_date`, and `user_email` or `user_ref`; `end_date` if there "
                "is one. If another stream comes, nothing is issued.\n"
            ),
            "## Exit codes and the closing table\n",
            (
                "0: every row is in Thought Industries. 1: rows were rejected or undecided, or the "
                "run could not be done; the last lines say which and why. 128 plus a signal "
                "number: the run was stopped; the next one does the rest. State is written only "
                "when all before it is done. The last lines of the log count rows:\n"
            ),
            table(["column", "meaning"], [[f"`{name}`", text] for name, text in _COUNTS]),
            "## Settings\n",
            introduction(properties, "written"),
            *sections(properties, GROUPS, PROGRAM),
        ]
    )
