"""Issuing certificates, each once, where the API promises nothing.

What is written down before a request is sent: the intent, and what the events showed until then. A
request whose answer did not come, or does not say, is undecided until the events show it. That they
do not show it proves nothing, as no page says that a manual grant appears there: it is sent again
only if this tenant has shown a grant of ours before, and had as long as it is known to need.
"""

from __future__ import annotations

import datetime as dt
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from target_thought_industries.api import Shown
from target_thought_industries.certificate import Certificate
from target_thought_industries.errors import ApiError, RefusedError, UncertainError
from target_thought_industries.settings import CERTIFY

if TYPE_CHECKING:
    from pluvo_singer.ledger import Claim, Entry, Ledger
    from target_thought_industries.api import Api
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

SYSTEM = "thought-industries"
ISSUED, VERIFIED, UNCHANGED = "issued", "verified", "unchanged"
REJECTED, UNDECIDED = "rejected", "undecided"
MARGIN = 2.0  # times the longest time after which a grant was still not shown
WITNESSES = 3  # grants that are looked at to learn whether the tenant shows them, and how fast
YOUNG = dt.timedelta(days=1)  # an older one that does not show was rather taken back


class Outcome(NamedTuple):
    """What became of a certificate, and why."""

    kind: str
    reason: str = ""


class Issuer:
    """Issues certificates in one tenant."""

    def __init__(self, settings: Settings, api: Api, ledger: Ledger) -> None:
        self._settings = settings
        self._api = api
        self._ledger = ledger
        self._place = (SYSTEM, settings.base_url)
        self._shown, self._missing = (
            ledger.key(*self._place, name) for name in ("shown", "missing")
        )

    def undecided(self) -> list[Certificate]:
        """Return what earlier runs began in this tenant and did not bring to an end."""
        return [
            Certificate.from_detail(entry.detail)
            for entry in self._entries()
            if entry.state != "done"
        ]

    def learn(self) -> None:
        """Look at the last grants: does this tenant show them, and if not, after what time?

        Raises:
            ApiError: the events cannot be read.
            LedgerError: the ledger cannot be used.
        """
        granted = [item for item in self._entries() if item.state == "done" and _sent_at(item)]
        for entry in sorted(granted, key=_sent_at)[-WITNESSES:]:
            age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(_sent_at(entry))
            shown = self._api.shown(Certificate.from_detail(entry.detail))
            if shown.shows_since(Shown(*entry.detail["before"])):
                self._ledger.note_delay(self._shown, 0.0)
            elif age < YOUNG:
                self._ledger.note_delay(self._missing, age.total_seconds())

    def issue(self, certificate: Certificate) -> Outcome:
        """Issue a certificate, unless that has happened.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        held = (*self._place, certificate.user_id, certificate.resource_id)
        key = self._ledger.key(*held, certificate.issued_on)
        with self._ledger.claim(key, certificate.detail(), lock=self._ledger.key(*held)) as claim:
            if claim.state == "done":
                return Outcome(UNCHANGED)
            if "sent_at" in claim.detail:
                return self._decide(certificate, claim)
            try:
                return self._begin(certificate, claim)
            except ApiError as error:
                self._ledger.withdraw(claim.key)
                return Outcome(REJECTED, f"it was not sent: {error}")

    def _begin(self, certificate: Certificate, claim: Claim) -> Outcome:
        """Issue what no request was sent for yet."""
        if self._settings.via == CERTIFY:
            before = self._api.shown(certificate)
            if before.that_day:
                self._ledger.done(claim.key)
                return Outcome(VERIFIED)
        else:
            before = Shown(0, 0)
        return self._send(certificate, claim, before)

    def _send(self, certificate: Certificate, claim: Claim, before: Shown) -> Outcome:
        claim.check()
        sent_at = dt.datetime.now(dt.UTC).isoformat()
        self._ledger.amend(
            claim.key, certificate.detail() | {"before": list(before), "sent_at": sent_at}
        )
        try:
            if self._settings.via == CERTIFY:
                self._ledger.done(claim.key, {"id": self._api.certify(certificate)})
            else:
                self._api.record_activity(certificate)
                self._ledger.done(claim.key)
        except RefusedError as error:
            return self._refused(certificate, claim, before, error)
        except UncertainError as error:
            logger.warning("%s; it is not known whether the certificate was issued", error)
            return self._look(certificate, claim, before) or self._undecided(
                claim, "no answer said whether it was issued"
            )
        return Outcome(ISSUED)

    def _refused(
        self, certificate: Certificate, claim: Claim, before: Shown, error: RefusedError
    ) -> Outcome:
        """Judge a refusal; a conflict may mean that the certificate is there."""
        reason = f"Thought Industries refuses it ({error})"
        if error.status == HTTPStatus.CONFLICT:
            if found := self._look(certificate, claim, before):
                return found
            reason += ", and its events do not show the certificate"
        self._ledger.withdraw(claim.key)
        return Outcome(REJECTED, reason)

    def _decide(self, certificate: Certificate, claim: Claim) -> Outcome:
        """Find out what became of what was sent before, and send it again if it was not issued."""
        before = Shown(*claim.detail["before"])
        if found := self._look(certificate, claim, before):
            return found
        if self._settings.via != CERTIFY or self._ledger.delay(self._shown) is None:
            reason = (
                "no answer said whether it was issued, and this tenant has not shown a grant of "
                "ours yet; look there, and see docs/how-to/bridge.md"
            )
            return self._undecided(claim, reason)
        needed = max(
            self._settings.settle_seconds, MARGIN * (self._ledger.delay(self._missing) or 0)
        )
        since = dt.datetime.fromisoformat(claim.detail["sent_at"])
        when = since + dt.timedelta(seconds=needed)
        if dt.datetime.now(dt.UTC) < when:
            reason = "no answer said whether it was issued, and the events may not show it yet"
            return self._undecided(claim, f"{reason}; run again after {when:%Y-%m-%d %H:%M} UTC")
        return self._send(certificate, claim, before)

    def _look(self, certificate: Certificate, claim: Claim, before: Shown) -> Outcome | None:
        """Look for what was sent; None if the events do not show it."""
        if self._settings.via != CERTIFY:
            return None
        try:
            shown = self._api.shown(certificate).shows_since(before)
        except ApiError as error:
            return self._undecided(claim, f"whether it was issued cannot be read: {error}")
        if not shown:
            return None
        self._ledger.note_delay(self._shown, 0.0)
        self._ledger.done(claim.key)
        return Outcome(VERIFIED)

    def _undecided(self, claim: Claim, reason: str) -> Outcome:
        self._ledger.undecided(claim.key, reason)
        return Outcome(UNDECIDED, reason)

    def _entries(self) -> list[Entry]:
        return self._ledger.entries(self._ledger.prefix(*self._place))


def _sent_at(entry: Entry) -> str:
    return str(entry.detail.get("sent_at", ""))
