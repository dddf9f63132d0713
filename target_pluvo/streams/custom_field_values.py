"""The stream `custom_field_values`: values of users and groups, as tap-pluvo emits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_singer.values import RejectedError
from target_pluvo.changes import Change, Job
from target_pluvo.custom_fields import CustomFields
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.custom_fields import Field, Value
    from target_pluvo.remote_state import Directory, Entity

_OWNERS = {"USER": "users", "GROUP": "groups"}
_VALUES = ("string_value", "boolean_value", "datetime_value", "choice_value")


class CustomFieldValues(StreamWriter):
    """Values of custom fields, one row for each; of several choices, one row for each choice."""

    name = "custom_field_values"
    keys = (("owner_type",), ("owner_ref",), ("field_title", "field_id"))
    reads = ("users.read", "groups.read")

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.state.require_mutation("updateExtraCategoryValues", "contentType", "modelId", "values")
        self._fields: dict[str, CustomFields] = {}
        for kind in {str(row.values.get("owner_type")).upper() for row in rows} & _OWNERS.keys():
            self._fields[kind] = CustomFields(self.state, kind)
            self.state.select_fields(_OWNERS[kind], self._fields[kind].selection)
        self._jobs: list[tuple[Change, str, Entity, dict[Field, Value]]] = []

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        found: dict[tuple[str, Entity], dict[Field, list[Row]]] = {}
        for row in rows:
            try:
                kind = _kind(row)
                ref = row.required_key("owner_ref")
                if ref in self._owners(kind).left:
                    self.results.mark_unchanged([row])
                    continue
                owner = self._owners(kind).find("owner_ref", ref)
                field = self._field(kind, row)
                found.setdefault((kind, owner), {}).setdefault(field, []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        for (kind, owner), fields in found.items():
            self._compare(kind, owner, fields)

    def _compare(self, kind: str, owner: Entity, fields: dict[Field, list[Row]]) -> None:
        have = self._fields[kind].current(owner.node)
        new: dict[Field, Value] = {}
        changed: list[Row] = []
        for field, rows in fields.items():
            try:
                value = self._value(kind, field, rows)
            except RejectedError as error:
                self.results.reject(rows, error)
                continue
            if have.get(field) == value:
                self.results.mark_unchanged(rows)
            else:
                new[field] = value
                changed += rows
        if new:
            titles = ", ".join(field.title for field in new)
            about = f"of a {kind.lower()} ({titles})"
            shown = {field.title: (have.get(field), value) for field, value in new.items()}
            change = Change(self.name, changed, "updated", about, owner.ref or "", shown)
            self.results.changes.append(change)
            self._jobs.append((change, kind, owner, new))

    def _value(self, kind: str, field: Field, rows: Sequence[Row]) -> Value:
        given = [
            (row.columns()[column], column)
            for row in rows
            for column in _VALUES
            if column in row.columns()
        ]
        if not given:
            msg = f"none of {', '.join(_VALUES)} has a value"
            raise RejectedError(msg)
        values: list[Any] = [value for value, _ in given]
        several = field.kind == "MULTISELECT"
        if not several and len(set(map(str, values))) > 1:
            msg = f"several rows give the custom field {field.title!r} different values"
            raise RejectedError(msg)
        return self._fields[kind].wanted(field, given[0][1], values if several else values[0])

    def _owners(self, kind: str) -> Directory:
        found: Directory = getattr(self.state, _OWNERS[kind])
        return found

    def _field(self, kind: str, row: Row) -> Field:
        """Return the field by its title, or by its id: those of another organization are others."""
        name = row.key("field_title") or row.required_key("field_id")
        try:
            return self._fields[kind].named(name, "`field_title`")
        except ConfigurationError:
            msg = "`field_title`: the organization has no such custom field, or several"
            raise RejectedError(msg) from None

    @override
    def write(self) -> None:
        self.send(self._job(*job) for job in self._jobs)

    def _job(self, change: Change, kind: str, owner: Entity, values: dict[Field, Value]) -> Job:
        return Job(
            [change], lambda: self._fields[kind].mutation(owner.known_id, values), lambda _: None
        )


def _kind(row: Row) -> str:
    """Return whose value a row is.

    Raises:
        RejectedError: it is nobody's who has custom fields here.
    """
    kind = str(row.values.get("owner_type") or "").upper()
    if kind not in _OWNERS:
        msg = f"`owner_type` is none of {', '.join(_OWNERS)}"
        raise RejectedError(msg, "owner_type")
    return kind
