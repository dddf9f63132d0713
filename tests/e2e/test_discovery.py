"""What the tap says of itself and of an organization: --discover, --test, --about."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from expected import KEYS
from support import (
    DEFAULT_STREAMS,
    OFFERED,
    REPOSITORY,
    SYNC_LOG,
    TAP,
    config,
    discover,
    metadata_of,
    of_stream,
    queries,
    run_tap,
    selecting,
    sync,
)

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

REPLICATION = {
    "enrollments": ("enrolled_at", "FULL_TABLE"),
    "issued_certificates": ("completion_date", "INCREMENTAL"),
    "offers": ("updated_at", "FULL_TABLE"),
    "portfolio_items": ("updated_at", "FULL_TABLE"),
    "portfolio_report": ("completion_date", "INCREMENTAL"),
    "sync_log": ("started_at", "INCREMENTAL"),
}


def names(catalog: Any) -> set[str]:
    return {stream["tap_stream_id"] for stream in catalog["streams"]}


def columns(catalog: Any, stream: str, **metadata: Any) -> set[str]:
    """Return the columns of a stream that have some metadata."""
    return {
        item["breadcrumb"][1]
        for item in of_stream(catalog, stream)["metadata"]
        if item["breadcrumb"]
        and all(item["metadata"].get(key.replace("_", "-")) == metadata[key] for key in metadata)
    }


# ---------- discovery ----------


def test_discovery_needs_no_settings_at_all(tmp_path: Path) -> None:
    result = run_tap(None, "--discover", tap=TAP, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert names(result.catalog) == OFFERED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{}, {"organization": "academy"}, {"page_size": 5}])
def test_discovery_without_credentials_goes_by_the_documents(
    settings: dict[str, Any], catalog: Any
) -> None:
    found = discover(settings)
    assert names(found) == OFFERED
    for stream in found["streams"]:
        live = of_stream(catalog, stream["tap_stream_id"])
        # The sandbox's own schema is that of the documents, of which we leave out some fields.
        extra = live["schema"]["properties"].keys() - stream["schema"]["properties"].keys()
        live = json.loads(json.dumps(live))
        for name in extra:
            del live["schema"]["properties"][name]
        live["metadata"] = [
            item
            for item in live["metadata"]
            if not item["breadcrumb"] or item["breadcrumb"][1] not in extra
        ]
        assert stream == live


def test_discovery_with_credentials_asks_the_organization_once(sandbox: Sandbox) -> None:
    discover(config(sandbox))
    paths = [request.path for request in sandbox.requests]
    assert paths == ["/oauth/token/", "/graphql/"]
    assert queries(sandbox) == []


@pytest.mark.parametrize("stream", sorted(OFFERED))
def test_the_catalog_says_all_of_a_stream(stream: str, catalog: Any) -> None:
    document = json.loads((REPOSITORY / f"schemas/{stream}.json").read_text(encoding="utf-8"))
    entry = of_stream(catalog, stream)
    assert entry["key_properties"] == list(KEYS[stream])
    replication_key, method = REPLICATION.get(stream, (None, "FULL_TABLE"))
    assert entry.get("replication_key") == replication_key
    assert entry["replication_method"] == method
    properties = entry["schema"]["properties"]
    assert properties.keys() >= document["properties"].keys()
    for name, schema in document["properties"].items():
        assert properties[name] == {k: v for k, v in schema.items() if not k.startswith("x-")}
    for name in properties.keys() - document["properties"].keys():
        assert metadata_of(catalog, stream, name)["selected-by-default"] is False
    whole = metadata_of(catalog, stream)
    assert whole["selected-by-default"] is (stream in DEFAULT_STREAMS | {SYNC_LOG})
    assert whole["table-key-properties"] == list(KEYS[stream])
    automatic = {*KEYS[stream], *filter(None, [replication_key])}
    assert columns(catalog, stream, inclusion="automatic") == automatic
    assert columns(catalog, stream, inclusion="available") == properties.keys() - automatic
    assert columns(catalog, stream) == properties.keys()


def test_columns_of_an_organization_alone_are_offered_and_not_selected(rich: Sandbox) -> None:
    catalog = discover(config(rich))
    assert names(catalog) == OFFERED
    added = {
        "users": {"created_at", "updated_at", "job_title", "is_external"},
        "groups": {"created_at", "description"},
        "trainings": {"created_at", "updated_at", "is_mandatory"},
        "certificates": {"language"},
        "portfolio_report": {"related_object_id", "attempts"},
        "issued_certificates": {"related_object_id", "attempts"},
    }
    for stream, found in added.items():
        assert found <= of_stream(catalog, stream)["schema"]["properties"].keys()
        for column in found:
            item = metadata_of(catalog, stream, column)
            assert item["inclusion"] == "available"
            assert item["selected-by-default"] is False
            assert not item.get("selected")
    users = of_stream(catalog, "users")["schema"]["properties"]
    assert users["created_at"]["type"] == ["string", "null"]
    assert users["created_at"]["format"] == "date-time"
    assert users["is_external"]["type"] == ["boolean", "null"]
    report = of_stream(catalog, "portfolio_report")["schema"]["properties"]
    assert report["attempts"]["type"] == ["integer", "null"]
    result = sync(config(rich), catalog=selecting(catalog, ["users", "portfolio_report"]))
    for stream in ("users", "portfolio_report"):
        assert not added[stream] & result.schemas[stream]["schema"]["properties"].keys()
        assert not added[stream] & result.records[stream][0].keys()


def test_what_an_organization_lacks_is_unsupported(lean: Sandbox) -> None:
    result = sync(config(lean), "--discover")
    catalog = result.catalog
    gone = {"enrollments", "offer_event_dates", "offer_events", "offers", "portfolio_items"}
    assert names(catalog) == OFFERED - gone
    for name in gone & DEFAULT_STREAMS:
        assert re.search(rf"stream {name} is left out: .*lacks", result.stderr)
    assert columns(catalog, "users", inclusion="unsupported") == {
        "afas_connection_id",
        "afas_contact_id",
        "afas_employee_id",
        "afas_person_id",
        "archived_at",
        "extra_fields",
        "extra_fields_profile",
        "group_count",
        "has_password",
        "invited_on",
        "is_active",
        "model_id",
        "user_via",
    }
    assert columns(catalog, "groups", inclusion="unsupported") == set()
    chosen = selecting(catalog, {"users": columns(catalog, "users")})
    rows = sync(config(lean), catalog=chosen).records["users"]
    assert rows[0].keys() == columns(catalog, "users") - columns(
        catalog, "users", inclusion="unsupported"
    )


def test_a_discovered_catalog_can_be_used_as_it_is(catalog: Any, sandbox: Sandbox) -> None:
    result = sync(config(sandbox), catalog=catalog)
    assert result.records.keys() == DEFAULT_STREAMS


# ---------- the check of a connection ----------


def test_the_check_says_what_it_did(sandbox: Sandbox) -> None:
    result = sync(config(sandbox), "--test")
    lines = result.stdout.splitlines()
    assert all(line.startswith("  ok   ") for line in lines), result.stdout
    told = [line.removeprefix("  ok   ") for line in lines]
    assert told[0] == f"settings: {sandbox.url}"
    assert told[1].startswith(
        "token: granted, requested with events.read, groups.read, trainings.read"
    )
    assert told[2] == "schema: the organization's own"
    assert told[3:] == [f"stream {name}: one page read" for name in sorted(DEFAULT_STREAMS)]
    assert sandbox.client_secret not in result.stdout + result.stderr


def test_the_check_reads_a_page_of_each_selected_stream(sandbox: Sandbox) -> None:
    sync(config(sandbox, operations_per_request=1), "--test")
    sent = queries(sandbox)
    roots = Counter(name for query in sent for name in re.findall(r"\br\d+: (\w+)", query))
    assert roots["certificates"] == 1
    assert roots["paginatedGroups"] == 3  # groups, group_members, group_trainings
    assert roots["paginatedTrainings"] == 4  # archived and not: trainings, training_participants
    assert roots["portfolioReport"] == 6  # one for each type, certificates again, and the counts
    assert "portfolioItems" not in roots
    assert not [query for query in sent if "offset:" in query]
    assert len(sent) <= 2 * len(DEFAULT_STREAMS)


def test_the_check_reads_no_second_page_of_members(sandbox: Sandbox, catalog: Any) -> None:
    sync(config(sandbox), "--test", catalog=selecting(catalog, ["group_members"]))
    assert not [query for query in queries(sandbox) if "after:" in query]


def test_the_check_keeps_to_a_catalog(sandbox: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, ["groups", "portfolio_items"])
    result = sync(config(sandbox), "--test", catalog=chosen)
    assert "requested with groups.read, trainings.read, users.read\n" in result.stdout
    told = [line for line in result.stdout.splitlines() if "  ok   stream " in line]
    assert told == [
        "  ok   stream groups: one page read",
        "  ok   stream portfolio_items: one page read",
    ]


def test_the_check_says_how_an_organization_differs(lean: Sandbox, rich: Sandbox) -> None:
    result = sync(config(lean), "--test")
    assert "lacks User.modelId" in result.stdout
    assert "lacks Offer\n" in result.stdout
    assert "  --   stream offers: not offered, the organization's schema lacks" in result.stdout
    assert "stream users: one page read" in result.stdout
    assert "adds User.jobTitle" in sync(config(rich), "--test").stdout


def test_the_check_of_an_empty_organization() -> None:
    with Sandbox(users=0, groups=0, trainings=0, portfolio=0) as empty:
        assert "stream users: empty" in sync(config(empty), "--test").stdout


def test_the_check_finds_what_a_stream_fails_with() -> None:
    with Sandbox(users=5, faults=["500:portfolioReport"]) as broken:
        result = run_tap(config(broken, max_retry_seconds=0), "--test")
    assert result.returncode == 1
    assert "  FAIL stream portfolio_report: Pluvo failed to answer (HTTP 500)" in result.stdout
    assert "  ok   stream users: one page read" in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--test", "--discover"])
def test_who_waits_for_an_answer_does_not_wait_long(option: str) -> None:
    """A sync would wait these 20 seconds out."""
    with Sandbox(users=5, faults=["429=20:token"]) as throttling:
        settings = config(throttling)
        del settings["max_retry_seconds"]
        result = run_tap(settings, option)
    assert result.returncode == 1
    assert "Pluvo is throttling requests" in result.stderr


@pytest.mark.parametrize("value", ["records", "foo"])
def test_an_unknown_check_is_refused(value: str, sandbox: Sandbox) -> None:
    result = run_tap(config(sandbox), f"--test={value}")
    assert result.returncode == 2
    assert f"{value!r} is unknown: use `--test`, or `--test=schema`" in result.stderr
    assert result.stdout == ""


def test_the_check_of_schemas_reads_nothing(sandbox: Sandbox) -> None:
    result = sync(config(sandbox), "--test=schema")
    assert result.schemas.keys() >= DEFAULT_STREAMS
    assert result.records == {}
    assert queries(sandbox) == []


# ---------- what the tap says of itself ----------

SETTINGS = {
    "add_organization_column",
    "api_url",
    "ca_bundle",
    "client_id",
    "client_secret",
    "emit_activate_version_messages",
    "end_date",
    "filters",
    "full_refresh_days",
    "introspection",
    "lookback_days",
    "max_concurrency",
    "max_repair_passes",
    "max_response_mb",
    "max_response_seconds",
    "max_retry_seconds",
    "operations_per_request",
    "organization",
    "page_size",
    "request_timeout",
    "requests_per_second",
    "scopes",
    "start_date",
    "user_agent",
    "window_days",
}
CAPABILITIES = {
    "about",
    "activate-version",
    "batch",
    "catalog",
    "discover",
    "schema-flattening",
    "state",
    "stream-maps",
    "structured-logging",
    "test",
}


def test_about_as_json() -> None:
    about = json.loads(sync(None, "--about", "--format=json").stdout)  # type: ignore[arg-type]
    assert about["name"] == "tap-pluvo"
    assert {*about["capabilities"]} == CAPABILITIES
    settings = about["settings"]["properties"]
    assert settings.keys() >= SETTINGS
    for name in SETTINGS:
        setting = settings[name]
        assert setting["title"]
        assert setting["description"].endswith(".")
        assert setting["examples"]
        kind = setting["type"][0]
        limits = {"minimum", "exclusiveMinimum", "enum", "minLength", "pattern", "format"}
        if kind in {"integer", "number"}:
            assert limits & setting.keys()
        assert "default" in setting or "Default: " in setting["description"] or kind != "integer"
    assert {name for name in SETTINGS if settings[name].get("secret")} == {
        "client_id",
        "client_secret",
    }


def test_about_as_markdown_and_as_text() -> None:
    markdown = sync(None, "--about", "--format=markdown").stdout  # type: ignore[arg-type]
    text = sync(None, "--about").stdout  # type: ignore[arg-type]
    for name in SETTINGS:
        assert f"| {name} |" in markdown
        assert f"- Name: {name}\n" in text
        assert f"Environment Variable: TAP_PLUVO_{name.upper()}\n" in text
    for name in CAPABILITIES:
        assert f"- `{name}`" in markdown
        assert f"  - {name}\n" in text


def test_examples_of_settings_are_good_ones(sandbox: Sandbox) -> None:
    about = json.loads(sync(None, "--about", "--format=json").stdout)  # type: ignore[arg-type]
    settings = about["settings"]["properties"]
    examples = {name: settings[name]["examples"][0] for name in SETTINGS}
    examples |= {"ca_bundle": None, "organization": None, "scopes": None, **config(sandbox)}
    result = run_tap(examples, "--test")
    assert result.returncode == 0, result.stderr
    for name, example in (
        ("organization", "my-academy"),
        ("api_url", "https://learning.example.com"),
    ):
        assert settings[name]["examples"] == [example]


def test_the_version() -> None:
    result = sync(None, "--version")  # type: ignore[arg-type]
    assert re.fullmatch(r"tap-pluvo v[0-9]+\.[0-9]+\.[0-9]+.*\n", result.stdout)
