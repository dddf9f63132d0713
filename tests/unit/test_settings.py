from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import base_url, problems
from pluvo_client.settings.sources import from_environment, from_meltano
from tap_pluvo.settings import (
    PROPERTIES,
    SCHEMA,
    Settings,
    organization_column,
)

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL = {"organization": "academy", "client_id": "me", "client_secret": "never-shown"}


def settings(**config: Any) -> Settings:
    assert problems(MINIMAL | config, SCHEMA) == []
    return Settings.from_config(MINIMAL | config)


# ---------- one setting at a time ----------


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "organization",
            ["a", "A1", "my-academy", "0"],
            ["", "-a", "a-", "a.b", "a/b", "a b", "é", 5],
        ),
        ("client_id", ["x"], ["", 5, ["x"]]),
        ("client_secret", ["x"], ["", 5]),
        (
            "scopes",
            [["users.read"], ["users.read", "events.write"]],
            [[], ["x"], ["users.read"] * 2],
        ),
        ("start_date", ["2024-01-01"], [20240101]),
        ("page_size", [1, 50], [0, 51, 2.5, "5", True]),
        ("max_concurrency", [1, 16], [0, 17]),
        ("requests_per_second", [0.1, 5], [0, -1, "5"]),
        ("operations_per_request", [1, 50], [0, 51]),
        ("max_repair_passes", [0, 20], [-1, 21]),
        ("lookback_days", [0, 3650], [-1, 3651]),
        ("window_days", [1, 3650], [0, 3651]),
        ("full_refresh_days", [0, 3650], [-1, 3651]),
        ("request_timeout", [0.5, 3600], [0, 3601]),
        ("max_response_seconds", [0.5, 3600], [0, 3601]),
        ("max_response_mb", [1, 1024], [0, 1025, 1.5]),
        ("max_retry_seconds", [0, 86400], [-1, 86401]),
        ("user_agent", ["me", "a b"], ["", "a\nb", "a\rb", "naïve", " a"]),
        ("introspection", ["auto", "off"], ["on", True]),
        ("add_organization_column", [True, False], ["yes", 1]),
        ("filters", [{}, {"users": {}}], [[], {"users": []}]),
        ("emit_activate_version_messages", [True, False], ["yes"]),
        (
            "batch_config",
            [
                {"storage": {"root": "x"}},
                {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": "x"}},
            ],
            [
                {},
                {"storage": {}},
                {"storage": {"root": ""}},
                {"storage": {"root": "x", "prefix": "y"}},
                {"encoding": {"format": "parquet"}, "storage": {"root": "x"}},
                {"encoding": {"compression": "zstd"}, "storage": {"root": "x"}},
            ],
        ),
    ],
)
def test_limits(name: str, good: list[Any], bad: list[Any]) -> None:
    for value in [*good, None]:
        assert problems({name: value}, SCHEMA) == []
    for value in bad:
        sentences = problems({name: value}, SCHEMA)
        assert sentences, value
        for sentence in sentences:
            assert sentence.startswith((f"setting `{name}` ", f"setting `{name}."))


def test_every_setting_explains_itself() -> None:
    for name, setting in PROPERTIES.items():
        assert setting["title"], name
        assert setting["description"].endswith("."), name
        (example,) = setting["examples"]
        assert setting["type"][1] == "null", name
        assert problems({name: example}, SCHEMA) == [], name
        if "default" in setting:
            assert problems({name: setting["default"]}, SCHEMA) == [], name


def test_secrets_are_not_shown() -> None:
    for wrong in (5, ["never-shown"], {"a": "never-shown"}, True):
        sentences = problems({"client_secret": wrong, "client_id": wrong}, SCHEMA)
        assert len(sentences) == 2
        assert not [text for text in sentences if "never-shown" in text or "5" in text]
    assert "never-shown" not in repr(settings())


def test_unknown_settings_are_all_named() -> None:
    assert problems({"page_sise": 1, "clientid": "x", "zzz": 1}, SCHEMA) == [
        "setting `clientid` is unknown: did you mean `client_id`?",
        "setting `page_sise` is unknown: did you mean `page_size`?",
        "setting `zzz` is unknown; `tap-pluvo --about` lists them all",
    ]


# ---------- seen together ----------


def test_defaults() -> None:
    found = settings()
    assert found.start_date is None
    assert found.end_date is None
    assert (found.lookback_days, found.window_days, found.full_refresh_days) == (7, 30, 1)
    client = found.client
    assert client.base_url == "https://academy.pluvo.com"
    assert client.scopes is None
    assert (client.page_size, client.max_concurrency, client.operations_per_request) == (50, 4, 5)
    assert (client.request_timeout, client.max_retry_seconds) == (60, 300)
    assert client.requests_per_second is None
    assert (client.max_response_seconds, client.max_response_bytes) == (120, 32_000_000)
    assert client.introspection is True


def test_null_is_unset() -> None:
    nothing = dict.fromkeys(PROPERTIES.keys() - MINIMAL.keys())
    assert settings(**nothing) == settings()


def test_zero_and_false_are_set() -> None:
    found = settings(
        lookback_days=0,
        full_refresh_days=0,
        max_retry_seconds=0,
        max_repair_passes=0,
        introspection="off",
    )
    assert (found.lookback_days, found.full_refresh_days) == (0, 0)
    assert (found.client.max_retry_seconds, found.client.max_repair_passes) == (0, 0)
    assert found.client.introspection is False


def test_scopes() -> None:
    assert settings(scopes=["users.read"]).client.scopes == ("users.read",)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T00:00:00Z", "2024-01-31"),
        ("2024-01-31T23:59:59", "2024-01-31"),
        ("2024-01-31T23:30:00-02:00", "2024-02-01"),
        ("2024-02-01T01:00:00+02:00", "2024-01-31"),
        ("20240131", "2024-01-31"),
    ],
)
def test_dates_are_days_in_utc(text: str, day: str) -> None:
    assert settings(start_date=text).start_date == dt.date.fromisoformat(day)
    assert settings(end_date=text).end_date == dt.date.fromisoformat(day)


@pytest.mark.parametrize("text", ["", "now", "2024", "2024-1-1", "01/02/2024", "2024-02-30"])
@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_dates_that_are_none(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`{name}` is not an ISO 8601 date.*2024-01-31"):
        settings(**{name: text})


DATES = st.dates(dt.date(1900, 1, 2), dt.date(2999, 12, 30))


@given(DATES, DATES)
def test_a_range_may_be_one_day_and_not_less(start: dt.date, end: dt.date) -> None:
    texts = {"start_date": start.isoformat(), "end_date": end.isoformat()}
    if end < start:
        with pytest.raises(ConfigurationError, match="is before `start_date`"):
            settings(**texts)
    else:
        found = settings(**texts)
        assert (found.start_date, found.end_date) == (start, end)


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_credentials_are_needed(name: str) -> None:
    config = {key: value for key, value in MINIMAL.items() if key != name}
    with pytest.raises(ConfigurationError, match=f"`{name}` is missing.*TAP_PLUVO_{name.upper()}"):
        Settings.from_config(config)


def test_a_bundle_must_be_a_file(tmp_path: Path) -> None:
    assert settings(ca_bundle=certifi.where()).client.ca_bundle == certifi.where()
    with pytest.raises(ConfigurationError, match="`ca_bundle`: there is no file"):
        settings(ca_bundle=str(tmp_path))


# ---------- the address ----------


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://learning.example.com", "https://learning.example.com"),
        ("https://learning.example.com/", "https://learning.example.com"),
        (" https://learning.example.com ", "https://learning.example.com"),
        ("HTTPS://Learning.Example.COM", "https://learning.example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com:443/", "https://example.com:443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("http://localhost:8765", "http://localhost:8765"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("https://übung.example", "https://übung.example"),
    ],
)
def test_address(address: str, found: str) -> None:
    assert base_url(None, address) == found


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://example.com", "must begin with https://"),
        ("http://localhost.example.com", "must begin with https://"),
        ("http://127.0.0.1.example.com", "must begin with https://"),
        ("http://128.0.0.1", "must begin with https://"),
        ("http://[::2]", "must begin with https://"),
        ("ftp://example.com", "must begin with https://"),
        ("example.com", "must begin with https://"),
        ("//example.com", "must begin with https://"),
        ("https:example.com", "must begin with https://"),
        ("https://", "name a host"),
        ("https://:443", "name a host"),
        ("https://example.com:port", "check its host and port"),
        ("https://example.com:65536", "check its host and port"),
        ("https://[::1", "is not a valid address"),
        ("https://me@example.com", "user name or password"),
        ("https://me:word@example.com", "user name or password"),
        ("https://example.com/graphql/", "must not have a path"),
        ("https://example.com?a=b", "must not have a path"),
        ("https://example.com#a", "must not have a path"),
        ("https://exa mple.com", "is not a valid address"),
        ("https://example..com", "is not a valid address"),
        ("https://.example.com", "is not a valid address"),
        ("https://*.example.com", "is not a valid address"),
    ],
)
def test_address_that_cannot_be(address: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match="`api_url`") as raised:
        base_url(None, address)
    assert reason in str(raised.value)
    assert "word" not in str(raised.value).replace("password", "")


def test_organization_and_address_exclude_each_other() -> None:
    assert base_url("Academy", None) == "https://academy.pluvo.com"
    assert base_url("academy", "") == "https://academy.pluvo.com"
    with pytest.raises(ConfigurationError, match="both set: remove one"):
        base_url("academy", "https://example.com")
    for nothing in (None, ""):
        with pytest.raises(ConfigurationError, match="both missing: set one"):
            base_url(nothing, nothing)


def label(**config: Any) -> str | None:
    return organization_column({"add_organization_column": True} | config)


def test_the_label_of_an_organization() -> None:
    assert organization_column({"organization": "Academy"}) is None
    assert (
        organization_column({"add_organization_column": True, "organization": "Academy"})
        == "academy"
    )
    assert (
        organization_column(
            {"add_organization_column": True, "api_url": "https://Learn.example.com/"}
        )
        == "learn.example.com"
    )
    assert (
        organization_column({"add_organization_column": True, "api_url": "http://127.0.0.1:8765"})
        == "127.0.0.1:8765"
    )


# ---------- the environment ----------


def test_environment() -> None:
    found = from_environment(
        {
            "TAP_PLUVO_CLIENT_ID": "007",
            "TAP_PLUVO_PAGE_SIZE": "20",
            "TAP_PLUVO_REQUESTS_PER_SECOND": "0.5",
            "TAP_PLUVO_SCOPES": '["users.read"]',
            "TAP_PLUVO_FILTERS": '{"users": {"archived": false}}',
            "TAP_PLUVO_ADD_ORGANIZATION_COLUMN": "true",
            "TAP_PLUVO_USER_AGENT": "",
            "TAP_PLUVO_LOGLEVEL": "DEBUG",
            "TAP_OTHER_PAGE_SIZE": "9",
        },
        SCHEMA,
    )
    assert found == {
        "client_id": "007",
        "page_size": 20,
        "requests_per_second": 0.5,
        "scopes": ["users.read"],
        "filters": {"users": {"archived": False}},
        "add_organization_column": True,
    }
    assert problems(found, SCHEMA) == []


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("PAGE_SIZE", "many", "integer"),
        ("REQUESTS_PER_SECOND", "1,5", "number"),
        ("ADD_ORGANIZATION_COLUMN", "yes", "boolean"),
        ("SCOPES", "users.read", "array"),
        ("FILTERS", "{", "object"),
    ],
)
def test_environment_that_is_no_json(name: str, text: str, kind: str) -> None:
    variable = f"TAP_PLUVO_{name}"
    with pytest.raises(ConfigurationError, match=rf"{variable} must be JSON \(type {kind}\)"):
        from_environment({variable: text}, SCHEMA)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"organization": "", "api_url": "https://a"}, {"api_url": "https://a"}),
        ({"request_timeout": "0.5"}, {"request_timeout": 0.5}),
        ({"request_timeout": "soon"}, {"request_timeout": "soon"}),
        ({"organization": "5", "page_size": "5"}, {"organization": "5", "page_size": "5"}),
        ({"unknown": "5"}, {"unknown": "5"}),
    ],
)
def test_what_meltano_has_no_words_for(given: dict[str, Any], meant: dict[str, Any]) -> None:
    assert from_meltano(given, SCHEMA) == meant
