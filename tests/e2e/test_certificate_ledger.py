"""The ledger of both targets, with processes of its own, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from pluvo_singer.ledger import Ledger, LedgerError, locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ISSUES = """
import sys
from pluvo_singer.ledger import Ledger

url, path, key = sys.argv[1:]
with Ledger.open(url) as ledger, ledger.claim(key, {}, lock="both") as claim:
    print(claim.state, flush=True)
    sys.stdin.readline()
    if claim.state != "done":
        with open(path, "a") as issued:
            issued.write("x")
    ledger.done(key)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/folder/ledger.db"
        return
    server = request.getfixturevalue("postgres")
    address = f"postgresql+psycopg://postgres:any@{server['PGHOST']}:{server['PGPORT']}/"
    engine = create_engine(address + "postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE ledger"))
        try:
            yield address + "ledger"
        finally:
            connection.execute(text("DROP DATABASE ledger WITH (FORCE)"))
    engine.dispose()


def issuing(url: str, path: Path, key: str = "a") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ISSUES, url, str(path), key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_is_done_stays_done(url: str) -> None:
    with Ledger.open(url) as ledger:
        with ledger.claim("a", {"user": 1}) as claim:
            assert (claim.state, claim.detail) == ("new", {"user": 1})
            claim.check()
            ledger.amend("a", {"user": 1, "before": 0})
            ledger.done("a", {"id": "x"})
        with ledger.claim("b", {}) as claim:
            ledger.withdraw("b")
    with Ledger.open(url) as ledger:
        assert ledger.intents() == []
        with ledger.claim("a", {"user": 2}) as claim:
            assert (claim.state, claim.outcome) == ("done", {"id": "x"})
            assert claim.detail == {"user": 1, "before": 0}
        with ledger.claim("b", {}) as claim:
            assert claim.state == "new"


def test_what_is_undecided_is_kept_and_can_be_decided(url: str) -> None:
    with Ledger.open(url) as ledger, ledger.claim("a", {}):
        ledger.undecided("a", "it cannot be read")
        assert ledger.intents() == []  # of this run
    with Ledger.open(url) as ledger:
        (entry,) = ledger.intents()
        assert (entry.key, entry.state, entry.outcome) == ("a", "undecided", "it cannot be read")
        with ledger.claim("a", {}) as claim:
            assert claim.state == "undecided"
            assert claim.claimed_at == entry.claimed_at
            ledger.done("a")
        with ledger.claim("a", {}) as claim:
            assert claim.state == "done"


def test_a_killed_process_leaves_its_intent_and_no_lock(url: str, tmp_path: Path) -> None:
    process = issuing(url, tmp_path / "issued")
    with process:
        assert process.stdout
        assert process.stdout.readline() == "new\n"
        process.send_signal(signal.SIGKILL)
    with Ledger.open(url) as ledger:
        assert [(entry.key, entry.state) for entry in ledger.intents()] == [("a", "intent")]
        with ledger.claim("a", {}) as claim:
            assert claim.state == "intent"


@pytest.mark.parametrize("key", ["a", "b"])
def test_while_a_process_holds_a_claim_no_other_gets_it(
    url: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor another key under the same lock, until the process has written its outcome."""
    with Ledger.open(url) as ledger, issuing(url, tmp_path / "issued") as process:
        assert process.stdout
        assert process.stdout.readline() == "new\n"
        monkeypatch.setattr(locks, "LOCK_TIMEOUT", 1)
        with pytest.raises(LedgerError, match="another run"), ledger.claim(key, {}, lock="both"):
            pass
        process.communicate("go\n")
        with ledger.claim(key, {}, lock="both") as claim:
            assert claim.state == ("done" if key == "a" else "new")
    assert (tmp_path / "issued").read_text("utf-8") == "x"


def test_only_what_this_run_has_claimed_can_end(url: str) -> None:
    with Ledger.open(url) as ledger, pytest.raises(LedgerError, match="not claimed"):
        ledger.done("a")


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # a file's lock cannot be lost
def test_a_lost_lock_is_noticed(url: str) -> None:
    engine = create_engine(url.replace("/ledger", "/postgres"))
    with Ledger.open(url) as ledger, ledger.claim("a", {}) as claim:
        with engine.connect() as connection:
            kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ledger'"
            connection.execute(text(kill))
        with pytest.raises(LedgerError, match="lost"):
            claim.check()
    engine.dispose()


def test_the_file_is_its_owners(tmp_path: Path) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/ledger.db").close()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url", "cannot be read"),
        ("sqlite://", "names no file"),
        ("mysql://user:secret@host/x", "'mysql' are not supported"),
        ("postgresql+nothing://user:secret@host/x", "no driver"),
        ("postgresql+psycopg2://user:secret@host/x", "psycopg2 is not installed"),
        ("postgresql+psycopg://user:secret@127.0.0.1:9/x", "check the URL"),
        ("sqlite:////proc/nothing/ledger.db", "cannot be written"),
    ],
)
def test_a_wrong_url_is_refused_in_words(url: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said) as caught:
        Ledger.open(url)
    assert "secret" not in str(caught.value)


def test_a_database_of_another_program_or_version_is_refused(tmp_path: Path) -> None:
    other, newer, text_file = (tmp_path / name for name in ("other.db", "newer.db", "text.db"))
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE state (name TEXT)")
    connection.close()
    Ledger.open(f"sqlite:///{newer}").close()
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE certificate_ledger_version SET version = 9")
    connection.close()
    text_file.write_text("no database, but a text of some length\n" * 9, encoding="utf-8")
    for path, said in ((other, "another program"), (newer, "version 9"), (text_file, "SQLite")):
        with pytest.raises(LedgerError, match=said):
            Ledger.open(f"sqlite:///{path}")


def test_a_ledger_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE certificate_ledger (key VARCHAR PRIMARY KEY, state VARCHAR NOT NULL,"
            " detail JSON NOT NULL, run VARCHAR NOT NULL, claimed_at DATETIME NOT NULL,"
            " outcome JSON);"
            "CREATE TABLE certificate_ledger_version (version INTEGER NOT NULL);"
            "INSERT INTO certificate_ledger_version VALUES (1);"
        )
        pluvo = {"template": "T", "user_id": "U", "title": "Caf\u00e9\u00a0x", "day": "2026-01-31"}
        other = {"user_id": "U", "resource_id": "R", "issued_on": "2026-01-31"}
        moment = "2026-01-31 10:00:00.000000"
        for key, state, detail in (
            ("pluvo a.pluvo.com U 2026-01-31 Caf\u00e9\u00a0x T", "intent", pluvo),
            ("pluvo a.pluvo.com U 2026-01-31 Cafe\u0301 x T", "done", pluvo),
            ("pluvo 127.0.0.1 U 2026-01-31 x T", "done", pluvo | {"title": "x"}),
            (
                "thought-industries b.example.com:8443 U R 2026-01-31",
                "undecided",
                other | {"before": [0, 3, 2]},
            ),
        ):
            connection.execute(
                "INSERT INTO certificate_ledger VALUES (?, ?, ?, 'run', ?, NULL)",
                (key, state, json.dumps(detail), moment),
            )
    connection.close()
    for _ in range(2):  # once it is done it stays so
        with Ledger.open(f"sqlite:///{path}") as ledger:
            entries = {entry.key: entry.state for entry in ledger.entries("")}
            begun = [entry.detail for entry in ledger.intents()]
            assert ledger.recent_changes("x", datetime.now(UTC)) == set()
        assert entries == {
            Ledger.key(
                "pluvo", "https://a.pluvo.com", "U", "2026-01-31", "Caf\u00e9 x", "T"
            ): "done",
            Ledger.key("pluvo", "http://127.0.0.1", "U", "2026-01-31", "x", "T"): "done",
            Ledger.key(
                *("thought-industries", "https://b.example.com:8443", "U", "R", "2026-01-31")
            ): "undecided",
        }
        # What was begun may have been sent, which version 1 did not note.
        sent_at = "2026-01-31T10:00:00+00:00"
        assert begun == [other | {"before": [0, 2], "sent_at": sent_at}]


def test_a_prefix_is_of_whole_parts(url: str) -> None:
    with Ledger.open(url) as ledger:
        for title in ("Title", "Title x", 'Title", "x'):
            with ledger.claim(Ledger.key("a", title, "z"), {}) as claim:
                ledger.done(claim.key)
        found = ledger.entries(Ledger.prefix("a", "Title"))
        assert [entry.key for entry in found] == [Ledger.key("a", "Title", "z")]


def test_what_was_changed_lately_is_counted_once(url: str) -> None:
    since = datetime.now(UTC)
    with Ledger.open(url) as ledger:
        for _ in range(2):
            ledger.note_changes("x", {("archived", str(number)) for number in range(450)})
        ledger.note_changes("y", {("archived", "1")})
        assert len(ledger.recent_changes("x", since)) == 450
        assert ledger.recent_changes("y", since) == {("archived", "1")}
        assert ledger.recent_changes("x", datetime.now(UTC)) == set()
