"""The raw layer and staging say what the output contract says."""

from __future__ import annotations

from typing import Any

import generate_staging
import pytest


def test_models_are_what_the_contract_gives() -> None:
    folders = (generate_staging.RAW, generate_staging.STAGING)
    written = {path: path.read_text() for folder in folders for path in folder.iterdir()}
    assert written == generate_staging.generate(), "run `make generate`"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"type": ["string", "null"]}, "text"),
        ({"type": ["string", "null"], "format": "date"}, "date"),
        ({"type": ["string", "null"], "format": "date-time"}, "timestamp"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"type": ["number", "null"]}, "number"),
        ({"type": ["boolean", "null"]}, "boolean"),
    ],
)
def test_types(column: dict[str, object], expected: str) -> None:
    assert generate_staging.column_type(column) == expected


USERS, GROUPS = ({"stream": stream, "column": "id"} for stream in ("users", "groups"))


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ([], None),
        ([USERS], USERS),
        ([USERS, GROUPS], None),
        ([USERS | {"many": True}], None),
        ([USERS | {"dangling": "For a reason."}], None),
    ],
)
def test_references_that_can_be_tested(
    references: list[dict[str, Any]], expected: dict[str, str] | None
) -> None:
    assert generate_staging.tested_reference({"x-references": references}) == expected
