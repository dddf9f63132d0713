"""How long an organization takes to show a certificate, as far as the ledger can tell."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pluvo_singer.ledger import Ledger
from target_pluvo.ledger import MARGIN, WITNESSES, CertificateLedger, unseen
from target_pluvo.portfolio import PortfolioEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600.0


class Certificates:
    """A ledger, and what a portfolio shows."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = CertificateLedger(ledger, "https://a.example.com", settle_seconds=600)
        self.shown = Counter[PortfolioEntry]()
        self._ledger = ledger

    def send(self, user: str, hours_ago: float, *, done: bool = True, template: str = "T") -> None:
        """Send a certificate, some time ago."""
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
        with self.ledger.claim(look(user), template) as claim:
            self._ledger.amend(claim.key, claim.detail | {"sent_at": moment.isoformat()})
            if done:
                self.ledger.note_done(claim, found=False)

    def delay(self) -> float | None:
        """Return what is learned now."""
        return self.ledger.learn_delay(self.ledger.all(), self.shown)


def look(user: str) -> PortfolioEntry:
    return PortfolioEntry(user, "First aid", "2026-01-31")


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Certificates]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        yield Certificates(ledger)


def test_nothing_is_known_as_long_as_nothing_was_seen(certificates: Certificates) -> None:
    assert certificates.delay() is None
    certificates.send("A", 5)
    certificates.send("B", 5, done=False)
    assert certificates.delay() is None


def test_the_time_is_the_one_until_a_certificate_was_seen_first(certificates: Certificates) -> None:
    certificates.send("A", 2)
    certificates.shown[look("A")] = 1
    first = certificates.delay()
    assert first == pytest.approx(2 * HOUR, abs=60)
    assert unseen(certificates.ledger.all()) == set()  # so nobody asks for it again
    certificates.shown.clear()
    assert certificates.delay() == first


def test_what_does_not_show_yet_takes_longer_than_what_did(certificates: Certificates) -> None:
    certificates.send("A", 0.1)
    certificates.shown[look("A")] = 1
    certificates.delay()
    certificates.send("B", 3)
    assert certificates.delay() == pytest.approx(3 * HOUR, abs=60)
    certificates.send("B", 1, template="U")  # looks the same, and only one of them shows
    certificates.shown[look("B")] = 1
    assert certificates.delay() == pytest.approx(3 * HOUR, abs=60)


def test_what_has_not_shown_for_a_day_was_deleted(certificates: Certificates) -> None:
    certificates.send("A", 1)
    certificates.shown[look("A")] = 1
    certificates.send("B", 25)
    assert certificates.delay() == pytest.approx(HOUR, abs=60)


def test_a_slow_one_is_forgotten_after_some_faster_ones(certificates: Certificates) -> None:
    certificates.send("slow", 100)
    for number in range(WITNESSES):
        certificates.shown.update([look("slow"), look(str(number))])
        assert certificates.delay() == pytest.approx(100 * HOUR, abs=60)
        certificates.send(str(number), 1)
    assert certificates.delay() == pytest.approx(HOUR, abs=60)


@pytest.mark.parametrize(("hours_ago", "over"), [(2.9, False), (3.1, True)])
def test_silence_proves_something_when_the_time_has_passed(
    certificates: Certificates, hours_ago: float, *, over: bool
) -> None:
    certificates.send("A", 50, done=False)
    certificates.send("A", hours_ago, done=False, template="U")  # the last one counts
    wait = certificates.ledger.seconds_to_wait(certificates.ledger.of(look("A")), 3 * HOUR / MARGIN)
    assert (wait <= 0) is over


@pytest.mark.parametrize(("minutes_ago", "over"), [(9, False), (11, True)])
def test_it_takes_never_less_than_the_setting(
    certificates: Certificates, minutes_ago: float, *, over: bool
) -> None:
    certificates.send("A", minutes_ago / 60, done=False)
    wait = certificates.ledger.seconds_to_wait(certificates.ledger.of(look("A")), 0.1)
    assert (wait <= 0) is over
