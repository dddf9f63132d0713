from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pluvo_sandbox.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any], str]]:
    """Run the command; give the process, its line of JSON, and the line before."""
    command = [sys.executable, "-m", "pluvo_sandbox", "serve", "--port", "0", "--users", "12"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            for_people = process.stdout.readline()
            yield process, json.loads(process.stdout.readline()), for_people
        finally:
            process.terminate()  # not killed: it has temporary data to remove


def ask(ready: dict[str, Any], query: str) -> Any:
    token = requests.post(
        ready["url"] + "/oauth/token/",
        data={
            "grant_type": "client_credentials",
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
        },
        timeout=10,
    ).json()
    return requests.post(
        ready["url"] + "/graphql/",
        json={"query": query},
        headers={"Authorization": f"Bearer {token['access_token']}"},
        timeout=10,
    ).json()


def test_serve_says_where_it_is_and_how_to_get_in(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    with serving("--ready-file", str(ready_file), "--client-secret", "s3") as (_, ready, text):
        assert ready["url"] in text
        assert ready["client_id"] in text
        assert ready["client_secret"] == "s3"
        assert json.loads(ready_file.read_text()) == ready
        everybody = "{ users { id } }"
        assert len(ask(ready, everybody)["data"]["users"]) == 12


def test_switches_reach_the_server() -> None:
    switches = (
        *("--schema", "rich", "--no-introspection", "--token-ttl", "77", "--groups", "3"),
        *("--scopes", "groups.read"),
    )
    with serving(*switches) as (_, ready, _):
        assert ask(ready, "{ paginatedGroups { count } }") == {
            "data": {"paginatedGroups": {"count": 3}}
        }
        assert (
            "introspection" in ask(ready, "{ __schema { types { name } } }")["errors"][0]["message"]
        )
        assert "users.read" in ask(ready, "{ users { jobTitle } }")["errors"][0]["message"]


def test_pages_and_scopes_can_differ_from_the_documents() -> None:
    switches = (
        *("--page-cap", "5", "--ignore-offset"),
        *("--require-scope", "certificates=events.read"),
        *("--require-scope", "certificates=groups.read"),
        *("--scopes", "users.read", "trainings.read", "events.read"),
    )
    page = "{{ paginatedUsers(offset: {}) {{ edges {{ node {{ id }} }} }} }}"
    with serving(*switches) as (_, ready, _):
        first = ask(ready, page.format(0))
        assert len(first["data"]["paginatedUsers"]["edges"]) == 5
        assert ask(ready, page.format(3)) == first
        assert "groups.read" in ask(ready, "{ certificates { count } }")["errors"][0]["message"]


def test_lists_can_differ_from_the_documents() -> None:
    switches = (
        *("--names", "1", "--days", "1", "--untyped", "3", "--repeats", "2", "--portfolio", "9"),
        *("--ties", "random", "--report-order", "completion-date", "--archived", "ignored"),
        "--no-distinct",
    )
    query = "{ paginatedUsers { edges { node { id name } } count } portfolioReport { count } }"
    with serving(*switches) as (_, ready, _):
        once = ask(ready, query)["data"]
        again = ask(ready, query)["data"]
        assert once["portfolioReport"]["count"] == 9 + 3
        assert once["paginatedUsers"]["count"] == 12
        assert len({edge["node"]["name"] for edge in once["paginatedUsers"]["edges"]}) == 1
        assert once["paginatedUsers"]["edges"] != again["paginatedUsers"]["edges"]


def test_faults_movement_and_width_reach_the_server() -> None:
    switches = (
        *("--fault", "500@2", "--fault", "no-data@3"),
        *("--movement", "1", "--max-root-fields", "1"),
    )
    with serving(*switches) as (_, ready, _):
        ids = [user["id"] for user in ask(ready, "{ users { id } }")["data"]["users"]]
        with pytest.raises(requests.JSONDecodeError):
            ask(ready, "{ users { id } }")
        assert ask(ready, "{ users { id } }")["data"] is None
        assert [user["id"] for user in ask(ready, "{ users { id } }")["data"]["users"]] != ids
        answer = ask(ready, "{ users { id } groups { id } }")
        assert "2 root fields" in answer["errors"][0]["message"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_temporary_data_goes(number: signal.Signals) -> None:
    with serving() as (process, ready, _):
        assert requests.get(ready["url"], timeout=10).status_code == 404
        assert Path(ready["db"]).is_file()
        process.send_signal(number)
        assert process.wait(10) in {0, 130}
        assert not Path(ready["db"]).exists()


def test_data_in_a_file_is_served_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    query = "{ paginatedUsers { edges { node { id } } } }"
    with serving("--db", str(path), "--today", "2025-01-01") as (_, ready, _):
        before = ask(ready, query)
    with serving("--db", str(path), "--today", "2025-01-01") as (_, ready, _):
        assert ask(ready, query) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--users", "-1"], "must not be negative"),
        (["--rate-limit", "x"], "is not a rate"),
        (["--schema", "other"], "invalid choice"),
        (["--today", "x"], "invalid"),
        (["--fault", "418"], "is not a fault"),
        (["--names", "0"], "must be at least 1"),
        (["--yesterday-lacks", "User.nick"], "has no field or argument 'User.nick'"),
        (["--tls", "nowhere.pem"], "nowhere.pem is not a file"),
        (["--page-cap", "0"], "must be at least 1"),
        (["--require-scope", "portfolioReports=users.read"], "'portfolioReports' is not a root"),
        (["--require-scope", "portfolioReport=portfolio.read"], "'portfolio.read' is not a scope"),
        (["--require-scope", "portfolioReport"], "'' is not a scope"),
    ],
)
def test_a_bad_option_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["serve", *arguments])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert reason in error
    assert arguments[0] in error


def test_a_port_in_use_and_a_file_of_another_kind_are_said_plainly(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with serving() as (_, ready, _):
        assert main(["serve", "--port", ready["url"].rpartition(":")[2]]) == 1
    assert "in use" in capsys.readouterr().err
    path = tmp_path / "x.db"
    path.write_text("no database" * 1000)
    assert main(["serve", "--port", "0", "--db", str(path)]) == 1
    assert "not a sandbox database" in capsys.readouterr().err
