"""Settings that are wrong: each is named, with its cause and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support import config, run_tap
from wrong_input_support import CLIENT_REMEDY, HOST_REMEDY, SECRET, check

if TYPE_CHECKING:
    from pluvo_sandbox import Sandbox


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
    case(
        "another organization's environment",
        {"only_host": "academy.pluvo.com"},
        "`only_host`: only academy.pluvo.com is to be read here, and not 127.0.0.1",
        "TAP_PLUVO_API_URL holds for all environments",
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
def test_settings(wrong: Case, guarded: Sandbox) -> None:
    settings = config(guarded) | wrong.settings
    result = run_tap({name: value for name, value in settings.items() if value is not None})
    check(result, *wrong.phrases)


def test_the_other_streams_go_on_when_a_stream_map_fails(guarded: Sandbox) -> None:
    maps = {"certificates": {"name": "no_such_function(name)"}}
    result = run_tap(config(guarded, stream_maps=maps))
    assert result.failed_streams() == {"certificates"}
    assert len(result.records["users"]) == 6


def test_fractions_are_fine_where_a_number_is_asked_for(guarded: Sandbox) -> None:
    settings = {"requests_per_second": 999.5, "request_timeout": 30.5, "max_retry_seconds": 4.5}
    result = run_tap(config(guarded, **settings))
    assert result.returncode == 0, result.stderr
