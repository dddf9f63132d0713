"""Issuing certificates, each exactly once, where the API promises nothing.

What is written down before a request is sent: the intent, and what the events showed until then. A
request whose answer did not come is looked for in the events; only if they do not show it, it is
sent again. Those of a user and a resource, which could be mistaken for each other, wait in line.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from target_thought_industries.api import CERTIFY, RECERTIFY
from target_thought_industries.certificate import Certificate
from target_thought_industries.errors import ApiError, RefusedError, UncertainError
from target_thought_industries.read_back import ReadBack

if TYPE_CHECKING:
    from pluvo_singer.ledger import Claim, Ledger
    from target_thought_industries.api import Api
    from target_thought_industries.http import Http
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

ISSUED, RENEWED, VERIFIED, UNCHANGED = "issued", "renewed", "verified", "unchanged"
REJECTED, UNDECIDED = "rejected", "undecided"


class Outcome(NamedTuple):
    """What became of a certificate, and why."""

    kind: str
    reason: str = ""


class Issuer:
    """Issues certificates in one tenant."""

    def __init__(self, settings: Settings, http: Http, api: Api, ledger: Ledger) -> None:
        self._settings = settings
        self._http = http
        self._api = api
        self._ledger = ledger
        self._place = f"thought-industries {urlsplit(settings.base_url).netloc}"

    def left_over(self) -> list[Certificate]:
        """Return what earlier runs began in this tenant and did not bring to an end."""
        return [
            Certificate.from_detail(entry.detail)
            for entry in self._ledger.intents()
            if entry.key.startswith(f"{self._place} ")
        ]

    def issue(self, certificate: Certificate) -> Outcome:
        """Issue a certificate, unless that has happened.

        Raises:
            ApiError: the API cannot be read, or takes nothing in this run; nothing was issued.
            LedgerError: the ledger cannot be used.
        """
        held = f"{self._place} {certificate.user_id} {certificate.resource_id}"
        key = f"{held} {certificate.issued_on}"
        with self._ledger.claim(key, certificate.detail(), lock=held) as claim:
            if claim.state == "done":
                return Outcome(UNCHANGED)
            if "before" not in claim.detail:
                return self._begin(certificate, claim)
            before = ReadBack(*claim.detail["before"])
            age = (datetime.now(UTC) - claim.claimed_at).total_seconds()
            return self._find(certificate, claim, before, age) or self._send(
                certificate, claim, before
            )

    def _begin(self, certificate: Certificate, claim: Claim) -> Outcome:
        """Issue what no request was sent for yet."""
        try:
            before = self._read(certificate)
        except ApiError:
            self._ledger.withdraw(claim.key)
            raise
        if before.that_day:
            self._ledger.done(claim.key)
            return Outcome(VERIFIED)
        self._ledger.amend(claim.key, {**claim.detail, "before": list(before)})
        return self._send(certificate, claim, before)

    def _send(self, certificate: Certificate, claim: Claim, before: ReadBack) -> Outcome:
        call = RECERTIFY if before.holds_earlier else CERTIFY
        end = self._http.clock.monotonic() + self._settings.max_retry_seconds
        while True:
            claim.check()
            try:
                granted = self._api.issue(certificate, call)
            except RefusedError as error:
                return self._refused(certificate, claim, before, error)
            except UncertainError as error:
                logger.warning("%s; asking the events what became of it", error)
                if found := self._find(certificate, claim, before, 0.0):
                    return found
                if self._http.clock.monotonic() > end:
                    msg = f"{error}; the events do not show the certificate, and the next run tries"
                    raise ApiError(msg) from error
            else:
                self._ledger.done(claim.key, {"id": granted})
                return Outcome(RENEWED if call == RECERTIFY else ISSUED)

    def _refused(
        self, certificate: Certificate, claim: Claim, before: ReadBack, error: RefusedError
    ) -> Outcome:
        """Judge a refusal; a conflict may mean that the certificate is there."""
        reason = f"Thought Industries refuses it ({error})"
        if error.status == HTTPStatus.CONFLICT:
            if found := self._find(certificate, claim, before, 0.0):
                return found
            reason += ", and its events do not show the certificate"
        self._ledger.withdraw(claim.key)
        return Outcome(REJECTED, reason)

    def _find(
        self, certificate: Certificate, claim: Claim, before: ReadBack, age: float
    ) -> Outcome | None:
        """Look for what was sent `age` seconds ago; None: it was not issued."""
        wait = self._settings.settle_seconds - max(0.0, age)
        if wait > 0:
            self._http.limiter.pause(wait)
        try:
            shown = self._read(certificate).shows_since(before)
        except ApiError as error:
            reason = f"whether it was issued cannot be read: {error}"
            self._ledger.undecided(claim.key, reason)
            return Outcome(UNDECIDED, reason)
        if not shown:
            return None
        self._ledger.done(claim.key)
        return Outcome(VERIFIED)

    def _read(self, certificate: Certificate) -> ReadBack:
        events = self._api.events(certificate.user_id, certificate.resource_id)
        return ReadBack.of(events, certificate.issued_on)
