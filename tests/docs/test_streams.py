"""Every stream is where a list of streams is kept by hand; the other lists are generated."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "schemas").glob("*.json")
}
SELECTED = {name for name in SCHEMAS if SCHEMAS[name].get("x-selected-by-default", True)}
INCREMENTAL = {name for name in SCHEMAS if "x-replication-key" in SCHEMAS[name]}


def test_each_stream_that_is_on_by_default_is_in_one_group_of_the_dag() -> None:
    path = "orchestrate/organizations.yml"
    groups = yaml.safe_load((ROOT / path).read_text("utf-8"))["stream_groups"]
    grouped = Counter(stream for group in groups.values() for stream in group)
    wanted = SELECTED - {"sync_log"}  # which the DAG adds to each group
    assert not wanted - grouped.keys(), f"missing in `stream_groups` of {path}"
    assert not grouped.keys() - wanted, f"unknown or off by default, in {path}"
    assert set(grouped.values()) == {1}


@pytest.mark.parametrize("page", ["explanation/incremental.md", "how-to/backfill.md"])
def test_each_incremental_stream_is_on_the_page(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    missing = {name for name in INCREMENTAL if f"`{name}`" not in text}
    assert not missing, f"missing on docs/{page}"


def selections(part: Any) -> Iterator[list[str]]:
    """Give each list `select` in a document that begins with everything."""
    if isinstance(part, dict):
        if part.get("select", [])[:1] == ["*.*"]:
            yield part["select"]
        for value in part.values():
            yield from selections(value)
    elif isinstance(part, list):
        for value in part:
            yield from selections(value)


BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXTS = [("meltano.yml", (ROOT / "meltano.yml").read_text("utf-8"))] + [
    (str(page.relative_to(ROOT)), text)
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for text in BLOCK.findall(page.read_text("utf-8"))
]
SELECTIONS = [(path, select) for path, text in TEXTS for select in selections(yaml.safe_load(text))]


@pytest.mark.parametrize(("path", "select"), SELECTIONS)
def test_whoever_selects_everything_leaves_out_what_is_off_by_default(
    path: str, select: list[str]
) -> None:
    missing = {f"!{name}.*" for name in SCHEMAS.keys() - SELECTED} - {*select}
    assert not missing, f"missing below `select` in {path}"
