"""The ledger of a run: which certificates were issued or begun, and how long they take to show."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError, PluvoError
from target_pluvo.portfolio import PortfolioEntry, read_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from pluvo_singer.ledger import Claim, Entry, Ledger
    from target_pluvo.settings import Settings

SYSTEM = "pluvo"
MARGIN = 1.5  # times the longest time that a certificate took to show
WITNESSES = 10  # certificates from which is learned how long that is: those that were sent last
# One that is older and does not show, though a later one does, has rather been deleted in Pluvo.
LONGEST_DELAY = 24 * 3600.0  # seconds
_SHOWN_AFTER = "shown_after"  # in an outcome: seconds after which a certificate was seen first


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
    def last_sent(self) -> dt.datetime | None:
        """When the last of them was sent, at the latest."""
        return max(filter(None, map(_sent_by, self.entries.values())), default=None)

    @property
    def issued(self) -> list[Entry]:
        """Those of which an answer said that they were issued.

        What the portfolio showed instead may be somebody else's, and says nothing about ours.
        """
        return [
            entry
            for entry in self.entries.values()
            if entry.state == "done" and "sent_at" in entry.detail and not entry.outcome["found"]
        ]


def _sent_at(entry: Entry) -> dt.datetime:
    return dt.datetime.fromisoformat(entry.detail["sent_at"])


def _sent_by(entry: Entry) -> dt.datetime | None:
    moment = entry.detail.get("sent_by") or entry.detail.get("sent_at")
    return dt.datetime.fromisoformat(moment) if moment else None


def _age(sent_at: dt.datetime) -> float:
    return (dt.datetime.now(dt.UTC) - sent_at).total_seconds()


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
            detail = entry.detail  # of version 1 with the title as it came
            title = read_title(detail["title"])
            shown = PortfolioEntry(detail["user_id"], title, detail["day"])
            found[shown].entries[detail["template"]] = entry
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

    def note_sent(self, claim: Claim, held_back: float = 0) -> None:
        """Note that a certificate is sent now, or at most `held_back` seconds later."""
        now = dt.datetime.now(dt.UTC)
        sent_by = now + dt.timedelta(seconds=held_back)
        moments = {"sent_at": now.isoformat(), "sent_by": sent_by.isoformat()}
        self._ledger.amend(claim.key, claim.detail | moments)

    def note_done(self, claim: Claim, *, found: bool) -> None:
        """Note that a certificate was issued: an answer said so, or the portfolio showed it."""
        if claim.state != "done":
            self._ledger.done(claim.key, {"found": found})

    def withdraw(self, claim: Claim) -> None:
        """Forget a certificate that was certainly not issued."""
        self._ledger.withdraw(claim.key)

    def learn_delays(self, shown: Mapping[PortfolioEntry, int]) -> dict[str, float]:
        """Return how many seconds this organization takes to show a certificate, for each title.

        A title that was never seen is not among them: its certificates may show in another form,
        such as shortened, and then they never show as this target looks for them.

        `shown` is how often the portfolios show what is unseen now. What they show for the first
        time is noted with the time that this took at most.
        """
        known = self.all()
        for look in unseen(known):
            for entry in known[look].issued:
                if shown[look] >= len(known[look].done) and _SHOWN_AFTER not in entry.outcome:
                    outcome = entry.outcome | {_SHOWN_AFTER: _age(_sent_at(entry))}
                    self._ledger.observe(entry.key, outcome)
        return _delays(self.all())

    def seconds_to_wait(self, known: Known, delay: float) -> float:
        """Return for how long it proves nothing that the portfolio does not show something."""
        if known.last_sent is None:
            return 0
        return max(self._settle_seconds, MARGIN * delay) - _age(known.last_sent)

    def count_undecided(self) -> int:
        """Return how many certificates of the organization are undecided."""
        return sum(len(some.undecided) for some in self.all().values())

    def _prefix(self, shown: PortfolioEntry) -> str:
        return self._ledger.prefix(SYSTEM, self._address, shown.user_id, shown.day, shown.title)


def unseen(known: Mapping[PortfolioEntry, Known]) -> set[PortfolioEntry]:
    """Return what was issued last, in all and of each title that is undecided, and not seen yet."""
    issued = _issued(known)
    titles = {look.title for look, some in known.items() if some.undecided}
    of_title = {look.title: look for look in issued if look.title in titles}
    return {
        look
        for look in (*issued[-WITNESSES:], *of_title.values())
        if any(_SHOWN_AFTER not in entry.outcome for entry in known[look].issued)
    }


def _issued(known: Mapping[PortfolioEntry, Known]) -> list[PortfolioEntry]:
    """Return what was issued, the last one at the end."""
    last_sent = {
        look: max(map(_sent_at, some.issued)) for look, some in known.items() if some.issued
    }
    return sorted(last_sent, key=last_sent.__getitem__)


def _delays(known: Mapping[PortfolioEntry, Known]) -> dict[str, float]:
    """Return the longest time that the last certificates took, for each title that was seen."""
    last = [entry for look in _issued(known)[-WITNESSES:] for entry in known[look].issued]
    shown = [entry for entry in last if _SHOWN_AFTER in entry.outcome]
    if not shown:
        return {}
    deleted_after = max(LONGEST_DELAY, min(_age(_sent_at(entry)) for entry in shown))
    missing = (_age(_sent_at(entry)) for entry in last if _SHOWN_AFTER not in entry.outcome)
    delays = [entry.outcome[_SHOWN_AFTER] for entry in shown]
    delays += (age for age in missing if age < deleted_after)
    seen = {
        look.title
        for look, some in known.items()
        if any(_SHOWN_AFTER in entry.outcome for entry in some.issued)
    }
    return dict.fromkeys(seen, max(delays))


@contextmanager
def open_certificates(settings: Settings) -> Iterator[CertificateLedger]:
    """Open the ledger of certificates for the length of a block.

    Raises:
        PluvoError: it cannot be used.
    """
    with open_ledger(settings.ledger) as ledger:
        address = settings.client.base_url
        yield CertificateLedger(ledger, address, settings.settle_seconds)
