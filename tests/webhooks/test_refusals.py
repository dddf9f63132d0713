"""What can't be an inbox is refused in words, by the command and without a traceback."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from webhook_support import SECRET, command, user_updated

from pluvo_webhooks.__main__ import main
from pluvo_webhooks.delivery import Delivery
from pluvo_webhooks.inbox import Inbox, InboxError

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def refusal(url: str, *, create: bool = False) -> str:
    with pytest.raises(InboxError) as caught:
        Inbox.open(url, create=create)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:hidden@db/x", "names no driver: write postgresql+psycopg://"),
        ("postgres://me:hidden@db/x", "names no driver: write postgresql+psycopg://"),
        ("mysql+pymysql://me:hidden@db/x", "can't be in mysql+pymysql://: write sqlite:///"),
        ("postgresql+psycopg2://me:hidden@db/x", "can't be in postgresql+psycopg2://"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("inbox.db", "is no database URL: write sqlite:///"),
        ("", "is no database URL"),
        ("postgresql+psycopg://me:hidden@db:port/x", "is no database URL"),
    ],
)
def test_a_url_that_can_not_be(url: str, words: str) -> None:
    for create in (False, True):
        said = refusal(url, create=create)
        assert words in said
        assert "hidden" not in said


def test_a_server_that_is_not_there() -> None:
    said = refusal("postgresql+psycopg://me:hidden@127.0.0.1:1/x", create=True)
    assert "Connection refused" in said
    assert "hidden" not in said


def test_no_inbox_yet(tmp_path: Path, postgres_url: str) -> None:
    path = tmp_path / "inbox.db"
    assert "start `pluvo-webhooks serve`" in refusal(f"sqlite:///{path}")
    assert not path.exists()
    assert "start `pluvo-webhooks serve`" in refusal(postgres_url)
    missing = f"sqlite:///{tmp_path / 'no' / 'inbox.db'}"
    assert "No such file or directory" in refusal(missing, create=True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Call the academy about the webhook key.\n" * 40)
    before = path.read_bytes()
    for create in (False, True):
        assert "file is not a database" in refusal(f"sqlite:///{path}", create=create)
    assert path.read_bytes() == before


def test_a_database_of_another_program(tmp_path: Path, postgres_url: str) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE events (sequence INTEGER, payload TEXT)")
    other.close()
    before = path.read_bytes()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE events (sequence INTEGER, payload TEXT)")
    for create in (False, True):
        for url in (f"sqlite:///{path}", postgres_url):
            assert "belongs to another program" in refusal(url, create=create)
    assert path.read_bytes() == before


def test_tables_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    Inbox.open(f"sqlite:///{path}", create=True).close()
    newer = sqlite3.connect(path)
    newer.execute("UPDATE pluvo_inbox SET version = 2")
    newer.commit()
    newer.close()
    for create in (False, True):
        said = refusal(f"sqlite:///{path}", create=create)
        assert "has version 2 of the tables, this program knows 1: upgrade tap-pluvo" in said


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    path.mkdir()  # root may read every file, but a folder is none
    assert "unable to open database file" in refusal(f"sqlite:///{path}")


def test_the_command_refuses_in_words(tmp_path: Path) -> None:
    inbox = f"sqlite:///{tmp_path / 'inbox.db'}"
    done = command(
        *("serve", "--inbox", inbox, "--host", "no.such.host.invalid"),
        environment={"PLUVO_WEBHOOKS_SECRET": SECRET},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("pluvo-webhooks: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "secret", "words"),
    [
        (("serve",), "", "set PLUVO_WEBHOOKS_SECRET"),
        (("serve", "--path", "hooks"), SECRET, "--path must start with a slash"),
        (("serve", "--path", "/metrics"), SECRET, "--path must start with a slash"),
        (("serve", "--inbox", "postgresql://h/x"), SECRET, "names no driver"),
        (("status",), "", "start `pluvo-webhooks serve`"),
        (("purge", "--older-than", "1d"), "", "start `pluvo-webhooks serve`"),
    ],
)
def test_what_the_command_refuses(
    arguments: tuple[str, ...],
    secret: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLUVO_WEBHOOKS_SECRET", secret)
    monkeypatch.setenv("PLUVO_WEBHOOKS_INBOX", "sqlite:////no/such/inbox.db")
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("pluvo-webhooks: ")
    assert words in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1w", "1.5d"])
def test_an_age_that_is_none(age: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["purge", f"--older-than={age}"])
    assert "is no age, such as 30d or 12h" in capsys.readouterr().err


def test_status_and_purge_as_commands(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUVO_WEBHOOKS_INBOX", sqlite_url)

    def said(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    inbox = Inbox.open(sqlite_url, create=True)
    inbox.add([Delivery.parse(user_updated(number), LONG_AGO) for number in range(3)])
    assert said("purge", "--older-than=30d").splitlines() == [
        "nobody has read this inbox yet; --unread deletes all the same",
        "0 events were deleted",
    ]
    inbox.consumed("tap", 2)
    assert said("purge", "--older-than=30d", "--dry-run") == "2 events would be deleted\n"
    status = json.loads(said("status", "--json"))
    assert (status["events"], status["unread"], status["last_sequence"]) == (3, 1, 3)
    assert status["by_type"] == {"USER_UPDATED": 3}
    assert status["consumers"][0]["name"] == "tap"
    assert said("purge", "--older-than=720h") == "2 events were deleted\n"
    assert said("purge", "--older-than=30d", "--unread") == "1 event was deleted\n"
    inbox.close()
    done = command("status", environment={"PLUVO_WEBHOOKS_INBOX": sqlite_url})
    assert "purged to      3" in done.stdout
    assert "  tap, up to 2" in done.stdout
