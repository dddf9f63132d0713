"""Keys as other servers give them: numbers, global ids, capitals, and null."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from in_process import Organization, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pluvo_sandbox.contract import Variant

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCHEMAS = Path(__file__).parents[2] / "schemas"
KEYS: dict[str, list[str]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))["x-key"]
    for path in SCHEMAS.glob("*.json")
    if path.stem not in {"sync_log", "webhook_events"}  # which have no keys of the API
}
COMPUTED = {"issued_certificates", "portfolio_report"}  # streams whose keys are made of these
SOURCES = ["user_id", "title", "completion_date"]


@pytest.fixture(scope="module")
def organizations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Organization]]:
    folder = tmp_path_factory.mktemp("organizations")
    variants: tuple[Variant, ...] = ("documented", "rich")
    found = {
        str(variant): Organization(folder, variant, date(2025, 11, 21)) for variant in variants
    }
    yield found
    for organization in found.values():
        organization.close()


def read(streams: list[str]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Return the records of streams, and why those failed that did."""
    catalog = {
        "streams": [
            {
                "tap_stream_id": name,
                "schema": {
                    "properties": {
                        key: {} for key in [*KEYS[name], *(SOURCES if name in COMPUTED else [])]
                    }
                },
            }
            for name in streams
        ]
    }
    with running(catalog=catalog) as (tap, collector):
        failed = {item.stream: item.error for item in tap.run() if item.error}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
    for stream, record in collector.named_records():
        found[stream].append(record)
    return found, failed


@cache
def numbered(key: str) -> int:
    """Return a number of its own for each key."""
    return int(key.replace("-", "")[:12], 16)


FORMS: dict[str, Callable[[str], Any]] = {
    "numbers": numbered,
    "global ids": lambda key: base64.b64encode(f"Node:{key}".encode()).decode(),
    "capitals": str.upper,
}


@pytest.mark.parametrize("variant", ["documented", "rich"])
@pytest.mark.parametrize("form", FORMS)
def test_keys_of_any_form_are_read_as_text(
    form: str,
    variant: str,
    organizations: dict[str, Organization],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organization, change = organizations[variant], FORMS[form]
    streams = sorted(KEYS)
    with organization.answering():
        usual, failed = read(streams)
    assert not failed
    back: dict[str, str] = {}

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(item) for name, item in value.items()}
        if isinstance(value, list):
            return [changed(item) for item in value]
        if not isinstance(value, str) or not UUID.fullmatch(value):
            return value
        back[str(change(value))] = value
        return change(value)

    execute = organization.execute

    def asked(document: str, parse: Callable[[Any], Any], **options: Any) -> Any:
        known = re.sub(r'"([^"]*)"', lambda found: f'"{back.get(found[1], found[1])}"', document)
        if "__schema" in document:
            return execute(document, parse)
        return execute(known, lambda data: parse(changed(data)), **options)

    monkeypatch.setattr(organization, "execute", asked)
    with organization.answering():
        found, failed = read(streams)
    assert not failed
    for stream, rows in usual.items():
        columns = KEYS[stream]
        if stream in COMPUTED and variant == "documented":
            columns = SOURCES
            assert len({row["id"] for row in found[stream]}) == len(rows)
        wanted = [[key_text(row[name], change) for name in columns] for row in rows]
        given = [[row[name] for name in columns] for row in found[stream]]
        assert sorted(map(str, given)) == sorted(map(str, wanted)), stream


def key_text(value: Any, change: Callable[[str], Any]) -> Any:
    """Return a value of a key as it has to come: every id in it changed, as text."""
    if not isinstance(value, str):
        return value
    return UUID.sub(lambda found: str(change(found[0])), value)


CASES = [
    *((stream, "id", "documented", "id") for stream in sorted(KEYS) if KEYS[stream] == ["id"]),
    ("offer_events", "id", "documented", "offer_id"),
    ("offer_event_dates", "id", "documented", "offer_event_id"),
    ("group_members", "user_id", "documented", "user_id"),
    ("group_members", "id", "documented", "group_id"),
    ("group_trainings", "training_id", "documented", "training_id"),
    ("group_trainings", "id", "documented", "group_id"),
    ("training_participants", "user_id", "documented", "user_id"),
    ("training_participants", "user", "documented", "user_id"),
    ("training_participants", "id", "documented", "training_id"),
    ("custom_field_values", "field_id", "documented", "field_id"),
    ("custom_field_values", "id", "documented", "owner_id"),
    ("portfolio_report", "id", "rich", "id"),
]


@pytest.mark.parametrize(
    ("stream", "key", "variant", "column"),
    [case for case in CASES if case[0] not in COMPUTED or case[2] == "rich"],
)
def test_a_row_without_its_key_fails_its_stream(  # noqa: PLR0913, PLR0917 - a case and its fixtures
    stream: str,
    key: str,
    variant: str,
    column: str,
    organizations: dict[str, Organization],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organization = organizations[variant]
    execute = organization.execute
    outer = column not in {key, "id"} and key == "id"

    def asked(document: str, parse: Callable[[Any], Any], **options: Any) -> Any:
        def without(data: Any) -> Any:
            holders = list(holding(data, key))
            if holders and "__schema" not in document and "paginatedUsers { id" not in document:
                holders[0 if outer else -1][key] = None
            return parse(data)

        return execute(document, without, **options)

    monkeypatch.setattr(organization, "execute", asked)
    with organization.answering():
        found, failed = read([stream])
    wanted = f"the API gave a row without its key: column '{column}' is null"
    assert failed.get(stream, "").startswith(wanted), failed
    assert all(row[name] is not None for row in found[stream] for name in KEYS[stream])


def holding(data: Any, key: str) -> Iterator[dict[str, Any]]:
    """Give all objects of an answer that have a member, outer ones first."""
    if isinstance(data, dict):
        if key in data:
            yield data
        for value in data.values():
            yield from holding(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from holding(value, key)
