"""How a sandbox behaves, apart from its data: one home for the options of program and command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pluvo_sandbox.mutations import WRITE_SCOPES
from pluvo_sandbox.oauth import SCOPES
from pluvo_sandbox.roots import SCOPES as READ_SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pluvo_sandbox.contract import Variant

Ties = Literal["by-id", "by-page", "random"]
ReportOrder = Literal["id", "insertion", "completion-date", "title"]
Archived = Literal["only", "too", "ignored", "everything"]
DayFilter = Literal["inclusive", "exclusive", "exclusive-to", "midnight"]
Counts = Literal["exact", "cached", "estimated", "capped"]

ROOT_SCOPES = READ_SCOPES | WRITE_SCOPES

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but a sandbox
WEBHOOK_SECRET = "sandbox-webhook-key"  # noqa: S105 - proves nothing but that a sandbox sent it


@dataclass(kw_only=True)
class Behaviour:
    """How a sandbox behaves, apart from its data. By default it does what the API documents.

    Attributes:
        client_id: name of the one API client.
        client_secret: its password.
        scopes: what the client may ask for.
        required_scopes: for root fields, the scopes that they need beside their usual one.
        token_ttl: seconds that a token is valid.
        schema: `documented`, `lean` or `rich`.
        yesterday_lacks: fields and arguments that are missing from answers with the fault
            `yesterday`, such as `User.name` and `Query.paginatedUsers.archived`. If there are none,
            it is what `schema` has beyond `documented`, or `documented` beyond `lean`.
        introspection: whether clients may query the schema.
        validation: whether documents are validated against the schema. Without it, fields,
            arguments, types of fragments and enum values that the schema lacks are ignored, and
            no error says so.
        tls: PEM file with a private key and its certificate, with which the API is served over
            HTTPS; None for plain HTTP.
        broken_handshakes: how many connections, from the first on, are broken off in the middle of
            the TLS handshake.
        seed: the same seed gives the same data, and the same order of rows that tie.
        ties: how rows come that have the same value in what their list is ordered by. `by-id`:
            always in the same order. `by-page`: in an order that depends on the page, as databases
            do it with LIMIT and OFFSET; the same page asked for again has the same rows. `random`:
            in another order at every request.
        report_order: what the portfolio report is ordered by: `id`, `insertion`,
            `completion-date`, or `title` and name of the user. No page of the API says.
        archived: what `archived: true` lists: `only` archived rows, or archived rows `too`; with
            `ignored` the argument has no effect, and lists hold everything; with `everything` they
            do so only without the argument, also rows that are neither. Examples on the pages
            users-2 and learning-journeys-2 have the argument; no page explains it.
        day_filter: whether the report holds the rows of the days that `completionDateFrom` and
            `completionDateTo` name: of both, of neither, or of the first only. No page says. With
            `midnight` they are moments, as results are then completed at one: the last day ends as
            it begins, so of its rows only those at midnight are listed, about every other one.
        counts: what connections say as `count`: how many rows they have (`exact`), how many they
            had up to `connections.CACHED_REQUESTS` requests ago (`cached`), about how many, a few
            percent more or less (`estimated`), or `connections.COUNT_CAP` at most (`capped`).
        portfolio_lag: seconds until a certificate that was issued shows in portfolio and report.
        distinct: whether a row comes once when it matches a filter several times: a member of two
            groups asked for, a participant who is in a training twice. If not, it comes and counts
            once for each match, as by SQL joins.
        page_cap: the most rows on a page of any connection, even when `first` asks for more; None
            for no cap.
        ignore_offset: whether the argument `offset` is accepted and has no effect.
        latency: milliseconds that each answer is held back.
        rate_limit: such as `10/s` or `100/m`; None for no limit.
        max_root_fields: how many root fields one operation may have; None for no limit.
        faults: what goes wrong, in the notation of `pluvo_sandbox.faults`.
        webhooks: URLs to which webhooks are sent when the data changes.
        webhook_secret: the "Pluvo Webhook Key" that they are signed with.
        webhook_faults: what goes wrong with them, in the same notation; the kinds are those of
            `pluvo_sandbox.webhooks.FAULTS`, and a place is the name of an event.
        webhook_first_wait: seconds until a webhook that was refused is sent again; each further
            wait is twice as long.
    """

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    scopes: Sequence[str] = SCOPES
    required_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    token_ttl: int = 86400
    schema: Variant = "documented"
    yesterday_lacks: Sequence[str] = ()
    introspection: bool = True
    validation: bool = True
    tls: Path | None = None
    broken_handshakes: int = 0
    seed: int = 1
    ties: Ties = "by-id"
    report_order: ReportOrder = "id"
    archived: Archived = "only"
    day_filter: DayFilter = "inclusive"
    counts: Counts = "exact"
    portfolio_lag: float = 0
    distinct: bool = True
    page_cap: int | None = None
    ignore_offset: bool = False
    latency: float = 0
    rate_limit: str | None = None
    max_root_fields: int | None = None
    faults: Sequence[str] = ()
    webhooks: Sequence[str] = ()
    webhook_secret: str = WEBHOOK_SECRET
    webhook_faults: Sequence[str] = ()
    webhook_first_wait: float = 1.0

    def __post_init__(self) -> None:
        for root, scopes in self.required_scopes.items():
            for scope in scopes:
                check_requirement(root, scope)


def check_requirement(root: str, scope: str) -> None:
    """Check that a root field may be said to need a scope.

    Raises:
        ValueError: one of the two does not exist.
    """
    for name, kind, known in ((root, "root field", ROOT_SCOPES), (scope, "scope", SCOPES)):
        if name not in known:
            message = f"{name!r} is not a {kind} of the API; it has {', '.join(sorted(known))}"
            raise ValueError(message)
