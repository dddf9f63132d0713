"""Custom fields: which there are, what values mean in them, and how values are set."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphql import GraphQLInputObjectType, get_named_type

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.documents import Enum, call
from pluvo_singer.values import (
    RejectedError,
    boolean,
    clean,
    moment,
    number,
    number_text,
    parse_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_pluvo.remote_state import RemoteState

Value = str | Decimal | bool | dt.datetime | frozenset[str]

# The types of values (page `extracategory-2`), each with the selection of what it holds.
_KINDS = {
    "ExtraCategoryStringValue": "stringValue",
    "ExtraCategoryChoiceValue": "choiceValue { stringValue }",
    "ExtraCategoryBooleanValue": "booleanValue",
    "ExtraCategoryDatetimeValue": "datetimeValue",
}
_CHOICES = {"SELECT", "MULTISELECT"}


@dataclass(frozen=True)
class Field:
    """A custom field; `options` are its choices as rows name them, each as Pluvo writes it."""

    id: str
    title: str
    ref: str | None
    kind: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


class CustomFields:
    """The custom fields of users or groups."""

    def __init__(self, state: RemoteState, owner: str) -> None:
        self._state = state
        self._owner = owner
        self._fields: list[Field] | None = None
        self._input = _value_input(state)

    @property
    def fields(self) -> list[Field]:
        """All fields."""
        if self._fields is None:
            self._fields = self._read()
        return self._fields

    @property
    def selection(self) -> str:
        """What is read of users or groups, to know their values."""
        parts = [
            f"... on {kind} {{ category {{ id }} {content} }}"
            for kind, content in _KINDS.items()
            if self._state.contract.named_type(kind) is not None
        ]
        return f"extraCategoryValues {{ __typename {' '.join(parts)} }}"

    def named(self, name: str, where: str) -> Field:
        """Return the field with an id, a ref or a title.

        Raises:
            ConfigurationError: there is none, or several have the title.
        """
        for mark in ("id", "ref", "title"):
            found = [field for field in self.fields if getattr(field, mark) == name]
            if len(found) == 1:
                return found[0]
            if found:
                msg = f"{where}: {len(found)} custom fields have the title {name!r}: write the id"
                raise ConfigurationError(msg)
        known = ", ".join(repr(field.title) for field in self.fields) or "none"
        refs = "" if self._shows_refs else ", and its schema does not show refs"
        msg = (
            f"{where}: the organization has no custom field {name!r} of {self._owner}{refs}: write "
            f"the id or the title of one that it has ({known})"
        )
        raise ConfigurationError(msg)

    def current(self, node: Mapping[str, Any]) -> dict[Field, Value]:
        """Return the values that a user or group has."""
        by_id = {field.id: field for field in self.fields}
        found: dict[Field, Value] = {}
        for value in node.get("extraCategoryValues") or ():
            field = by_id.get(str((value.get("category") or {}).get("id")))
            if field is None:
                continue
            match value["__typename"]:
                case "ExtraCategoryChoiceValue":
                    chosen = (value.get("choiceValue") or {}).get("stringValue")
                    before = found.get(field)
                    others = before if isinstance(before, frozenset) else frozenset[str]()
                    found[field] = others | {_text(str(chosen))}
                case "ExtraCategoryBooleanValue":
                    found[field] = bool(value["booleanValue"])
                case "ExtraCategoryDatetimeValue":
                    found[field] = moment(value["datetimeValue"], field.title)
                case _:
                    found[field] = _plain(field, value.get("stringValue"))
        return found

    def wanted(self, field: Field, column: str, value: Any) -> Value:
        """Return what a value of a row means in a field.

        Raises:
            RejectedError: it cannot be a value of the field.
        """
        if field.kind in _CHOICES:
            chosen = frozenset([str(value)] if field.kind == "SELECT" else parse_list(value))
            if field.options and not chosen <= field.options.keys():
                msg = f"`{column}` is no choice of the custom field {field.title!r}"
                raise RejectedError(msg)
            return chosen
        if field.kind == "BOOLEAN":
            return boolean(value, column)
        if field.kind.startswith("DATE"):
            return moment(value, column)
        return number(value, column) if field.kind == "NUMBER" else str(value)

    def mutation(self, owner_id: str, values: Mapping[Field, Value]) -> str:
        """Return the mutation that gives a user or group some values."""
        arguments = {
            "contentType": Enum(self._owner),
            "modelId": owner_id,
            "values": [
                {"categoryId": field.id} | self._content(field, value)
                for field, value in values.items()
            ],
        }
        mutation = call("updateExtraCategoryValues", arguments)
        return f"{mutation} {{ extraCategoryValues {{ __typename }} }}"

    def _content(self, field: Field, value: Value) -> dict[str, Any]:
        match value:
            case bool() if "booleanValue" in self._input:
                return {"booleanValue": value}
            case bool():  # no page has a boolean among the inputs
                return {"stringValue": "true" if value else "false"}
            case dt.datetime():
                return {"datetimeValue": value.isoformat()}
            case frozenset():
                options = [field.options.get(text, text) for text in sorted(value)]
                return {"choiceValues": [{"stringValue": text} for text in options]}
            case Decimal():
                return {"stringValue": number_text(value)}
        return {"stringValue": value}

    @property
    def _shows_refs(self) -> bool:
        return self._state.contract.has("extraCategories.ref")

    def _read(self) -> list[Field]:
        parts = ["id", "title", "categoryType", "choiceOptions { stringValue }"]
        parts += ["ref"] if self._shows_refs else []
        nodes = self._state.client.read(
            "extraCategories", " ".join(parts), contentType=Enum(self._owner)
        )
        return [
            Field(
                node["id"],
                node["title"] or "",
                node.get("ref"),
                node["categoryType"] or "TEXT",
                {
                    _text(item["stringValue"]): item["stringValue"]
                    for item in node["choiceOptions"] or ()
                },
            )
            for node in nodes
        ]


def _plain(field: Field, text: str | None) -> Value:
    """Return a value that Pluvo has as text, read as those of rows are."""
    try:
        return number(text, field.title) if field.kind == "NUMBER" else _text(text or "")
    except RejectedError:
        return text or ""


def _text(text: str) -> str:
    try:
        return str(clean(text, ""))
    except RejectedError:
        return text


def _value_input(state: RemoteState) -> set[str]:
    """Return the fields of a custom field value as an input."""
    mutation = state.contract.mutation("updateExtraCategoryValues")
    taken = mutation.args.get("values") if mutation else None
    kind = get_named_type(taken.type) if taken else None
    return set(kind.fields) if isinstance(kind, GraphQLInputObjectType) else set()
