"""The ledger of both targets, with processes of its own, on SQLite and PostgreSQL."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
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
        monkeypatch.setattr(locks, "PATIENCE", 1)
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
