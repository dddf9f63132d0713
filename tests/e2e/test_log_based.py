"""LOG_BASED: what webhooks say has changed is read, and what is gone is said."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from incremental_support import complete_on, days_ago, titles
from log_chaos import differences, live
from log_support import LOG_STREAMS, Loop, receiver, truth
from support import config, metadata_of, of_stream, queries, run_tap, selecting, sync

from pluvo_client.errors import ConfigurationError
from pluvo_sandbox import Sandbox
from tap_pluvo.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL_CHANGES = {(name, "LOG_BASED") for name in LOG_STREAMS}


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """An organization that was read once."""
    inbox = f"sqlite:///{tmp_path}/inbox.db"
    with (
        receiver(inbox) as url,
        Sandbox(users=30, groups=4, trainings=5, portfolio=60, webhooks=[url]) as pluvo,
    ):
        found = Loop(pluvo, inbox)
        found.sync()
        pluvo.reset_log()
        yield found


def modes(result: Any) -> set[tuple[str, str]]:
    return {(stream, row["mode"]) for stream, row in result.sync_log.items()}


def some(pluvo: Sandbox, table: str, number: int, columns: str = "id") -> list[Any]:
    rows = pluvo.database.execute(f"SELECT {columns} FROM {table} ORDER BY 1 LIMIT {number}")
    return [row if "," in columns else row[0] for row in rows]


def test_what_changed_is_read_and_nothing_else(loop: Loop) -> None:
    pluvo = loop.pluvo
    renamed, member = some(pluvo, "users", 2)
    pluvo.rename_user(renamed, "Renamed")
    pluvo.insert_group_member((group := pluvo.insert_group("New")), member)
    result = loop.sync()
    assert modes(result) == ALL_CHANGES
    assert result.keys("users", "id", "name")[:1] == [(renamed, "Renamed")]
    assert result.keys("users", "id") == [(renamed,), (member,)]  # of whom `group_count` changed
    assert result.keys("groups", "id") == [(group,)]
    assert result.keys("group_members", "group_id", "user_id") == [(group, member)]
    assert result.keys("trainings", "id") == []
    assert not [query for query in queries(pluvo) if "paginated" in query]
    schema = result.schemas["users"]["schema"]["properties"]["_sdc_deleted_at"]
    assert schema["format"] == "date-time"
    assert result.records["users"][0]["_sdc_deleted_at"] is None
    assert differences(loop.tables, truth(pluvo)) == {}
    # And nothing is read when nothing has happened.
    pluvo.reset_log()
    assert loop.sync().records == {}
    assert queries(pluvo) == []


def test_what_is_gone_is_said_with_its_key(loop: Loop) -> None:
    """Of a deleted user there is no other event: not of memberships, enrollments or values."""
    pluvo = loop.pluvo
    (user, group), *_ = some(pluvo, "group_users", 1, "userId, groupId")
    training = pluvo.insert_training("Gone soon")
    pluvo.insert_participant(training, user)
    loop.sync()
    had = {
        stream: [key for key in rows if user in key or user in rows[key].values()]
        for stream, rows in loop.tables.items()
    }
    pluvo.delete_user(user)
    result = loop.sync()
    gone = {
        stream: [row for row in rows if row["_sdc_deleted_at"]]
        for stream, rows in result.records.items()
    }
    assert gone["users"] == [
        dict.fromkeys(gone["users"][0])
        | {"id": user, "_sdc_deleted_at": gone["users"][0]["_sdc_deleted_at"]}
    ]
    for stream in ("group_members", "training_participants", "users", "custom_field_values"):
        assert len(gone.get(stream, [])) == len(had[stream]), stream
    assert had["group_members"]
    assert had["training_participants"]
    assert (group,) in result.keys("groups", "id")  # whose `user_count` changed
    pluvo.delete_training(training)
    pluvo.delete_group(group)
    loop.sync()
    assert differences(loop.tables, truth(pluvo)) == {}


def test_deletes_are_said_again_if_the_target_failed(loop: Loop) -> None:
    pluvo = loop.pluvo
    (group, user), *_ = some(pluvo, "group_users", 1, "groupId, userId")
    pluvo.delete_group_member(group, user)
    said = [
        [
            key
            for *key, gone in loop.read().keys(
                "group_members", "group_id", "user_id", "_sdc_deleted_at"
            )
            if gone
        ]
        for _ in range(2)
    ]
    assert said == [[[group, user]]] * 2
    loop.sync()
    pluvo.rename_group(group, "Renamed")
    assert not [row for row in loop.sync().records["group_members"] if row["_sdc_deleted_at"]]


def test_what_is_copied_from_a_user_changes_with_the_user(loop: Loop) -> None:
    pluvo = loop.pluvo
    (user, group), *_ = some(pluvo, "group_users", 1, "userId, groupId")
    pluvo.change("users", user, ref="another")
    result = loop.sync()
    assert (group, user, "another") in result.keys(
        "group_members", "group_id", "user_id", "user_ref"
    )
    assert differences(loop.tables, truth(pluvo)) == {}
    pluvo.rename_user(user, "Renamed")
    assert "group_members" not in loop.sync().records


def test_what_is_copied_from_a_user_is_said_again_if_the_target_failed(loop: Loop) -> None:
    (user, group), *_ = some(loop.pluvo, "group_users", 1, "userId, groupId")
    loop.pluvo.change("users", user, ref="another ref")
    for _ in range(2):
        said = loop.read().keys("group_members", "group_id", "user_id", "user_ref")
        assert [group, user, "another ref"] in [list(row) for row in said]
    loop.sync()
    assert not loop.sync().records.get("group_members")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [("reconcile_days", "the last time was"), ("purged", "was purged"), ("another", "another one")],
)
def test_when_everything_is_read(loop: Loop, tmp_path: Path, setting: str, reason: str) -> None:
    pluvo = loop.pluvo
    settings: dict[str, Any] = {}
    if setting == "reconcile_days":
        settings = {"reconcile_days": 0}
    else:
        pluvo.rename_user(some(pluvo, "users", 1)[0], "Renamed")
        pluvo.settle_webhooks()
        change = {
            "purged": "UPDATE pluvo_inbox SET purged_to = last_sequence",
            "another": "UPDATE pluvo_inbox SET last_sequence = 0",
        }
        if setting == "another":
            loop.sync()
        with closing(sqlite3.connect(tmp_path / "inbox.db")) as database, database:
            database.execute(change[setting])
    result = loop.sync(**settings)
    assert modes(result) == {(name, "FULL") for name in LOG_STREAMS}
    assert result.stderr.count(reason) == len(LOG_STREAMS)
    assert differences(loop.tables, truth(pluvo)) == {}
    assert modes(loop.sync()) == ALL_CHANGES


def test_a_read_that_breaks_off_moves_no_bookmark(loop: Loop) -> None:
    pluvo = loop.pluvo
    (user,) = some(pluvo, "users", 1)
    pluvo.rename_user(user, "Renamed")
    pluvo.settle_webhooks()
    before = loop.state["bookmarks"]["users"]
    pluvo.set_faults("no-data:user")
    catalog = selecting(loop.catalog, ["users"])
    result = run_tap(loop.settings(), catalog=catalog, state=loop.state)
    assert result.returncode == 1
    assert result.failed_streams() == {"users"}
    assert result.bookmark("users") == before
    pluvo.set_faults()
    loop.sync()
    assert differences(loop.tables, truth(pluvo)) == {}


def test_events_are_a_stream(loop: Loop) -> None:
    pluvo = loop.pluvo
    first, second = some(pluvo, "users", 2)
    catalog = selecting(sync(loop.settings(), "--discover").catalog, ["webhook_events", "sync_log"])
    metadata_of(catalog, "sync_log")["selected"] = True
    pluvo.rename_user(first, "One")
    pluvo.settle_webhooks()
    result = sync(loop.settings(), catalog=catalog)
    (event,) = result.records["webhook_events"]
    assert (event["event"], event["object_type"], event["object_id"]) == (
        "USER_UPDATED",
        "user",
        first,
    )
    assert json.loads(event["payload"])["name"] == "One"
    assert modes(result) == {("webhook_events", "WINDOW")}  # speaks for no other row
    pluvo.rename_user(second, "Two")
    pluvo.settle_webhooks()
    later = sync(loop.settings(), catalog=catalog, state=result.state)
    assert [row["object_id"] for row in later.records["webhook_events"]] == [second]
    assert later.records["webhook_events"][0]["sequence"] > event["sequence"]
    assert sync(loop.settings(), catalog=catalog, state=later.state).records == {}
    assert queries(pluvo) == []


def test_results_that_webhooks_tell_of_are_read_again(loop: Loop) -> None:
    pluvo = loop.pluvo
    old, other = days_ago(300), days_ago(200)
    complete_on(pluvo, old, other)
    ((user,),) = pluvo.database.execute("SELECT min(id) FROM users")
    certificate = pluvo.insert_report_row(
        user, "done certificate", relatedObjectType="CERTIFICATE", completionDate=old
    )
    settings = loop.settings(full_refresh_days=0)
    catalog = selecting(loop.catalog, ["portfolio_report"], replication_method="INCREMENTAL")
    pluvo.settle_webhooks()
    first = sync(settings, catalog=catalog)
    assert (
        sync(settings, catalog=catalog, state=first.state).records.get("portfolio_report", []) == []
    )
    pluvo.change("report", certificate, endDate=days_ago(1))
    pluvo.settle_webhooks()
    second = sync(settings, catalog=catalog, state=first.state)
    assert titles(second) == {f"done {old}", "done certificate"}
    assert not titles(sync(settings, catalog=catalog, state=second.state))


@pytest.mark.parametrize(
    ("inbox", "words"),
    [
        (None, "cannot be replicated LOG_BASED without webhooks: set `webhook_inbox`"),
        ("sqlite:///{folder}/missing.db", "start `pluvo-webhooks serve`, which makes it"),
        ("sqlite:///{folder}/other.db", "belongs to another program"),
        ("postgresql://pluvo:hunter2@localhost/x", "names no driver: write postgresql+psycopg://"),
        ("no url at all", "is no database URL"),
    ],
)
def test_wrong_inboxes_are_refused_in_words(
    sandbox: Sandbox, catalog: object, tmp_path: Path, inbox: str | None, words: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as database, database:
        database.execute("CREATE TABLE something (id)")
    settings = config(sandbox)
    if inbox:
        settings["webhook_inbox"] = inbox.format(folder=tmp_path)
    chosen = selecting(catalog, ["users"], replication_method="LOG_BASED")
    result = run_tap(settings, catalog=chosen)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr
    assert queries(sandbox) == []


def test_filters_do_not_go_with_it(loop: Loop) -> None:
    result = run_tap(loop.settings(filters={"users": {"archived": False}}), catalog=loop.catalog)
    assert result.returncode == 1
    assert (
        "setting `filters.users`: a stream that is replicated LOG_BASED has no filters"
        in result.stderr
    )


def test_a_map_may_not_hide_that_a_row_is_gone(loop: Loop) -> None:
    loop.pluvo.delete_user(*some(loop.pluvo, "users", 1))
    loop.pluvo.settle_webhooks()
    catalog = selecting(loop.catalog, ["users"])
    hashed: dict[str, Any] = {"name": "md5(name) if name else None", "id": "id", "__else__": None}
    options = {"catalog": catalog, "state": loop.state}
    result = run_tap(loop.settings(stream_maps={"users": hashed}), **options)
    assert result.returncode == 1
    assert "leaves out `_sdc_deleted_at`" in result.stderr
    hashed["_sdc_deleted_at"] = "_sdc_deleted_at"
    (row,) = sync(loop.settings(stream_maps={"users": hashed}), **options).records["users"]
    assert row["_sdc_deleted_at"]


def test_metadata_and_entry_mean_the_same(loop: Loop) -> None:
    catalog = selecting(loop.catalog, ["users"])
    of_stream(catalog, "users")["replication_method"] = "FULL_TABLE"
    metadata_of(catalog, "users")["replication-method"] = "LOG_BASED"
    assert sync(loop.settings(), catalog=catalog, state=loop.state).records == {}
    of_stream(catalog, "users")["replication_method"] = "LOG_BASED"
    del metadata_of(catalog, "users")["replication-method"]
    assert sync(loop.settings(), catalog=catalog, state=loop.state).records == {}


def test_an_event_without_an_object_leads_to_a_full_read(loop: Loop, tmp_path: Path) -> None:
    pluvo = loop.pluvo
    pluvo.rename_user(some(pluvo, "users", 1)[0], "Renamed")
    pluvo.settle_webhooks()
    with closing(sqlite3.connect(tmp_path / "inbox.db")) as database, database:
        database.execute("UPDATE events SET object_id = NULL")
    assert ("users", "FULL") in modes(loop.sync())


def test_random_changes(tmp_path: Path) -> None:
    """`make test-log-based` does it longer, also for FULL_TABLE."""
    live(f"sqlite:///{tmp_path}/inbox.db", 4, method="LOG_BASED", lossy=True, syncs=2)


def test_random_changes_with_postgres(postgres: dict[str, str]) -> None:
    server = f"{postgres['PGUSER']}@{postgres['PGHOST']}:{postgres['PGPORT']}"
    with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE inbox")
    inbox = f"postgresql+psycopg://{server}/inbox"
    live(inbox, 5, method="LOG_BASED", lossy=False, syncs=2)


def test_without_its_extra_the_setting_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pluvo_webhooks")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(
        ConfigurationError, match=r"sqlalchemy: .* `pip install 'tap-pluvo\[webhooks\]'`"
    ):
        EventLog.open("sqlite:////nowhere")
