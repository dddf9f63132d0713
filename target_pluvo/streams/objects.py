"""The streams `groups` and `trainings`: objects that are told apart by their ref."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.errors import NotFoundError
from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError
from target_pluvo.changes import Change, Job
from target_pluvo.columns import Columns, literal_of
from target_pluvo.remote_state import Entity
from target_pluvo.streams.base import StreamWriter, is_refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.changes import Kind
    from target_pluvo.remote_state import Directory

ATTEMPTS = 3  # to make an object, each after a look whether the one before had made it


class Objects(StreamWriter):
    """Objects of one kind; `what` is the name of a single one, `title` the field it needs."""

    keys = (("ref",),)
    what: ClassVar[str]
    title: ClassVar[str]
    root: ClassVar[str]

    @property
    def create(self) -> str:
        """The mutation that makes one."""
        return f"create{self.what.title()}"

    @property
    def update(self) -> str:
        """The mutation that changes one."""
        return f"update{self.what.title()}"

    @property
    def directory(self) -> Directory:
        """What there is."""
        found: Directory = getattr(self.state, self.name)
        return found

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        for mutation in (self.create, self.update):
            self.state.require_mutation(mutation, self.what)
        inputs = [(self.create, self.what), (self.update, self.what)]
        self.columns = Columns(self.state, self.root, inputs)
        self.state.select_fields(self.name, *sorted(self.columns.readable - {"id", "ref"}))
        self._made: list[tuple[Change, Entity, dict[str, Any]]] = []
        self._changed: list[tuple[Change, Entity, dict[str, Any]]] = []

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        by_ref: dict[str, list[Row]] = {}
        for row in rows:
            try:
                by_ref.setdefault(row.required_key("ref"), []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        for ref, same in by_ref.items():
            try:
                self._compare(ref, same)
            except RejectedError as error:
                self.results.reject(same, error)
                self.directory.rejected.add(ref)

    def _compare(self, ref: str, same: list[Row]) -> None:
        values = self._wanted(same)
        found = self.directory.with_ref(ref)
        if len(found) > 1:
            msg = f"Pluvo has several {self.what}s with this `ref`"
            raise RejectedError(msg, "ref")
        if values is None or (not found and all(row.is_deleted for row in same)):
            self.results.mark_unchanged(same)
        elif not found:
            self._create(ref, same, values)
        else:
            self._update(found[0], same, values)

    def _wanted(self, same: Sequence[Row]) -> dict[str, Any] | None:
        """Return what the rows of an object ask for, or None if that is noentity.

        Noentity is deleted; what can be is archived.

        Raises:
            RejectedError: the rows contradict each other, or a value cannot be that of its field.
        """
        kept = [row for row in same if not row.is_deleted]
        if not kept:
            return {"archived": True} if self.columns.accepts(self.update, "archived") else None
        found: dict[str, Any] = {}
        for row in kept:
            for name, value in self.columns.values(row.columns()).items():
                if found.setdefault(name, value) != value:
                    msg = f"several rows of this {self.what} differ in `{name}`"
                    raise RejectedError(msg, name)
        return found

    def _create(self, ref: str, same: Sequence[Row], values: dict[str, Any]) -> None:
        if self.title not in values:
            msg = f"`{self.title}` is empty, and there is no such {self.what} yet"
            raise RejectedError(msg, self.title)
        given = {k: v for k, v in values.items() if self.columns.accepts(self.create, k)}
        entity = Entity(None, ref)
        change = self._note(same, "created", entity, values)
        self._made.append((change, entity, given))
        self.directory.add(entity)
        if values.get("archived") and "archived" not in given:  # which only a change can do
            self._changed.append((change, entity, {"archived": True}))

    def _update(self, entity: Entity, same: Sequence[Row], values: dict[str, Any]) -> None:
        differing = self.columns.differing(values, entity.node)
        new = {k: v for k, v in differing.items() if self.columns.accepts(self.update, k)}
        if not new:
            self.results.mark_unchanged(same)
            return
        kind: Kind = "archived" if new.get("archived") is True else "updated"
        if new.get("archived") is False:
            kind = "restored"
        self._changed.append((self._note(same, kind, entity, new), entity, new))

    def _note(
        self, same: Sequence[Row], kind: Kind, entity: Entity, values: dict[str, Any]
    ) -> Change:
        about = f"{entity.ref} ({', '.join(values)})"
        shown = {name: (entity.node.get(name), value) for name, value in values.items()}
        change = Change(self.name, same, kind, about, entity.ref or "", shown)
        self.results.changes.append(change)
        return change

    @override
    def write(self) -> None:
        waiting = [self._creation(*made) for made in self._made]
        for attempt in range(ATTEMPTS):
            failed = self.send(waiting, repeatable=False)
            waiting = [
                job
                for job, error in failed.items()
                if not is_refusal(error) and not self._exists(job.changes[0])
            ]
            if not waiting:
                break
            if attempt + 1 < ATTEMPTS:
                for job in waiting:
                    job.changes[0].reason = None
        self.send(self._change(*changed) for changed in self._changed)

    def _creation(self, change: Change, entity: Entity, values: dict[str, Any]) -> Job:
        text = call(self.create, {self.what: literal_of(values | {"ref": entity.ref})})

        def apply_result(answer: Any) -> None:
            made = answer.get(self.what)
            if not isinstance(made, dict) or not made.get("id"):
                change.reject(f"Pluvo answered without the {self.what}")
                return
            entity.id = made["id"]

        return Job([change], lambda: f"{text} {{ {self.what} {{ id }} }}", apply_result)

    def _exists(self, change: Change) -> bool:
        """Look whether a mutation that failed had its effect all the same."""
        entity = next(entity for made, entity, _ in self._made if made is change)
        try:
            answer = self.client.execute(f"{{ {call(self.what, {'ref': entity.ref})} {{ id }} }}")
        except NotFoundError:
            return False
        found = answer.get(self.what)
        if not isinstance(found, dict):
            return False
        entity.id = found["id"]
        change.reason, change.done = None, True
        return True

    def _change(self, change: Change, entity: Entity, values: dict[str, Any]) -> Job:
        def text() -> str:
            if change.reason is not None:
                raise RejectedError(change.reason)
            given = {"id": entity.known_id, self.what: literal_of(values)}
            return f"{call(self.update, given)} {{ {self.what} {{ id }} }}"

        return Job([change], text, lambda _: None)


class Groups(Objects):
    """Groups (page `groups-2`)."""

    name = "groups"
    what = "group"
    title = "name"
    root = "paginatedGroups"
    reads = ("groups.read",)
    writes = ("groups.write",)


class Trainings(Objects):
    """Trainings (page `learning-journeys-2`)."""

    name = "trainings"
    what = "training"
    title = "title"
    root = "paginatedTrainings"
    reads = ("trainings.read",)
    writes = ("trainings.write",)
