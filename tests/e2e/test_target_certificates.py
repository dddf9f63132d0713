"""Certificates by target-pluvo: exactly once, whatever happens."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from kill_target import LAG, PEOPLE, Issuing
from target_support import Target, singer

from pluvo_sandbox import Sandbox
from pluvo_singer.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def issuing(tmp_path: Path) -> Iterator[Issuing]:
    with Issuing.sandbox() as sandbox:
        yield Issuing(sandbox, tmp_path)


def test_certificates_are_issued_once(issuing: Issuing) -> None:
    target, data = issuing.target, issuing.data()
    row = data["certificates_to_issue"][0]
    data["certificates_to_issue"] += [
        row | {"issue_date": "2026-01-31T23:59:00+00:00"},  # the same day, so the same certificate
        row | {"issue_date": "2026-02-01T00:30:00+02:00"},  # in UTC it is, too
    ]
    written = target.write(data)
    assert written.table == {"certificates_to_issue": {"created": PEOPLE}}
    issuing.check()
    target.sandbox.reset_log()
    again = target.write(data)
    assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE + 2}}
    assert target.mutations() == []


def test_what_the_portfolio_shows_is_not_issued_by_a_new_ledger_either(issuing: Issuing) -> None:
    issuing.target.write(issuing.data())
    url = f"sqlite:///{issuing.target.folder}/other.db"
    issuing.target.sandbox.reset_log()
    again = issuing.target.write(issuing.data(), ledger=url)
    assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE}}
    assert issuing.target.mutations() == []
    with Ledger.open(url) as ledger:
        assert {entry.state for entry in ledger.entries("")} == {"done"}


def test_what_somebody_deleted_in_pluvo_is_not_issued_again(issuing: Issuing) -> None:
    issuing.target.write(issuing.data())
    issuing.target.sandbox.database.execute("DELETE FROM portfolio_items")
    again = issuing.target.write(issuing.data())
    assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE}}


@pytest.mark.parametrize("kind", ["late-no-data", "reset", "silent"])
def test_a_fault_is_followed_by_a_look_at_the_portfolio(issuing: Issuing, kind: str) -> None:
    issuing.target.sandbox.set_faults(f"{kind}:generateCertificate/2")
    written = issuing.target.write(issuing.data())
    assert written.table == {"certificates_to_issue": {"created": PEOPLE}}
    issuing.check()


def test_what_cannot_be_read_back_is_kept_and_settled_by_the_next_run(issuing: Issuing) -> None:
    sandbox = issuing.target.sandbox
    # The first one lacks a scope, so nothing comes of it; the plan reads all portfolios at once.
    sandbox.set_faults("late-502:generateCertificate@2", "no-data:portfolioItems@2-9")
    written = issuing.target.run(singer(issuing.data()))
    assert written.returncode == 1
    assert written.stdout == ""
    assert written.table == {"certificates_to_issue": {"created": PEOPLE - 1, "undecided": 1}}
    assert "undecided (row 1): the portfolio cannot be read" in written.stderr
    assert not written.rejects
    sandbox.set_faults()
    others = {"certificates_to_issue": issuing.data()["certificates_to_issue"][1:]}
    said = issuing.target.write(others).stderr
    assert "the ledger has 1 more undecided certificates: send their rows again" in said
    again = issuing.target.write(issuing.data())
    assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE}}
    issuing.check()


def test_templates_of_the_same_title_are_told_apart_by_the_ledger(issuing: Issuing) -> None:
    sandbox = issuing.target.sandbox
    twin = sandbox.insert_certificate("First aid")
    rows = issuing.data()["certificates_to_issue"][:1]
    both = [rows[0], rows[0] | {"certificate_id": twin}]
    issuing.target.write({"certificates_to_issue": rows})
    written = issuing.target.write({"certificates_to_issue": both})
    assert written.table == {"certificates_to_issue": {"created": 1, "unchanged": 1}}
    # Without a ledger that knows one of them, one in the portfolio may be either.
    sandbox.database.execute("DELETE FROM portfolio_items WHERE rowid = 1")
    url = f"sqlite:///{issuing.target.folder}/other.db"
    unsure = issuing.target.run(singer({"certificates_to_issue": both}), ledger=url)
    assert unsure.table == {"certificates_to_issue": {"rejected": 2}}
    assert "cannot be told" in unsure.rejects[0]["reason"]


def test_a_row_that_cannot_be_is_rejected_alone(issuing: Issuing) -> None:
    row = issuing.data()["certificates_to_issue"][0]
    rows: list[dict[str, Any]] = [
        row,
        row | {"certificate_id": "x"},
        row | {"user_ref": "Nobody"},
        row | {"training_ref": "None"},
        row | {"issue_date": "soon"},
        row | {"issue_date": "0001-01-01"},
    ]
    written = issuing.target.run(singer({"certificates_to_issue": rows}))
    assert written.table == {"certificates_to_issue": {"created": 1, "rejected": 5}}
    assert [found["row"] for found in written.rejects] == [2, 3, 4, 5, 6]


def test_two_runs_at_once_issue_each_certificate_once(issuing: Issuing, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    first = Target(issuing.target.sandbox, tmp_path, ledger=ledger)
    second = Target(issuing.target.sandbox, tmp_path / "second", ledger=ledger)
    program = "from target_pluvo.command_line import main; main()"
    messages = singer(issuing.data())
    processes = []
    for number, target in enumerate((first, second)):
        folder = target.folder
        config = target.write_config(f"at-once-{number}")
        command = [sys.executable, "-c", program, "--config", config]
        processes.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, cwd=folder, text=True, stderr=subprocess.DEVNULL
            )
        )
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(messages)
        process.stdin.close()
    assert [process.wait() for process in processes] == [0, 0]
    issuing.check(ledger)


def test_killed_runs_lose_and_double_nothing(tmp_path: Path) -> None:
    """A few of what `make test-kills` does fifty times."""
    with Issuing.sandbox(portfolio_lag=LAG) as sandbox:
        issuing = Issuing(sandbox, tmp_path)
        issuing.kill_and_restart(random.Random(3), kills=3)
        issuing.check()


def test_a_lock_of_a_killed_run_does_not_hold_up_the_next_one(issuing: Issuing) -> None:
    target = issuing.target
    target.sandbox.set_faults("slow=30:generateCertificate@1")
    pid = issuing.start()
    while not target.mutations():
        time.sleep(0.05)
    target.kill(pid)
    target.sandbox.set_faults()
    issuing.run_until_decided(settle_seconds=0)
    issuing.check()


def test_a_ledger_on_postgresql_serves_as_well(issuing: Issuing, postgres: dict[str, str]) -> None:
    host, port = postgres["PGHOST"], postgres["PGPORT"]
    ledger = f"postgresql+psycopg://postgres:any@{host}:{port}/postgres"
    written = issuing.target.write(issuing.data(), ledger=ledger)
    assert written.table == {"certificates_to_issue": {"created": PEOPLE}}
    again = issuing.target.write(issuing.data(), ledger=ledger)
    assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE}}


def test_a_ledger_that_cannot_be_used_stops_the_run_in_words(issuing: Issuing) -> None:
    written = issuing.target.run(singer(issuing.data()), ledger="mysql://user:secret@host/x")
    assert written.returncode == 1
    assert "ledger: databases of kind 'mysql' are not supported" in written.stderr
    assert "secret" not in written.stderr
    assert issuing.target.mutations() == []


def test_a_sandbox_may_show_its_certificates_in_the_report_only(tmp_path: Path) -> None:
    """Newer pages have no portfolio items."""
    with Sandbox(users=2, groups=0, trainings=0, portfolio=0, schema="lean") as sandbox:
        issuing = Issuing(sandbox, tmp_path)
        sandbox.set_faults("late-502:generateCertificate/2")
        written = issuing.target.write(issuing.data())
        assert written.table == {"certificates_to_issue": {"created": PEOPLE}}
        issuing.check()


# ---------- organizations that are not as we imagine them ----------


def issued(sandbox: Sandbox) -> int:
    found: int = sandbox.database.execute("SELECT count(*) FROM portfolio_items").fetchone()[0]
    return found


@pytest.mark.parametrize("fault", ["late-502", "silent", "reset"])
def test_silence_proves_nothing_before_the_portfolio_had_time(tmp_path: Path, fault: str) -> None:
    """W17, W18: the certificate is there, but shows later than the next run."""
    with Issuing.sandbox(portfolio_lag=3600) as sandbox:
        issuing = Issuing(sandbox, tmp_path)
        sandbox.set_faults(f"{fault}:generateCertificate@3")
        first = issuing.target.run(singer(issuing.data()))
        assert first.returncode == 1
        assert first.table == {"certificates_to_issue": {"created": PEOPLE - 1, "undecided": 1}}
        assert first.stdout == ""  # the state stays before what is not certain
        # The others, which were issued and do not show either, are what this run learns from.
        again = issuing.target.run(singer(issuing.data()), settle_seconds=0)
        assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE - 1, "undecided": 1}}
        sandbox.database.execute("DELETE FROM late_rows")
        issuing.target.write(issuing.data())
        issuing.check()


def test_what_was_not_issued_is_issued_when_the_time_has_passed(issuing: Issuing) -> None:
    sandbox = issuing.target.sandbox
    sandbox.set_faults("silent-refusal:generateCertificate@2")
    first = issuing.target.run(singer(issuing.data()))
    assert first.table == {"certificates_to_issue": {"created": PEOPLE - 1, "undecided": 1}}
    early = issuing.target.run(singer(issuing.data()), settle_seconds=3600)
    assert early.table == {"certificates_to_issue": {"unchanged": PEOPLE - 1, "undecided": 1}}
    assert re.search(r"undecided \(row \d\): .* run again after 20\d\d-", early.stderr)
    assert issued(sandbox) == PEOPLE - 1
    issuing.run_until_decided(settle_seconds=0)
    issuing.check()


def test_silence_proves_nothing_where_no_certificate_was_ever_seen(issuing: Issuing) -> None:
    """W17: nobody knows yet how long this organization takes, nor that it shows them at all."""
    sandbox, rows = issuing.target.sandbox, issuing.data()["certificates_to_issue"]
    alone = {"certificates_to_issue": rows[:1]}
    sandbox.set_faults("silent-refusal:generateCertificate@2")
    for _ in range(3):
        written = issuing.target.run(singer(alone), settle_seconds=0)
        assert written.table == {"certificates_to_issue": {"undecided": 1}}
        assert "has not shown a certificate of this title yet" in written.stderr
    assert issued(sandbox) == 0
    issuing.target.write({"certificates_to_issue": rows[1:]})  # which show at once
    issuing.run_until_decided(settle_seconds=0)
    issuing.check()


def test_a_certificate_that_somebody_issued_by_hand_is_decided(issuing: Issuing) -> None:
    sandbox, (row, *_) = issuing.target.sandbox, issuing.data()["certificates_to_issue"]
    sandbox.set_faults("silent-refusal:generateCertificate@2")
    assert issuing.target.run(singer({"certificates_to_issue": [row]})).returncode == 1
    sandbox.database.execute(
        "INSERT INTO portfolio_items (id, userId, title, startDate, createdAt, updatedAt, files)"
        " VALUES ('by-hand', ?, 'First aid', '2026-01-31', '2026-02-01', '2026-02-01', '[]')",
        (issuing.users["P0"],),
    )
    done = issuing.target.write({"certificates_to_issue": [row]})
    assert done.table == {"certificates_to_issue": {"unchanged": 1}}
    assert issued(sandbox) == 1


def test_what_version_1_has_issued_keeps_the_day_that_it_got(issuing: Issuing) -> None:
    """W20: it took the UTC day of a midnight, too; an upgrade issues nothing for that again."""
    url = f"sqlite:///{issuing.target.folder}/target-pluvo-ledger.db"
    row = issuing.data()["certificates_to_issue"][0] | {"issue_date": "2026-02-01T00:00:00+01:00"}
    user, template = issuing.users["P0"], row["certificate_id"]
    with Ledger.open(url) as ledger:
        address = issuing.target.sandbox.url
        key = ledger.key("pluvo", address, user, "2026-01-31", "First aid", template)
        detail = {"template": template, "user_id": user, "title": "First  aid"}
        with ledger.claim(key, detail | {"day": "2026-01-31", "version": 1}):
            ledger.done(key)
    again = issuing.target.write({"certificates_to_issue": [row]})
    assert again.table == {"certificates_to_issue": {"unchanged": 1}}
    other = row | {"issue_date": "2026-02-01"}
    assert issuing.target.write({"certificates_to_issue": [other]}).table == {
        "certificates_to_issue": {"created": 1}
    }


@pytest.mark.parametrize("day_filter", ["exclusive", "exclusive-to"])
def test_the_ends_of_the_filter_by_days_may_be_exclusive(tmp_path: Path, day_filter: Any) -> None:
    """W19."""
    with Issuing.sandbox(schema="lean", day_filter=day_filter) as sandbox:
        issuing = Issuing(sandbox, tmp_path)
        issuing.target.write(issuing.data())
        again = issuing.target.write(issuing.data(), ledger=f"sqlite:///{tmp_path}/other.db")
        assert again.table == {"certificates_to_issue": {"unchanged": PEOPLE}}
        assert len(sandbox.database.execute("SELECT * FROM portfolio_items").fetchall()) == PEOPLE


def test_a_title_is_compared_as_it_is_read_and_a_midnight_keeps_its_day(issuing: Issuing) -> None:
    """W20."""
    row = issuing.data()["certificates_to_issue"][0]
    titles = ["Caf\u00e9 BHV", "Cafe\u0301 BHV", "Caf\u00e9\u00a0BHV", "Caf\u00e9 \u200bBHV "]
    days = ["2026-01-31T00:00:00+01:00", "2026-01-31", "2026-01-31T00:00:00", "2026-01-31 12:00"]
    rows = [
        row | {"title": title, "issue_date": day} for title, day in zip(titles, days, strict=True)
    ]
    for some, outcome in ((rows[1:], "created"), (rows[:1], "unchanged")):
        written = issuing.target.write({"certificates_to_issue": some})
        assert written.table == {"certificates_to_issue": {outcome: 1}}
    found = issuing.target.sandbox.database.execute("SELECT startDate FROM portfolio_items")
    assert found.fetchall() == [("2026-01-31T00:00:00+00:00",)]


def test_archived_users_and_far_days_are_rejected_unless_settings_allow_them(
    issuing: Issuing,
) -> None:
    """W21."""
    row = issuing.data()["certificates_to_issue"][0]
    user = issuing.users[row["user_ref"]]
    issuing.target.sandbox.archive_user(user)
    rows = [row, row | {"user_ref": "P1", "issue_date": "2999-01-01"}]
    written = issuing.target.run(singer({"certificates_to_issue": rows}))
    assert [found["reason"] for found in written.rejects] == [
        "the user is archived; see setting `issue_to_archived`",
        "`issue_date` is too far ahead; see setting `max_days_ahead`",
    ]
    done = issuing.target.write({"certificates_to_issue": rows[:1]}, issue_to_archived=True)
    assert done.table == {"certificates_to_issue": {"created": 1}}


def test_a_ledger_is_shared_by_organizations_on_one_host(issuing: Issuing, tmp_path: Path) -> None:
    """W21."""
    ledger = f"sqlite:///{tmp_path}/shared.db"
    with Issuing.sandbox() as sandbox:
        other = Issuing(sandbox, issuing.target.folder)
        other.target.write(other.data(), ledger=ledger)
        # The same people, by their ids, in another organization on another port of this machine.
        for ref, user in other.users.items():
            issuing.target.sandbox.database.execute(
                "UPDATE users SET id = ? WHERE ref = ?", (user, ref)
            )
        written = issuing.target.write(issuing.data(), ledger=ledger)
        assert written.table == {"certificates_to_issue": {"created": PEOPLE}}


def test_whose_row_was_rejected_gets_no_certificate(issuing: Issuing) -> None:
    data: dict[str, Any] = {"users": [{"ref": "P0", "name": "P0", "archived": "perhaps"}]}
    written = issuing.target.run(singer(data | issuing.data()))
    assert written.table["certificates_to_issue"] == {"created": PEOPLE - 1, "rejected": 1}
