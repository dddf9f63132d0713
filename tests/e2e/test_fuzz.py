"""Whatever the API, a state, a catalog or a configuration holds: no traceback, and no silence."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from recorded_organization import STREAMS, Organization
from reliability_support import Watched
from support import run_tap

from pluvo_client.errors import ConfigurationError, PluvoError
from pluvo_client.schema import values
from pluvo_client.settings import base_url, problems
from pluvo_client.settings.sources import json_object
from pluvo_client.transport.http import seconds_of
from tap_pluvo.settings import PROPERTIES, SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_pluvo.progress import Result

SECRET = "n0b0dy-may-read-th1s"

quick = settings(max_examples=300, deadline=None)
whole_runs = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=8,
)
moments = (
    st.dates().map(str)
    | st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat())
    | st.sampled_from(["20240131", "2024-W05-3", "0001-01-01", "9999-12-31", "2024-01-31T10"])
)


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with Watched(users=9, trainings=3, groups=2, portfolio=25) as pluvo:
        yield Organization(pluvo)


def check_errors(results: Iterable[Result]) -> None:
    """Make sure that whatever failed has a name, and was foreseen."""
    for result in results:
        if result.error is not None:
            assert re.search(r"\w{4}", result.error)
            assert "this is a defect" not in result.error, result
            assert SECRET not in result.error


# ---------- answers ----------


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the paths to all values inside of a value."""
    members: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """Draw the document with one of its values replaced, removed or doubled."""
    *path, last = draw(st.sampled_from(list(places(document))))
    document = json.loads(json.dumps(document))
    owner = document
    for name in path:
        owner = owner[name]
    match draw(st.sampled_from(["replace", "remove", "double"])):
        case "replace":
            owner[last] = draw(anything)
        case "remove":
            del owner[last]
        case "double" if isinstance(owner, list):
            owner.insert(last, owner[last])
        case _:
            owner[last] = [owner[last], owner[last]]
    return document


@st.composite
def bodies(draw: st.DrawFn, usual: bytes) -> bytes:
    """Draw the body of an answer: a changed one, half of one, or something else altogether."""
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.binary(max_size=50))
        case 1:
            return usual[: draw(st.integers(0, len(usual)))]
        case 2:
            return json.dumps(draw(anything)).encode()
        case _:
            return json.dumps(draw(changed(json.loads(usual)))).encode()


@whole_runs
@given(data=st.data())
def test_any_answer_to_a_question_about_rows(
    data: st.DataObject, organization: Organization
) -> None:
    number = data.draw(st.integers(2, len(organization.order) - 1))  # after token and schema
    usual = organization.answers[organization.order[number]]
    status = data.draw(st.sampled_from([200, 200, 200, 400, 401, 403]))
    answer = usual._replace(status=status, body=data.draw(bodies(usual.body)))
    rows, results = organization.run(other=(number, answer))
    check_errors(results)
    for result in results:
        assert result.error or rows[result.stream] >= organization.rows[result.stream]


@whole_runs
@given(data=st.data())
def test_any_answer_to_the_questions_for_token_and_schema(
    data: st.DataObject, organization: Organization
) -> None:
    number = data.draw(st.integers(0, 1))
    usual = organization.answers[organization.order[number]]
    status = data.draw(st.sampled_from([200, 200, 200, 400, 401, 403]))
    answer = usual._replace(status=status, body=data.draw(bodies(usual.body)))
    with contextlib.suppress(PluvoError):
        _, results = organization.run(other=(number, answer))
        check_errors(results)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"data":' * 200_000, b"9" * 10_000])
def test_an_answer_without_measure(number: int, body: bytes, organization: Organization) -> None:
    usual = organization.answers[organization.order[number]]
    answer = usual._replace(body=body)
    with contextlib.suppress(PluvoError):
        _, results = organization.run(other=(number, answer))
        check_errors(results)
        # Where the schema cannot be asked for, the documents do.
        assert any(result.error for result in results) is (number > 1)


@quick
@given(anything)
def test_any_value_of_a_column(value: Any) -> None:
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    for column, kind in kinds.items():
        convert = values.converter({"type": [column, "null"]})
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            assert isinstance(convert(value), kind)
    for form in ("date", "date-time"):
        convert = values.converter({"type": ["string", "null"], "format": form})
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            assert re.match(r"\d{4}-\d\d-\d\d", convert(value))


@quick
@given(st.text() | st.floats().map(str) | st.integers().map(str) | moments)
@example("Fri, 31 Dec 9999 23:59:59 GMT")
@example("Fri, 31 Dec 99999 23:59:59 GMT")
@example("Wed, 21 Oct 2015 07:28:00 +9999")
def test_any_retry_after(value: str) -> None:
    wait = seconds_of(value, time.time())
    assert wait is None or wait >= 0


# ---------- state ----------

bookmarks = st.dictionaries(
    st.sampled_from(["replication_key", "replication_key_value", "full_read_at", "range", "other"]),
    moments | anything,
    max_size=3,
)
states = (
    anything
    | st.fixed_dictionaries({"bookmarks": anything})
    | st.fixed_dictionaries(
        {"bookmarks": st.dictionaries(st.sampled_from(sorted(STREAMS)), bookmarks | anything)}
    )
    | bookmarks.map(lambda bookmark: {"bookmarks": {"portfolio_report": bookmark}})
)


@whole_runs
@given(states)
@example({"bookmarks": {"portfolio_report": {"replication_key_value": "0001-01-03"}}})
@example({"bookmarks": {"portfolio_report": {"full_read_at": "2024-01-01"}}})
@example({"bookmarks": {"portfolio_report": {"replication_key_value": "20240101T10"}}})
@example(
    {"bookmarks": {"portfolio_report": {"replication_key_value": "0001-01-01T00:00:00+14:00"}}}
)
def test_any_state(organization: Organization, state: Any) -> None:
    with contextlib.suppress(ConfigurationError):
        given_state = json_object("state", io.StringIO(json.dumps(state)))
        _, results = organization.run(state=given_state)
        assert {result.stream for result in results} == STREAMS
        check_errors(results)


# ---------- catalog ----------


@whole_runs
@given(data=st.data())
def test_any_catalog(data: st.DataObject, organization: Organization) -> None:
    catalog = data.draw(anything | changed(organization.catalog))
    with contextlib.suppress(ConfigurationError):
        _, results = organization.run(catalog=catalog or [])
        check_errors(results)


# ---------- configuration ----------


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a configuration, most of whose values may be right."""
    found: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from(sorted(PROPERTIES)) | st.text(), anything, max_size=3)
    )
    for name in draw(st.lists(st.sampled_from(sorted(PROPERTIES)), max_size=5)):
        found[name] = draw(likely(PROPERTIES[name]))
    return {"client_id": "me", "client_secret": SECRET} | found


def likely(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that a setting may have, or almost."""
    return (
        st.sampled_from(schema.get("examples", [None]))
        | {
            "string": moments | st.text(max_size=20) | st.just("https://pluvo.example.com"),
            "integer": st.integers(-2, 4000) | st.floats(-2, 60),
            "number": st.floats(),
            "boolean": st.booleans(),
            "array": st.lists(st.sampled_from(["users.read", "users.write", ""])),
            "object": st.dictionaries(st.text(max_size=5), anything, max_size=2),
        }[schema["type"][0]]
    )


@quick
@given(configurations())
@example({"api_url": "https://a", "client_id": "me", "client_secret": SECRET,
          "start_date": "0001-01-01T00:00:00+14:00"})  # fmt: skip
@example({"api_url": "https://a", "client_id": "me", "client_secret": SECRET,
          "request_timeout": math.nan})  # fmt: skip
def test_any_configuration(found: dict[str, Any]) -> None:
    wrong = problems(found, SCHEMA)
    assert all(sentence.strip() for sentence in wrong)
    if not wrong:
        try:
            ready = Settings.from_config(found)
        except ConfigurationError as error:
            wrong = [str(error)]
        else:
            values_of = vars(ready.client) | vars(ready)
            assert all(type(values_of[name]) is int for name in COUNTS)
            assert all(math.isfinite(values_of[name] or 0) for name in SECONDS)
            assert SECRET not in repr(ready)
    assert not any(SECRET in sentence for sentence in wrong)


COUNTS = [name for name, schema in PROPERTIES.items() if schema["type"][0] == "integer"]
SECONDS = [name for name, schema in PROPERTIES.items() if schema["type"][0] == "number"]


@quick
@given(
    st.text()
    | st.from_regex(r"(https?|ftp)://[a-z0-9.:@\[\]/%?#-]{0,20}", fullmatch=True)
    | st.ip_addresses().map(lambda address: f"http://{address}")
)
@example("http://127.0.0.1.example.com")
@example("http://localhost@example.com")
@example("http://[::1")
@example("http://localhost:99999")
@example("https://127.0.0.1\\@example.com")
def test_any_address(address: str) -> None:
    with contextlib.suppress(ConfigurationError):
        url = base_url(None, address)
        assert re.fullmatch(
            r"https://[^/@\s]+|http://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", url
        )


# ---------- the same as a process, for what happens before all this ----------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 100_000,
        '{"a":' * 100_000,
        '"\ud800"',
        "{'single': 'quotes'}",
        '{"bookmarks": NaN}',
        '{"streams": [{"tap_stream_id": "users"}]}',
        '{"streams": [null]}',
        "\ufeff{}",
    ],
)
@pytest.mark.parametrize("what", ["config", "state", "catalog"])
def test_a_file_that_holds_something_else(what: str, text: str) -> None:
    files: dict[str, Any] = {"state": None, "catalog": None, what: text.encode("utf-8", "replace")}
    settings = {"api_url": "http://127.0.0.1:1", "client_id": "me", "client_secret": SECRET}
    given_settings = files.pop("config", settings | {"max_retry_seconds": 0})
    result = run_tap(
        decoded(given_settings), **{name: decoded(text) for name, text in files.items()}
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "| CRITICAL | " in result.stderr
    assert SECRET not in result.stderr
    assert not result.stdout


def decoded(text: Any) -> Any:
    return text.decode() if isinstance(text, bytes) else text
