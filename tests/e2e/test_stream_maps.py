"""The SDK's stream maps and flattening, and the column that names the organization."""

from __future__ import annotations

import csv
from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest
from expected import KEYS, by_key, expected
from support import DEFAULT_STREAMS, config, discover, pipe, run_tap, selecting, sync, tool

if TYPE_CHECKING:
    from pathlib import Path

    from pluvo_sandbox import Sandbox


def test_personal_values_can_be_hashed_or_left_out(catalog: Any, sandbox: Sandbox) -> None:
    maps = {
        "users": {"email": "md5(email) if email else None", "name": None},
        "portfolio_report": {"user_email": None, "user_name": None},
    }
    chosen = selecting(catalog, {*maps, "groups"})
    result = sync(config(sandbox, stream_maps=maps), catalog=chosen)
    wanted = expected(sandbox.path, "users")
    for row in wanted:
        del row["name"]
        row["email"] = row["email"] and md5(row["email"].encode()).hexdigest()
    assert by_key("users", result.records["users"]) == wanted
    assert "name" not in result.schemas["users"]["schema"]["properties"]
    assert not {"user_email", "user_name"} & {*result.records["portfolio_report"][0]}
    assert by_key("groups", result.records["groups"]) == expected(sandbox.path, "groups")
    emails = [row["email"] for row in expected(sandbox.path, "users") if row["email"]]
    assert not [email for email in emails if email in result.stdout]


def test_rows_can_be_left_out_and_streams_renamed(catalog: Any, sandbox: Sandbox) -> None:
    maps = {
        "users": {"__filter__": "not archived", "__alias__": "people"},
        "trainings": {"__else__": None, "id": "id", "title": "title"},
        "groups": "__NULL__",
    }
    result = sync(config(sandbox, stream_maps=maps), catalog=selecting(catalog, {*maps}))
    assert result.records.keys() == {"people", "trainings"}
    wanted = [row for row in expected(sandbox.path, "users") if not row["archived"]]
    assert by_key("users", result.records["people"]) == wanted
    assert {tuple(sorted(row)) for row in result.records["trainings"]} == {("id", "title")}


@pytest.mark.parametrize("removed", [None, "__NULL__"])
def test_a_stream_that_a_map_removes_is_not_activated(
    removed: str | None, catalog: Any, sandbox: Sandbox
) -> None:
    """Targets look the stream of an ACTIVATE_VERSION up, and have had no SCHEMA of this one."""
    settings = config(sandbox, stream_maps={"users": removed}, emit_activate_version_messages=True)
    result = sync(settings, catalog=selecting(catalog, ["users", "groups"]))
    activated = [item["stream"] for item in result.messages if item["type"] == "ACTIVATE_VERSION"]
    assert activated == ["groups"]
    assert result.schemas.keys() == {"groups"}


def test_maps_of_streams_that_are_not_selected_are_no_matter(
    catalog: Any, sandbox: Sandbox
) -> None:
    maps = {"users": {"name": "md5(name)"}, "portfolio_items": {"title": None}}
    result = sync(config(sandbox, stream_maps=maps), catalog=selecting(catalog, ["groups"]))
    assert by_key("groups", result.records["groups"]) == expected(sandbox.path, "groups")


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({"user": {"name": None}}, "there is no stream 'user': did you mean `users`?"),
        ({"people": {"__source__": "usrs"}}, "there is no stream 'usrs': did you mean `users`?"),
        ({"zzz*": {"name": None}}, "`stream_maps`: there is no stream 'zzz*'"),
        (
            {"users": {"emial": None}},
            "`stream_maps.users`: there is no column 'emial' to leave out: did you mean `email`?",
        ),
        ({"group*": {"namee": None}}, "`stream_maps.group*`: there is no column 'namee'"),
    ],
)
def test_a_map_that_would_hide_nothing_is_refused(
    maps: Any, message: str, sandbox: Sandbox
) -> None:
    result = run_tap(config(sandbox, stream_maps=maps))
    assert result.returncode == 1
    assert message in result.stderr
    assert not result.stdout


def test_maps_of_several_streams_at_once(catalog: Any, sandbox: Sandbox) -> None:
    maps = {"*members": {"group_ref": None}, "people": {"__source__": "users", "email": None}}
    chosen = selecting(catalog, {"group_members", "users"})
    result = sync(config(sandbox, stream_maps=maps), catalog=chosen)
    assert "group_ref" not in result.schemas["group_members"]["schema"]["properties"]
    assert "email" not in result.schemas["people"]["schema"]["properties"]


def test_a_map_that_fails_for_a_row_is_named_with_its_remedy(
    catalog: Any, sandbox: Sandbox
) -> None:
    settings = config(sandbox, stream_maps={"users": {"email": "md5(email)"}})
    result = run_tap(settings, catalog=selecting(catalog, ["users", "groups"]))
    assert result.returncode == 1
    assert result.failed_streams() == {"users"}
    assert (
        "setting `stream_maps.users.email`: `md5(email)` fails for a row (AttributeError), as "
        "`email` is empty: write `md5(email) if email else None`"
    ) in result.stderr
    assert result.records["groups"]


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({"name": "name[1000]"}, "`stream_maps.users.name`: `name[1000]` fails for a row (Index"),
        ({"__filter__": "1 / 0 > 1"}, "`stream_maps.users`: `1 / 0 > 1` fails for a row (ZeroDiv"),
        ({"name": "missing"}, "setting `stream_maps`: Failed to evaluate"),
    ],
)
def test_expressions_that_fail_otherwise(
    maps: Any, message: str, catalog: Any, sandbox: Sandbox
) -> None:
    result = run_tap(
        config(sandbox, stream_maps={"users": maps}), catalog=selecting(catalog, ["users"])
    )
    assert result.returncode == 1
    assert message in result.stderr


def test_columns_can_be_made(catalog: Any, sandbox: Sandbox) -> None:
    maps = {"users": {"domain": "email.split('@')[-1] if email else None"}}
    result = sync(config(sandbox, stream_maps=maps), catalog=selecting(catalog, ["users"]))
    for row in result.records["users"]:
        assert row["domain"] == (row["email"] and row["email"].split("@")[-1])


@pytest.mark.parametrize("depth", [0, 5])
def test_flattening_changes_nothing_as_rows_are_flat(depth: int, sandbox: Sandbox) -> None:
    settings = {"flattening_enabled": True, "flattening_max_depth": depth}
    result = sync(config(sandbox, **settings))
    assert result.records.keys() == DEFAULT_STREAMS
    for stream, rows in result.records.items():
        assert by_key(stream, rows) == expected(sandbox.path, stream)


def test_maps_reach_a_target(catalog: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    maps = {"users": {"email": "md5(email) if email else None", "name": None}}
    chosen = selecting(catalog, ["users"])
    result = sync(config(sandbox, stream_maps=maps), catalog=chosen)
    settings = {"output_path": str(tmp_path)}
    pipe(result.stdout, tool("target-csv", "target-csv"), settings, tmp_path)
    with (tmp_path / "users.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    emails = {row["email"] for row in expected(sandbox.path, "users") if row["email"]}
    hashed = {md5(email.encode()).hexdigest() for email in emails}
    assert {row["email"] for row in rows} - {""} == hashed
    assert "name" not in rows[0]


def test_rows_can_say_which_organization_they_are_of(sandbox: Sandbox) -> None:
    settings = config(sandbox, add_organization_column=True)
    label = sandbox.url.removeprefix("http://")
    catalog = discover(settings)
    for result in (sync(settings), sync(settings, catalog=catalog)):
        for stream in DEFAULT_STREAMS:
            key = result.schemas[stream]["key_properties"]
            assert sorted(key) == sorted([*KEYS[stream], "organization"])
            wanted = [row | {"organization": label} for row in expected(sandbox.path, stream)]
            assert by_key(stream, result.records[stream]) == wanted
