"""How long an organization takes to show a certificate, as far as the ledger can tell."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Literal

import pytest

from pluvo_singer.ledger import Ledger
from target_pluvo.ledger import MARGIN, WITNESSES, CertificateLedger, unseen
from target_pluvo.portfolio import PortfolioEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600.0
TITLE = "First aid"


class Certificates:
    """A ledger, and what a portfolio shows."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = CertificateLedger(ledger, "https://a.example.com", settle_seconds=600)
        self.shown = Counter[PortfolioEntry]()
        self._ledger = ledger

    def send(
        self,
        user: str,
        hours_ago: float,
        outcome: Literal["done", "found", "open"] = "done",
        *,
        template: str = "T",
        title: str = TITLE,
    ) -> None:
        """Send a certificate, some time ago."""
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
        with self.ledger.claim(look(user, title), template) as claim:
            self._ledger.amend(claim.key, claim.detail | {"sent_at": moment.isoformat()})
            if outcome != "open":
                self.ledger.note_done(claim, found=outcome == "found")

    def delay(self, title: str = TITLE) -> float | None:
        """Return what is learned now."""
        return self.ledger.learn_delays(self.shown).get(title)


def look(user: str, title: str = TITLE) -> PortfolioEntry:
    return PortfolioEntry(user, title, "2026-01-31")


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Certificates]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        yield Certificates(ledger)


def test_nothing_is_known_as_long_as_nothing_was_seen(certificates: Certificates) -> None:
    assert certificates.delay() is None
    certificates.send("A", 5)
    certificates.send("B", 5, "open")
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


def test_what_does_not_show_although_it_was_sent_last_may_still_show(
    certificates: Certificates,
) -> None:
    """However long ago: an organization may have begun to take days."""
    certificates.send("A", 31)
    certificates.shown[look("A")] = 1
    certificates.delay()
    certificates.send("B", 30)
    certificates.send("A", 1, template="U")  # shows under another title, say
    assert certificates.delay() == pytest.approx(31 * HOUR, abs=60)
    certificates.send("C", 26)
    certificates.shown[look("C")] = 1
    certificates.send("D", 25)
    assert certificates.delay() == pytest.approx(31 * HOUR, abs=60)


def test_a_title_that_was_never_seen_says_nothing(certificates: Certificates) -> None:
    certificates.send("A", 2)
    certificates.shown[look("A")] = 1
    certificates.send("B", 1, title="Another")
    assert certificates.delay("Another") is None
    certificates.shown[look("B", "Another")] = 1
    assert certificates.delay("Another") == certificates.delay() == pytest.approx(2 * HOUR, abs=60)


def test_a_title_that_is_undecided_is_looked_for_however_old(certificates: Certificates) -> None:
    certificates.send("old", 100, title="Another")
    for number in range(WITNESSES):
        certificates.send(str(number), 1)
        certificates.shown[look(str(number))] = 1
    known = certificates.ledger.all()
    assert look("old", "Another") not in unseen(known)
    certificates.send("B", 1, "open", title="Another")
    assert look("old", "Another") in unseen(certificates.ledger.all())
    certificates.shown[look("old", "Another")] = 1
    # Seen, but too long after it was sent to say how long that takes.
    assert certificates.delay("Another") == pytest.approx(HOUR, abs=60)


def test_what_the_portfolio_showed_instead_of_an_answer_may_be_anybodys(
    certificates: Certificates,
) -> None:
    certificates.send("A", 2, "found")
    certificates.shown[look("A")] = 1
    assert certificates.delay() is None


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
    certificates.send("A", 50, "open")
    certificates.send("A", hours_ago, "open", template="U")  # the last one counts
    wait = certificates.ledger.seconds_to_wait(certificates.ledger.of(look("A")), 3 * HOUR / MARGIN)
    assert (wait <= 0) is over


@pytest.mark.parametrize(("minutes_ago", "over"), [(9, False), (11, True)])
def test_it_takes_never_less_than_the_setting(
    certificates: Certificates, minutes_ago: float, *, over: bool
) -> None:
    certificates.send("A", minutes_ago / 60, "open")
    wait = certificates.ledger.seconds_to_wait(certificates.ledger.of(look("A")), 0.1)
    assert (wait <= 0) is over


def test_the_time_begins_when_a_request_was_sent_at_the_latest(certificates: Certificates) -> None:
    with certificates.ledger.claim(look("A"), "T") as claim:
        certificates.ledger.note_sent(claim, held_back=300)
    known = certificates.ledger.of(look("A"))
    assert certificates.ledger.seconds_to_wait(known, 0) == pytest.approx(900, abs=60)
