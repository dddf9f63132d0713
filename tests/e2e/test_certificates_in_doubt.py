"""Certificates of which no answer spoke, in organizations that mislead: each is issued once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from kill_target import Issuing
from target_support import singer

from pluvo_singer.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def issuing(tmp_path: Path) -> Iterator[Issuing]:
    with Issuing.sandbox() as sandbox:
        yield Issuing(sandbox, tmp_path)


def number_issued(issuing: Issuing, ref: str = "P0") -> int:
    """Return how many certificates somebody has, whether they show or not."""
    sql = "SELECT count(*) FROM portfolio_items WHERE userId = ?"
    found: int = issuing.target.sandbox.database.execute(sql, (issuing.users[ref],)).fetchone()[0]
    return found


def insert_by_hand(issuing: Issuing, ref: str = "P0") -> None:
    """Let somebody issue a certificate in Pluvo itself."""
    issuing.target.sandbox.database.execute(
        "INSERT INTO portfolio_items (id, userId, title, startDate, createdAt, updatedAt, files)"
        " VALUES ('by-hand', ?, 'First aid', '2026-01-31', '2026-02-01', '2026-02-01', '[]')",
        (issuing.users[ref],),
    )


def test_the_time_counts_from_when_the_request_was_answered(issuing: Issuing) -> None:
    """A rate limit may hold a request back for minutes before it is carried out."""
    rows = issuing.data()["certificates_to_issue"][:1]
    # The first request lacks a scope; nothing comes of it.
    faults = ("429=2:generateCertificate@2", "late-502:generateCertificate@3")
    issuing.target.sandbox.set_faults(*faults, "no-data:portfolioItems@2-9")
    written = issuing.target.run(singer({"certificates_to_issue": rows}))
    assert written.table == {"certificates_to_issue": {"undecided": 1}}
    with Ledger.open(f"sqlite:///{issuing.target.folder}/target-pluvo-ledger.db") as ledger:
        (entry,) = ledger.intents()
    created = "SELECT createdAt FROM portfolio_items"
    (carried_out,) = issuing.target.sandbox.database.execute(created).fetchone()
    sent_at = datetime.fromisoformat(entry.detail["sent_at"])
    assert sent_at >= datetime.fromisoformat(carried_out)


def test_a_title_that_pluvo_shortens_is_not_issued_again(issuing: Issuing) -> None:
    """Other titles show as they were sent, which says nothing about this one."""
    sandbox = issuing.target.sandbox
    sandbox.database.execute(
        "CREATE TRIGGER shorten AFTER INSERT ON portfolio_items WHEN length(NEW.title) > 20"
        " BEGIN UPDATE portfolio_items SET title = substr(title, 1, 20) WHERE id = NEW.id; END"
    )
    rows = issuing.data()["certificates_to_issue"]
    issuing.target.write({"certificates_to_issue": rows[1:]})  # these show
    long = {"certificates_to_issue": [rows[0] | {"title": "First aid for large companies"}]}
    sandbox.set_faults("late-502:generateCertificate@2")
    for _ in range(3):
        written = issuing.target.run(singer(long), settle_seconds=0)
        assert written.table == {"certificates_to_issue": {"undecided": 1}}
    assert number_issued(issuing) == 1


def test_what_somebody_issued_by_hand_does_not_say_what_pluvo_shows(issuing: Issuing) -> None:
    """The portfolio never shows what the API issued, and a person helps out once."""
    sandbox = issuing.target.sandbox
    sandbox.database.execute(
        "CREATE TRIGGER rename AFTER INSERT ON portfolio_items WHEN NEW.id <> 'by-hand'"
        " BEGIN UPDATE portfolio_items SET title = 'Certificate: ' || title WHERE id = NEW.id; END"
    )
    rows = issuing.data()["certificates_to_issue"]
    sandbox.set_faults("silent-refusal:generateCertificate@2", "late-502:generateCertificate@3")
    both = singer({"certificates_to_issue": rows[:2]})
    assert issuing.target.run(both).table == {"certificates_to_issue": {"undecided": 2}}
    missing, given = sorted(("P0", "P1"), key=lambda ref: number_issued(issuing, ref))
    assert number_issued(issuing, given) == 1
    insert_by_hand(issuing, missing)
    for _ in range(3):
        written = issuing.target.run(both, settle_seconds=0)
        assert written.table == {"certificates_to_issue": {"unchanged": 1, "undecided": 1}}
    assert number_issued(issuing, given) == 1


def test_what_the_api_never_took_was_not_sent(issuing: Issuing) -> None:
    rows = {"certificates_to_issue": issuing.data()["certificates_to_issue"][:1]}
    issuing.target.sandbox.set_faults("429=30:generateCertificate@2-9")
    assert issuing.target.run(singer(rows)).returncode == 1
    issuing.target.sandbox.set_faults()
    assert issuing.target.write(rows).table == {"certificates_to_issue": {"created": 1}}


def test_titles_in_other_capitals_are_other_certificates(issuing: Issuing) -> None:
    row = issuing.data()["certificates_to_issue"][0]
    titles = ("First aid", "FIRST AID", "first aid")
    rows = [row | {"title": title} for title in titles]
    issuing.target.sandbox.set_faults("late-502:generateCertificate@3-4")
    written = issuing.target.write({"certificates_to_issue": rows})
    assert written.table == {"certificates_to_issue": {"created": len(titles)}}
    again = issuing.target.write({"certificates_to_issue": rows})
    assert again.table == {"certificates_to_issue": {"unchanged": len(titles)}}
    assert number_issued(issuing) == len(titles)
