"""The streams `groups` and `trainings`: objects that are told apart by their ref."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.errors import NotFoundError
from pluvo_client.schema.documents import call
from target_pluvo.changes import Change, Job
from target_pluvo.columns import Columns, literal_of
from target_pluvo.live import Thing
from target_pluvo.rows import RejectedError, Row
from target_pluvo.streams.base import StreamWriter, is_refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_pluvo.live import Directory

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
        found: Directory = getattr(self.live, self.name)
        return found

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        for mutation in (self.create, self.update):
            self.live.need(mutation, self.what)
        inputs = [(self.create, self.what), (self.update, self.what)]
        self.columns = Columns(self.live, self.root, inputs)
        self.live.want(self.name, *sorted(self.columns.readable - {"id", "ref"}))
        self._made: list[tuple[Change, Thing, dict[str, Any]]] = []
        self._changed: list[tuple[Change, Thing, dict[str, Any]]] = []

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        by_ref: dict[str, list[Row]] = {}
        for row in rows:
            try:
                by_ref.setdefault(row.required("ref"), []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        for ref, same in by_ref.items():
            try:
                self._compare(ref, same)
            except RejectedError as error:
                self.results.reject(same, error)

    def _compare(self, ref: str, same: list[Row]) -> None:
        merged: dict[str, Any] = {}
        for row in same:
            merged |= row.columns()
        values = self.columns.values(Row(same[0].place, same[-1].number, merged))
        thing = self.directory.with_ref(ref)
        if same[-1].is_deleted:  # nothing is deleted; what can be is archived
            if thing is None or not self.columns.takes(self.update, "archived"):
                self.results.keep(same)
                return
            values = {"archived": True}
        if thing is None:
            if self.title not in values:
                msg = f"`{self.title}` is empty, and there is no such {self.what} yet"
                raise RejectedError(msg)
            change = Change(self.name, same, "created", f"{ref} ({', '.join(values)})")
            thing = Thing(None, ref, made_by=change)
            self.directory.add(thing)
            self._made.append((change, thing, values))
            later = {k: v for k, v in values.items() if not self.columns.takes(self.create, k)}
            if later.pop("archived", False):
                self._changed.append((change, thing, {"archived": True}))
        else:
            differing = self.columns.differing(values, thing.node)
            new = {k: v for k, v in differing.items() if self.columns.takes(self.update, k)}
            if not new:
                self.results.keep(same)
                return
            kind = "archived" if new.get("archived") is True else "updated"
            change = Change(self.name, same, kind, f"{ref} ({', '.join(new)})")  # type: ignore[arg-type]
            self._changed.append((change, thing, new))
        change.values = "; ".join(f"{name}: {value!r}" for name, value in values.items())
        self.results.changes.append(change)

    @override
    def write(self) -> None:
        waiting = [self._create(*made) for made in self._made]
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
        self.send(self._update(*changed) for changed in self._changed)

    def _create(self, change: Change, thing: Thing, values: dict[str, Any]) -> Job:
        given = {k: v for k, v in values.items() if self.columns.takes(self.create, k)}
        text = call(self.create, {self.what: literal_of(given | {"ref": thing.ref})})

        def settle(answer: Any) -> None:
            made = answer.get(self.what)
            if not isinstance(made, dict) or not made.get("id"):
                change.reject(f"Pluvo answered without the {self.what}")
                return
            thing.id = made["id"]

        return Job([change], lambda: f"{text} {{ {self.what} {{ id }} }}", settle)

    def _exists(self, change: Change) -> bool:
        """Look whether a mutation that failed had its effect all the same."""
        thing = next(thing for made, thing, _ in self._made if made is change)
        try:
            answer = self.client.execute(f"{{ {call(self.what, {'ref': thing.ref})} {{ id }} }}")
        except NotFoundError:
            return False
        found = answer.get(self.what)
        if not isinstance(found, dict):
            return False
        thing.id = found["id"]
        change.reason, change.done = None, True
        return True

    def _update(self, change: Change, thing: Thing, values: dict[str, Any]) -> Job:
        def text() -> str:
            if change.reason is not None:
                raise RejectedError(change.reason)
            given = {"id": thing.known_id, self.what: literal_of(values)}
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
