"""Staging says what the output contract says."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location

import pytest
from conftest import PACKAGE

SPEC = spec_from_file_location("generate", PACKAGE / "generate.py")
assert SPEC
assert SPEC.loader
GENERATE = module_from_spec(SPEC)
SPEC.loader.exec_module(GENERATE)


def test_staging_is_what_the_contract_gives() -> None:
    written = {path.name: path.read_text() for path in GENERATE.STAGING.iterdir()}
    assert written == GENERATE.generate(), "run: python dbt/generate.py"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"type": ["string", "null"]}, "text"),
        ({"type": ["string"], "format": "uuid"}, "text"),
        ({"type": ["string", "null"], "format": "date"}, "date"),
        ({"type": ["string", "null"], "format": "date-time"}, "timestamp"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"type": ["number", "null"]}, "number"),
        ({"type": ["boolean", "null"]}, "boolean"),
    ],
)
def test_types(column: dict[str, object], expected: str) -> None:
    assert GENERATE.column_type(column) == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("The user: `users.id`.", True),
        ("The certificate that the event gives: `certificates.id`.", True),
        ("The owner: `users.id` or `groups.id`.", False),
        ("The trainers, as a JSON list of `users.id`.", False),
    ],
)
def test_references_are_told_from_other_mentions(description: str, expected: bool) -> None:
    assert bool(GENERATE.REFERENCE.fullmatch(description)) is expected
