"""Runs that end too early, and the runs after them: nothing is lost, no state is ahead."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import signal
import subprocess
import termios
from array import array
from concurrent.futures import Future
from pathlib import Path
from random import Random
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from reliability_support import Watched, comparable
from support import (
    FOREVER,
    TAP,
    config,
    environment,
    in_batches,
    manifest,
    of_stream,
    pipe,
    selecting,
    tool,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from support import Message, Result

NOW = dt.datetime.now(dt.UTC)
DATES = {"issued_certificates": "completion_date", "portfolio_report": "completion_date"}
# Where a run may start: from nothing, and months ago, from where it goes on in windows.
STARTS: dict[str, Any] = {
    "first run": None,
    "later run": {
        "bookmarks": {
            stream: {
                "replication_key": key,
                "replication_key_value": (NOW - dt.timedelta(days=700)).date().isoformat(),
                "full_read_at": NOW.isoformat(timespec="seconds"),
            }
            for stream, key in DATES.items()
        }
    },
}
SETTINGS: dict[str, Any] = {"page_size": 20, "window_days": 90, "full_refresh_days": 30}
STREAMS = {"group_members", "issued_certificates", "offers", "portfolio_report", "users"}
KILLS = 60
FULL_DISK = Path("/dev/full")
PIPE, PAGE = 1 << 16, 1 << 12  # bytes


@pytest.fixture(scope="module")
def pluvo() -> Iterator[Watched]:
    with Watched(users=60, trainings=4, groups=4, portfolio=300) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_new(pluvo: Watched) -> None:
    pluvo.before_request.clear()
    pluvo.reset_log()


@pytest.fixture(scope="module", params=[*STARTS.values()], ids=[*STARTS])
def start(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def files(pluvo: Watched, start: Any) -> dict[str, Any]:
    """What each run starts with."""
    catalog = selecting(pluvo.sync("--discover").catalog, STREAMS)
    of_stream(catalog, "offers")["replication_method"] = "INCREMENTAL"
    return {"catalog": catalog, "state": start, **SETTINGS}


@pytest.fixture(scope="module")
def whole(pluvo: Watched, files: dict[str, Any]) -> Result:
    """A run that nobody disturbs."""
    result = pluvo.sync(**files)
    assert result.records.keys() == STREAMS
    return result


@pytest.fixture(scope="module")
def requests_of_a_run(pluvo: Watched, files: dict[str, Any]) -> int:
    pluvo.reset_log()
    pluvo.sync(**files)
    return len(pluvo.requests) - 1  # without the one for the token


def as_text(stream: str, record: Any) -> str:
    return json.dumps([stream, record])


def rows(messages: list[Message]) -> set[str]:
    """Return records with their streams, as text."""
    return {
        as_text(item["stream"], item["record"]) for item in messages if item["type"] == "RECORD"
    }


def up_to_the_last_state(messages: list[Message]) -> list[Message]:
    """Return what a target has certainly kept when it was given these messages."""
    places = [place for place, item in enumerate(messages) if item["type"] == "STATE"]
    return messages[: places[-1] + 1] if places else []


def check_that_no_state_is_ahead(messages: list[Message], whole: Result, start: Any) -> None:
    """Make sure that every row which a bookmark says was read came before it."""
    before = (start or {}).get("bookmarks", {})
    given: set[str] = set()
    for message in messages:
        if message["type"] == "RECORD":
            given.add(as_text(message["stream"], message["record"]))
        if message["type"] != "STATE":
            continue
        for stream, bookmark in message["value"]["bookmarks"].items():
            value = bookmark.get("replication_key_value")
            if value is None or bookmark == before.get(stream):
                continue
            key = bookmark["replication_key"]
            full = bookmark.get("full_read_at") != before.get(stream, {}).get("full_read_at")
            wanted = {
                as_text(stream, row)
                for row in whole.records[stream]
                if (full if row[key] is None else row[key] <= value)
            }
            assert wanted <= given
        before = message["value"]["bookmarks"]


def check_that_the_state_is_last(messages: list[Message]) -> None:
    """Make sure that a target which passes on only the last message gets the state."""
    assert messages[-1]["type"] == "STATE"


def check_that_nothing_is_lost(
    pluvo: Watched, messages: list[Message], files: dict[str, Any], whole: Result
) -> None:
    """Go on where a run ended, and make sure that both together are a whole one.

    Of the first run counts what came before its last STATE: more a target need not have kept.
    """
    start = files["state"]
    check_that_no_state_is_ahead(messages, whole, start)
    kept = up_to_the_last_state(messages)
    resumed = pluvo.sync(**files | {"state": kept[-1]["value"] if kept else start})
    if "batch_config" in files:
        folder = Path(urlsplit(files["batch_config"]["storage"]["root"]).path)
        written = map(json.loads, resumed.stdout.splitlines())
        assert {*folder.iterdir()} == {*manifest(*written)}, "files of earlier runs are removed"
    assert rows(kept) | rows(resumed.messages) == rows(whole.messages)
    check_that_no_state_is_ahead(kept + resumed.messages, whole, start)
    assert comparable(resumed)[-1] == comparable(whole)[-1]


@pytest.mark.parametrize("number", range(KILLS // 2))
def test_a_run_that_is_killed_loses_nothing(
    number: int,
    pluvo: Watched,
    files: dict[str, Any],
    whole: Result,
    requests_of_a_run: int,
) -> None:
    random = Random(number)
    code = random.choice([signal.SIGKILL, signal.SIGTERM])
    lines = len(whole.messages)
    if number % 3 == 0:
        files = files | in_batches(pluvo.path.parent / f"batches-{number}")
        lines = 5 * len(STREAMS)  # a schema, the files of the stream and of the log, states
    at_request = random.random() < 0.5
    started: Future[int] = Future()
    if at_request:
        moment = random.randint(1, requests_of_a_run)
        pluvo.before_request[moment] = lambda _: os.kill(started.result(), code)
    run = pluvo.start(**files, max_concurrency=random.choice([1, 4, 8]))
    started.set_result(run.pid)
    read = b""
    if not at_request:
        for _ in range(random.randrange(lines)):
            read += run.stdout.readline()
        os.kill(run.pid, code)
    killed = run.end(read)
    pluvo.before_request.clear()

    ends = {-code} if code == signal.SIGKILL else {128 + code}
    assert killed.returncode in ends | ({0} if not at_request else set())
    if code == signal.SIGTERM and killed.records:
        check_that_the_state_is_last(killed.messages)
    check_that_nothing_is_lost(pluvo, killed.messages, files, whole)


@pytest.mark.parametrize("lines", [0, 1, 30, 200])
def test_a_target_that_dies_ends_the_run(
    lines: int, pluvo: Watched, files: dict[str, Any], whole: Result
) -> None:
    run = pluvo.start(**files)
    read = b"".join(run.stdout.readline() for _ in range(lines))
    left = run.leave(read)
    assert left.returncode == 1
    assert left.stderr.splitlines()[-1].endswith("the target has closed the pipe: see what it says")
    check_that_nothing_is_lost(pluvo, left.messages, files, whole)


def test_a_run_that_is_told_to_end_twice_ends_at_once(pluvo: Watched) -> None:
    pluvo.set_faults("slow=600:paginatedUsers")
    started: Future[int] = Future()
    asked = Event()
    pluvo.before_request[3] = lambda _: asked.set()
    run = pluvo.start(max_concurrency=1)
    started.set_result(run.pid)
    assert asked.wait(FOREVER)
    for _ in range(2):
        os.kill(run.pid, signal.SIGINT)
    assert run.end().returncode == 128 + signal.SIGINT
    pluvo.set_faults()


def wait_for(condition: Callable[[], bool]) -> None:
    pause = Event()
    while not condition():
        pause.wait(0.01)


def waiting_in(stream: BufferedReader) -> int:
    """Return how many bytes wait in a pipe."""
    size = array("i", [0])
    fcntl.ioctl(stream, termios.FIONREAD, size)
    return size[0]


@pytest.mark.parametrize("code", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_twice_ends_with_a_whole_line(
    code: signal.Signals, pluvo: Watched
) -> None:
    catalog = selecting(pluvo.sync("--discover").catalog, ["portfolio_report"])
    run = pluvo.start(catalog=catalog)
    # A pipe holds 64 kB, less a part of the pages that begin with a message; then writes wait.
    wait_for(lambda: waiting_in(run.stdout) > PIPE - 4 * PAGE)
    os.kill(run.pid, code)
    wait_for(lambda: f"{code.name}: ending" in run.errors.read_text("utf-8"))
    os.kill(run.pid, code)
    output = run.stdout.read()
    assert run.end(output).returncode == 128 + code
    assert output.endswith(b"\n")
    assert len(output) > PIPE


def test_a_terminal_that_is_closed_ends_a_run_with_its_state(
    pluvo: Watched, files: dict[str, Any], whole: Result
) -> None:
    run = pluvo.start(**files)
    read = run.stdout.readline()
    while b'"RECORD"' not in read:
        read += run.stdout.readline()
    os.kill(run.pid, signal.SIGHUP)
    ended = run.end(read)
    assert ended.returncode in {0, 128 + signal.SIGHUP}
    check_that_the_state_is_last(ended.messages)
    check_that_nothing_is_lost(pluvo, ended.messages, files, whole)


@pytest.mark.skipif(not FULL_DISK.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("option", ["", "--discover", "--about", "--test", "--version"])
def test_a_full_disk_ends_in_a_sentence(option: str, pluvo: Watched, tmp_path: Path) -> None:
    settings = write(tmp_path, "config.json", config(pluvo))
    command: list[str | Path] = [TAP, "--config", settings, *option.split()]
    with FULL_DISK.open("wb") as output:
        done = subprocess.run(
            command, check=False, stdout=output, stderr=subprocess.PIPE, env=environment()
        )
    log = done.stderr.decode()
    assert done.returncode == 1
    assert "the output cannot be written: No space left on device" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_every_state_is_a_place_to_start_from(
    pluvo: Watched, files: dict[str, Any], whole: Result
) -> None:
    tried = [files["state"]]
    for place, message in enumerate(whole.messages):
        if message["type"] == "STATE" and message["value"] not in tried:
            tried.append(message["value"])
            check_that_nothing_is_lost(pluvo, whole.messages[: place + 1], files, whole)
    assert len(tried) > len(STREAMS)


def test_two_full_reads_of_the_same_data_are_identical(pluvo: Watched) -> None:
    runs = [pluvo.sync(max_concurrency=number) for number in (1, 16)]
    assert comparable(runs[0]) == comparable(runs[1])


def test_the_size_of_the_state_does_not_depend_on_that_of_the_organization(start: Any) -> None:
    sizes = set()
    for factor, days in ((1, 3650), (5, 20)):
        with Watched(
            users=12 * factor, trainings=4 * factor, groups=3 * factor, portfolio=40 * factor
        ) as pluvo:
            state = pluvo.sync(state=start, **SETTINGS | {"window_days": days}).state
        sizes.add(len(json.dumps(state)))
    assert len(sizes) == 1


@pytest.fixture
def marked(postgres: dict[str, str], tmp_path: Path) -> Callable[[Result], set[str]]:
    """A function that gives a run to a real target and returns the users marked as gone."""
    target = tool("target-postgres", "target-postgres")
    settings = {
        "sqlalchemy_url": "postgresql+psycopg://",
        "default_target_schema": "restarts",
    }
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}

    def load(run: Result) -> set[str]:
        pipe(run.stdout, target, settings, tmp_path, postgres)
        where: dict[str, Any] = {name: postgres[variable] for name, variable in names.items()}
        with psycopg.connect(**where) as client:
            query = "SELECT id FROM restarts.users WHERE _sdc_deleted_at IS NOT NULL"
            return {str(key) for (key,) in client.execute(query)}

    return load


def test_only_a_complete_read_marks_rows_that_are_gone(
    marked: Callable[[Result], set[str]],
) -> None:
    with Watched(users=60, trainings=2, groups=2, portfolio=20) as pluvo:
        files = {
            "catalog": selecting(pluvo.sync("--discover").catalog, ["groups", "users"]),
            "emit_activate_version_messages": True,
            "max_retry_seconds": 0,
            **SETTINGS,
        }
        assert not marked(pluvo.sync(**files))
        ((gone,),) = pluvo.database.execute("SELECT max(id) FROM users")
        pluvo.delete_user(gone)

        pluvo.set_faults("500:paginatedUsers@2-9")
        failed = pluvo.run(**files)
        pluvo.set_faults()
        assert failed.failed_streams() == {"users"}
        assert failed.records["users"]
        assert [item["stream"] for item in versions(failed)] == ["groups"]
        assert not marked(failed)

        run = pluvo.start(**files)
        read = b""
        while b'"stream":"users","record"' not in read:
            read += run.stdout.readline()
        os.kill(run.pid, signal.SIGKILL)
        killed = run.leave(read)
        assert [item["stream"] for item in versions(killed)] == ["groups"]
        assert not marked(killed)

        complete = pluvo.sync(**files)
        assert complete.messages.index(versions(complete)[-1]) > max(
            place for place, item in enumerate(complete.messages) if item["type"] == "RECORD"
        )
        assert [item["stream"] for item in versions(complete)] == ["groups", "users"]
        assert marked(complete) == {gone}


def versions(result: Result) -> list[Message]:
    return [item for item in result.messages if item["type"] == "ACTIVATE_VERSION"]
