"""target-pluvo as a process, against a sandbox: what it writes, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from target_support import Target, singer

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with Sandbox(users=20, trainings=4, groups=4, portfolio=0) as running:
        for table in ("group_users", "group_managers", "training_users", "portfolio_items"):
            running.database.execute(f"DELETE FROM {table}")
        yield Target(running, tmp_path)


def one(target: Target, sql: str, *parameters: Any) -> Any:
    """Return the one row of a query, or its one value."""
    (row,) = target.sandbox.database.execute(sql, parameters).fetchall()
    return row if len(row) > 1 else row[0]


def person(target: Target, ref: str) -> Any:
    return one(target, "SELECT id, name, email, archived FROM users WHERE ref = ?", ref)


# ---------- users ----------


def test_users_are_made_changed_archived_and_restored(target: Target) -> None:
    sandbox = target.sandbox
    for name, archived in (("Ann", False), ("Bob", False), ("Cid", True), ("Dee", False)):
        sandbox.insert_user(name, ref=name, email=f"{name}@example.com", archived=archived)
    rows: list[dict[str, Any]] = [
        {"ref": "Ann", "name": "Anna", "roles": "MANAGER; TRAINER"},
        {"ref": "Bob", "archived": "true"},
        {"ref": "Cid", "archived": False},
        {"ref": "Dee", "name": "Dee", "email": "DEE@example.com", "language": "nl"},
        {"ref": "Eve", "name": "Eve", "email": "eve@example.com", "last_login": "2020-01-01"},
    ]
    written = target.write({"users": rows}, manage_roles=True)
    expected = {"created": 1, "updated": 1, "restored": 1, "archived": 1, "unchanged": 1}
    assert written.table == {"users": expected}
    assert written.states == [{"part": 1}]
    assert [person(target, name)[1:] for name in ("Ann", "Bob", "Cid", "Dee", "Eve")] == [
        ("Anna", "Ann@example.com", False),
        ("Bob", "Bob@example.com", True),
        ("Cid", "Cid@example.com", False),
        ("Dee", "Dee@example.com", False),
        ("Eve", "eve@example.com", False),
    ]
    assert one(target, "SELECT roles FROM users WHERE ref = 'Ann'") == ["MANAGER", "TRAINER"]
    assert one(target, "SELECT invitedOn IS NULL FROM users WHERE ref = 'Eve'") == 1

    sandbox.reset_log()
    again = target.write({"users": rows}, manage_roles=True)
    assert again.table == {"users": {"unchanged": 5}}
    assert target.mutations() == []


def test_a_user_who_is_found_by_address_and_has_no_ref_gets_it(target: Target) -> None:
    user_id = target.sandbox.insert_user("Ann", email="ann@example.com", ref=None)
    row = {"ref": "E1", "email": "ANN@example.com", "name": "Ann"}
    assert target.write({"users": [row]}).table == {"users": {"adopted": 1}}
    assert person(target, "E1") == (user_id, "Ann", "ann@example.com", False)
    assert target.write({"users": [row]}).table == {"users": {"unchanged": 1}}


def test_a_row_without_a_ref_finds_an_account_whose_ref_pluvo_made_up(target: Target) -> None:
    row = {"email": "ann@example.com", "name": "Ann"}
    assert target.write({"users": [row]}).table == {"users": {"created": 1}}
    assert target.write({"users": [row]}).table == {"users": {"unchanged": 1}}
    changed = target.write({"users": [{"email": "ANN@example.com", "name": "Anna"}]})
    assert changed.table == {"users": {"updated": 1}}


def test_rows_that_are_marked_as_deleted_are_archived_and_never_made(target: Target) -> None:
    target.sandbox.insert_user("Ann", ref="Ann")
    moment = "2026-01-01T00:00:00Z"
    rows = [{"ref": ref, "name": ref, "_sdc_deleted_at": moment} for ref in ("Ann", "Bob")]
    written = target.write({"users": rows})
    assert written.table == {"users": {"archived": 1, "unchanged": 1}}
    assert one(target, "SELECT archived FROM users WHERE ref = 'Ann'") is True


def test_invitations_are_sent_when_they_are_asked_for(target: Target) -> None:
    target.write({"users": [{"ref": "Ann", "name": "Ann"}]}, send_invites=True)
    assert one(target, "SELECT invitedOn IS NULL FROM users WHERE ref = 'Ann'") == 0


@pytest.mark.parametrize("name", ["ref", "id", "title"])
def test_custom_fields_are_named_by_ref_id_or_title(tmp_path: Path, name: str) -> None:
    with Sandbox(users=5, trainings=0, groups=0, portfolio=0, schema="rich") as sandbox:
        fields = dict(sandbox.database.execute(f"SELECT title, {name} FROM extra_categories"))
        target = Target(
            sandbox,
            tmp_path,
            custom_fields={
                "site": fields["Werklocatie"],
                "hours": fields["Uren per week"],
                "since": fields["In dienst sinds"],
                "contract": fields["Contract"],
                "speaks": fields["Talen"],
                "first_aid": fields["BHV'er?"],
            },
        )
        row = {"ref": "Ann", "name": "Ann", "site": "Delft", "hours": 36.50, "since": "2020-05-01"}
        row |= {"contract": "Vast", "speaks": "English;Nederlands", "first_aid": "yes"}
        assert target.write({"users": [row]}).table == {"users": {"created": 1}}
        values = sandbox.database.execute(
            "SELECT title, coalesce(v.stringValue, o.stringValue, booleanValue, datetimeValue)"
            " FROM extra_category_values v JOIN extra_categories c ON c.id = v.categoryId"
            " LEFT JOIN choice_options o ON o.id = choiceId"
            " WHERE ownerId = (SELECT id FROM users WHERE ref = 'Ann') ORDER BY 1, 2"
        ).fetchall()
        assert values == [
            ("BHV'er?", 1),
            ("Contract", "Vast"),
            ("In dienst sinds", "2020-05-01T00:00:00+00:00"),
            ("Talen", "English"),
            ("Talen", "Nederlands"),
            ("Uren per week", "36.5"),
            ("Werklocatie", "Delft"),
        ]
        assert target.write({"users": [row]}).table == {"users": {"unchanged": 1}}
        moved = target.write({"users": [row | {"site": "Lille", "speaks": ["English"]}]})
        assert moved.table == {"users": {"updated": 1}}


# ---------- groups and trainings ----------


def test_groups_and_trainings_are_made_and_changed(target: Target) -> None:
    groups = [{"ref": "G", "name": "Sales", "max_users": "20", "enable_chat": "false"}]
    training = {"ref": "T", "title": "First aid", "is_active": True, "start_date": "2026-01-31"}
    made = target.write({"groups": groups, "trainings": [training]})
    assert made.table == {"groups": {"created": 1}, "trainings": {"created": 1}}
    assert target.write({"groups": groups, "trainings": [training]}).table == {
        "groups": {"unchanged": 1},
        "trainings": {"unchanged": 1},
    }
    changed = target.write(
        {"groups": [{"ref": "G", "name": "Sale"}], "trainings": [{"ref": "T", "archived": 1}]}
    )
    assert changed.table == {"groups": {"updated": 1}, "trainings": {"archived": 1}}
    columns = "title, isActive, archived, startDate"
    training_now = one(target, f"SELECT {columns} FROM trainings WHERE ref = 'T'")
    assert training_now == ("First aid", True, True, "2026-01-31")
    group_now = one(target, "SELECT name, maxUsers, enableChat FROM groups WHERE ref = 'G'")
    assert group_now == ("Sale", 20, False)


def test_what_a_run_makes_can_be_belonged_to_in_the_same_run(target: Target) -> None:
    event = target.sandbox.database
    event.execute("UPDATE offer_events SET ref = 'EV', spotsAvailable = 9 WHERE rowid = 1")
    users = [{"ref": name, "name": name, "email": f"{name}@example.com"} for name in ("Ann", "Bob")]
    data = {
        "users": users,
        "groups": [{"ref": "G", "name": "Sales"}],
        "group_members": [
            {"group_ref": "G", "user_ref": "Ann"},
            {"group_ref": "G", "user_ref": "Bob", "role": "manager"},
        ],
        "trainings": [{"ref": "T", "title": "First aid"}],
        "training_participants": [
            {"training_ref": "T", "user_ref": "Ann"},
            {"training_ref": "T", "user_ref": "Bob", "role": "TRAINER"},
        ],
        "enrollments": [{"offer_event_ref": "EV", "user_ref": "Ann"}],
    }
    written = target.write(data)
    assert {name: numbers["created"] for name, numbers in written.table.items()} == {
        name: len(rows) for name, rows in data.items()
    }
    ann, bob = (person(target, name)[0] for name in ("Ann", "Bob"))
    assert one(target, "SELECT userId FROM group_users") == ann
    assert one(target, "SELECT userId FROM group_managers") == bob
    roles = target.sandbox.database.execute(
        "SELECT userId, role FROM training_users t JOIN trainings ON trainings.id = trainingId"
        " WHERE ref = 'T' ORDER BY role"
    ).fetchall()
    assert roles == [(ann, "PARTICIPANT"), (bob, "TRAINER")]
    assert one(target, "SELECT status FROM enrollments WHERE userId = ?", ann) == "ENROLLED"

    target.sandbox.reset_log()
    again = target.write(data)
    assert again.table == {name: {"unchanged": len(rows)} for name, rows in data.items()}
    assert target.mutations() == []


def test_mirroring_removes_who_is_not_in_the_data_where_the_data_has_somebody(
    target: Target,
) -> None:
    sandbox = target.sandbox
    users = {name: sandbox.insert_user(name, ref=name) for name in ("Ann", "Bob", "Cid")}
    groups = {name: sandbox.insert_group(name, ref=name) for name in ("G", "H")}
    training = sandbox.insert_training("T", ref="T")
    sandbox.database.execute("INSERT INTO group_trainings VALUES (?, ?)", (groups["H"], training))
    for user in users.values():
        for group in groups.values():
            sandbox.insert_group_member(group, user)
        sandbox.insert_group_member(groups["G"], user, manager=True)
    sandbox.delete_group_member(groups["H"], users["Bob"])
    for name in ("Bob", "Cid"):
        sandbox.insert_participant(training, users[name])
    data = {
        "group_members": [{"group_ref": "G", "user_ref": "Ann"}],
        "training_participants": [{"training_ref": "T", "user_ref": "Ann"}],
    }
    added = target.write(data)
    assert added.table["group_members"] == {"unchanged": 1}
    assert added.table["training_participants"] == {"created": 1}

    mirrored = target.write(data, membership_mode="mirror")
    assert mirrored.table == {
        "group_members": {"unchanged": 1, "removed": 2},
        # Cid is in the training through the group H, which is not in the data.
        "training_participants": {"unchanged": 1, "removed": 1},
    }
    members = "SELECT userId FROM group_users WHERE groupId = ?"
    assert one(target, members, groups["G"]) == users["Ann"]
    assert one(target, "SELECT count(*) FROM group_managers") == 3
    in_training = sandbox.database.execute("SELECT userId FROM training_users").fetchall()
    assert {row[0] for row in in_training} == {users["Ann"], users["Cid"]}

    # Of a group that holds a row nobody can be found for, nobody is removed.
    sandbox.insert_group_member(groups["G"], users["Bob"])
    data["group_members"].append({"group_ref": "G", "user_ref": "Nobody"})
    unsure = target.run(singer(data), membership_mode="mirror")
    assert unsure.table["group_members"] == {"unchanged": 1, "rejected": 1}


def test_who_has_cancelled_is_not_enrolled_again(target: Target) -> None:
    database = target.sandbox.database
    database.execute("UPDATE offer_events SET ref = 'EV' WHERE rowid = 1")
    user, status = one(
        target,
        "SELECT users.ref, enrollments.id FROM enrollments JOIN users ON users.id = userId"
        " WHERE offerEventId = (SELECT id FROM offer_events WHERE ref = 'EV')"
        " AND users.ref IS NOT NULL LIMIT 1",
    )
    database.execute("UPDATE enrollments SET status = 'CANCELLED' WHERE id = ?", (status,))
    written = target.write({"enrollments": [{"offer_event_ref": "EV", "user_ref": user}]})
    assert written.table == {"enrollments": {"unchanged": 1}}


# ---------- safety ----------


def data_of(target: Target) -> list[Any]:
    tables = ("users", "groups", "group_users", "trainings", "training_users", "portfolio_items")
    return [target.sandbox.database.execute(f"SELECT * FROM {name}").fetchall() for name in tables]


def test_a_dry_run_prints_the_changes_and_makes_none(target: Target) -> None:
    target.sandbox.insert_user("Ann Example", ref="P-7001")
    before = data_of(target)
    data: dict[str, Any] = {
        "users": [
            {"ref": "P-7001", "name": "Anna Example", "archived": True},
            {"ref": "P-7002", "name": "Bob Example"},
        ],
        "groups": [{"ref": "G-9", "name": "Sales"}],
        "group_members": [{"group_ref": "G-9", "user_ref": "P-7002"}],
    }
    written = target.write(data, dry_run=True, max_changes=1)
    assert data_of(target) == before
    assert target.mutations() == []
    assert written.stdout == ""  # no state: nothing was done
    assert "users row 1: archived (archived)\n" in written.stderr
    assert "users row 2: created (ref, name)\n" in written.stderr
    assert "groups row 1: created G-9 (ref, name)\n" in written.stderr
    assert "group_members row 1: created add PARTICIPANT to group G-9\n" in written.stderr
    assert "would make 4 changes, and 1 are allowed" in written.stderr
    assert not [word for word in ("P-7001", "P-7002", "Example") if word in written.stderr]
    shown = target.write(data, dry_run=True, show_values=True)
    assert "users P-7001: archived; archived: false -> true\n" in shown.stderr
    assert {request.scopes for request in target.sandbox.requests if request.scopes} == {
        ("groups.read", "groups.write", "users.read", "users.write")
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_changes": 3}, "`max_changes`: this run would make 4 changes, and 3 are allowed"),
        ({"max_changes": 4}, None),
        ({}, "`max_archive_share` (0.1): this run would archive 3 of 21 active users, and 2 are"),
        ({"max_archive_share": 0.2}, None),
    ],
)
def test_limits_stop_a_run_before_its_first_change(
    target: Target, settings: dict[str, Any], said: str | None
) -> None:
    for name in ("Ann", "Bob", "Cid"):
        target.sandbox.insert_user(name, ref=name)
    rows: list[dict[str, Any]] = [
        {"ref": name, "archived": "max_changes" not in settings or None, "name": name.upper()}
        for name in ("Ann", "Bob", "Cid")
    ]
    before = data_of(target)
    written = target.run(singer({"users": [*rows, {"ref": "Eve", "name": "Eve"}]}), **settings)
    if said is None:
        assert written.returncode == 0, written.stderr
        return
    assert written.returncode == 1
    assert said in written.stderr
    assert "nothing written; preview the changes with `dry_run`" in written.stderr
    assert data_of(target) == before
    assert written.stdout == ""


GOOD = {"ref": "Good", "name": "Good"}


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        ({"persons": [{"ref": "x"}]}, {}, "unsupported stream persons; supported: users, groups"),
        ({"users": [{"name": "x"}]}, {}, "stream users lacks the column `ref` or `email`"),
        ({"group_members": [{"x": 1}]}, {}, "lacks the column `group_ref` and `user_ref`"),
        ({}, {"custom_fields": {"d": "Nothing"}}, "no custom field 'Nothing' of USER, and its"),
        ({}, {"max_archive_share": 2}, "setting `max_archive_share` must be at most 1, not 2"),
        ({}, {"membership": "add"}, "setting `membership` is unknown"),
        ({}, {"client_secret": "wrong"}, "the organization rejects the client"),
        ({}, {"client_id": ""}, "for example as TARGET_PLUVO_CLIENT_ID"),
        ({}, {"rejects": "/proc/none/x"}, "setting `rejects`: the file '/proc/none/x' cannot be"),
    ],
)
def test_wrong_input_is_refused_in_words_before_anything_is_written(
    target: Target, data: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    before = data_of(target)
    messages = singer({"users": [GOOD]} | data)
    written = target.run(messages, **settings)
    assert written.returncode == 1
    assert said in written.stderr
    assert data_of(target) == before
    assert target.mutations() == []
    assert written.stdout == ""


SCHEMA = (
    '{"type": "SCHEMA", "stream": "users", "schema": {"properties": {"ref": {}}}, '
    '"key_properties": ["ref"]}\n'
)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("Ann Example\n", "a line of the input is not a Singer message"),
        ("[1]\n", "a line of the input is not a Singer message"),
        ('{"type": "SCHEMA", "stream": "users"}\n', "a line of the input is not a Singer message"),
        (
            '{"type": "RECORD", "stream": "users", "record": {"ref": "Ann Example"}}\n',
            "a row came before the schema of its stream",
        ),
        (
            SCHEMA + '{"type": "RECORD", "stream": "users", "record": {"name": "Ann Example"}}\n',
            "a row lacks a column of its key",
        ),
        ('{"type": "FOO"}\n', "a line of the input is not a Singer message (line 1)"),
        (SCHEMA + '{"type": "RECORD", "stream": "users", "record": 1}\n', "not a Singer message"),
        (
            SCHEMA + '{"type": "BATCH", "stream": "users", "encoding": {}, "manifest": []}\n',
            "stream users comes as BATCH messages, which this target does not take",
        ),
    ],
)
def test_input_of_another_kind_is_refused_in_words(
    target: Target, messages: str, said: str
) -> None:
    written = target.run(messages)
    assert written.returncode == 1
    assert said in written.stderr
    assert "Ann Example" not in written.stderr
    assert not target.sandbox.requests


def test_text_of_every_kind_arrives_as_it_is(target: Target) -> None:
    name = 'Zoë 😀 "quoted" \\ back\nline\ttab \x7f \u2028 עברית'
    row = {"ref": 'a"\\b', "name": name}
    target.write({"users": [row]})
    assert person(target, row["ref"])[1] == name
    assert target.write({"users": [row]}).table == {"users": {"unchanged": 1}}


def test_an_event_that_does_not_exist_concerns_its_rows_only(target: Target) -> None:
    target.sandbox.database.execute("UPDATE offer_events SET ref = 'EV' WHERE rowid = 1")
    target.sandbox.insert_user("Ann", ref="Ann")
    rows = [{"offer_event_ref": event, "user_ref": "Ann"} for event in ("EV", "Nope")]
    written = target.run(singer({"enrollments": rows}))
    assert written.table == {"enrollments": {"created": 1, "rejected": 1}}
    assert "Offer event not found" in written.rejects[0]["reason"]


def test_rejected_rows_go_to_a_file_and_the_others_go_on(target: Target) -> None:
    target.sandbox.insert_user("Ann", ref="Ann", email="ann@example.com")
    first = {"users": [{"ref": "Bob", "name": "Bob"}]}
    second: dict[str, Any] = {
        "users": [
            {"ref": None, "name": "x"},
            {"ref": "Cid", "email": "cid@example.com", "name": "Cid", "language": "KL"},
            {"ref": "Dee", "archived": "perhaps"},
            {"ref": "Eve"},
            {"ref": "Fay", "name": "Fay", "email": "no address"},
        ],
        "trainings": [{"ref": "T", "title": "T"}, {"ref": "U"}],
        "training_participants": [
            {"training_ref": "T", "user_ref": "Ann"},
            {"training_ref": "Gone", "user_ref": "Ann"},
            {"training_ref": "T", "user_ref": "Fay"},
        ],
    }
    written = target.run(singer(first, second))
    assert written.returncode == 1
    assert written.states == [{"part": 1}]  # up to there all is done
    assert written.table == {
        "users": {"created": 1, "rejected": 5},
        "trainings": {"created": 1, "rejected": 1},
        "training_participants": {"created": 1, "rejected": 2},
    }
    assert [(row["stream"], row["row"], row["reason"]) for row in written.rejects] == [
        ("users", 2, "`ref` and `email` are both empty"),
        ("users", 3, "`language` is none of NL"),
        ("users", 4, "`archived` is neither true nor false"),
        ("users", 5, "`name` is empty, and there is no such user yet"),
        ("users", 6, written.rejects[4]["reason"]),
        ("trainings", 2, "`title` is empty, and there is no such training yet"),
        (
            "training_participants",
            2,
            "`training_ref`: Pluvo has no training with this ref, and the data has none",
        ),
        (
            "training_participants",
            3,
            "the row of its user was rejected; see the error there",
        ),
    ]
    assert written.rejects[4]["reason"].startswith("Pluvo refused it: the API answered")
    assert written.rejects[1]["record"]["email"] == "cid@example.com"
    assert target.rejects.stat().st_mode & 0o777 == 0o600
    assert "cid@example.com" not in written.stderr
    target.write(first)
    assert not target.rejects.exists()


def test_a_file_of_something_else_is_not_taken_for_that_of_rejected_rows(target: Target) -> None:
    other = target.folder / "people.csv"
    other.write_text("number,name\n", encoding="utf-8")
    written = target.run(singer({"users": [GOOD]}), rejects=str(other))
    assert written.returncode == 1
    assert "holds something else: name another file" in written.stderr
    assert other.read_text("utf-8") == "number,name\n"
    assert target.mutations() == []


def test_a_signal_ends_a_run_and_the_next_one_does_the_rest(target: Target) -> None:
    rows = [{"ref": f"U{number}", "name": "U"} for number in range(100)]
    target.sandbox.set_faults("slow=1:updateOrCreateUser")
    pid = target.start(singer({"users": rows}), operations_per_request=1, max_concurrency=1)
    while not target.mutations():
        time.sleep(0.01)
    os.kill(pid, signal.SIGTERM)
    ended = target.end()
    assert ended.returncode == 128 + signal.SIGTERM
    assert ended.stdout == ""
    target.sandbox.set_faults()
    written = target.write({"users": rows})
    assert written.table["users"]["unchanged"] < 10
    assert sum(written.table["users"].values()) == 100


def test_one_of_a_batch_that_cannot_be_added_does_not_keep_the_others_out(
    target: Target,
) -> None:
    for name in ("Ann", "Bob", "Cid"):
        target.sandbox.insert_user(name, ref=name)
    target.sandbox.insert_group("G", ref="G", maxUsers=2)
    rows = [{"group_ref": "G", "user_ref": name} for name in ("Ann", "Bob", "Cid")]
    written = target.run(singer({"group_members": rows}))
    assert written.table == {"group_members": {"created": 2, "rejected": 1}}
    assert one(target, "SELECT count(*) FROM group_users") == 2


# ---------- faults ----------


@pytest.mark.parametrize("fault", ["late-502/3", "late-no-data/3", "revoked@6-7"])
def test_faults_neither_lose_nor_double_anything(target: Target, fault: str) -> None:
    target.sandbox.set_faults(fault, "429=0@2", "503@4")
    data = {
        "users": [{"ref": f"U{n}", "name": f"U{n}"} for n in range(12)],
        "groups": [{"ref": f"G{n}", "name": f"G{n}"} for n in range(3)],
        "group_members": [{"group_ref": "G0", "user_ref": f"U{n}"} for n in range(12)],
    }
    written = target.write(data, max_retry_seconds=30)
    assert {name: found["created"] for name, found in written.table.items()} == {
        name: len(rows) for name, rows in data.items()
    }
    assert one(target, "SELECT count(*), count(DISTINCT ref) FROM users WHERE ref LIKE 'U%'") == (
        12,
        12,
    )
    assert one(target, "SELECT count(*) FROM groups WHERE name LIKE 'G_'") == 3
    assert one(target, "SELECT count(*) FROM group_users") == 12


def test_an_api_that_stays_down_ends_the_run_without_a_state(target: Target) -> None:
    target.sandbox.set_faults("503:updateOrCreateUser")
    written = target.run(singer({"users": [GOOD]}), max_retry_seconds=1)
    assert written.returncode == 1
    assert written.stdout == ""
    assert "Pluvo is temporarily unavailable (HTTP 503)" in written.stderr


def test_a_server_that_takes_one_mutation_a_request_gets_one(tmp_path: Path) -> None:
    with Sandbox(users=0, groups=0, trainings=0, portfolio=0, max_root_fields=1) as sandbox:
        target = Target(sandbox, tmp_path)
        rows = [{"ref": f"U{n}", "name": f"U{n}"} for n in range(7)]
        assert target.write({"users": rows}).table == {"users": {"created": 7}}


def test_scopes_are_those_of_the_streams_and_what_the_api_names(tmp_path: Path) -> None:
    needs = {"updateExtraCategoryValues": ["extra_categories.write"]}
    with Sandbox(users=2, groups=0, trainings=0, portfolio=0, required_scopes=needs) as sandbox:
        target = Target(sandbox, tmp_path, custom_fields={"site": "Werklocatie"})
        target.write({"users": [{"ref": "Ann", "name": "Ann", "site": "Delft"}]})
        scopes = [request.scopes for request in sandbox.requests if request.scopes]
        assert scopes == [
            ("users.read", "users.write"),
            ("extra_categories.write", "users.read", "users.write"),
        ]


def test_a_scope_that_is_not_granted_is_named_before_anything_is_written(tmp_path: Path) -> None:
    scopes = ["users.read", "groups.read", "users.write"]
    with Sandbox(users=2, groups=1, trainings=0, portfolio=0, scopes=scopes) as sandbox:
        target = Target(sandbox, tmp_path)
        data = {"users": [GOOD], "groups": [{"ref": "G", "name": "G"}]}
        written = target.run(singer(data))
        assert written.returncode == 1
        assert "did not grant the scope groups.write" in written.stderr
        assert target.mutations() == []


def test_a_lean_organization_is_written_to_as_far_as_it_goes(tmp_path: Path) -> None:
    with Sandbox(users=9, groups=3, trainings=3, portfolio=0, schema="lean") as sandbox:
        certificate = sandbox.insert_certificate("First aid")
        target = Target(sandbox, tmp_path)
        data = {
            "users": [{"ref": "Ann", "name": "Ann"}],
            "groups": [{"ref": "G", "name": "G"}],
            "group_members": [{"group_ref": "G", "user_ref": "Ann"}],
            "trainings": [{"ref": "T", "title": "T"}],
            "training_participants": [{"training_ref": "T", "user_ref": "Ann"}],
            "certificates_to_issue": [
                {"certificate_id": certificate, "user_ref": "Ann", "issue_date": "2026-01-31"}
            ],
        }
        assert target.write(data).table == {name: {"created": 1} for name in data}
        again = target.write(data, ledger=f"sqlite:///{tmp_path}/other.db")
        assert again.table == {name: {"unchanged": 1} for name in data}
