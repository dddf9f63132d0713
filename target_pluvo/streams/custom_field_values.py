"""The stream `custom_field_values`: values of users and groups, as tap-pluvo emits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from target_pluvo.changes import Change, Job
from target_pluvo.custom_fields import CustomFields
from target_pluvo.rows import RejectedError
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_pluvo.custom_fields import Field, Value
    from target_pluvo.live import Directory, Thing
    from target_pluvo.rows import Row

_OWNERS = {"USER": "users", "GROUP": "groups"}
_VALUES = ("string_value", "boolean_value", "datetime_value", "choice_value")


class CustomFieldValues(StreamWriter):
    """Values of custom fields, one row for each; of several choices, one row for each choice."""

    name = "custom_field_values"
    keys = (("owner_type",), ("owner_ref",), ("field_title", "field_id"))
    reads = ("users.read", "groups.read")

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.live.need("updateExtraCategoryValues", "contentType", "modelId", "values")
        self._fields: dict[str, CustomFields] = {}
        for kind in {(row.text("owner_type") or "").upper() for row in rows}:
            if kind not in _OWNERS:
                msg = (
                    f"stream {self.name}: `owner_type` is {kind!r}, which has no custom fields "
                    f"here: use {', '.join(_OWNERS)}. Nothing was written"
                )
                raise ConfigurationError(msg)
            self._fields[kind] = CustomFields(self.live, kind)
            self.live.want(_OWNERS[kind], self._fields[kind].selection)
        self._jobs: list[tuple[Change, str, Thing, dict[Field, Value]]] = []

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        found: dict[tuple[str, Thing], dict[Field, list[Row]]] = {}
        for row in rows:
            kind = row.required("owner_type").upper()
            try:
                owner = self._owners(kind).find("owner_ref", row.required("owner_ref"))
                field = self._field(kind, row)
                found.setdefault((kind, owner), {}).setdefault(field, []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        for (kind, owner), fields in found.items():
            self._compare(kind, owner, fields)

    def _compare(self, kind: str, owner: Thing, fields: dict[Field, list[Row]]) -> None:
        have = self._fields[kind].live(owner.node)
        new: dict[Field, Value] = {}
        changed: list[Row] = []
        for field, rows in fields.items():
            try:
                value = self._value(kind, field, rows)
            except RejectedError as error:
                self.results.reject(rows, error)
                continue
            if have.get(field) == value:
                self.results.keep(rows)
            else:
                new[field] = value
                changed += rows
        if new:
            titles = ", ".join(field.title for field in new)
            shown = "; ".join(f"{field.title}: {value}" for field, value in new.items())
            about = f"of a {kind.lower()} ({titles})"
            change = Change(self.name, changed, "updated", about, f"{owner.ref}: {shown}")
            self.results.changes.append(change)
            self._jobs.append((change, kind, owner, new))

    def _value(self, kind: str, field: Field, rows: Sequence[Row]) -> Value:
        given = [
            (column, row.values[column])
            for row in rows
            for column in _VALUES
            if row.values.get(column) not in {None, ""}
        ]
        if not given:
            msg = f"none of {', '.join(_VALUES)} has a value"
            raise RejectedError(msg)
        values: Any = [value for _, value in given]
        several = field.kind == "MULTISELECT"
        return self._fields[kind].wanted(field, given[-1][0], values if several else values[-1])

    def _owners(self, kind: str) -> Directory:
        found: Directory = getattr(self.live, _OWNERS[kind])
        return found

    def _field(self, kind: str, row: Row) -> Field:
        """Return the field by its title, or by its id: those of another organization are others."""
        name = row.text("field_title") or row.required("field_id")
        try:
            return self._fields[kind].named(name, "`field_title`")
        except ConfigurationError:
            msg = "`field_title`: the organization has no such custom field, or several"
            raise RejectedError(msg) from None

    @override
    def write(self) -> None:
        self.send(self._job(*job) for job in self._jobs)

    def _job(self, change: Change, kind: str, owner: Thing, values: dict[Field, Value]) -> Job:
        return Job(
            [change], lambda: self._fields[kind].mutation(owner.known_id, values), lambda _: None
        )
