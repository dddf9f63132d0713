"""The ledger of a run: which certificates were issued or begun, and how long they take to show."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError, PluvoError
from target_pluvo.portfolio import PortfolioEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from pluvo_singer.ledger import Claim, Entry, Ledger
    from target_pluvo.settings import Settings

SYSTEM = "pluvo"
MARGIN = 2.0  # times the longest time after which something was still not shown
# Older ones that do not show have rather been deleted in Pluvo than not been shown yet.
YOUNG = 24 * 3600.0  # seconds


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """Open the ledger at a SQLAlchemy URL for the length of a block.

    Raises:
        PluvoError: it cannot be used.
    """
    try:
        from pluvo_singer.ledger import Ledger, LedgerError  # noqa: PLC0415 - needs an extra
    except ModuleNotFoundError as error:
        msg = (
            f"the ledger needs {error.name}: install the extra, `pip install 'tap-pluvo[targets]'`"
        )
        raise ConfigurationError(msg) from error
    try:
        with Ledger.open(url) as ledger:
            yield ledger
    except LedgerError as error:
        raise PluvoError(str(error)) from error


@dataclass
class Known:
    """What the ledger has of certificates that look alike in a portfolio, by template."""

    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def done(self) -> set[str]:
        """The templates of those that were issued."""
        return {template for template, entry in self.entries.items() if entry.state == "done"}

    @property
    def undecided(self) -> set[str]:
        """The templates of those that were begun, and nobody knows how they ended."""
        return self.entries.keys() - self.done

    @property
    def sent(self) -> list[dt.datetime]:
        """When each was sent that was."""
        return _sent(self.entries.values())

    @property
    def issued(self) -> list[dt.datetime]:
        """When each was sent of which an answer said that it was issued."""
        return _sent(entry for entry in self.entries.values() if entry.state == "done")


def _sent(entries: Iterable[Entry]) -> list[dt.datetime]:
    found = (entry.detail.get("sent_at") for entry in entries)
    return [dt.datetime.fromisoformat(moment) for moment in found if moment]


class CertificateLedger:
    """The certificates of one organization, known by how they look in a portfolio and a template.

    `settle_seconds` is how long at least a certificate is given to show.
    """

    def __init__(self, ledger: Ledger, address: str, settle_seconds: float) -> None:
        self._ledger = ledger
        self._address = address
        self._settle_seconds = settle_seconds

    def all(self) -> defaultdict[PortfolioEntry, Known]:
        """Return all certificates, and nothing for those that the ledger does not know."""
        found: defaultdict[PortfolioEntry, Known] = defaultdict(Known)
        for entry in self._ledger.entries(self._ledger.prefix(SYSTEM, self._address)):
            shown = PortfolioEntry(*(entry.detail[name] for name in ("user_id", "title", "day")))
            found[shown].entries[entry.detail["template"]] = entry
        return found

    def of(self, shown: PortfolioEntry) -> Known:
        """Return the certificates that look alike."""
        entries = self._ledger.entries(self._prefix(shown))
        return Known({entry.detail["template"]: entry for entry in entries})

    def claim(self, shown: PortfolioEntry, template: str) -> AbstractContextManager[Claim]:
        """Have a certificate, and those that look alike, to this run alone inside the block."""
        prefix = self._prefix(shown)
        key = self._ledger.key(
            SYSTEM, self._address, shown.user_id, shown.day, shown.title, template
        )
        detail = {"template": template, **shown._asdict()}
        return self._ledger.claim(key, detail, lock=prefix)

    def note_sent(self, claim: Claim) -> None:
        """Note that a certificate is being sent now."""
        moment = dt.datetime.now(dt.UTC).isoformat()
        self._ledger.amend(claim.key, claim.detail | {"sent_at": moment})

    def note_done(self, claim: Claim, *, found: bool) -> None:
        """Note that a certificate was issued: an answer said so, or the portfolio showed it."""
        if claim.state != "done":
            self._ledger.done(claim.key, {"found": found})

    def withdraw(self, claim: Claim) -> None:
        """Forget a certificate that was certainly not issued."""
        self._ledger.withdraw(claim.key)

    def learn_delay(self, missing: Iterable[Known]) -> None:
        """Learn how long certificates may take to show, from some that were issued and do not."""
        now = dt.datetime.now(dt.UTC)
        ages = [(now - sent).total_seconds() for known in missing for sent in known.issued]
        young = [age for age in ages if age < YOUNG]
        if young:
            self._ledger.note_delay(self._address, max(young))

    def seconds_to_wait(self, known: Known) -> float:
        """Return for how long it proves nothing that the portfolio does not show something."""
        needed = max(self._settle_seconds, MARGIN * (self._ledger.delay(self._address) or 0))
        latest = max(known.sent, default=None)
        if latest is None:
            return 0
        return needed - (dt.datetime.now(dt.UTC) - latest).total_seconds()

    def count_undecided(self) -> int:
        """Return how many certificates of the organization are undecided."""
        return sum(len(some.undecided) for some in self.all().values())

    def _prefix(self, shown: PortfolioEntry) -> str:
        return self._ledger.prefix(SYSTEM, self._address, shown.user_id, shown.day, shown.title)


@contextmanager
def open_certificates(settings: Settings) -> Iterator[CertificateLedger]:
    """Open the ledger of certificates for the length of a block.

    Raises:
        PluvoError: it cannot be used.
    """
    with open_ledger(settings.ledger) as ledger:
        address = settings.client.base_url
        yield CertificateLedger(ledger, address, settings.settle_seconds)
