"""The stream `certificates_to_issue`: each is issued once, and never in doubt."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError, moment
from target_pluvo.changes import Change
from target_pluvo.ledger import open_certificates
from target_pluvo.portfolio import Portfolio, PortfolioEntry
from target_pluvo.streams.base import StreamWriter, is_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pluvo_singer.ledger import Claim
    from pluvo_singer.rows import Row
    from target_pluvo.ledger import CertificateLedger, Known
    from target_pluvo.remote_state import Entity

logger = logging.getLogger("target-pluvo")

WITNESSES = 10  # certificates that are looked at to learn how fast the portfolio shows them
ATTEMPTS = 3  # to issue one in a run, where the settings let silence be believed at once


class UndecidedError(Exception):
    """Nobody knows yet whether a certificate was issued; the message says why."""


@dataclass(frozen=True)
class Certificate:
    """A certificate that somebody is to have."""

    template: str
    user: Entity
    title: str
    issued: dt.date
    training: Entity | None

    def entry(self) -> PortfolioEntry:
        """Return how it appears in the portfolio."""
        return PortfolioEntry.of(self.user.known_id, self.title, self.issued)


class Certificates(StreamWriter):
    """Certificates (page `certificate-2`).

    The API has no key that keeps one from being issued twice, so a ledger has it: the intent before
    and the outcome after. Where an answer did not come, or does not say, the certificate is
    undecided until the portfolio shows it, or until it has had as long as this organization needs
    to show one: `settle_seconds`, or twice the longest time that it is known to have needed. That
    silence is believed then rests on the documents, by which a certificate is a portfolio item.
    """

    name = "certificates_to_issue"
    keys = (("certificate_id",), ("user_ref", "user_id"), ("issue_date",))
    reads = ("users.read", "trainings.read")

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.state.require_mutation("generateCertificate", "id", "title", "userIds", "issueDate")
        self.portfolio = Portfolio(self.client)
        self._issuing: list[tuple[Change, Certificate]] = []
        self._found: list[Certificate] = []  # in the portfolio, of which the ledger does not know

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        templates = {
            node["id"]: node["title"] or node["name"] or ""
            for node in self.client.read("certificates", "id title name")
        }
        wanted: dict[Certificate, list[Row]] = {}
        for row in rows:
            try:
                wanted.setdefault(self._certificate(row, templates), []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        entries = {item.entry() for item in wanted if item.user.id is not None}
        with open_certificates(self.settings) as ledger:
            witnesses = _witnesses(ledger.all(), entries)
            shown = self.portfolio.count(entries | witnesses)
            # Read after the portfolio: what a run beside this one has issued by then is in it.
            known = ledger.all()
            asked = ((entry, known[entry]) for entry in entries | witnesses)
            ledger.learn_delay(some for entry, some in asked if shown[entry] < len(some.done))
        alike: dict[PortfolioEntry, list[Certificate]] = {}
        for item, same in wanted.items():
            if item.user.id is None:
                self._note(item, same)
            elif item.template in known[item.entry()].done:
                self.results.mark_unchanged(same)
            else:
                alike.setdefault(item.entry(), []).append(item)
        for entry, items in alike.items():
            number = shown[entry] - len(known[entry].done)
            number_alike = len({item.template for item in items} | known[entry].undecided)
            for item in items:
                self._compare(item, wanted[item], number, number_alike)

    def _compare(
        self, item: Certificate, same: Sequence[Row], number: int, number_alike: int
    ) -> None:
        """Decide about a certificate, of which the portfolio shows some that look like it."""
        if number <= 0:
            self._note(item, same)
        elif number >= number_alike:
            self.results.mark_unchanged(same)
            self._found.append(item)
        else:
            msg = (
                "the portfolio shows certificates of this title and day, and it cannot be told "
                "whether this one is among them: it was not issued again"
            )
            self.results.reject(same, msg)

    def _note(self, item: Certificate, same: Sequence[Row]) -> None:
        about = f"issue certificate {item.template} of {item.issued.isoformat()}"
        change = Change(self.name, same, "created", about, item.user.ref or item.user.known_id)
        self.results.changes.append(change)
        self._issuing.append((change, item))

    def _certificate(self, row: Row, templates: dict[str, str]) -> Certificate:
        if row.is_deleted:
            msg = "a certificate cannot be taken back"
            raise RejectedError(msg)
        template = row.required_key("certificate_id")
        if template not in templates:
            msg = "`certificate_id`: Pluvo has no certificate with this id"
            raise RejectedError(msg, "certificate_id")
        user_id = row.key("user_id")
        if user_id is None:
            user = self.state.users.find("user_ref", row.required_key("user_ref"))
        elif (found := self.state.users.by_id.get(user_id)) is not None:
            user = found
        else:
            msg = "`user_id`: Pluvo has no user with this id"
            raise RejectedError(msg, "user_id")
        if user.archived and not self.settings.issue_to_archived:
            msg = "the user is archived; see setting `issue_to_archived`"
            raise RejectedError(msg)
        ref = row.key("training_ref")
        training = None if ref is None else self.state.trainings.find("training_ref", ref)
        # The same certificate of one day is the same, at whatever time.
        issued = moment(row.required_key("issue_date"), "issue_date").date()
        if issued > dt.datetime.now(dt.UTC).date() + dt.timedelta(self.settings.max_days_ahead):
            msg = "`issue_date` is too far ahead; see setting `max_days_ahead`"
            raise RejectedError(msg, "issue_date")
        title = row.key("title") or templates[template]
        return Certificate(template, user, title, issued, training)

    @override
    def write(self) -> None:
        undecided: dict[str, list[Row]] = {}
        with open_certificates(self.settings) as ledger:
            for item in self._found:
                with ledger.claim(item.entry(), item.template) as claim:
                    ledger.note_done(claim, found=True)
            for change, item in self._issuing:
                try:
                    self._issue(ledger, item)
                    change.done = True
                except RejectedError as error:
                    change.reject(str(error))
                except UndecidedError as error:
                    undecided.setdefault(str(error), []).extend(change.rows)
            number = ledger.count_undecided()
        for reason, rows in undecided.items():
            self.results.undecided += rows
            numbers = ", ".join(str(row.number) for row in rows[:5])
            more = ", ..." if len(rows) > 5 else ""  # noqa: PLR2004
            logger.warning("%s: undecided (row %s%s): %s", self.name, numbers, more, reason)
        if number > len(self.results.undecided):
            logger.warning(
                "the ledger has %d undecided certificates of which no row came: send their rows "
                "again, and the portfolio is asked",
                number - len(self.results.undecided),
            )

    def _issue(self, ledger: CertificateLedger, item: Certificate) -> None:
        """Issue a certificate, unless that has happened.

        Raises:
            RejectedError: it was certainly not issued.
            UndecidedError: nobody knows.
        """
        entry = item.entry()
        with ledger.claim(entry, item.template) as claim:
            if claim.state == "done":  # by a run beside this one
                return
            sent = "sent_at" in claim.detail
            for _ in range(ATTEMPTS):
                if sent and self._was_issued(ledger, entry):
                    ledger.note_done(claim, found=True)
                    return
                if self._send(ledger, claim, item):
                    ledger.note_done(claim, found=False)
                    return
                sent = True
            if self._was_issued(ledger, entry):
                ledger.note_done(claim, found=True)
                return
            msg = f"it was sent {ATTEMPTS} times, and the portfolio does not show it"
            raise UndecidedError(msg)

    def _was_issued(self, ledger: CertificateLedger, entry: PortfolioEntry) -> bool:
        """Tell whether a certificate that was sent is there.

        Raises:
            UndecidedError: that cannot be told yet.
        """
        known = ledger.of(entry)
        try:
            number = self.portfolio.count([entry])[entry] - len(known.done)
        except PluvoError as error:
            msg = f"the portfolio cannot be read: {error}"
            raise UndecidedError(msg) from error
        others = len(known.undecided) - 1
        if 0 < number <= others:
            msg = "others of the same title and day are undecided, and cannot be told apart"
            raise UndecidedError(msg)
        if number <= 0 and (wait := ledger.seconds_to_wait(known)) > 0:
            when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait)
            msg = (
                "no answer said whether it was issued, and the portfolio may not show it yet; run "
                f"again after {when:%Y-%m-%d %H:%M} UTC"
            )
            raise UndecidedError(msg)
        return number > 0

    def _send(self, ledger: CertificateLedger, claim: Claim, item: Certificate) -> bool:
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
        claim.check()
        ledger.note_sent(claim)
        (outcome,) = self.client.change(
            [f"{text} {{ bulkGenerate {{ succeededIds failedIds }} }}"], repeatable=False
        )
        if isinstance(outcome, PluvoError):
            if not is_refusal(outcome):
                logger.warning("%s: %s; asking the portfolio", self.name, outcome)
                return False
            ledger.withdraw(claim)
            msg = f"Pluvo refused it: {outcome}"
            raise RejectedError(msg)
        answer = outcome.get("bulkGenerate") if isinstance(outcome, dict) else None
        if user_id in ((answer or {}).get("failedIds") or ()):
            ledger.withdraw(claim)
            msg = "Pluvo failed to issue it to this user"
            raise RejectedError(msg)
        return user_id in ((answer or {}).get("succeededIds") or ())


def _witnesses(
    known: Mapping[PortfolioEntry, Known], entries: Collection[PortfolioEntry]
) -> set[PortfolioEntry]:
    """Return what was issued last, where something is undecided: does the portfolio show it yet?"""
    if not any(known[entry].undecided for entry in entries if entry in known):
        return set()
    issued = [entry for entry, some in known.items() if some.issued]
    return set(sorted(issued, key=lambda entry: max(known[entry].issued))[-WITNESSES:])
