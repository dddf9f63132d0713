"""The stream `certificates_to_issue`: each is issued exactly once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError, moment
from target_pluvo.changes import Change
from target_pluvo.ledger import open_ledger
from target_pluvo.portfolio import Portfolio, Shown
from target_pluvo.streams.base import StreamWriter, is_refusal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from pluvo_singer.ledger import Claim, Ledger
    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Entity

logger = logging.getLogger("target-pluvo")

ATTEMPTS = 3  # to issue one, each after a look whether the one before had its effect


@dataclass(frozen=True)
class Certificate:
    """A certificate that someone is to have."""

    template: str
    user: Entity
    title: str
    issued: dt.datetime
    training: Entity | None

    def shown(self) -> Shown:
        """Return how it appears in the portfolio."""
        return Shown(self.user.known_id, self.title, self.issued.date().isoformat())


class Certificates(StreamWriter):
    """Certificates (page `certificate-2`).

    The API has no key that keeps one from being issued twice, so a ledger has it: the intent before
    and the outcome after. Where there is an intent without outcome, the portfolio is asked.
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
        shown = self.portfolio.shown([item.shown() for item in wanted if item.user.id is not None])
        # Read after the portfolio: what a run beside this one has issued by then is noted here.
        with open_ledger(self.settings.ledger) as ledger:
            entries = ledger.entries(self._prefix)
        self._done = {entry.key for entry in entries if entry.state == "done"}
        self._open = {entry.key for entry in entries} - self._done
        alike: dict[Shown, list[Certificate]] = {}
        for item, same in wanted.items():
            if item.user.id is None:
                self._note(item, same)
            elif self._key(item) in self._done:
                self.results.mark_unchanged(same)
            else:
                alike.setdefault(item.shown(), []).append(item)
        for mark, items in alike.items():
            self._compare(mark, items, shown[mark], wanted)

    def _compare(
        self,
        mark: Shown,
        items: Sequence[Certificate],
        number: int,
        wanted: dict[Certificate, list[Row]],
    ) -> None:
        """Decide about certificates that look alike in the portfolio, which shows some of them."""
        number -= self._number_done(mark)
        others = [key for key in self._open if key.startswith(self._alike(mark))]
        alike = {self._key(item) for item in items}.union(others)
        for item in items:
            if number <= 0:
                self._note(item, wanted[item])
            elif number >= len(alike):
                self.results.mark_unchanged(wanted[item])
                self._found.append(item)
            else:
                msg = (
                    "the portfolio shows certificates of this title and day, and it cannot be told "
                    "whether this one is among them: it was not issued again"
                )
                self.results.reject(wanted[item], msg)

    def _note(self, item: Certificate, same: Sequence[Row]) -> None:
        day = item.issued.date().isoformat()
        about = f"issue certificate {item.template} of {day}"
        change = Change(self.name, same, "created", about, item.user.ref or "")
        self.results.changes.append(change)
        self._issuing.append((change, item))

    def _certificate(self, row: Row, templates: dict[str, str]) -> Certificate:
        if row.is_deleted:
            msg = "a certificate cannot be taken back"
            raise RejectedError(msg)
        template = row.required_key("certificate_id")
        if template not in templates:
            msg = "`certificate_id`: Pluvo has no certificate with this id"
            raise RejectedError(msg)
        user_id = row.key("user_id")
        if user_id is None:
            user = self.state.users.find("user_ref", row.required_key("user_ref"))
        elif (found := self.state.users.by_id.get(user_id)) is not None:
            user = found
        else:
            msg = "`user_id`: Pluvo has no user with this id"
            raise RejectedError(msg)
        ref = row.key("training_ref")
        training = None if ref is None else self.state.trainings.find("training_ref", ref)
        issued = moment(row.required_key("issue_date"), "issue_date")
        # The same certificate of one day is the same, at whatever time.
        issued = issued.replace(hour=0, minute=0, second=0, microsecond=0)
        return Certificate(
            template, user, row.key("title") or templates[template], issued, training
        )

    # Keys of the ledger

    @property
    def _prefix(self) -> str:
        return f"pluvo {self.settings.client.host} "

    def _key(self, item: Certificate) -> str:
        return f"{self._alike(item.shown())}{item.template}"

    def _alike(self, mark: Shown) -> str:
        return f"{self._prefix}{mark.user_id} {mark.day} {mark.title} "

    def _number_done(self, mark: Shown) -> int:
        """Return how many certificates that look like this are known to be issued."""
        return sum(key.startswith(self._alike(mark)) for key in self._done)

    # Writing

    @override
    def write(self) -> None:
        with open_ledger(self.settings.ledger) as ledger:
            for item in self._found:
                with self._claim(ledger, item) as claim:
                    if claim.state != "done":
                        ledger.done(claim.key, {"found": True})
            for change, item in self._issuing:
                try:
                    self._settle(ledger, change, item)
                except RejectedError as error:
                    change.reject(str(error))
            self._report_rest(ledger)

    def _report_rest(self, ledger: Ledger) -> None:
        """Say what earlier runs have begun and nobody has asked for again."""
        rest = [entry for entry in ledger.intents() if entry.key.startswith(self._prefix)]
        if rest:
            logger.warning(
                "the ledger has %d certificates of other runs whose end is not known: give this "
                "target their rows again, and it asks the portfolio",
                len(rest),
            )

    def _settle(self, ledger: Ledger, change: Change, item: Certificate) -> None:
        key, mark = self._key(item), item.shown()
        with self._claim(ledger, item) as claim:
            if claim.state == "done":  # by a run beside this one
                change.done = True
                return
            if claim.state == "new" or not self._is_shown(ledger, claim, mark):
                self._issue(ledger, claim, item)
            self._done.add(key)
            change.done = True
            ledger.done(key, {"issued": True})

    def _claim(self, ledger: Ledger, item: Certificate) -> AbstractContextManager[Claim]:
        """Have a certificate, and those that look alike, to this run alone."""
        mark = item.shown()
        detail = {"template": item.template, **mark._asdict()}
        return ledger.claim(self._key(item), detail, lock=self._alike(mark))

    def _is_shown(self, ledger: Ledger, claim: Claim, mark: Shown) -> bool:
        """Ask the portfolio whether a certificate of unknown fate is there.

        Raises:
            RejectedError: that cannot be found out.
        """
        try:
            number = self.portfolio.number(mark) - self._number_done(mark)
        except PluvoError as error:
            why = f"the portfolio cannot be read: {error}"
            ledger.undecided(claim.key, why)
            msg = f"it is not known whether it was issued, so it was not issued again: {why}"
            raise RejectedError(msg) from error
        others = [
            entry
            for entry in ledger.entries(self._alike(mark))
            if entry.key != claim.key and entry.state != "done"
        ]
        if 0 < number <= len(others):
            why = "certificates of the same title and day were begun, and cannot be told apart"
            ledger.undecided(claim.key, why)
            msg = f"it is not known whether it was issued, so it was not issued again: {why}"
            raise RejectedError(msg)
        return number > 0

    def _issue(self, ledger: Ledger, claim: Claim, item: Certificate) -> None:
        """Issue a certificate, and ask the portfolio after each failure that leaves it open."""
        mark = item.shown()
        given: dict[str, Any] = {"id": item.template, "title": item.title}
        given |= {"userIds": [mark.user_id], "issueDate": item.issued.isoformat()}
        if item.training is not None:
            given["trainingId"] = item.training.known_id
        text = (
            f"{call('generateCertificate', given)} {{ bulkGenerate {{ succeededIds failedIds }} }}"
        )
        error: PluvoError | None = None
        for _ in range(ATTEMPTS):
            claim.check()
            (outcome,) = self.client.change([text], repeatable=False)
            if not isinstance(outcome, PluvoError):
                done = outcome.get("bulkGenerate") if isinstance(outcome, dict) else None
                if done and mark.user_id in (done.get("succeededIds") or ()):
                    return
                if done and mark.user_id in (done.get("failedIds") or ()):
                    ledger.withdraw(claim.key)
                    msg = "Pluvo failed to issue it to this user"
                    raise RejectedError(msg)
                error = None
            elif is_refusal(outcome):
                ledger.withdraw(claim.key)
                msg = f"Pluvo refused it: {outcome}"
                raise RejectedError(msg)
            else:
                error = outcome
            if self._is_shown(ledger, claim, mark):
                return
        msg = f"it could not be issued; the next run asks the portfolio and goes on: {error}"
        raise RejectedError(msg)
