"""Every query that the tap can build fits the documented schema and asks for nothing more."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import (
    FieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    parse,
    validate,
    visit,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from in_process import Organization, running

from pluvo_sandbox.contract import VARIANTS
from tap_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_sandbox.contract import Variant

SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENTED = build_schema((SCHEMAS / "pluvo.graphql").read_text(encoding="utf-8"))
NAMES = sorted(stream.name for stream in STREAMS)
TODAY = date(2025, 11, 21)

# Columns of an outer object, which its rows share, and as what they stand in a document.
LABELS = {
    "custom_field_values": {"owner_ref": "ref"},
    "group_members": {"group_ref": "ref"},
    "group_trainings": {"group_ref": "ref"},
    "training_participants": {"training_ref": "ref"},
}
# What the key of these is computed from.
NEEDED = {
    "custom_field_values": {"choice_id"},
    **{key: {"user_id", "title"} for key in ("issued_certificates", "portfolio_report")},
}


@pytest.fixture(scope="module")
def organizations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Organization]]:
    folder = tmp_path_factory.mktemp("organizations")
    found: dict[str, Organization] = {
        variant: Organization(folder, variant, TODAY) for variant in VARIANTS
    }
    yield found
    for organization in found.values():
        organization.close()


@cache
def columns(stream: str) -> tuple[list[str], set[str]]:
    """Return the columns of a stream by its file, and those that cannot be deselected."""
    document = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    automatic = {*document["x-key"], *filter(None, [document.get("x-replication-key")])}
    return list(document["properties"]), automatic


def catalog_of(stream: str, chosen: set[str], method: str | None = None) -> dict[str, Any]:
    """Return a catalog with one stream, as discovery writes it, and some of its columns."""
    document = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    _, automatic = columns(stream)
    metadata = [{"breadcrumb": [], "metadata": {"selected": True}}]
    for name in document["properties"]:
        inclusion = "automatic" if name in automatic else "available"
        item = {"inclusion": inclusion, "selected": name in chosen}
        metadata.append({"breadcrumb": ["properties", name], "metadata": item})
    entry = {
        "tap_stream_id": stream,
        "schema": {"type": "object", "properties": document["properties"]},
        "key_properties": document["x-key"],
        "metadata": metadata,
    }
    if method is not None:
        entry["replication_method"] = method
    return {"streams": [entry]}


class _Keys(Visitor):
    """Collects the names under which fields come back, and the API's fields behind them."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.names: set[str] = set()
        self.fields: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.names.add((node.alias or node.name).value)
        parent = self._info.get_parent_type()
        if parent is not None:
            self.fields.add(f"{parent.name}.{node.name.value}")


def asked(documents: list[str]) -> _Keys:
    info = TypeInfo(DOCUMENTED)
    keys = _Keys(info)
    for document in documents:
        visit(parse(document), TypeInfoVisitor(info, keys))
    return keys


@pytest.mark.parametrize("stream", NAMES)
@settings(max_examples=12, deadline=None, phases=set(Phase) - {Phase.explain})
@given(data=st.data())
def test_any_selection_fits_the_documents(
    stream: str, organizations: dict[str, Organization], data: st.DataObject
) -> None:
    every, automatic = columns(stream)
    chosen = data.draw(st.sets(st.sampled_from(every)), label="columns")
    introspection = data.draw(st.sampled_from(["auto", "off"]))
    page_size = data.draw(st.sampled_from([1, 2, 3, 50]))
    method = data.draw(st.sampled_from([None, "FULL_TABLE"]))
    dates = data.draw(
        st.sampled_from([{}, {"start_date": "2024-10-01"}, {"end_date": "2025-01-01"}])
    )
    organization = organizations["documented"]
    organization.documents.clear()
    with (
        organization.answering(),
        running(
            catalog_of(stream, chosen, method),
            introspection=introspection,
            page_size=page_size,
            operations_per_request=data.draw(st.integers(1, 50)),
            window_days=90,
            full_refresh_days=data.draw(st.sampled_from([0, 1])),
            **dates,
        ) as (tap, collector),
    ):
        (result,) = tap.run()
    assert result.error is None
    assert organization.documents
    for document in {*organization.documents}:
        assert validate(DOCUMENTED, parse(document)) == []
    wanted = chosen | automatic
    assert collector.schemas()[stream]["properties"].keys() == wanted
    assert all(record.keys() == wanted for record in collector.records())
    names = asked(organization.documents).names
    left_out = {*every} - wanted - NEEDED.get(stream, set())
    assert not names & {LABELS.get(stream, {}).get(name, name) for name in left_out}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stream", NAMES)
def test_all_columns_are_read(
    stream: str, variant: Variant, organizations: dict[str, Organization]
) -> None:
    """The counterpart: what is left out above is there when it is selected."""
    every, _ = columns(stream)
    organization = organizations[variant]
    organization.documents.clear()
    with organization.answering(), running(catalog_of(stream, {*every})) as (tap, collector):
        (result,) = tap.run()
    if variant == "lean" and result.error:
        assert "the organization's schema lacks" in result.error
        assert collector.records() == []
        return
    assert result.error is None
    names = asked(organization.documents).names
    document = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    read = {name for name, schema in document["properties"].items() if "x-field" in schema}
    if variant != "lean":
        assert read <= names
    assert {*LABELS.get(stream, {}).values()} <= names


def test_with_ids_of_their_own_rows_of_the_report_need_no_title(
    organizations: dict[str, Organization],
) -> None:
    organization = organizations["rich"]
    for stream in ("issued_certificates", "portfolio_report"):
        organization.documents.clear()
        with organization.answering(), running(catalog_of(stream, set())) as (tap, collector):
            (result,) = tap.run()
        assert result.error is None
        assert all(record.keys() == {"id", "completion_date"} for record in collector.records())
        assert not asked(organization.documents).names & {"title", "user_id"}


def test_the_key_of_a_value_does_not_depend_on_the_selection(
    organizations: dict[str, Organization],
) -> None:
    stream = "custom_field_values"
    every, automatic = columns(stream)
    keys = []
    with organizations["documented"].answering():
        for chosen in ({*every}, set()):
            with running(catalog_of(stream, chosen)) as (tap, collector):
                tap.run()
            keys.append([[row[name] for name in sorted(automatic)] for row in collector.records()])
    assert keys[0] == keys[1]
    assert len(keys[0]) > 20
