"""One run of the target: rows in, certificates out, and what to tell of it."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from pluvo_singer.ledger import Ledger
from target_thought_industries.api import Api
from target_thought_industries.certificate import Certificate, day_after, utc_day
from target_thought_industries.http import Http
from target_thought_industries.issuing import (
    ISSUED,
    REJECTED,
    RENEWED,
    UNCHANGED,
    UNDECIDED,
    VERIFIED,
    Issuer,
    Outcome,
)
from target_thought_industries.rejects import Rejects
from target_thought_industries.users import Users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

STREAM = "issued_certificates"
_KINDS = (ISSUED, RENEWED, VERIFIED, UNCHANGED, REJECTED, UNDECIDED)


class Run:
    """What a run shares; `failed` once something was not done."""

    def __init__(self, settings: Settings) -> None:
        self.failed = False
        self._settings = settings
        self._counts: dict[str, Counter[str]] = {}
        self._told: set[str] = set()
        with ExitStack() as stack:
            self._rejects = stack.enter_context(closing(Rejects(settings.rejects)))
            ledger = stack.enter_context(Ledger.open(settings.ledger))
            self._http = stack.enter_context(closing(Http(settings)))
            api = Api(self._http, send_email=settings.send_email)
            self._issuer = Issuer(settings, self._http, api, ledger)
            self._users = Users(api, settings.match_users_by)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Close ledger, file and connections."""
        self._stack.close()

    def take(self, rows: Iterable[dict[str, Any]]) -> None:
        """Issue the certificates of rows, the oldest first, so that later ones renew them."""
        for row in sorted(rows, key=lambda row: str(row.get("completion_date") or "")):
            certificate, reason = self._certificate(row)
            if certificate is None:
                self.reject(STREAM, reason, row)
                continue
            outcome = self._issuer.issue(certificate)
            self._note(STREAM, outcome)
            if outcome.kind in {REJECTED, UNDECIDED}:
                self._tell(f"{outcome.kind}: {outcome.reason}")
                self._rejects.write(STREAM, f"{outcome.kind}: {outcome.reason}", row)

    def finish_earlier(self) -> None:
        """Bring to an end what earlier runs began, whether its rows come again or not."""
        for certificate in self._issuer.left_over():
            outcome = self._issuer.issue(certificate)
            self._note("(earlier runs)", outcome)
            if outcome.reason:
                self._tell(f"of an earlier run, {outcome.kind}: {outcome.reason}")

    def reject(self, stream: str, reason: str, row: dict[str, Any]) -> None:
        """Keep a row in the file of rejects."""
        self._note(stream, Outcome(REJECTED, reason))
        self._rejects.write(stream, reason, row)

    def summary(self) -> list[str]:
        """Return the closing table, line by line."""
        titles = f"{'stream':<22}" + "".join(f"{kind:>11}" for kind in _KINDS)
        lines = [
            f"{stream:<22}" + "".join(f"{counts[kind]:>11,}" for kind in _KINDS)
            for stream, counts in self._counts.items()
        ]
        return [titles, *lines, f"{self._http.requests:,} requests"]

    def _note(self, stream: str, outcome: Outcome) -> None:
        self._counts.setdefault(stream, Counter())[outcome.kind] += 1
        self.failed |= outcome.kind in {REJECTED, UNDECIDED}

    def _tell(self, sentence: str) -> None:
        """Log an error, unless it was logged before."""
        if sentence not in self._told:
            self._told.add(sentence)
            logger.error("%s", sentence)

    def _certificate(self, row: dict[str, Any]) -> tuple[Certificate | None, str]:
        """Return what a row stands for, or None and why it stands for nothing."""
        title = row.get("title")
        resource = self._settings.resources.get(title) if isinstance(title, str) else None
        if resource is None:
            self._tell(f"the title {title!r} is not in the setting `resources`: rows are rejected")
            return None, "its title is not in the setting `resources`"
        issued_on, valid_to = _day(row.get("completion_date")), _day(row.get("end_date"))
        if issued_on is None or (valid_to is None and row.get("end_date") is not None):
            name = "completion_date" if issued_on is None else "end_date"
            reason = f"its `{name}` is missing, or no date"
            self._tell(f"rows are rejected: {reason}")
            return None, reason
        user_id, reason = self._users.find(row)
        if user_id is None:
            self._tell(f"the user {row.get('user_id')} of Pluvo is rejected: {reason}")
            return None, reason
        certificate = Certificate(
            user_id=user_id,
            resource_type=resource.resource_type,
            resource_id=resource.resource_id,
            issued_on=issued_on,
            valid_to=valid_to,
            recertify_on=day_after(issued_on, resource.recertify_days),
        )
        return certificate, ""


def _day(value: Any) -> str | None:
    """Return the day (UTC) of a date or timestamp, or None if it is none."""
    return utc_day(value) if isinstance(value, str) else None
