"""The stream `certificates_to_issue`: each is issued once, and never in doubt."""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_singer.values import RejectedError, moment
from target_pluvo.changes import Change
from target_pluvo.ledger import open_certificates, unseen
from target_pluvo.portfolio import Portfolio, read_title
from target_pluvo.streams.base import StreamWriter
from target_pluvo.streams.issuing import Certificate, Issuer, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.ledger import CertificateLedger, Known
    from target_pluvo.portfolio import PortfolioEntry

logger = logging.getLogger("target-pluvo")

EARLIEST = dt.date(1900, 1, 1)


class Certificates(StreamWriter):
    """Certificates (page `certificate-2`).

    The API has no key that keeps one from being issued twice, so a ledger has it: the intent before
    and the outcome after.
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
        self._delays: dict[str, float] = {}  # seconds until a certificate shows, by title

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        templates = {
            node["id"]: node["title"] or node["name"] or ""
            for node in self.client.read("certificates", "id title name")
        }
        wanted: dict[Certificate, list[Row]] = {}
        with open_certificates(self.settings) as ledger:
            known = ledger.all()
            for row in rows:
                try:
                    item = _of_version_1(self._certificate(row, templates), row, known)
                    wanted.setdefault(item, []).append(row)
                except RejectedError as error:
                    self.results.reject([row], error)
            entries = {item.entry() for item in wanted if item.user.id is not None}
            shown = self.portfolio.count(entries | unseen(known))
            # Read after the portfolio: what a run beside this one has issued by then is in it.
            self._delays = ledger.learn_delays(shown)
            known = ledger.all()
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
        if issued < EARLIEST:
            msg = "`issue_date` is too long ago"
            raise RejectedError(msg, "issue_date")
        if issued > dt.datetime.now(dt.UTC).date() + dt.timedelta(self.settings.max_days_ahead):
            msg = "`issue_date` is too far ahead; see setting `max_days_ahead`"
            raise RejectedError(msg, "issue_date")
        title = row.key("title") or templates[template]
        return Certificate(template, user, read_title(title), issued, title, training)

    @override
    def write(self) -> None:
        undecided: dict[str, list[Change]] = {}
        with open_certificates(self.settings) as ledger:
            for item in self._found:
                with ledger.claim(item.entry(), item.template) as claim:
                    ledger.note_done(claim, found=True)
            issuer = Issuer(self.client, self.portfolio, ledger, self._delays)
            for change, item in self._issuing:
                try:
                    issuer.issue(item)
                    change.done = True
                except RejectedError as error:
                    change.reject(str(error))
                except UndecidedError as error:
                    undecided.setdefault(str(error), []).append(change)
            self._look_at_new(ledger)
            others = ledger.count_undecided() - sum(map(len, undecided.values()))
        for reason, changes in undecided.items():
            rows = [row for change in changes for row in change.rows]
            self.results.undecided += rows
            numbers = ", ".join(str(row.number) for row in rows[:5])
            more = ", ..." if len(rows) > 5 else ""  # noqa: PLR2004
            logger.warning("%s: undecided (row %s%s): %s", self.name, numbers, more, reason)
        if others > 0:
            logger.warning(
                "the ledger has %d more undecided certificates: send their rows again, and the "
                "portfolio is asked",
                others,
            )

    def _look_at_new(self, ledger: CertificateLedger) -> None:
        """Learn how long certificates take to show: some show at once, and later nobody can tell.

        Where that cannot be read the next run learns from them.
        """
        if self._issuing:
            with suppress(PluvoError):
                ledger.learn_delays(self.portfolio.count(unseen(ledger.all())))


def _of_version_1(
    item: Certificate, row: Row, known: Mapping[PortfolioEntry, Known]
) -> Certificate:
    """Return a certificate with the day that version 1 gave it, if that has begun to issue it.

    It took the UTC day of a midnight, too, which is the day before east of Greenwich.
    """
    if item.user.id is None:
        return item
    written = dt.datetime.fromisoformat(row.required_key("issue_date"))
    former = replace(item, issued=(written - (written.utcoffset() or dt.timedelta())).date())
    some = known.get(former.entry())
    begun = some and some.entries.get(item.template)
    return former if begun and begun.detail.get("version") == 1 else item
