"""The stream `users`: accounts made, changed, archived and restored; never deleted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.documents import call
from target_pluvo.changes import Change, Job, Kind
from target_pluvo.columns import Columns, literal_of
from target_pluvo.custom_fields import CustomFields
from target_pluvo.live import Thing
from target_pluvo.rows import RejectedError, Row, words
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_pluvo.custom_fields import Field, Value

logger = logging.getLogger("target-pluvo")

UPSERT = "updateOrCreateUser"
_ROOT = "paginatedUsers"


class Users(StreamWriter):
    """Users, by ref or e-mail address (pages `users-2`, `common-recipes`)."""

    name = "users"
    keys = (("ref", "email"),)
    reads = ("users.read",)
    writes = ("users.write",)
    changed: ClassVar = "users"

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.live.need(UPSERT, "user")
        self.columns = Columns(self.live, _ROOT, [(UPSERT, "user")])
        self.live.want("users", *sorted(self.columns.readable - {"id", "ref"}))
        self.fields = CustomFields(self.live, "USER")
        self.custom = {
            column: self.fields.named(field, f"setting `custom_fields`, column `{column}`")
            for column, field in self.settings.custom_fields.items()
        }
        for column in self.custom:
            if not any(column in row.values for row in rows):
                logger.warning("setting `custom_fields`: no row of users has %r", column)
        if self.custom:
            self.live.need("updateExtraCategoryValues", "contentType", "modelId", "values")
            self.live.want("users", self.fields.selection)
        self._jobs: list[tuple[Change, Thing, dict[str, Any], dict[Field, Value]]] = []
        known = self.columns.names("roles")
        for row in rows:
            for role in words(row.values.get("roles") or ""):
                if known and role not in known:
                    msg = (
                        f"stream users, row {row.number}: `roles` has {role!r}, which is no role: "
                        f"use {', '.join(known)}. Nothing was written"
                    )
                    raise ConfigurationError(msg)

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        touched: set[Thing] = set()
        for same in _of_one_user(rows):
            row = Row(same[0].place, same[-1].number, _merged(same))
            try:
                thing = self._thing(row, touched)
                self._compare(row, same, thing)
            except RejectedError as error:
                self.results.reject(same, error)
            else:
                if thing is not None:
                    touched.add(thing)

    def _thing(self, row: Row, touched: set[Thing]) -> Thing | None:
        """Return the user that a row is about, if there is one.

        Raises:
            RejectedError: that is not certain.
        """
        ref, email = row.text("ref"), row.text("email")
        if ref is None and email is None:
            msg = "`ref` and `email` are both empty"
            raise RejectedError(msg)
        users = self.live.users
        owner = users.with_email(email)
        found = users.with_ref(ref) or owner
        if owner is not None and owner is not found:
            msg = "`email` is the address of another user"
            raise RejectedError(msg)
        if found in touched or (found is not None and found.id is None):
            msg = "another row is about the same user"
            raise RejectedError(msg)
        return found

    def _compare(self, row: Row, same: Sequence[Row], thing: Thing | None) -> None:
        values = self.columns.values(row)
        values.pop("isActive", None)
        if row.is_deleted:
            values["archived"] = True
        if "archived" in values and not self.columns.takes(UPSERT, "archived"):
            values["isActive"] = not values.pop("archived")
        custom = {
            field: self.fields.wanted(field, column, value)
            for column, field in self.custom.items()
            if (value := row.columns().get(column)) is not None
        }
        if thing is None:
            if row.is_deleted:
                self.results.keep(same)
                return
            if "name" not in values:
                msg = "`name` is empty, and there is no such user yet"
                raise RejectedError(msg)
            thing = Thing(None, row.text("ref"), {"email": row.text("email")})
            self._note(same, "created", thing, values, custom)
            return
        new = self.columns.differing(values, thing.node)
        have = self.fields.live(thing.node) if custom else {}
        custom = {field: value for field, value in custom.items() if have.get(field) != value}
        if not new and not custom:
            self.results.keep(same)
            return
        archives = new.get("archived") is True or new.get("isActive") is False
        hidden = {name: values[name] for name in values if name not in self.columns.readable}
        self._note(
            same,
            "archived" if archives else "updated",
            thing,
            (new | hidden) if new else {},
            custom,
        )

    def _note(
        self,
        same: Sequence[Row],
        kind: Kind,
        thing: Thing,
        values: dict[str, Any],
        custom: dict[Field, Value],
    ) -> None:
        columns = [*values, *(field.title for field in custom)]
        key = thing.ref or thing.node.get("email")
        shown = [f"{name}: {thing.node.get(name)!r} -> {value!r}" for name, value in values.items()]
        shown += [f"{field.title}: {value}" for field, value in custom.items()]
        change = Change(
            self.name, same, kind, f"({', '.join(columns)})", f"{key}: {'; '.join(shown)}"
        )
        self.results.changes.append(change)
        self._jobs.append((change, thing, values, custom))
        if thing.id is None:
            thing.made_by = change
        if ref := values.get("ref"):
            thing.ref = ref
        self.live.users.add(thing)

    @override
    def write(self) -> None:
        self.send(self._upsert(*job[:3]) for job in self._jobs if job[2])
        self.send(
            self._set_values(change, thing, custom)
            for change, thing, _, custom in self._jobs
            if custom
        )

    def _upsert(self, change: Change, thing: Thing, values: dict[str, Any]) -> Job:
        by_ref = thing.ref if thing.id is None or thing.node.get("ref") == thing.ref else None
        email = None if by_ref else thing.node.get("email")
        invite = self.settings.send_invites
        given = {"ref": by_ref, "email": email, "sendInvite": invite, "user": literal_of(values)}
        if by_ref is None and email is None:
            given["ref"] = thing.node.get("ref")

        def settle(answer: Any) -> None:
            user = answer.get("user")
            if not isinstance(user, dict) or not user.get("id"):
                change.reject("Pluvo answered without the user")
                return
            thing.id = user["id"]

        return Job([change], lambda: f"{call(UPSERT, given)} {{ user {{ id }} }}", settle)

    def _set_values(self, change: Change, thing: Thing, custom: dict[Field, Value]) -> Job:
        def text() -> str:
            if change.reason is not None:
                raise RejectedError(change.reason)
            return self.fields.mutation(thing.known_id, custom)

        return Job([change], text, lambda _: None)


def _of_one_user(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Give the rows of each user together: with the same ref, or without one the same address."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        key = row.text("ref") or f"@{(row.text('email') or str(row.place)).lower()}"
        found.setdefault(key, []).append(row)
    yield from found.values()


def _merged(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the values of several rows, of which later ones count where they have one."""
    values: dict[str, Any] = {}
    for row in rows:
        values |= row.columns()
    if rows[-1].is_deleted:
        values["_sdc_deleted_at"] = rows[-1].values["_sdc_deleted_at"]
    return values
