"""What target-pluvo must not do, whatever the file of the HR system is like."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from support import write
from target_support import Target, singer

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with Sandbox(users=0, trainings=0, groups=0, portfolio=0) as running:
        yield Target(running, tmp_path)


def account(target: Target, ref: str | None, name: str, **columns: Any) -> str:
    """Make an account, with an address that is made of its name."""
    email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
    return target.sandbox.insert_user(name, ref=ref, **{"email": email} | columns)


def accounts(target: Target) -> list[tuple[Any, ...]]:
    return target.sandbox.database.execute(
        "SELECT ref, name, email, archived FROM users ORDER BY id"
    ).fetchall()


def members(target: Target) -> set[tuple[str, str]]:
    return set(
        target.sandbox.database.execute(
            "SELECT g.ref, u.ref FROM group_users l JOIN groups g ON g.id = l.groupId"
            " JOIN users u ON u.id = l.userId"
        ).fetchall()
    )


def reasons(written: Any) -> list[tuple[int, str]]:
    return [(row["row"], row["reason"]) for row in written.rejects]


# ---------- whose account ----------


@pytest.mark.parametrize("archived", [None, True])
def test_an_address_does_not_give_an_account_another_number(
    target: Target, archived: bool | None
) -> None:
    """W1, W3: neither to somebody who comes, nor to somebody who has left."""
    account(target, "1001", "Ann Jansen")
    before = accounts(target)
    row = {"ref": "3001", "name": "Anna", "email": "ANN@example.com", "archived": archived}
    written = target.run(singer({"users": [row]}))
    assert written.returncode == 1
    assert reasons(written) == [(1, "`email` is the address of the account with ref 1001")]
    assert accounts(target) == before
    assert "example.com" not in written.stderr


@pytest.mark.parametrize("renumber", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_who_is_hired_again_keeps_the_account(target: Target, order: int, renumber: bool) -> None:
    """W2: the old number has left, the new one is active, and both have one address."""
    user = account(target, "1003", "Cid Bakker")
    rows: list[dict[str, Any]] = [
        {"ref": "1003", "name": "Cid Bakker", "email": "cid@example.com", "archived": True},
        {"ref": "2003", "name": "Cid Bakker", "email": "cid@example.com", "archived": False},
    ]
    for night in range(2):
        written = target.run(singer({"users": rows[::order]}), renumber=renumber)
        ref = "2003" if renumber else "1003"
        assert accounts(target) == [(ref, "Cid Bakker", "cid@example.com", False)]
        assert user == target.sandbox.database.execute("SELECT id FROM users").fetchone()[0]
        if renumber:
            expected = {"unchanged": 2} if night else {"renumbered": 1, "unchanged": 1}
        else:
            expected = {"rejected": 2}
        assert written.table == {"users": expected}


def test_an_account_is_not_renumbered_whose_number_is_in_use_or_whose_name_differs(
    target: Target,
) -> None:
    account(target, "1", "Ann")
    account(target, "2", "Bob")
    before = accounts(target)
    rows = [
        {"ref": "1", "name": "Ann"},
        {"ref": "9", "name": "Ann", "email": "ann@example.com"},
        {"ref": "8", "name": "Julia", "email": "bob@example.com"},
    ]
    written = target.run(singer({"users": rows}), renumber=True)
    assert written.table == {"users": {"unchanged": 1, "rejected": 2}}
    assert [row[:2] for row in accounts(target)] == [row[:2] for row in before]


def test_one_number_with_two_persons_is_rejected(target: Target) -> None:
    """W4."""
    account(target, "1012", "Dee")
    before = accounts(target)
    rows = [
        {"ref": "1012", "name": "Dee", "email": "dee@example.com"},
        {"ref": "1012", "name": "Eve", "email": "eve@example.com"},
    ]
    written = target.run(singer({"users": rows}))
    assert written.table == {"users": {"rejected": 2}}
    assert accounts(target) == before


def test_swapped_numbers_and_shared_addresses_change_nobody(target: Target) -> None:
    account(target, "1", "Ann")
    account(target, "2", "Bob")
    target.sandbox.insert_group("G", ref="G")
    before = accounts(target)
    data = {
        "users": [
            {"ref": "1", "name": "Bob", "email": "bob@example.com"},
            {"ref": "2", "name": "Ann", "email": "ann@example.com"},
            {"ref": "3", "name": "Cid", "email": "info@example.com"},
            {"ref": "4", "name": "Dee", "email": "Info@example.com"},
        ],
        "group_members": [{"group_ref": "G", "user_ref": ref} for ref in "1234"],
    }
    written = target.run(singer(data))
    assert written.table == {"users": {"rejected": 4}, "group_members": {"rejected": 4}}
    assert accounts(target) == before
    assert members(target) == set()


def test_what_is_found_is_what_is_compared_and_written(target: Target) -> None:
    """W5, W6, W7: blanks of all kinds, NaN, numbers of a spreadsheet, lost zeros."""
    account(target, "000123", "Zoë Oud")
    rows: list[dict[str, Any]] = [
        {"ref": " P-1\u200b", "name": "\u00a0Anna ", "email": " Ann@example.com\u00a0"},
        {"ref": 70001.0, "name": "Zoe\u0308", "email": "zoe@example.com"},
        {"ref": float("nan"), "name": "Bo", "email": "bo@example.com"},
        {"ref": "123", "name": "Zoë Oud", "email": "zoë@example.com"},
        {"ref": "5", "name": float("nan"), "email": "cid@example.com"},
        {"ref": 1e21, "name": "Dee"},
        {"ref": None, "name": "", "email": "\u00a0"},
    ]
    written = target.run(singer({"users": rows}))
    assert written.table == {"users": {"created": 3, "rejected": 3}}
    found = {row[:3] for row in accounts(target)}
    assert ("P-1", "Anna", "Ann@example.com") in found
    assert ("70001", "Zo\u00eb", "zoe@example.com") in found
    assert [row for row, _ in reasons(written)] == [4, 5, 6]
    assert "nan" not in {str(value).casefold() for row in found for value in row}
    target.sandbox.reset_log()
    again = target.run(singer({"users": rows}))
    assert again.table == {"users": {"unchanged": 3, "rejected": 3}}
    assert target.mutations() == []


@pytest.mark.parametrize("number", [2**53 + 1, 12345678901234567890, "0.1000", 36.50])
def test_numbers_of_custom_fields_are_exact(target: Target, number: Any) -> None:
    """W8."""
    row = {"ref": "1", "name": "Ann", "hours": number}
    settings = {"custom_fields": {"hours": "Uren per week"}}
    target.write({"users": [row]}, **settings)
    stored = target.sandbox.database.execute(
        "SELECT stringValue FROM extra_category_values"
    ).fetchall()
    assert stored == [(str(number).rstrip("0") if "." in str(number) else str(number),)]
    target.sandbox.reset_log()
    assert target.write({"users": [row]}, **settings).table == {"users": {"unchanged": 1}}
    assert target.mutations() == []


def test_nobody_is_made_who_has_left_and_nobody_archived_is_invited(target: Target) -> None:
    """W9."""
    training = target.sandbox.insert_training("T", ref="T")
    account(target, "2", "Bob", archived=True)
    account(target, "3", "Cid")
    data: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"ref": "1", "name": "Ann", "email": "ann@example.com", "archived": True},
            {"ref": "2", "name": "Bob", "email": "bob@example.com"},
            {"ref": "3", "name": "Cid", "email": "cid@example.com"},
        ],
        "training_participants": [{"training_ref": "T", "user_ref": ref} for ref in "123"],
    }
    settings = {"send_invites": True, "send_training_invites": True}
    written = target.write(data, **settings)
    assert written.table["users"] == {"unchanged": 3}
    assert written.table["training_participants"] == {"created": 2, "unchanged": 1}
    sent = {
        user[0]: "sendInvites: true" in text
        for text in " ".join(target.mutations()).split("addUsersToTraining")[1:]
        for user in target.sandbox.database.execute("SELECT ref, id FROM users").fetchall()
        if user[1] in text
    }
    assert sent == {"2": False, "3": True}
    assert training


def test_words_that_are_no_yes_and_no_no_reject_their_row(target: Target) -> None:
    """W16."""
    for ref in "12345":
        account(target, ref, f"N{ref}")
    words = ["Left", "ja", "perhaps", "nee", "1.0"]
    rows = [{"ref": ref, "archived": word} for ref, word in zip("12345", words, strict=True)]
    written = target.run(singer({"users": rows}), max_archive_share=1)
    assert [row for row, _ in reasons(written)] == [1, 3, 5]
    assert [row[3] for row in accounts(target)].count(True) == 1


def test_the_outcome_does_not_depend_on_the_order_of_rows(target: Target) -> None:
    account(target, "1", "Ann")
    account(target, "2", "Bob")
    account(target, None, "Cid")
    rows: list[dict[str, Any]] = [
        {"ref": "1", "name": "Anna", "email": "ann@example.com"},
        {"ref": "2", "name": "Bob", "archived": True},
        {"ref": "7", "name": "Bob", "email": "bob@example.com"},
        {"ref": "8", "name": "Cid", "email": "cid@example.com"},
    ]
    digests = set()
    for order in itertools.permutations(rows):
        written = target.run(singer({"users": order}), dry_run=True)
        digests.add(written.stderr.rpartition("its digest is ")[2].split()[0])
        assert {json.dumps(row["record"]) for row in written.rejects} == {
            json.dumps(row | {}) for row in rows[1:3]
        }
    assert len(digests) == 1


# ---------- limits ----------


def crowd(target: Target, number: int = 30, **columns: Any) -> list[str]:
    for ref in range(number):
        account(target, str(ref), f"N{ref}", **columns)
    return [str(ref) for ref in range(number)]


def department(target: Target, ref: str, people: list[str]) -> None:
    group = target.sandbox.insert_group(ref, ref=ref)
    ids = dict(target.sandbox.database.execute("SELECT ref, id FROM users"))
    for person in people:
        target.sandbox.insert_group_member(group, ids[person])


def in_group(group: str, people: list[str]) -> list[dict[str, Any]]:
    return [{"group_ref": group, "user_ref": person} for person in people]


@pytest.mark.parametrize(
    ("rows", "setting"),
    [
        ([{"ref": str(n), "archived": True} for n in range(4)], "max_archive_share"),
        ([{"ref": f"X{n}", "archived": False} for n in range(4)], "max_restore_share"),
        ([{"ref": str(n), "email": f"new{n}@example.com"} for n in range(4)], "max_address_change"),
        ([{"ref": str(n), "roles": "MANAGER"} for n in range(4)], "max_role_change_share"),
        (
            [{"ref": f"Y{n}", "name": f"N{n}", "email": f"n{n}@example.com"} for n in range(4)],
            "max_renumber_share",
        ),
    ],
)
def test_each_kind_of_change_has_a_limit_that_holds_for_a_day(
    target: Target, rows: list[dict[str, Any]], setting: str
) -> None:
    """W13, W14, W15: what is more than the limit in one run is so in many small ones, too."""
    crowd(target)
    for number in range(4):
        account(target, f"X{number}", f"X{number}", archived=True)
    options = {"manage_roles": True, "renumber": True}
    before = accounts(target)
    written = target.run(singer({"users": rows}), **options)
    assert written.returncode == 1
    assert f"setting `{setting}" in written.stderr
    assert "nothing written" in written.stderr
    assert accounts(target) == before
    seen = target.run(singer({"users": rows}), dry_run=True, **options)
    assert seen.returncode == 0
    assert "limit exceeded: a real run would stop here" in seen.stderr
    for row in rows[:3]:
        target.write({"users": [row]}, **options)
    after = accounts(target)
    last = target.run(singer({"users": rows[3:]}), **options)
    assert last.returncode == 1
    assert "after 3 in the last 24 hours, and 3 are allowed" in last.stderr
    assert accounts(target) == after


def test_a_file_that_was_cut_empties_no_group(target: Target) -> None:
    """W10."""
    people = crowd(target)
    department(target, "G", people)
    data = {"group_members": in_group("G", people[:3])}
    written = target.run(singer(data), membership_mode="mirror")
    assert written.returncode == 1
    assert "would remove 27 of 30 members, and 3 are allowed" in written.stderr
    assert len(members(target)) == 30


def test_mirroring_takes_nothing_from_whoever_has_no_good_row(target: Target) -> None:
    """W11: a department is missing, an addition fails, a row of the person is rejected."""
    people = crowd(target, 8)
    department(target, "old", people)
    target.sandbox.insert_group("full", ref="full", maxUsers=0)
    data: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"ref": "0", "name": "N0"},
            {"ref": "1", "name": "N1"},
            {"ref": "2", "name": "N2", "archived": "perhaps"},
            {"ref": "3", "name": "N3"},
            {"ref": "4", "name": "N4"},
        ],
        "group_members": [
            {"group_ref": None, "user_ref": "0"},
            {"group_ref": "full", "user_ref": "1"},
            {"group_ref": "full", "user_ref": "2"},
            {"group_ref": "old", "user_ref": "3"},
            *in_group("old", ["5", "6", "7"]),
        ],
    }
    written = target.run(singer(data), membership_mode="mirror")
    assert written.returncode == 1
    assert written.table["group_members"]["removed"] == 1
    assert members(target) == {("old", person) for person in people if person != "4"}
    assert "not removed, since a row of the same user was not written" in written.stderr


def test_a_row_of_which_nobody_knows_whose_it_is_protects_everybody(target: Target) -> None:
    people = crowd(target, 4)
    department(target, "G", people)
    data = {
        "users": [{"ref": None, "name": "Somebody"}],
        "group_members": in_group("G", people[:3]),
    }
    written = target.run(singer(data), membership_mode="mirror")
    assert written.table["group_members"] == {"unchanged": 3}
    assert len(members(target)) == 4


def test_groups_that_the_data_is_in_charge_of_are_emptied(target: Target) -> None:
    """W12: a department gets another name; a group of somebody else is left alone."""
    people = crowd(target, 3)
    for name in ("department-old", "choir"):
        department(target, name, people)
    data = {
        "groups": [{"ref": "department-new", "name": "New"}],
        "group_members": in_group("department-new", people),
    }
    settings = {"membership_mode": "mirror", "managed_groups": ["department-*"]}
    target.write(data, **settings)
    wanted = {(group, person) for group in ("department-new", "choir") for person in people}
    assert members(target) == wanted
    again = target.write(data, **settings)
    assert again.table["group_members"] == {"unchanged": 3}


def test_roles_are_written_only_where_a_setting_says_so(target: Target) -> None:
    """W15."""
    account(target, "1", "Ann", roles=["PARTICIPANT"])
    row = {"ref": "1", "roles": "MANAGER"}
    ignored = target.write({"users": [row]})
    assert ignored.table == {"users": {"unchanged": 1}}
    assert "column `roles` is ignored; see setting `manage_roles`" in ignored.stderr
    target.write({"users": [row]}, dry_run=True, manage_roles=True)
    plan = (target.folder / "target-pluvo-plan.txt").read_text("utf-8")
    assert 'users 1: updated; roles: ["PARTICIPANT"] -> ["MANAGER"] (row 1)\n' in plan


# ---------- a plan that is approved ----------


def test_exactly_the_plan_that_was_approved_is_done(target: Target) -> None:
    account(target, "1", "Ann Jansen")
    account(target, None, "Bob")
    data = {
        "users": [
            {"ref": "1", "name": "Anna Jansen"},
            {"ref": "2", "name": "Bob", "email": "bob@example.com"},
        ]
    }
    seen = target.write(data, dry_run=True)
    path = target.folder / "target-pluvo-plan.txt"
    plan = path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    digest = plan.rpartition("digest: ")[2].strip()
    assert f"its digest is {digest}" in seen.stderr
    assert plan.splitlines()[-5:-2] == [
        "Changes:",
        'users 1: updated; name: "Ann Jansen" -> "Anna Jansen" (row 1)',
        'users 2: adopted; ref: nothing -> "2" (row 2)',
    ]

    target.sandbox.database.execute("UPDATE users SET name = 'Anna Jansen' WHERE ref = '1'")
    before = accounts(target)
    refused = target.run(singer(data), approved_plan=digest)
    assert refused.returncode == 1
    assert "1 changes are no longer in it: users 1: updated\n" in refused.stderr
    assert "Jansen" not in refused.stderr
    assert accounts(target) == before
    assert target.mutations() == []

    target.sandbox.database.execute("UPDATE users SET name = 'Ann Jansen' WHERE ref = '1'")
    turned = {"users": data["users"][::-1]}
    done = target.write(turned, approved_plan=digest)
    assert done.table == {"users": {"updated": 1, "adopted": 1}}


def test_a_plan_for_another_organization_or_with_invitations_is_another_one(
    target: Target, tmp_path: Path
) -> None:
    data = {"users": [{"ref": "1", "name": "Ann"}]}
    digests = set()
    with Sandbox(users=0, trainings=0, groups=0, portfolio=0) as other:
        for place in (target, Target(other, tmp_path)):
            for invites in (False, True):
                written = place.write(data, dry_run=True, send_invites=invites)
                digests.add(written.stderr.rpartition("its digest is ")[2].split()[0])
    assert len(digests) == 4
    unknown = target.run(singer(data), approved_plan="0" * 16)
    assert "what differs is not known" in unknown.stderr
    assert target.mutations() == []


# ---------- one bad value costs its row ----------

GOOD = {"ref": "1", "name": "Good"}


def lines(*records: str) -> str:
    """Return messages of rows that are given as JSON text."""
    schema = {"type": "object", "properties": {"ref": {}, "name": {}, "department": {}}}
    head = {"type": "SCHEMA", "stream": "users", "schema": schema, "key_properties": ["ref"]}
    body = [f'{{"type": "RECORD", "stream": "users", "record": {record}}}' for record in records]
    return "\n".join([json.dumps(head), *body, ""])


@pytest.mark.parametrize(
    ("record", "column", "reason"),
    [
        ('{"ref": "2", "name": "Half \\ud83d"}', "name", "half of a character"),
        ('{"ref": "2", "name": "x", "department": Infinity}', "department", "infinite"),
        ('{"ref": 1e400, "name": "x"}', "ref", "has lost digits"),
        ('{"ref": ' + "9" * 5000 + ', "name": "x"}', "ref", "has lost digits"),
        ('{"ref": "2", "name": ' + "[" * 5000 + "]" * 5000 + "}", None, "nested too deeply"),
        ('{"ref": ["2"], "name": "x"}', "ref", "neither a text nor a number"),
        ('{"ref": "2", "name": {"first": "x"}}', "name", "is not a text"),
    ],
)
def test_a_value_that_cannot_be_read_costs_its_row(
    target: Target, record: str, column: str | None, reason: str
) -> None:
    written = target.run(lines(record, json.dumps(GOOD)))
    assert written.returncode == 1
    assert written.table == {"users": {"created": 1, "rejected": 1}}
    (found,) = written.rejects
    assert (found["row"], found["line"], found["column"]) == (1, 2, column)
    assert reason in found["reason"]
    again = target.run(lines(json.dumps(GOOD)))
    assert again.table == {"users": {"unchanged": 1}}
    assert not target.rejects.exists()


def test_bytes_that_are_not_utf_8_cost_their_row(target: Target) -> None:
    text = lines('{"ref": "2", "name": "Zo@"}', json.dumps(GOOD))
    path = write(target.folder, "latin.singer", "")
    target.folder.joinpath("latin.singer").write_bytes(text.encode().replace(b"@", b"\xeb"))
    written = target.run_file(path)
    assert written.table == {"users": {"created": 1, "rejected": 1}}
    assert "not UTF-8" in written.rejects[0]["reason"]


def test_an_expression_that_fails_costs_its_row_and_names_itself(target: Target) -> None:
    target.sandbox.insert_group("G", ref="department-Care")
    maps = {
        "users": {"department": None},
        "group_members": {
            "__source__": "users",
            "__key_properties__": ["group_ref", "user_ref"],
            "__else__": None,
            "group_ref": "'department-' + department",
            "user_ref": "ref",
        },
    }
    rows = [
        '{"ref": "1", "name": "Ann", "department": "Care"}',
        '{"ref": "2", "name": "Bob", "department": null}',
    ]
    written = target.run(lines(*rows), stream_maps=maps)
    assert written.table == {
        "users": {"created": 2},
        "group_members": {"created": 1, "rejected": 1},
    }
    (found,) = written.rejects
    assert (found["row"], found["line"], found["column"]) == (2, 3, "group_ref")
    assert "as `department` is empty" in found["reason"]
    assert members(target) == {("department-Care", "1")}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["number;name;email"], "Its delimiter seems to be `;`."),
        (["\ufeffnumber", "name"], "The file begins with a byte order mark: read it as utf-8-sig."),
        (["Number", "name"], "No `number`: did you mean `Number`?"),
        (["1001", "ann@example.com"], "The file seems to have no line with the names"),
    ],
)
def test_a_column_that_is_missing_is_told_with_those_that_came(
    target: Target, columns: list[str], said: str
) -> None:
    maps = {
        "users": {
            "__source__": "people",
            "__key_properties__": ["ref"],
            "__else__": None,
            "ref": "number",
            "name": "name",
        },
        "people": None,
    }
    rows = [dict.fromkeys(columns, "x")]
    written = target.run(singer({"people": rows}), stream_maps=maps)
    assert written.returncode == 1
    assert said in written.stderr
    assert "ann@example.com" not in written.stderr
    assert target.mutations() == []


def test_an_empty_file_of_rejects_is_ones_own(target: Target) -> None:
    target.rejects.write_text("", encoding="utf-8")
    target.write({"users": [GOOD]})
    assert not target.rejects.exists()
