"""Issuing certificates, each once, where the API promises nothing.

What is written down before a request is sent: the intent, and what the events showed until then. A
request whose answer did not come, or does not say, is undecided until the events show it. That they
do not show it proves nothing, as no page says that a manual grant appears there: it is sent again
only if this tenant has shown a grant of ours before, and has had longer than the last ones took.
"""

from __future__ import annotations

import datetime as dt
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.errors import ConfigurationError
from target_thought_industries.api import Shown
from target_thought_industries.certificate import Certificate
from target_thought_industries.errors import ApiError, RefusedError, UncertainError
from target_thought_industries.settings import CERTIFY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pluvo_singer.ledger import Claim, Entry, Ledger
    from target_thought_industries.api import Api
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

SYSTEM = "thought-industries"
ISSUED, VERIFIED, UNCHANGED = "issued", "verified", "unchanged"
REJECTED, UNDECIDED = "rejected", "undecided"
SHOWN_AFTER = "shown_after"  # in an outcome: after how many seconds the events showed it, at most
MARGIN = 1.5  # times the longest time that a grant took to show
WITNESSES = 5  # grants from which is learned how long that is: those that were sent last
# An older one that does not show, though a later one does, was rather taken back.
LONGEST_DELAY = dt.timedelta(days=1)


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
        self._delay: dt.timedelta | None = None  # until the tenant shows a grant; None: not known

    def undecided(self) -> list[Certificate]:
        """Return what earlier runs began in this tenant and did not bring to an end."""
        return [
            Certificate.from_detail(entry.detail)
            for entry in self._entries()
            if entry.state != "done"
        ]

    def learn(self) -> None:
        """Learn from the last grants whether this tenant shows them, and how long that takes.

        One that shows for the first time is noted with the time that this took at most.

        Raises:
            ApiError: the events cannot be read.
            LedgerError: the ledger cannot be used.
        """
        granted = [item for item in self._entries() if _is_granted(item)]
        shown, missing = [], []
        for entry in sorted(granted, key=_sent_at, reverse=True)[:WITNESSES]:  # the last one first
            outcome = entry.outcome
            age = dt.datetime.now(dt.UTC) - _sent_at(entry)
            if SHOWN_AFTER in outcome:
                shown.append(dt.timedelta(seconds=outcome[SHOWN_AFTER]))
            elif self._is_shown(Certificate.from_detail(entry.detail), entry.detail):
                shown.append(age)
                self._ledger.observe(entry.key, outcome | {SHOWN_AFTER: age.total_seconds()})
            elif not shown or age < LONGEST_DELAY:
                missing.append(age)
        self._delay = max(shown + missing) if shown else None

    def issue(self, certificate: Certificate) -> Outcome:
        """Issue a certificate, unless that has happened.

        Raises:
            ConfigurationError: Thought Industries rejects the key.
            LedgerError: the ledger cannot be used.
        """
        held = (*self._place, certificate.user_id, certificate.resource_id)
        key = self._ledger.key(*held, certificate.issued_on)
        with self._ledger.claim(key, certificate.detail(), lock=self._ledger.key(*held)) as claim:
            if claim.state == "done":
                return Outcome(UNCHANGED)
            try:
                if "sent_at" in claim.detail:
                    return self._decide(certificate, claim)
                return self._begin(certificate, claim)
            except ApiError as error:
                return self._not_done(claim, f"it was not sent: {error}")
            except ConfigurationError as error:
                self._not_done(claim, str(error))
                raise

    def _begin(self, certificate: Certificate, claim: Claim) -> Outcome:
        """Issue what was not issued, as far as anybody knows."""
        before = Shown(0, 0)
        if self._settings.via == CERTIFY:
            before = self._api.shown(certificate)
            if before.that_day:
                self._ledger.done(claim.key)
                return Outcome(VERIFIED)
        claim.check()
        # It may be held back, for as long as it is tried again.
        self._note_sent(certificate, claim, before, self._settings.max_retry_seconds)
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
            detail = self._note_sent(certificate, claim, before, 0)
            return self._look(certificate, claim, detail) or self._undecided(
                claim, "no answer said whether it was issued"
            )
        return Outcome(ISSUED)

    def _note_sent(
        self, certificate: Certificate, claim: Claim, before: Shown, held_back: float
    ) -> dict[str, Any]:
        """Note that a request is sent now, or at most `held_back` seconds later."""
        now = dt.datetime.now(dt.UTC)
        sent_by = now + dt.timedelta(seconds=held_back)
        moments = {"sent_at": now.isoformat(), "sent_by": sent_by.isoformat()}
        detail = certificate.detail() | {"before": list(before)} | moments
        self._ledger.amend(claim.key, detail)
        return detail

    def _refused(
        self, certificate: Certificate, claim: Claim, before: Shown, error: RefusedError
    ) -> Outcome:
        """Judge a refusal; a conflict may mean that the certificate is there."""
        reason = f"Thought Industries refuses it ({error})"
        if error.status == HTTPStatus.CONFLICT:
            detail = self._note_sent(certificate, claim, before, 0)
            if found := self._look(certificate, claim, detail):
                return found
            reason += ", and its events do not show the certificate"
        return self._not_done(claim, reason)

    def _not_done(self, claim: Claim, reason: str) -> Outcome:
        """Note that a request did nothing; of an earlier one, events may still show the outcome."""
        if "sent_at" in claim.detail:
            return self._undecided(claim, reason)
        self._ledger.withdraw(claim.key)
        return Outcome(REJECTED, reason)

    def _decide(self, certificate: Certificate, claim: Claim) -> Outcome:
        """Find out what became of what was sent before, and send it again if it was not issued."""
        if found := self._look(certificate, claim, claim.detail):
            return found
        if self._settings.via != CERTIFY or self._delay is None:
            reason = (
                "no answer said whether it was issued, and this tenant has not shown a grant of "
                "ours yet; look there, and see docs/how-to/bridge.md"
            )
            return self._undecided(claim, reason)
        settle = dt.timedelta(seconds=self._settings.settle_seconds)
        since = dt.datetime.fromisoformat(claim.detail.get("sent_by") or claim.detail["sent_at"])
        when = since + max(settle, MARGIN * self._delay)
        if dt.datetime.now(dt.UTC) < when:
            reason = "no answer said whether it was issued, and the events may not show it yet"
            return self._undecided(claim, f"{reason}; run again after {when:%Y-%m-%d %H:%M} UTC")
        return self._begin(certificate, claim)

    def _look(
        self, certificate: Certificate, claim: Claim, detail: Mapping[str, Any]
    ) -> Outcome | None:
        """Look for what was sent; None if the events do not show it."""
        if self._settings.via != CERTIFY:
            return None
        try:
            shown = self._is_shown(certificate, detail)
        except ApiError as error:
            return self._undecided(claim, f"whether it was issued cannot be read: {error}")
        if shown is None:
            reason = (
                "no answer said whether it was issued, and the events do not tell it from "
                "certificates of other days; look there, and see docs/how-to/bridge.md"
            )
            return self._undecided(claim, reason)
        if not shown:
            return None
        self._ledger.done(claim.key)
        return Outcome(VERIFIED)

    def _is_shown(self, certificate: Certificate, detail: Mapping[str, Any]) -> bool | None:
        """Tell whether the events show what was sent; None if it may be another day's.

        Most events do not say the day: more of them than before may be grants of other days, too,
        that were sent later, or shortly before and did not show yet.

        Raises:
            ApiError: they cannot be read.
        """
        shown, before = self._api.shown(certificate), Shown(*detail["before"])
        if shown.that_day:
            return True
        if (new := shown.undated - before.undated) <= 0:
            return False
        others = [
            entry
            for entry in self._entries(certificate.user_id, certificate.resource_id)
            if entry.detail["issued_on"] != certificate.issued_on and "sent_at" in entry.detail
        ]
        if self._delay is not None:
            sent_at = dt.datetime.fromisoformat(detail["sent_at"])
            since = sent_at - max(LONGEST_DELAY, MARGIN * self._delay)
            others = [entry for entry in others if _sent_at(entry) >= since]
        return True if new > len(others) else None

    def _undecided(self, claim: Claim, reason: str) -> Outcome:
        self._ledger.undecided(claim.key, reason)
        return Outcome(UNDECIDED, reason)

    def _entries(self, *about: str) -> list[Entry]:
        return self._ledger.entries(self._ledger.prefix(*self._place, *about))


def _is_granted(entry: Entry) -> bool:
    """Tell whether an answer said that it was issued; what events showed may be somebody else's."""
    return entry.state == "done" and "sent_at" in entry.detail and "id" in (entry.outcome or {})


def _sent_at(entry: Entry) -> dt.datetime:
    return dt.datetime.fromisoformat(entry.detail["sent_at"])
