"""The stream `users`: accounts made, changed, archived and restored; never deleted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError
from target_pluvo.changes import Change, Job, Kind
from target_pluvo.columns import Columns, literal_of
from target_pluvo.custom_fields import CustomFields
from target_pluvo.identity import match_people, not_given_up
from target_pluvo.remote_state import Entity
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.changes import Limited
    from target_pluvo.custom_fields import Field, Value
    from target_pluvo.identity import Match
    from target_pluvo.people import Person

logger = logging.getLogger("target-pluvo")

UPSERT = "updateOrCreateUser"
_ROOT = "paginatedUsers"
_ARCHIVED, _IS_ACTIVE = "archived", "isActive"


class Upsert(NamedTuple):
    """What is to be written to an account, and why."""

    change: Change
    entity: Entity
    values: dict[str, Any]
    custom: dict[Field, Value]
    match: Match


class Users(StreamWriter):
    """Users, by ref, or by e-mail address where they have none (pages `users-2`, `common-recipes`).

    Whoever has left is archived, and nothing else is written about him.
    """

    name = "users"
    keys = (("ref", "email"),)
    reads = ("users.read",)
    writes = ("users.write",)

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.state.require_mutation(UPSERT, "user")
        self.columns = Columns(self.state, _ROOT, [(UPSERT, "user")])
        self.state.select_fields("users", *sorted(self.columns.readable - {"id", "ref"}))
        self.fields = CustomFields(self.state, "USER")
        self.custom = {
            column: self.fields.named(field, f"setting `custom_fields`, column `{column}`")
            for column, field in self.settings.custom_fields.items()
        }
        for column in self.custom:
            if not any(column in row.values for row in rows):
                logger.warning("setting `custom_fields`: no row of users has %r", column)
        if self.custom:
            mutation = "updateExtraCategoryValues"
            self.state.require_mutation(mutation, "contentType", "modelId", "values")
            self.state.select_fields("users", self.fields.selection)
        if not self.settings.manage_roles and any("roles" in row.columns() for row in rows):
            logger.warning("stream users: column `roles` is ignored; see setting `manage_roles`")
        self._jobs: list[Upsert] = []

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        users = self.state.users
        matches = match_people(
            rows,
            self.unread,
            users,
            used=(self.columns.names - self._ignored) | self.custom.keys(),
            renumber=self.settings.renumber,
        )
        self.results.mark_unchanged(matches.unchanged)
        for row, error in matches.rejected:
            self.results.reject([row], error)
        users.rejected |= matches.rejected_refs
        users.left |= matches.left_refs
        for ref, entity in matches.named:
            users.name(entity, ref)
        self.state.protected |= matches.protected
        self.state.protects_everybody |= matches.unreadable
        for match in matches.found:  # those whose address another one takes come first
            try:
                if match.giver is not None and match.giver.error is not None:
                    raise not_given_up()
                self._compare(match)
            except RejectedError as error:
                self._reject(match, error)

    @property
    def _ignored(self) -> set[str]:
        return set() if self.settings.manage_roles else {"roles"}

    def _reject(self, match: Match, error: RejectedError) -> None:
        match.person.error = error
        self.results.reject(match.person.rows, error)
        self.state.users.rejected |= {match.person.ref} if match.person.ref else set()
        self.state.protected |= {match.entity} if match.entity else set()

    def _compare(self, match: Match) -> None:
        person, entity = match.person, match.entity
        values, custom = self._wanted(person)
        if entity is None:
            if "name" not in values:
                msg = "`name` is empty, and there is no such user yet"
                raise RejectedError(msg, "name")
            entity = Entity(None, person.ref, {"email": person.email})
            self._note(match, entity, "created", values, custom)
            self.state.users.add(entity)
            return
        new = self.columns.differing(values, entity.node)
        have = self.fields.current(entity.node) if custom else {}
        custom = {field: value for field, value in custom.items() if have.get(field) != value}
        if not new and not custom:
            self.results.mark_unchanged(person.rows)
            return
        hidden = {name: values[name] for name in values if name not in self.columns.readable}
        self._note(match, entity, _kind(match, new), new | (hidden if new else {}), custom)
        if person.ref and match.how in {"adopted", "renumbered"}:
            self.state.users.renumber(entity, person.ref)

    def _wanted(self, person: Person) -> tuple[dict[str, Any], dict[Field, Value]]:
        """Return what a person's fields and custom fields are to be."""
        given = person.values
        writes_archived = self.columns.accepts(UPSERT, _ARCHIVED)
        if person.leaves:
            return ({_ARCHIVED: True} if writes_archived else {_IS_ACTIVE: False}), {}
        skipped = {"archived", "is_active"} | self._ignored
        values = self.columns.values(
            {column: value for column, value in given.items() if column not in skipped}
        )
        if "archived" in given or "is_active" in given:  # and it says that the person is here
            values |= {_ARCHIVED: False} if writes_archived else {_IS_ACTIVE: True}
        custom = {
            field: self.fields.wanted(field, column, given[column])
            for column, field in self.custom.items()
            if column in given
        }
        return values, custom

    def _note(
        self,
        match: Match,
        entity: Entity,
        kind: Kind,
        values: dict[str, Any],
        custom: dict[Field, Value],
    ) -> None:
        invited = kind == "created" and self.settings.send_invites
        have = self.fields.current(entity.node) if custom else {}
        shown = {name: (entity.node.get(name), value) for name, value in values.items()}
        shown |= {field.title: (have.get(field), value) for field, value in custom.items()}
        if kind == "created":
            shown = {name: (None, value) for name, (_, value) in shown.items()}
        change = Change(
            self.name,
            match.person.rows,
            kind,
            f"({', '.join(shown)})",
            entity.ref or match.person.ref or f"<{match.person.email}>",
            shown | ({"invitation": (None, "sent")} if invited else {}),
            {} if entity.id is None else _limits(match, entity.id, values),
        )
        if match.person.leaves or _is_restored(values):
            entity.archived = match.person.leaves
        self.results.changes.append(change)
        self._jobs.append(Upsert(change, entity, values, custom, match))

    @override
    def write(self) -> None:
        changes = {job.match.person: job.change for job in self._jobs}
        for depth in range(1 + max((job.match.depth for job in self._jobs), default=0)):
            due = [job for job in self._jobs if job.match.depth == depth and job.values]
            for job in due:
                giver = changes.get(job.match.giver) if job.match.giver else None
                if giver is not None and giver.reason is not None:
                    job.change.reject(str(not_given_up()))
            self.send(self._upsert(job) for job in due if job.change.reason is None)
        self.send(self._set_values(job) for job in self._jobs if job.custom)
        for job in self._jobs:
            if job.change.reason is not None:
                job.entity.doubtful = job.change.reason
                self.state.protected.add(job.entity)

    def _upsert(self, job: Upsert) -> Job:
        """Return the mutation; it has the same effect when it is sent again.

        So an account that gets another ref is named by its address, and one that gets another
        address by its ref.
        """
        change, entity, values = job.change, job.entity, job.values
        ref, email = entity.node.get("ref"), entity.node.get("email")
        if entity.id is None:
            ref, email = entity.ref, None if entity.ref else email
        elif "ref" in values or ref is None:
            ref = None
        else:
            email = None
        invite = entity.id is None and self.settings.send_invites
        given = {"ref": ref, "email": email, "sendInvite": invite, "user": literal_of(values)}

        def apply_result(answer: Any) -> None:
            user = answer.get("user")
            if not isinstance(user, dict) or not user.get("id"):
                change.reject("Pluvo answered without the user")
            elif entity.id not in {None, user["id"]}:
                change.reject("Pluvo answered with another user; look at both accounts")
            else:
                entity.id = user["id"]

        return Job([change], lambda: f"{call(UPSERT, given)} {{ user {{ id }} }}", apply_result)

    def _set_values(self, job: Upsert) -> Job:
        def text() -> str:
            if job.change.reason is not None:
                raise RejectedError(job.change.reason)
            return self.fields.mutation(job.entity.known_id, job.custom)

        return Job([job.change], text, lambda _: None)


def _kind(match: Match, new: Mapping[str, Any]) -> Kind:
    if match.person.leaves:
        return "archived"
    if match.how == "renumbered":
        return "renumbered"
    if match.how == "adopted":
        return "adopted"
    return "restored" if _is_restored(new) else "updated"


def _is_restored(new: Mapping[str, Any]) -> bool:
    return new.get(_ARCHIVED) is False or new.get(_IS_ACTIVE) is True


def _limits(match: Match, user_id: str, new: Mapping[str, Any]) -> dict[Limited, str]:
    """Return which limits a change of an account counts for."""
    counts: dict[Limited, bool] = {
        "archived": match.person.leaves,
        "restored": _is_restored(new),
        "renumbered": match.how == "renumbered",
        "address": "email" in new,
        "role": "roles" in new,
    }
    return {kind: user_id for kind, applies in counts.items() if applies}
