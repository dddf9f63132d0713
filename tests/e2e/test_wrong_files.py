"""States, catalogs, configuration files and variables of the environment that are wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import config, metadata_of, of_stream, run_tap, selecting, sync
from wrong_input_support import CLIENT_REMEDY, SECRET, check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pluvo_sandbox import Sandbox

CATALOG_REMEDY = "write one with `tap-pluvo --discover`"


# ---------- state ----------


@pytest.mark.parametrize(
    ("state", "phrases"),
    [
        ("{", ["state: the file '", "is not valid JSON, see line 1, column 2"]),
        ("", ["state: the file '", "is not valid JSON"]),
        ([], ["state: the file '", "must hold a JSON object"]),
        ({"users": {}}, ['state: expected an object {"bookmarks": {...}}', "another tap"]),
        ({"bookmarks": []}, ['state: expected an object {"bookmarks": {...}}']),
        ({"bookmarks": {"users": 3}}, ["state: the bookmark of 'users' is not an object"]),
        *(
            (
                {"bookmarks": {"portfolio_report": {key: value}}},
                [f"state: `{key}` of 'portfolio_report' is not an ISO 8601 date"],
            )
            for key in ("replication_key_value", "full_read_at")
            for value in ("soon", 20240101, ["2024-01-01"])
        ),
        *(
            (
                {"bookmarks": {"portfolio_report": {"range": value}}},
                ["state: `range` of 'portfolio_report' does not hold the days of a range"],
            )
            for value in ("2024", {}, {"end": "2024-01-31", "read_to": "2024-13-01"})
        ),
    ],
)
def test_state(state: Any, phrases: list[str], guarded: Sandbox) -> None:
    check(run_tap(config(guarded), state=state), *phrases)


def test_a_state_belongs_to_an_organization(guarded: Sandbox) -> None:
    """Its bookmarks would hide rows of another one."""
    state = sync(config(guarded)).state
    assert state["organization"] == "127.0.0.1"
    assert sync(config(guarded), state=state).state["organization"] == "127.0.0.1"
    result = run_tap(config(guarded), state=state | {"organization": "academy.pluvo.com"})
    check(result, "state: it is of academy.pluvo.com, and this run reads 127.0.0.1", "its own")
    assert result.stdout == ""
    check(run_tap(config(guarded), state=state | {"organization": 3}), "another tap")


def test_a_state_that_was_written_by_hand(guarded: Sandbox) -> None:
    bookmark = {"replication_key_value": "2024-01-01", "full_read_at": "2024-01-01"}
    state = {"bookmarks": {"portfolio_report": bookmark, "a_stream_that_is_gone": {}}}
    result = run_tap(config(guarded), state=state)
    assert result.returncode == 0, result.stderr
    assert result.bookmark("portfolio_report")["full_read_at"] > "2024-01-02"


# ---------- catalog ----------


@pytest.mark.parametrize(
    ("catalog", "phrases"),
    [
        ("<html>", ["catalog: the file '", "is not valid JSON"]),
        ("", ["catalog: the file '", "is not valid JSON"]),
        ([], ["catalog: the file '", "must hold a JSON object"]),
        ({}, ["not a Singer catalog", CATALOG_REMEDY]),
        ({"streams": {}}, ["not a Singer catalog", CATALOG_REMEDY]),
        ({"streams": ["users"]}, ["not a Singer catalog", CATALOG_REMEDY]),
        ({"streams": [{}]}, ["not a Singer catalog", CATALOG_REMEDY]),
        ({"streams": [{"tap_stream_id": "users"}]}, ["not a Singer catalog", CATALOG_REMEDY]),
        (
            {
                "streams": [
                    {"tap_stream_id": "users", "schema": {"properties": {"id": {}}}, "metadata": 3}
                ]
            },
            ["not a Singer catalog", CATALOG_REMEDY],
        ),
    ],
)
def test_catalog(catalog: Any, phrases: list[str], guarded: Sandbox) -> None:
    result = run_tap(config(guarded), catalog=catalog)
    check(result, *phrases)
    assert result.stdout == ""


def rename(catalog: Any) -> None:
    of_stream(catalog, "users")["tap_stream_id"] = "userz"


def replicate_by_title(catalog: Any) -> None:
    of_stream(catalog, "portfolio_report")["replication_key"] = "title"


def replicate_users_incrementally(catalog: Any) -> None:
    of_stream(catalog, "users")["replication_method"] = "INCREMENTAL"


def replicate_by_log(catalog: Any) -> None:
    of_stream(catalog, "portfolio_report")["replication_method"] = "LOG_BASED"


def key_of_another_tap(catalog: Any) -> None:
    of_stream(catalog, "users")["key_properties"] = ["node_id"]
    metadata_of(catalog, "users")["table-key-properties"] = ["node_id"]


def numeric_identifiers(catalog: Any) -> None:
    of_stream(catalog, "users")["schema"]["properties"]["id"]["type"] = ["integer", "null"]


def select_nothing(catalog: Any) -> None:
    for stream in catalog["streams"]:
        metadata_of(catalog, stream["tap_stream_id"])["selected"] = False


@pytest.mark.parametrize(
    ("change", "phrases"),
    [
        (key_of_another_tap, ["stream users is another one here", "its key is id", "--discover`"]),
        (numeric_identifiers, ["stream users", "its column id is of type string", "--discover`"]),
        (select_nothing, ["catalog: no stream is selected"]),
        (rename, ["stream userz failed: there is no such stream"]),
        (
            replicate_by_title,
            ["stream portfolio_report", "replicated by 'title'", "use completion_date"],
        ),
        (replicate_users_incrementally, ["stream users", "INCREMENTAL", "use FULL_TABLE"]),
        (
            replicate_by_log,
            ["stream portfolio_report", "LOG_BASED", "use FULL_TABLE or INCREMENTAL"],
        ),
    ],
)
def test_catalog_that_asks_for_the_impossible(
    change: Callable[[Any], None], phrases: list[str], catalog: Any, guarded: Sandbox
) -> None:
    chosen = selecting(catalog, ["users", "portfolio_report"])
    assert metadata_of(chosen, "users")["selected"]
    change(chosen)
    check(run_tap(config(guarded), catalog=chosen), *phrases)


# ---------- files and environment ----------


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{", "config.json' is not valid JSON"),
        ("", "config.json' is not valid JSON"),
        ("[]", "config.json' must hold a JSON object"),
        ('"text"', "config.json' must hold a JSON object"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--test",)])
def test_configuration_file(text: str, phrase: str, arguments: tuple[str, ...]) -> None:
    check(run_tap(text, *arguments), phrase)


@pytest.mark.parametrize("option", ["config", "catalog", "state"])
def test_a_file_that_is_not_there(option: str) -> None:
    result = run_tap(None, f"--{option}", "not-there.json")
    assert result.returncode != 0
    assert "not-there.json" in result.stderr
    assert "No such file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("variables", "phrases"),
    [
        ({"PAGE_SIZE": "many"}, ["TAP_PLUVO_PAGE_SIZE must be JSON (type integer)"]),
        ({"PAGE_SIZE": "51"}, ["`page_size` must be at most 50, not 51"]),
        ({"PAGE_SIZE": '"5"'}, ["`page_size` must be an integer, not '5'"]),
        ({"SCOPES": "users.read"}, ["TAP_PLUVO_SCOPES must be JSON (type array)"]),
        ({"FILTERS": "{"}, ["TAP_PLUVO_FILTERS must be JSON (type object)"]),
        ({"START_DATE": "soon"}, ["`start_date` is not an ISO 8601 date"]),
        ({"CLIENT_SECRET": SECRET + "x"}, ["rejects the client", CLIENT_REMEDY]),
        ({"API_URL": ""}, ["`organization` and `api_url` are both missing"]),
        (
            {"API_URL": "", "CLIENT_ID": "", "CLIENT_SECRET": ""},
            ["`organization` and `api_url`", "`client_id` is missing", "`client_secret` is miss"],
        ),
        ({"STREAM_MAP": "{}"}, ["TAP_PLUVO_STREAM_MAP", "did you mean `stream_maps`?"]),
        ({"MAX_CONCURENCY": "2"}, ["TAP_PLUVO_MAX_CONCURENCY", "`max_concurrency`?"]),
        ({"STREAM_MAPS_USERS": "{}"}, ["TAP_PLUVO_STREAM_MAPS_USERS is no setting"]),
        ({"ZZZ": "2"}, ["TAP_PLUVO_ZZZ is no setting", "unset it"]),
    ],
)
def test_environment(variables: Mapping[str, str], phrases: list[str], guarded: Sandbox) -> None:
    result = run_tap(None, "--config=ENV", variables=as_variables(guarded, **variables))
    check(result, *phrases)


def test_variables_of_meltano_and_the_sdk_are_known(guarded: Sandbox) -> None:
    names = ["_SELECT", "NORTH__METADATA", "FULL_CLIENT_ID", "LOGLEVEL", "PIP_URL"]
    names += ["STREAM_MAPS_USERS_EMAIL", "FULL_STREAM_MAPS_USERS_EMAIL"]
    settings = config(guarded, stream_maps={"users": {"email": None}})
    result = run_tap(settings, variables={f"TAP_PLUVO_{name}": "info" for name in names})
    assert result.returncode == 0, result.stderr


def as_variables(sandbox: Sandbox, **others: str) -> dict[str, str]:
    named = {
        "API_URL": sandbox.url,
        "CLIENT_ID": sandbox.client_id,
        "CLIENT_SECRET": sandbox.client_secret,
    }
    return {f"TAP_PLUVO_{name}": value for name, value in (named | others).items()}


def test_everything_may_come_from_the_environment(guarded: Sandbox) -> None:
    variables = as_variables(
        guarded,
        PAGE_SIZE="3",
        FILTERS='{"users": {"archived": false}}',
        INTROSPECTION="off",
        REQUESTS_PER_SECOND="500.5",
        SCOPES='["users.read", "groups.read", "trainings.read", "events.read"]',
        START_DATE="2000-01-01",
    )
    guarded.reset_log()
    result = run_tap(None, "--config=ENV", variables=variables)
    assert result.returncode == 0, result.stderr
    sent = " ".join(request.query or "" for request in guarded.requests)
    assert "first: 3" in sent
    assert "__schema" not in sent
    assert not any(row["archived"] for row in result.records["users"])


def test_the_environment_is_read_only_when_asked_for(guarded: Sandbox) -> None:
    variables = {"TAP_PLUVO_PAGE_SIZE": "51"}
    assert run_tap(config(guarded), variables=variables).returncode == 0
    check(run_tap(config(guarded), "--config=ENV", variables=variables), "`page_size`")


def test_a_later_file_and_the_environment_win(guarded: Sandbox, tmp_path: Any) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"page_size": 50, "client_id": "somebody"}))
    settings = config(guarded, page_size=51)
    check(run_tap(settings, "--config", str(later)), CLIENT_REMEDY)  # 51 was replaced
    variables = {"TAP_PLUVO_CLIENT_ID": guarded.client_id}
    result = run_tap(settings, "--config", str(later), "--config=ENV", variables=variables)
    assert result.returncode == 0, result.stderr
