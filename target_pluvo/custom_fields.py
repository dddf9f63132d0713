"""Custom fields: which there are, what values mean in them, and how values are set."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLInputObjectType, get_named_type

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.documents import Enum, call
from target_pluvo.rows import RejectedError, boolean, moment, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_pluvo.live import Live

Value = str | float | bool | dt.datetime | frozenset[str]

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
    """A custom field."""

    id: str
    title: str
    ref: str | None
    kind: str
    options: frozenset[str]


class CustomFields:
    """The custom fields of users or groups."""

    def __init__(self, live: Live, owner: str) -> None:
        self._live = live
        self._owner = owner
        self._fields: list[Field] | None = None
        self._input = _value_input(live)

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
            if self._live.contract.named_type(kind) is not None
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

    def live(self, node: Mapping[str, Any]) -> dict[Field, Value]:
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
                    found[field] = others | {str(chosen)}
                case "ExtraCategoryBooleanValue":
                    found[field] = bool(value["booleanValue"])
                case "ExtraCategoryDatetimeValue":
                    found[field] = moment(field.title, value["datetimeValue"])
                case _:
                    found[field] = _plain(field, value.get("stringValue"))
        return found

    def wanted(self, field: Field, column: str, value: Any) -> Value:
        """Return what a value of a row means in a field.

        Raises:
            RejectedError: it cannot be a value of the field.
        """
        if field.kind in _CHOICES:
            chosen = frozenset([str(value).strip()] if field.kind == "SELECT" else texts(value))
            if field.options and not chosen <= field.options:
                msg = f"`{column}` is no choice of the custom field {field.title!r}"
                raise RejectedError(msg)
            return chosen
        if field.kind == "BOOLEAN":
            return boolean(column, value)
        if field.kind.startswith("DATE"):
            return moment(column, value)
        found = _plain(field, str(value))
        if field.kind == "NUMBER" and not isinstance(found, float):
            msg = f"`{column}` is no number"
            raise RejectedError(msg)
        return found

    def mutation(self, owner_id: str, values: Mapping[Field, Value]) -> str:
        """Return the mutation that gives a user or group some values."""
        given = {
            "contentType": Enum(self._owner),
            "modelId": owner_id,
            "values": [
                {"categoryId": field.id} | self._content(value) for field, value in values.items()
            ],
        }
        return (
            f"{call('updateExtraCategoryValues', given)} {{ extraCategoryValues {{ __typename }} }}"
        )

    def _content(self, value: Value) -> dict[str, Any]:
        match value:
            case bool() if "booleanValue" in self._input:
                return {"booleanValue": value}
            case bool():  # no page has a boolean among the inputs
                return {"stringValue": "true" if value else "false"}
            case dt.datetime():
                return {"datetimeValue": value.isoformat()}
            case frozenset():
                return {"choiceValues": [{"stringValue": text} for text in sorted(value)]}
            case float():
                return {"stringValue": f"{value:.15g}"}
        return {"stringValue": value}

    @property
    def _shows_refs(self) -> bool:
        return self._live.contract.has("extraCategories.ref")

    def _read(self) -> list[Field]:
        parts = ["id", "title", "categoryType", "choiceOptions { stringValue }"]
        parts += ["ref"] if self._shows_refs else []
        nodes = self._live.client.read(
            "extraCategories", " ".join(parts), contentType=Enum(self._owner)
        )
        return [
            Field(
                node["id"],
                node["title"] or "",
                node.get("ref"),
                node["categoryType"] or "TEXT",
                frozenset(item["stringValue"] for item in node["choiceOptions"] or ()),
            )
            for node in nodes
        ]


def _plain(field: Field, text: str | None) -> Value:
    if field.kind == "NUMBER":
        try:
            return float(text or "")
        except ValueError:
            return text or ""
    return text or ""


def _value_input(live: Live) -> set[str]:
    """Return the fields of a custom field value as an input."""
    mutation = live.contract.mutation("updateExtraCategoryValues")
    given = mutation.args.get("values") if mutation else None
    kind = get_named_type(given.type) if given else None
    return set(kind.fields) if isinstance(kind, GraphQLInputObjectType) else set()
