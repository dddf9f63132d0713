"""The output contracts: one JSON Schema for each stream, tied to the API's fields."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLScalarType,
    InlineFragmentNode,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
)
from jsonschema import Draft202012Validator

from pluvo_client.schema.files import read_schema, schemas
from tap_pluvo.streams import STREAMS
from tap_pluvo.streams.sync_log import SyncLog
from tap_pluvo.streams.webhook_events import WebhookEvents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLNamedType, SelectionNode

    from tap_pluvo.catalog_stream import CatalogStream

FOLDER = Path(__file__).parents[2] / "schemas"
DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")
}
API = build_schema((FOLDER / "pluvo.graphql").read_text(encoding="utf-8"))
READ = {stream.name: stream for stream in STREAMS}  # from the API
ALL: tuple[type[CatalogStream], ...] = (*STREAMS, SyncLog, WebhookEvents)
STREAM = {stream.name: stream for stream in ALL}
COLUMNS = [(name, column) for name, item in DOCUMENTS.items() for column in item["properties"]]
FIELDS = [
    (name, column) for name, column in COLUMNS if "x-field" in DOCUMENTS[name]["properties"][column]
]

# What a column of values of a scalar looks like: its type, and its format if there is one.
SCALARS: dict[str, tuple[str, set[str | None]]] = {
    "Boolean": ("boolean", {None}),
    "Date": ("string", {"date"}),
    "DateTime": ("string", {"date-time"}),
    "Decimal": ("number", {None}),
    "Float": ("number", {None}),
    "ID": ("string", {None}),
    "Int": ("integer", {None}),
    "JSONString": ("string", {None}),
    "String": ("string", {None}),
    "UUID": ("string", {None}),  # as some ids are of type ID, and no organization's were seen
}


STREAM_KEYWORDS = {
    *("x-row", "x-source", "x-optional", "x-selected-by-default"),
    *("x-key", "x-replication-key", "x-result-key"),
}
COLUMN_KEYWORDS = {"x-field", "x-references", "x-personal"}

# "[users-2, pagination; documented]": the pages that say something, and how certain it is.
SOURCE = re.compile(r"\[([^];]+); (documented|inferred|older pages only|assumed)\]")


def test_each_stream_has_a_file_and_each_file_a_stream() -> None:
    files, classes = DOCUMENTS.keys(), STREAM.keys()
    assert files == classes, f"schemas/ lacks {classes - files}, STREAMS lacks {files - classes}"


def test_each_keyword_is_explained() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(x-[\w-]+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(STREAM_KEYWORDS | COLUMN_KEYWORDS)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_file(name: str) -> None:
    document = DOCUMENTS[name]
    Draft202012Validator.check_schema(document)
    assert document["type"] == "object"
    assert document["title"]
    assert document["description"].endswith(".")
    key = document["x-key"]
    assert key
    assert document["required"] == key
    assert [*document["properties"]][: len(key)] == key
    replication_key = document.get("x-replication-key")
    if replication_key is not None:
        column = document["properties"][replication_key]
        assert column.get("format") in {"date", "date-time"} or column["type"] == ["integer"]
    assert {word for word in document if word.startswith("x-")} <= STREAM_KEYWORDS
    assert document["x-row"][0].islower()
    assert not document["x-row"].endswith(".")
    assert set(document.get("x-result-key", ())) <= document["properties"].keys() - set(key)


@pytest.mark.parametrize("name", sorted(READ))
def test_pages_are_those_of_the_api_contract(name: str) -> None:
    text = (FOLDER / "pluvo.graphql").read_text(encoding="utf-8")
    known = {slug for slugs, _ in SOURCE.findall(text) for slug in slugs.split(", ")}
    assert DOCUMENTS[name]["x-source"]
    assert set(DOCUMENTS[name]["x-source"]) <= known


@pytest.mark.parametrize("name", sorted(READ))
def test_optional_are_the_streams_of_older_pages(name: str) -> None:
    assert API.query_type is not None
    root = API.query_type.fields[READ[name].node.split(".")[0]]
    ((_, certainty),) = SOURCE.findall(root.description or "")
    assert DOCUMENTS[name].get("x-optional", False) is (certainty == "older pages only")


def test_the_sync_log_has_nothing_of_the_api() -> None:
    document = DOCUMENTS["sync_log"]
    assert document["x-source"] == []
    assert "x-optional" not in document
    assert not [name for name, _ in FIELDS if name == "sync_log"]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_tap_selects_by_default_what_the_file_says(name: str) -> None:
    wanted = DOCUMENTS[name].get("x-selected-by-default", True)
    assert STREAM[name].selected_by_default is wanted


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_column(name: str, column: str) -> None:
    document = DOCUMENTS[name]
    schema = document["properties"][column]
    assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", column)
    assert schema["description"].endswith(".")
    kind, *others = schema["type"]
    assert kind in {"string", "integer", "number", "boolean"}
    assert others == ([] if column in document["x-key"] else ["null"])
    assert schema.keys() <= {"type", "format", "description", *COLUMN_KEYWORDS}
    assert schema.get("format") in {None, "date", "date-time"}
    assert schema.get("x-personal", True) is True


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_references_lead_to_keys_and_are_those_of_the_description(name: str, column: str) -> None:
    schema = DOCUMENTS[name]["properties"][column]
    references = schema.get("x-references", [])
    for reference in references:
        assert reference.keys() - {"many", "dangling"} == {"stream", "column"}
        target = DOCUMENTS[reference["stream"]]
        assert target["x-key"] == [reference["column"]]
        assert target["properties"][reference["column"]]["type"] == ["string"]
        assert schema["type"][0] == "string"
        assert reference.get("many", False) is ("as a JSON list" in schema["description"])
        assert reference.get("dangling", "A reason.").endswith(".")
    named = re.findall(r"`(\w+)\.(\w+)`", schema["description"])
    assert [(item["stream"], item["column"]) for item in references] == [
        (stream, key) for stream, key in named if stream in DOCUMENTS
    ]


@pytest.mark.parametrize(
    ("name", "column"),
    [item for item in COLUMNS if item[1] in {"user_name", "user_email", "user_ref", "owner_ref"}],
)
def test_what_a_row_says_of_its_user_is_personal(name: str, column: str) -> None:
    assert DOCUMENTS[name]["properties"][column].get("x-personal")


def selections(text: str) -> tuple[SelectionNode, ...]:
    operation = parse(f"{{{text}}}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.selection_set.selections


def node_type(name: str) -> GraphQLNamedType:
    kind: Any = API.query_type
    for field in READ[name].node.split("."):
        kind = get_named_type(kind.fields[field].type)
    found: GraphQLNamedType = kind
    return found


def leaves(
    kind: Any, selected: tuple[SelectionNode, ...], *, listed: bool = False
) -> Iterator[tuple[str, bool]]:
    """Give the scalars that a selection leads to, and whether they come in lists."""
    for item in selected:
        if isinstance(item, InlineFragmentNode):
            assert item.type_condition is not None
            member = API.type_map[item.type_condition.name.value]
            assert member in API.get_possible_types(kind)
            yield from leaves(member, item.selection_set.selections, listed=listed)
        elif isinstance(item, FieldNode) and item.name.value == "__typename":
            yield "String", listed
        elif isinstance(item, FieldNode):
            field = kind.fields[item.name.value]
            inner = get_named_type(field.type)
            many = listed or is_list_type(get_nullable_type(field.type))
            if item.selection_set is None:
                assert is_leaf_type(inner)
                assert isinstance(inner, GraphQLEnumType | GraphQLScalarType)
                yield "String" if isinstance(inner, GraphQLEnumType) else inner.name, many
            else:
                assert not is_leaf_type(inner)
                yield from leaves(inner, item.selection_set.selections, listed=many)


@pytest.mark.parametrize(("name", "column"), FIELDS)
def test_field_is_one_of_the_api_and_of_a_type_that_fits(name: str, column: str) -> None:
    schema = DOCUMENTS[name]["properties"][column]
    found = list(leaves(node_type(name), selections(schema["x-field"])))
    assert found
    for scalar, listed in found:
        kind, formats = ("string", {None}) if listed else SCALARS[scalar]
        assert schema["type"][0] == kind
        assert schema.get("format") in formats


def snake_case(name: str) -> str:
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


# Where our names differ from the API's on purpose: whose id it is, and what the API calls category.
OWN_NAMES = {
    "custom_field_values.choice_id",
    "custom_field_values.choice_ref",
    "custom_field_values.field_id",
    "custom_field_values.field_title",
    "custom_field_values.value_type",
    "group_members.user_id",
    "group_members.user_ref",
    "group_trainings.training_id",
    "group_trainings.training_ref",
    "group_trainings.training_title",
}


def test_names_are_those_of_the_fields() -> None:
    """`lastLogin` is `last_login`, `user { id }` is `user_id`, `trainers { id }` `trainer_ids`."""
    others = set()
    for name, column in FIELDS:
        text = DOCUMENTS[name]["properties"][column]["x-field"].rpartition("...")[2]
        path = [snake_case(word) for word in re.findall(r"\w+", text) if word[0].islower()]
        path = path[1:] if path[:1] == ["on"] else path
        joined = "_".join(path)
        listed = "_".join([*(word.removesuffix("s") for word in path[:-1]), *path[-1:]]) + "s"
        if column not in {joined, listed, path[0] if path else ""}:
            others.add(f"{name}.{column}")
    assert others == OWN_NAMES


@pytest.mark.parametrize("name", ["pluvo.graphql", *(f"{name}.json" for name in STREAM)])
def test_the_tap_reads_these_files(name: str) -> None:
    assert read_schema(name) == (FOLDER / name).read_text(encoding="utf-8")
    assert (schemas() / name).is_file()


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        read_schema("nothing.json")
