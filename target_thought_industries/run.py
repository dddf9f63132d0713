"""One run of the target: rows in, certificates out, and what to tell of it."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pluvo_singer.ledger import Ledger
from pluvo_singer.rejects import RejectsFile, sentences
from pluvo_singer.rows import Rejection
from pluvo_singer.values import RejectedError, moment
from target_thought_industries.api import Api
from target_thought_industries.certificate import Certificate
from target_thought_industries.errors import ApiError
from target_thought_industries.http import Http
from target_thought_industries.issuing import (
    ISSUED,
    REJECTED,
    UNCHANGED,
    UNDECIDED,
    VERIFIED,
    Issuer,
)
from target_thought_industries.settings import CERTIFY
from target_thought_industries.users import Users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluvo_singer.rows import Incoming, Row
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

STREAM = "issued_certificates"
EARLIER = "(earlier runs)"
_KINDS = (ISSUED, VERIFIED, UNCHANGED, REJECTED, UNDECIDED)


class Run:
    """Issues the certificates of rows; `succeeded` says whether all are issued."""

    def __init__(self, settings: Settings) -> None:
        self.succeeded = False
        self._settings = settings
        self._counts: dict[str, Counter[str]] = {}
        self._rejected: list[Rejection] = []
        self._undecided: list[Row] = []
        self._reasons: set[str] = set()  # of what is undecided, each to be said once
        self._rejects = RejectsFile(settings.rejects)

    def __call__(self, incoming: Incoming) -> list[Row]:
        """Issue certificates, and return the rows that are not done.

        Raises:
            ConfigurationError: Thought Industries rejects the key.
            LedgerError: the ledger cannot be used.
        """
        with (
            Ledger.open(self._settings.ledger) as ledger,
            closing(Http(self._settings)) as http,
        ):
            api = Api(http, send_email=self._settings.send_email)
            issuer = Issuer(self._settings, api, ledger)
            try:
                self._finish_earlier(issuer)
                self._reject(incoming.rejected.get(STREAM, ()))
                self._take(issuer, Users(api, self._settings.match_users_by), incoming.rows)
            finally:
                self._report(http.requests)
        open_rows = [found.row for found in self._rejected if found.row] + self._undecided
        self.succeeded = not open_rows and not self._count(EARLIER)[UNDECIDED]
        return open_rows

    def _finish_earlier(self, issuer: Issuer) -> None:
        """Bring to an end what earlier runs began, whether its rows come again or not."""
        waiting = issuer.undecided()
        if waiting and self._settings.via == CERTIFY:
            self._learn(issuer)
        for certificate in waiting:
            outcome = issuer.issue(certificate)
            self._count(EARLIER)[outcome.kind] += 1
            if outcome.kind == UNDECIDED:
                self._reasons.add(outcome.reason)

    def _learn(self, issuer: Issuer) -> None:
        try:
            issuer.learn()
        except ApiError as error:
            logger.warning("the events cannot be read: %s", error)

    def _take(self, issuer: Issuer, users: Users, rows: dict[str, list[Row]]) -> None:
        """Issue the certificates of rows, the oldest first."""
        wanted: list[tuple[Certificate, Row]] = []
        for row in rows.get(STREAM, ()):
            if row.is_deleted:  # nothing is taken back, and nothing is issued for it
                self._count(STREAM)[UNCHANGED] += 1
                continue
            try:
                wanted.append((self._certificate(row, users), row))
            except (RejectedError, ApiError) as error:
                column = error.column if isinstance(error, RejectedError) else None
                self._reject([Rejection(row, str(error), column)])
        issued = False
        for certificate, row in sorted(wanted, key=lambda item: (item[0].issued_on, item[1].place)):
            outcome = issuer.issue(certificate)
            issued |= outcome.kind == ISSUED
            if outcome.kind == REJECTED:
                self._reject([Rejection(row, outcome.reason)])
                continue
            self._count(STREAM)[outcome.kind] += 1
            if outcome.kind == UNDECIDED:
                self._undecided.append(row)
                self._reasons.add(outcome.reason)
        if issued and self._settings.via == CERTIFY:
            self._learn(issuer)  # so that the next run knows whether silence says anything

    def _certificate(self, row: Row, users: Users) -> Certificate:
        """Return what a row stands for.

        Raises:
            RejectedError: it stands for nothing.
            ApiError: the users cannot be read.
        """
        title = row.columns().get("title")
        resource = self._settings.resources.get(title) if isinstance(title, str) else None
        if resource is None:
            msg = f"the title {title!r} is not in the setting `resources`"
            raise RejectedError(msg, "title")
        issued = _day(row.required_key("completion_date"), "completion_date")
        latest = dt.datetime.now(dt.UTC).date() + dt.timedelta(self._settings.max_days_ahead)
        if issued > latest:
            msg = "`completion_date` is too far ahead; see setting `max_days_ahead`"
            raise RejectedError(msg, "completion_date")
        end = row.key("end_date")
        days = resource.recertify_days
        return Certificate(
            user_id=users.find(row),
            resource_type=resource.resource_type,
            resource_id=resource.resource_id,
            issued_on=issued.isoformat(),
            valid_to=end and _day(end, "end_date").isoformat(),
            recertify_on=(issued + dt.timedelta(days)).isoformat() if days else None,
        )

    def _reject(self, rejected: Iterable[Rejection]) -> None:
        for found in rejected:
            self._rejected.append(found)
            self._count(STREAM)[REJECTED] += 1

    def _count(self, stream: str) -> Counter[str]:
        return self._counts.setdefault(stream, Counter())

    def _report(self, requests: int) -> None:
        """Say what was done, also where the run did not come to its end."""
        rejected = [(STREAM, found) for found in self._rejected]
        self._rejects.write(rejected)
        for sentence in sentences(rejected):
            logger.error("%s", sentence)
        for reason in sorted(self._reasons):
            logger.error("undecided: %s", reason)
        if rejected:
            logger.error("some rows were not written; see above and %s", self._settings.rejects)
        logger.info("%s", f"{'stream':<22}" + "".join(f"{kind:>11}" for kind in _KINDS))
        for stream, counts in self._counts.items():
            logger.info("%s", f"{stream:<22}" + "".join(f"{counts[kind]:>11,}" for kind in _KINDS))
        logger.info("%s requests", f"{requests:,}")


def _day(value: Any, column: str) -> dt.date:
    return moment(value, column).date()
