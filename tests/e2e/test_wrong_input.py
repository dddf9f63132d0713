"""What a user can give wrong: each is named, with its cause and remedy, without a traceback."""

from __future__ import annotations

import http.server
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from support import (
    ALL_STREAMS,
    DEFAULT_STREAMS,
    Result,
    config,
    discover,
    metadata_of,
    of_stream,
    run_tap,
    selecting,
    sync,
)

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECRET = "never-to-be-shown-5f1d"
TOKEN = "token-that-nobody-may-see"
CLIENT_REMEDY = "check the settings `client_id` and `client_secret`"
HOST_REMEDY = "the setting `organization` or `api_url`"
CATALOG_REMEDY = "write one with `tap-pluvo --discover`"


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    with Sandbox(users=6, trainings=2, groups=2, portfolio=12, client_secret=SECRET) as running:
        yield running


def check(result: Result, *phrases: str) -> None:
    """Make sure that a run failed in a way that helps."""
    told = "\n".join(
        line for line in result.stderr.splitlines() if "| CRITICAL |" in line or "| ERROR " in line
    )
    assert result.returncode == 1, result.stderr
    for phrase in phrases:
        assert phrase in told, told
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr + result.stdout
    assert TOKEN not in result.stderr + result.stdout


@dataclass
class Case:
    """Settings that replace those of a good run (None: taken away), and what must be said."""

    settings: dict[str, Any]
    phrases: tuple[str, ...]


def case(name: str, settings: dict[str, Any], *phrases: str) -> Any:
    return pytest.param(Case(settings, phrases), id=name)


SETTINGS = [
    case("unknown", {"page_sise": 5}, "`page_sise` is unknown", "did you mean `page_size`?"),
    case("unknown and unlike any", {"zzz": 5}, "`zzz` is unknown", "`tap-pluvo --about` lists"),
    case(
        "several at once",
        {"page_sise": 5, "window_days": 0},
        "`page_sise` is unknown",
        "`window_days` must be at least 1",
    ),
    case("no organization", {"api_url": None}, "`organization` and `api_url`", "set one of them"),
    case(
        "organization and address",
        {"organization": "academy"},
        "`organization` and `api_url`",
        "remove one",
    ),
    case(
        "organization with a domain",
        {"organization": "academy.pluvo.com", "api_url": None},
        "`organization`",
        "'academy.pluvo.com'",
        "only the name before `.pluvo.com`",
    ),
    case("no https", {"api_url": "http://example.com"}, "`api_url` must begin with https://"),
    case("no scheme", {"api_url": "example.com"}, "`api_url` must begin with https://"),
    case("other scheme", {"api_url": "ftp://example.com"}, "`api_url` must begin with https://"),
    case("no host", {"api_url": "https://"}, "`api_url` must begin with https://", "name a host"),
    case(
        "path",
        {"api_url": "https://example.com/graphql/"},
        "`api_url` must not have a path",
        "give only https://host",
    ),
    case("query", {"api_url": "https://example.com?a=b"}, "`api_url` must not have a path"),
    case("port", {"api_url": "https://example.com:99999"}, "`api_url`", "check its host and port"),
    case(
        "password in the address",
        {"api_url": f"https://me:{SECRET}@example.com"},
        "`api_url` must not hold a user name or password",
    ),
    case(
        "unknown host",
        {"api_url": "https://no-such-organization.invalid"},
        "the host of https://no-such-organization.invalid does not exist",
        HOST_REMEDY,
    ),
    case(
        "nobody listens",
        {"api_url": "http://127.0.0.1:9", "max_retry_seconds": 0},
        "the connection to http://127.0.0.1:9 failed",
    ),
    case("no id", {"client_id": None}, "`client_id` is missing", "TAP_PLUVO_CLIENT_ID"),
    case("no secret", {"client_secret": None}, "`client_secret` is missing", "API client"),
    case("empty secret", {"client_secret": ""}, "`client_secret` is missing", "API client"),
    case("empty organization", {"organization": "", "api_url": ""}, "are both missing"),
    case("secret of a wrong type", {"client_secret": [SECRET]}, "`client_secret` must be a string"),
    case("number for a secret", {"client_secret": 123456789}, "`client_secret` must be a string"),
    case("wrong id", {"client_id": "somebody"}, "rejects the client", CLIENT_REMEDY),
    case("wrong secret", {"client_secret": SECRET + "x"}, "rejects the client", CLIENT_REMEDY),
    case(
        "no date", {"start_date": "yesterday"}, "`start_date` is not an ISO 8601 date", "2024-01-31"
    ),
    case("no day", {"start_date": "2024-02-30"}, "`start_date` is not an ISO 8601 date"),
    case("other order", {"end_date": "31-12-2024"}, "`end_date` is not an ISO 8601 date"),
    case("date as a number", {"start_date": 20240101}, "`start_date` must be a string"),
    case(
        "end before start",
        {"start_date": "2024-02-01", "end_date": "2024-01-31"},
        "`end_date` (2024-01-31) is before `start_date` (2024-02-01)",
        "swap them",
    ),
    case("page of none", {"page_size": 0}, "`page_size` must be at least 1, not 0"),
    case("page too large", {"page_size": 51}, "`page_size` must be at most 50, not 51"),
    case("page as text", {"page_size": "50"}, "`page_size` must be an integer, not '50'"),
    case("page as a fraction", {"page_size": 2.5}, "`page_size` must be an integer, not 2.5"),
    case("page as truth", {"page_size": True}, "`page_size` must be an integer, not True"),
    case("concurrency", {"max_concurrency": 17}, "`max_concurrency` must be at most 16, not 17"),
    case("pace", {"requests_per_second": 0}, "`requests_per_second` must be more than 0"),
    case("look-back", {"lookback_days": -1}, "`lookback_days` must be at least 0, not -1"),
    case("window", {"window_days": 0}, "`window_days` must be at least 1, not 0"),
    case("full refresh", {"full_refresh_days": -1}, "`full_refresh_days` must be at least 0"),
    case("timeout", {"request_timeout": 0}, "`request_timeout` must be more than 0"),
    case("patience", {"max_retry_seconds": -1}, "`max_retry_seconds` must be at least 0"),
    case("bundle of none", {"operations_per_request": 0}, "`operations_per_request` must be at"),
    case("repair", {"max_repair_passes": -1}, "`max_repair_passes` must be at least 0"),
    case("introspection", {"introspection": "on"}, "`introspection` must be one of auto, off"),
    case("scope", {"scopes": ["users.reed"]}, "`scopes.0` must be one of users.read", "users.reed"),
    case("scopes as text", {"scopes": "users.read"}, "`scopes` must be an array"),
    case("no scopes", {"scopes": []}, "`scopes` must not be empty"),
    case("user agent", {"user_agent": "a\r\nb: c"}, "`user_agent`", "printable ASCII"),
    case("bundle", {"ca_bundle": "gone.pem"}, "`ca_bundle`", "there is no file 'gone.pem'"),
    case("filters as a list", {"filters": []}, "`filters` must be an object"),
    case("filters of no stream", {"filters": {"users": []}}, "`filters.users` must be an object"),
    case(
        "filter on an unknown stream",
        {"filters": {"user": {}}},
        "`filters`: there is no stream 'user'",
        "did you mean `users`?",
    ),
    case(
        "filter on an unknown column",
        {"filters": {"users": {"user_role": ["MANAGER"]}}},
        "`filters.users`: there is no filter 'user_role'",
        "did you mean `user_roles`?",
    ),
    case(
        "filter that the tap sets itself",
        {"filters": {"portfolio_report": {"completion_date_from": "2024-01-01"}}},
        "`filters.portfolio_report`: there is no filter 'completion_date_from'",
        "this stream has: user_group_ids",
    ),
    case(
        "filter on a stream without any",
        {"filters": {"custom_fields": {"title": "x"}}},
        "`filters.custom_fields`: there is no filter 'title'",
        "this stream has: none",
    ),
    case(
        "filter of a wrong type",
        {"filters": {"users": {"archived": "yes"}}},
        "`filters.users.archived` must be a Boolean",
    ),
    case(
        "filter that is no list",
        {"filters": {"users": {"group_ids": "one"}}},
        "`filters.users.group_ids` must be a list",
    ),
    case(
        "filter by an unknown value",
        {"filters": {"users": {"user_roles": ["BOSS"]}}},
        "stream users failed",
        "setting `filters`",
        "Role.BOSS",
    ),
    case("stream maps", {"stream_maps": 3}, "`stream_maps` must be an object"),
    case("stream map", {"stream_maps": {"users": 3}}, "`stream_maps.users` has a value of a kind"),
    case(
        "stream map without its key",
        {"stream_maps": {"users": {"id": None}}},
        "setting `stream_maps`",
        "'id'",
        "'users'",
    ),
    case(
        "stream map that fails",
        {"stream_maps": {"users": {"email": "no_such_function(email)"}}},
        "stream users failed",
        "setting `stream_maps`",
        "no_such_function(email)",
    ),
]


@pytest.mark.parametrize("wrong", SETTINGS)
def test_settings(wrong: Case, organization: Sandbox) -> None:
    settings = config(organization) | wrong.settings
    result = run_tap({name: value for name, value in settings.items() if value is not None})
    check(result, *wrong.phrases)


def test_the_other_streams_go_on_when_a_stream_map_fails(organization: Sandbox) -> None:
    maps = {"certificates": {"name": "no_such_function(name)"}}
    result = run_tap(config(organization, stream_maps=maps))
    assert result.failed_streams() == {"certificates"}
    assert len(result.records["users"]) == 6


def test_fractions_are_fine_where_a_number_is_asked_for(organization: Sandbox) -> None:
    settings = {"requests_per_second": 999.5, "request_timeout": 30.5, "max_retry_seconds": 4.5}
    result = run_tap(config(organization, **settings))
    assert result.returncode == 0, result.stderr


# ---------- scopes ----------


OF_PEOPLE = {  # streams that need users.read and groups.read only
    "custom_field_values",
    "custom_fields",
    "group_members",
    "group_trainings",
    "groups",
    "users",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Sandbox]:
    """An organization that grants two scopes and no more."""
    with Sandbox(
        users=9, trainings=3, groups=3, portfolio=9, scopes=["users.read", "groups.read"]
    ) as running:
        yield running


def test_scopes_that_are_not_granted_fail_the_streams_that_need_them(strict: Sandbox) -> None:
    result = run_tap(config(strict))
    check(
        result,
        "stream trainings failed: the organization did not grant the scope trainings.read",
        "ask Pluvo for it, or deselect the stream",
    )
    (warning,) = [line for line in result.stderr.splitlines() if "does not grant" in line]
    assert "events.read (for enrollments, offer_event_dates, offer_events, offers)" in warning
    assert "trainings.read (for certificates, issued_certificates, portfolio_report, " in warning
    assert result.records.keys() == OF_PEOPLE
    assert result.failed_streams() == DEFAULT_STREAMS - OF_PEOPLE


def test_the_check_names_the_streams_whose_scopes_are_not_granted(strict: Sandbox) -> None:
    result = run_tap(config(strict), "--test")
    assert result.returncode == 1
    failed = set(re.findall(r"FAIL stream (\w+): the organization did not grant", result.stdout))
    assert failed == DEFAULT_STREAMS - OF_PEOPLE
    assert set(re.findall(r"ok +stream (\w+)", result.stdout)) == OF_PEOPLE


def test_discovery_needs_no_scope_in_particular(strict: Sandbox) -> None:
    catalog = sync(config(strict), "--discover").catalog
    assert {stream["tap_stream_id"] for stream in catalog["streams"]} == ALL_STREAMS


def test_without_any_scope_that_is_needed_nothing_is_read() -> None:
    with Sandbox(users=3, trainings=1, groups=1, portfolio=3, scopes=["events.write"]) as strict:
        result = run_tap(config(strict))
    check(result, "does not grant all of these scopes", "users.read (for ", "set `scopes` to what")
    assert result.stdout == ""


def test_a_scope_that_the_api_then_misses(organization: Sandbox) -> None:
    result = run_tap(config(organization, scopes=["users.read", "groups.read"]))
    check(
        result,
        "stream trainings failed: the token lacks trainings.read",
        "stream offers failed: the token lacks events.read",
        "ask Pluvo to grant it to this client, or deselect the stream",
    )
    assert result.records.keys() == OF_PEOPLE
    assert result.failed_streams().isdisjoint(result.records)


# ---------- scopes that nobody documented ----------


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_scope_that_the_api_names_is_requested_once(concurrency: int) -> None:
    needed = {"portfolioReport": ["users.read"], "certificates": ["groups.read"]}
    with Sandbox(
        users=9, trainings=3, groups=3, portfolio=90, required_scopes=needed
    ) as organization:
        settings = config(organization, max_concurrency=concurrency)
        catalog = selecting(discover(settings), ["portfolio_report", "certificates"])
        organization.reset_log()
        result = sync(settings, catalog=catalog)
        asked = [item.scopes for item in organization.requests if item.path == "/oauth/token/"]
    assert len(result.records["portfolio_report"]) == 90
    assert result.records["certificates"]
    for scope in ("users.read", "groups.read"):
        said = f"the API says that the scope {scope} is needed: requesting a token with it"
        assert result.stderr.count(said) == 1
    assert [set(scopes) for scopes in asked] == [
        {"trainings.read"},
        {"trainings.read", "groups.read"},
        {"trainings.read", "groups.read", "users.read"},
    ]


def test_a_scope_that_the_api_names_and_nobody_grants_fails_its_streams() -> None:
    with Sandbox(
        users=9,
        trainings=3,
        groups=3,
        portfolio=9,
        required_scopes={"portfolioReport": ["users.read"]},
        scopes=["trainings.read"],
    ) as organization:
        settings = config(organization)
        catalog = selecting(discover(settings), ["portfolio_report", "trainings"])
        result = run_tap(settings, catalog=catalog)
    check(result, "stream portfolio_report failed: the token lacks users.read")
    assert result.failed_streams() == {"portfolio_report"}
    assert result.records["trainings"]


# ---------- state ----------


@pytest.mark.parametrize(
    ("state", "phrases"),
    [
        ("{", ["state: the file is not valid JSON"]),
        ("", ["state: the file is not valid JSON"]),
        ([], ["state: the file must hold a JSON object"]),
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
    ],
)
def test_state(state: Any, phrases: list[str], organization: Sandbox) -> None:
    check(run_tap(config(organization), state=state), *phrases)


def test_a_state_that_was_written_by_hand(organization: Sandbox) -> None:
    bookmark = {"replication_key_value": "2024-01-01", "full_read_at": "2024-01-01"}
    state = {"bookmarks": {"portfolio_report": bookmark, "a_stream_that_is_gone": {}}}
    result = run_tap(config(organization), state=state)
    assert result.returncode == 0, result.stderr
    assert result.bookmark("portfolio_report")["full_read_at"] > "2024-01-02"


# ---------- catalog ----------


@pytest.mark.parametrize(
    ("catalog", "phrases"),
    [
        ("<html>", ["catalog: the file is not valid JSON"]),
        ("", ["catalog: the file is not valid JSON"]),
        ([], ["catalog: the file must hold a JSON object"]),
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
def test_catalog(catalog: Any, phrases: list[str], organization: Sandbox) -> None:
    result = run_tap(config(organization), catalog=catalog)
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


@pytest.mark.parametrize(
    ("change", "phrases"),
    [
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
    change: Callable[[Any], None], phrases: list[str], catalog: Any, organization: Sandbox
) -> None:
    chosen = selecting(catalog, ["users", "portfolio_report"])
    assert metadata_of(chosen, "users")["selected"]
    change(chosen)
    check(run_tap(config(organization), catalog=chosen), *phrases)


# ---------- files and environment ----------


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("{", "config: the file is not valid JSON"),
        ("", "config: the file is not valid JSON"),
        ("[]", "config: the file must hold a JSON object"),
        ('"text"', "config: the file must hold a JSON object"),
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
    ],
)
def test_environment(
    variables: Mapping[str, str], phrases: list[str], organization: Sandbox
) -> None:
    result = run_tap(None, "--config=ENV", variables=as_variables(organization, **variables))
    check(result, *phrases)


def as_variables(sandbox: Sandbox, **others: str) -> dict[str, str]:
    named = {
        "API_URL": sandbox.url,
        "CLIENT_ID": sandbox.client_id,
        "CLIENT_SECRET": sandbox.client_secret,
    }
    return {f"TAP_PLUVO_{name}": value for name, value in (named | others).items()}


def test_everything_may_come_from_the_environment(organization: Sandbox) -> None:
    variables = as_variables(
        organization,
        PAGE_SIZE="3",
        FILTERS='{"users": {"archived": false}}',
        INTROSPECTION="off",
        REQUESTS_PER_SECOND="500.5",
        SCOPES='["users.read", "groups.read", "trainings.read", "events.read"]',
        START_DATE="2000-01-01",
    )
    organization.reset_log()
    result = run_tap(None, "--config=ENV", variables=variables)
    assert result.returncode == 0, result.stderr
    sent = " ".join(request.query or "" for request in organization.requests)
    assert "first: 3" in sent
    assert "__schema" not in sent
    assert not any(row["archived"] for row in result.records["users"])


def test_the_environment_is_read_only_when_asked_for(organization: Sandbox) -> None:
    variables = {"TAP_PLUVO_PAGE_SIZE": "51"}
    assert run_tap(config(organization), variables=variables).returncode == 0
    check(run_tap(config(organization), "--config=ENV", variables=variables), "`page_size`")


def test_a_later_file_and_the_environment_win(organization: Sandbox, tmp_path: Any) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"page_size": 50, "client_id": "somebody"}))
    settings = config(organization, page_size=51)
    check(run_tap(settings, "--config", str(later)), CLIENT_REMEDY)  # 51 was replaced
    variables = {"TAP_PLUVO_CLIENT_ID": organization.client_id}
    result = run_tap(settings, "--config", str(later), "--config=ENV", variables=variables)
    assert result.returncode == 0, result.stderr


# ---------- something else than Pluvo answers ----------


@dataclass
class Answers:
    """What a small web server says: status, content type, body and further headers, by path."""

    token: tuple[int, str, str] = (200, "application/json", json.dumps({"access_token": TOKEN}))
    graphql: tuple[int, str, str] = (200, "application/json", '{"data": {}}')
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            is_token = self.path.startswith("/oauth/")
            status, kind, body = answers.token if is_token else answers.graphql
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            for name, value in answers.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


HTML = "<!doctype html><title>Welcome</title>"
NO_TOKEN = json.dumps({"token_type": "Bearer"})


@pytest.mark.parametrize(
    ("answers", "phrases"),
    [
        pytest.param(
            Answers(token=(200, "text/html", HTML)),
            ["/oauth/token/ did not return a token", HOST_REMEDY],
            id="page instead of a token",
        ),
        pytest.param(
            Answers(token=(404, "text/html", HTML)),
            ["/oauth/token/ answered HTTP 404", HOST_REMEDY],
            id="no such page",
        ),
        pytest.param(
            Answers(token=(403, "text/html", HTML)),
            ["rejects the client (HTTP 403)", CLIENT_REMEDY],
            id="forbidden",
        ),
        pytest.param(
            Answers(token=(200, "application/json", NO_TOKEN)),
            ["/oauth/token/ did not return a token (no `access_token`)"],
            id="no token",
        ),
        pytest.param(
            Answers(token=(200, "application/json", '{"error": "invalid_client"}')),
            ["rejects the client", CLIENT_REMEDY],
            id="error with status 200",
        ),
        pytest.param(
            Answers(token=(301, "text/html", HTML), headers={"Location": "https://example.com/"}),
            ["redirects (HTTP 301)", HOST_REMEDY],
            id="redirect of the token",
        ),
        pytest.param(
            Answers(graphql=(302, "text/html", HTML), headers={"Location": "https://example.com/"}),
            ["redirects (HTTP 302)", "not followed with a token", HOST_REMEDY],
            id="redirect",
        ),
        pytest.param(
            Answers(graphql=(200, "text/html", HTML)),
            ["/graphql/ did not return GraphQL (text/html, not valid JSON)"],
            id="page instead of GraphQL",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", "[1, 2]")),
            ["/graphql/ returned JSON that is not a GraphQL answer"],
            id="other JSON",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", "{}")),
            ["/graphql/ answered HTTP 200 without data and without errors"],
            id="nothing",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", '{"data": {"__schema": {}}}')),
            ["the organization's schema cannot be understood", "set `introspection` to `off`"],
            id="half a schema",
        ),
        pytest.param(
            Answers(graphql=(401, "application/json", '{"errors": [{"message": "no"}]}')),
            ["the API rejects the token (HTTP 401)"],
            id="token refused",
        ),
        pytest.param(
            Answers(graphql=(404, "text/html", HTML)),
            ["/graphql/ answered HTTP 404", HOST_REMEDY],
            id="no GraphQL there",
        ),
        pytest.param(
            Answers(graphql=(503, "text/html", HTML)),
            ["Pluvo is temporarily unavailable (HTTP 503)", "gave up after"],
            id="down",
        ),
    ],
)
def test_something_else_than_pluvo_answers(answers: Answers, phrases: list[str]) -> None:
    with serving(answers) as url:
        settings = {"api_url": url, "client_id": "me", "client_secret": SECRET}
        check(run_tap(settings | {"max_retry_seconds": 0}), *phrases)
