"""Custom fields, which the API calls extra categories: their definitions and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from graphql import is_abstract_type, is_leaf_type
from typing_extensions import override

from pluvo_client.errors import ProtocolError
from pluvo_client.reading.answers import items
from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.documents import Enum
from pluvo_client.schema.selection import identifier, member
from tap_pluvo.log_based import LogBasedStream
from tap_pluvo.stream import PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record, Selection

_VALUE_TYPES = frozenset(
    f"ExtraCategory{kind}Value" for kind in ("String", "Choice", "Boolean", "Datetime")
)


class CustomFields(PluvoStream):
    """Definitions of custom fields, by what they can be set on (page `extracategory-2`)."""

    name = "custom_fields"
    node = "extraCategories"
    scopes = ("users.read",)

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give each definition once, even if it serves several content types."""
        selection = self.select()
        types = self.contract.values(self.root, "contentType")
        given = set()
        for records in self.client.lists(
            ListField(
                self.root,
                {"contentType": Enum(name)} if name else {},
                selection.text,
                selection.record,
            )
            for name in types or [""]
        ):
            for record in records:
                if record["id"] not in given:
                    given.add(record["id"])
                    yield [record]


class CustomFieldValues(LogBasedStream):
    """Custom field values of users and groups (page `extracategory-2`)."""

    name = "custom_field_values"
    node = "paginatedUsers.edges.node.extraCategoryValues"
    scopes = ("groups.read", "users.read")
    takes_filters = False
    kinds = ("user", "group")
    parent = "owner_id"

    @property
    @override
    def key_sources(self) -> tuple[str, ...]:
        """The column that `value_key` is made of."""
        return ("choice_id",)

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the values of each owner, which travel with the owner."""
        selection = self.select()
        inner = " ".join([selection.text, *self._other_types().values()])
        for owner_type, root in (("USER", "paginatedUsers"), ("GROUP", "paginatedGroups")):
            node = f"{root}.edges.node"
            if not self.contract.has(f"{node}.extraCategoryValues"):
                self.say_once(f"the organization's schema lacks the values of each {owner_type}")
                continue
            ref = self.ref_of(node, "owner_ref")

            def with_values(
                owner: Record, owner_type: str = owner_type, ref: str = ref
            ) -> dict[str, Any]:
                label = {
                    "owner_type": owner_type,
                    "owner_id": identifier(owner, "id", "owner_id"),
                    "owner_ref": member(owner, "ref") if ref else None,
                }
                values = member(owner, "extraCategoryValues")
                found = [] if values is None else items("extraCategoryValues", values)
                return {"id": label["owner_id"], "values": _records(label, found, selection)}

            outer = f"id{ref} __typename extraCategoryValues {{ {inner} }}"
            for owners in self.nodes(root, outer, with_values):
                yield [record for owner in owners for record in owner["values"]]

    def _other_types(self) -> dict[str, str]:
        """Return a selection for each type of value that the live schema has beyond the documents.

        Their own fields get names of their own, since GraphQL does not let one name stand for
        values of several types.
        """
        union = self.contract.type_at(self.node)
        if not self.contract.is_live or not is_abstract_type(union):
            return {}
        selections = {}
        for kind in self.contract.schema.get_possible_types(union):  # type: ignore[arg-type]
            if kind.name in _VALUE_TYPES or "category" not in kind.fields:
                continue
            own = " ".join(
                f"other_{kind.name}_{name}: {name}"
                for name, field in kind.fields.items()
                if is_leaf_type(getattr(field.type, "of_type", field.type)) and not field.args
            )
            category = "category { field_id: id field_title: title }"
            selections[kind.name] = f"... on {kind.name} {{ {category} {own} }}"
        return selections


def _records(label: Record, values: list[Record], selection: Selection) -> list[Record]:
    """Return the records of an owner's values; equal ones are numbered in `value_key`."""
    used: dict[tuple[str, str], int] = {}
    records = []
    for value in values:
        other = {key: value.pop(key) for key in list(value) if key.startswith("other_")}
        record = label | selection.record(value)
        kind = record.get("value_type")
        if record["field_id"] is None and kind is not None and kind not in _VALUE_TYPES:
            msg = (
                f"custom field values have a type ({kind}) that is not documented: set "
                "`introspection` to `auto`, or deselect the stream"
            )
            raise ProtocolError(msg)
        field, choice = identifier(record, "field_id"), record.get("choice_id")
        number = used[field, choice or ""] = used.get((field, choice or ""), 0) + 1
        if choice is None:
            record["value_key"] = str(number)
        else:
            record["value_key"] = choice if number == 1 else f"{choice} {number}"
        record["other_value"] = msgspec.json.encode(other).decode() if other else None
        records.append(record)
    return records
