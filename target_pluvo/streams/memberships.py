"""The streams `group_members` and `training_participants`: who is in what, and as what."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from typing_extensions import override

from pluvo_singer.values import RejectedError
from target_pluvo.changes import Change, Job
from target_pluvo.settings import MIRROR
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Directory, Entity

BATCH = 100  # users in one mutation
PARTICIPANT = "PARTICIPANT"
KEPT_BY_GROUP = "a group or an enrollment keeps this user in the training"


class Place(NamedTuple):
    """What users are in, and as what."""

    owner: Entity
    role: str


class Doubts:
    """What rows that were rejected could be about: nobody is removed there for lack of a row."""

    def __init__(self) -> None:
        self.users: set[Entity] = set()
        self.owners: set[Entity] = set()
        self.about_anybody = False

    def add(self, users: Sequence[Entity], owners: Sequence[Entity]) -> None:
        """Note a row, by whom it may name or else by the groups or trainings that it may name."""
        if users:
            self.users.update(users)
        elif owners:
            self.owners.update(owners)
        else:
            self.about_anybody = True

    def cover(self, user: Entity, owner: Entity) -> bool:
        """Tell whether there is a doubt about a user in a group or training."""
        return self.about_anybody or user in self.users or owner in self.owners


class Memberships(StreamWriter):
    """Users in groups or trainings; `owner` is the name of a single one."""

    owner: ClassVar[str]

    @property
    def mirrors(self) -> bool:
        """Whether users who are not in the data are removed."""
        return self.settings.membership_mode == MIRROR

    @property
    @abstractmethod
    def owners(self) -> Directory:
        """The groups or trainings that there are."""

    @abstractmethod
    def roles(self) -> list[str]:
        """Return the roles that there are."""

    @abstractmethod
    def members(self, places: Sequence[Place]) -> dict[Place, set[str]]:
        """Return the ids of the users in some places."""

    @abstractmethod
    def mutation(self, place: Place, ids: list[str], *, adds: bool, invites: bool) -> str:
        """Return the mutation that adds users to a place or removes them."""

    @abstractmethod
    def failed(self, answer: Any) -> dict[str, str]:
        """Return the ids of users for whom a mutation failed, each with a reason."""

    def linked(self, _place: Place, _ids: set[str]) -> dict[str, set[str]]:
        """Return whom of some users groups keep in a place: the ids of the groups by user id."""
        return {}

    def managed(self, named: Sequence[Place]) -> list[Place]:
        """Return the places from which users are removed who are not in the data."""
        return list(named)

    def invites(self, _user: Entity) -> bool:
        """Tell whether a user is to be invited to what he is added to."""
        return False

    def role_of(self, row: Row) -> str:
        """Return the role that a row gives."""
        return str(row.columns().get("role", PARTICIPANT)).upper()

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self._adding: dict[Place, list[tuple[Change, Entity]]] = {}
        self._removing: dict[Place, list[tuple[Change, Entity]]] = {}
        self._doubts = Doubts()

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        wanted: dict[Place, dict[Entity, list[Row]]] = {}
        for row in rows:
            try:
                place, user = self._read(row)
            except RejectedError as error:
                self.results.reject([row], error)
                self._doubt(row)
            else:
                if user is None:
                    self.results.mark_unchanged([row])
                else:
                    wanted.setdefault(place, {}).setdefault(user, []).append(row)
        for found in self.unread:
            if found.row is not None:
                self._doubt(found.row)
        managed = self.managed(list(wanted)) if self.mirrors else []
        known = [place for place in {*wanted, *managed} if place.owner.id is not None]
        members = self.members(sorted(known, key=lambda place: (place.owner.known_id, place.role)))
        self.results.members = sum(map(len, members.values()))
        for place, users in wanted.items():
            self._compare(place, users, members.get(place, set()))
        for place in managed:
            self._remove_others(place, wanted.get(place, {}), members.get(place, set()))

    def _read(self, row: Row) -> tuple[Place, Entity | None]:
        """Return what a row is about; no user if there is nothing to do, since he has left."""
        role = self.role_of(row)
        if role not in self.roles():
            msg = f"`role` is none of {', '.join(self.roles())}"
            raise RejectedError(msg, "role")
        column = f"{self.owner}_ref"
        place = Place(self.owners.find(column, row.required_key(column)), role)
        ref = row.required_key("user_ref")
        if ref in self.state.users.left and not self.state.users.with_ref(ref):
            return place, None
        return place, self.state.users.find("user_ref", ref)

    def _doubt(self, row: Row) -> None:
        """Note what a rejected row could be about."""
        users = _named(self.state.users, row, "user_ref")
        self._doubts.add(users, _named(self.owners, row, f"{self.owner}_ref"))

    def _compare(self, place: Place, users: dict[Entity, list[Row]], present: set[str]) -> None:
        for user, same in users.items():
            is_in = user.id is not None and user.id in present
            leaves = all(row.is_deleted for row in same)
            keep, end = False, False
            if is_in and (leaves or self.state.leaving):
                keep, end = self._groups_that_keep(place, user)
            if leaves and keep:
                self.results.reject(same, KEPT_BY_GROUP)
            elif is_in == leaves or (end and not leaves):
                self._note(place, user, same, adds=not leaves)
            else:
                self.results.mark_unchanged(same)

    def _groups_that_keep(self, place: Place, user: Entity) -> tuple[bool, bool]:
        """Tell whether groups keep a user in a place, and whether those did that he leaves now."""
        groups = self.linked(place, {user.known_id}).get(user.known_id, set())
        stay = {group for group in groups if (group, user.id) not in self.state.leaving}
        return bool(stay), bool(groups) and not stay

    def _remove_others(
        self, place: Place, users: dict[Entity, list[Row]], present: set[str]
    ) -> None:
        others = present - {user.id for user in users}
        for user_id in sorted(others - self.linked(place, others).keys()):
            user = self.state.users.by_id.get(user_id)
            if user is not None and self._may_remove(user, place):
                self._note(place, user, [], adds=False)

    def _may_remove(self, user: Entity, place: Place) -> bool:
        """Tell whether it is certain that a user is in a place without a row that says so."""
        unsure = self.state.protects_everybody or user in self.state.protected
        return not unsure and not self._doubts.cover(user, place.owner)

    def _note(self, place: Place, user: Entity, same: Sequence[Row], *, adds: bool) -> None:
        words = ("add", "to") if adds else ("remove", "from")
        about = f"{words[0]} {place.role} {words[1]} {self.owner} {place.owner.ref}"
        if adds and self.invites(user):
            about += " (invited)"
        who = user.ref or f"<{user.node.get('email')}>"
        key = f"{place.owner.id} {place.role} {user.id}"
        change = Change(
            self.name,
            same,
            "created" if adds else "removed",
            about,
            who,
            limits={} if adds else {"removed": key},
        )
        self.results.changes.append(change)
        if not adds and self.owner == "group":
            self.state.leaving.add((place.owner.known_id, user.known_id))
        changes = self._adding if adds else self._removing
        changes.setdefault(place, []).append((change, user))

    @override
    def write(self) -> None:
        # First the additions: whoever is moved is never in none.
        self._send(self._adding, adds=True)
        for members in self._adding.values():
            self._doubts.users |= {user for change, user in members if change.reason is not None}
        for place, members in self._removing.items():
            for change, user in members:
                if not change.rows and not self._may_remove(user, place):
                    change.reject("not removed, since a row of the same user was not written")
        self._send(self._removing, adds=False)

    def _send(self, changes: dict[Place, list[tuple[Change, Entity]]], *, adds: bool) -> None:
        self.send(
            self._job(place, part[start : start + BATCH], adds=adds, invites=invites)
            for place, members in changes.items()
            for invites in (False, True)
            if (
                part := [
                    (change, user)
                    for change, user in members
                    if change.reason is None and (adds and self.invites(user)) == invites
                ]
            )
            for start in range(0, len(part), BATCH)
        )

    def _job(
        self, place: Place, members: Sequence[tuple[Change, Entity]], *, adds: bool, invites: bool
    ) -> Job:
        def text() -> str:
            ids = list(_ids(members))
            if not ids:
                msg = "its user was not created; see the error there"
                raise RejectedError(msg)
            return self.mutation(place, ids, adds=adds, invites=invites)

        def apply_result(answer: Any) -> None:
            failed = self.failed(answer)
            for change, user in members:
                if user.id in failed:
                    change.reject(failed[user.id])

        def parts() -> list[Job]:
            if len(members) == 1:
                return []
            return [self._job(place, [one], adds=adds, invites=invites) for one in members]

        return Job([change for change, _ in members], text, apply_result, parts)


def _ids(members: Sequence[tuple[Change, Entity]]) -> Iterator[str]:
    for change, user in members:
        try:
            yield user.known_id
        except RejectedError as error:
            change.reject(str(error))


def _named(directory: Directory, row: Row, column: str) -> Sequence[Entity]:
    """Return what a row may name in a column; nothing if that cannot be read."""
    try:
        return directory.with_ref(row.key(column))
    except RejectedError:
        return ()
