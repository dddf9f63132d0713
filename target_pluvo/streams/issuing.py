"""Issuing a certificate, once, and never in doubt."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import PluvoError
from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError
from target_pluvo.portfolio import PortfolioEntry
from target_pluvo.streams.base import is_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pluvo_client import PluvoClient
    from pluvo_singer.ledger import Claim
    from target_pluvo.ledger import CertificateLedger, Known
    from target_pluvo.portfolio import Portfolio
    from target_pluvo.remote_state import Entity

logger = logging.getLogger("target-pluvo")


class UndecidedError(Exception):
    """Nobody knows yet whether a certificate was issued; the message says why."""


@dataclass(frozen=True)
class Certificate:
    """A certificate that somebody is to have; `look` is its title as people read it."""

    template: str
    user: Entity
    look: str
    issued: dt.date
    title: str = field(compare=False)
    training: Entity | None = field(compare=False)

    def entry(self) -> PortfolioEntry:
        """Return how it appears in the portfolio."""
        return PortfolioEntry(self.user.known_id, self.look, self.issued.isoformat())


class Issuer:
    """Issues certificates, each with one request in a run at most.

    Where an answer did not come, or does not say, the certificate is undecided until the portfolio
    shows it. That it does not is believed only after as long as this organization is known to take:
    one and a half times the longest that the last certificates took, and `settle_seconds` at least.
    As long as no certificate of ours with this title was ever seen there, nobody knows how long
    that is, nor that it shows as it was sent: then silence proves nothing, however long it lasts.

    `delays` is how many seconds this organization takes, by the titles that it has shown.
    """

    def __init__(
        self,
        client: PluvoClient,
        portfolio: Portfolio,
        ledger: CertificateLedger,
        delays: Mapping[str, float],
    ) -> None:
        self._client = client
        self._portfolio = portfolio
        self._ledger = ledger
        self._delays = delays

    def issue(self, item: Certificate) -> None:
        """Issue a certificate, unless that has happened.

        Raises:
            RejectedError: it was certainly not issued.
            UndecidedError: nobody knows.
        """
        entry = item.entry()
        with self._ledger.claim(entry, item.template) as claim:
            if claim.state == "done":  # by a run beside this one
                return
            found = "sent_at" in claim.detail and self._was_issued(entry)
            if not found and not self._send(claim, item):
                self._ledger.note_sent(claim)
                found = self._was_issued(entry)
                if not found:  # at most one request in a run
                    msg = "the portfolio does not show it: run again to issue it"
                    raise UndecidedError(msg)
            self._ledger.note_done(claim, found=found)

    def _was_issued(self, entry: PortfolioEntry) -> bool:
        """Tell whether a certificate that was sent is there.

        Raises:
            UndecidedError: that cannot be told yet.
        """
        known = self._ledger.of(entry)
        try:
            number = self._portfolio.count([entry])[entry] - len(known.done)
        except PluvoError as error:
            msg = f"the portfolio cannot be read: {error}"
            raise UndecidedError(msg) from error
        others = len(known.undecided) - 1
        if 0 < number <= others:
            msg = "others of the same title and day are undecided, and cannot be told apart"
            raise UndecidedError(msg)
        if number <= 0:
            self._wait(known, self._delays.get(entry.title))
        return number > 0

    def _wait(self, known: Known, delay: float | None) -> None:
        """Make sure that silence of the portfolio proves something.

        Raises:
            UndecidedError: it does not, or not yet.
        """
        msg = "no answer said whether it was issued, and the portfolio "
        if delay is None:
            msg += (
                "has not shown a certificate of this title yet: look there, and if it is missing, "
                "issue it by hand, or run again when it shows others"
            )
            raise UndecidedError(msg)
        if (wait := self._ledger.seconds_to_wait(known, delay)) > 0:
            when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait + 60)  # minutes are shown
            msg += f"may not show it yet; run again after {when:%Y-%m-%d %H:%M} UTC"
            raise UndecidedError(msg)

    def _send(self, claim: Claim, item: Certificate) -> bool:
        """Send a certificate, and tell whether the answer says that it was issued.

        Raises:
            RejectedError: it was certainly not issued.
        """
        user_id = item.user.known_id
        given: dict[str, Any] = {"id": item.template, "title": item.title, "userIds": [user_id]}
        given["issueDate"] = f"{item.issued.isoformat()}T00:00:00+00:00"
        if item.training is not None:
            given["trainingId"] = item.training.known_id
        text = call("generateCertificate", given)
        text += " { bulkGenerate { succeededIds failedIds } }"
        claim.check()
        self._ledger.note_sent(claim, self._client.settings.max_retry_seconds)
        try:
            (outcome,) = self._client.change([text], repeatable=False)
        except PluvoError as error:  # the API cannot be reached, or wants no more requests
            if is_refusal(error):
                self._ledger.withdraw(claim)
            raise
        if isinstance(outcome, PluvoError):
            if not is_refusal(outcome):
                logger.warning("certificates_to_issue: %s; asking the portfolio", outcome)
                return False
            self._ledger.withdraw(claim)
            msg = f"Pluvo refused it: {outcome}"
            raise RejectedError(msg)
        answer = (outcome.get("bulkGenerate") if isinstance(outcome, dict) else None) or {}
        succeeded, failed = (
            user_id in (answer.get(name) or ()) for name in ("succeededIds", "failedIds")
        )
        if failed and not succeeded:
            self._ledger.withdraw(claim)
            msg = "Pluvo failed to issue it to this user"
            raise RejectedError(msg)
        return succeeded and not failed
