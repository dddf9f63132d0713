"""The streams `group_members` and `training_participants`: who is in what, and as what."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from target_pluvo.changes import Change, Job
from target_pluvo.rows import RejectedError
from target_pluvo.settings import MIRROR
from target_pluvo.streams.base import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_pluvo.live import Directory, Thing
    from target_pluvo.rows import Row

BATCH = 100  # users in one mutation
PARTICIPANT = "PARTICIPANT"


class Place(NamedTuple):
    """What users are in, and as what."""

    owner: Thing
    role: str


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
    def mutation(self, place: Place, ids: list[str], *, adds: bool) -> str:
        """Return the mutation that adds users to a place or removes them."""

    @abstractmethod
    def failed(self, answer: Any) -> dict[str, str]:
        """Return the ids of users for whom a mutation failed, each with a reason."""

    def kept(self, _place: Place, ids: set[str]) -> set[str]:
        """Return those of the users to remove who cannot be."""
        return ids - ids

    def role_of(self, row: Row) -> str:
        """Return the role that a row gives."""
        return (row.text("role") or PARTICIPANT).upper()

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        known = self.roles()
        for row in rows:
            role = self.role_of(row)
            if role not in known:
                msg = (
                    f"stream {self.name}, row {row.number}: `role` is {role!r}, which is no role "
                    f"there: use {', '.join(known)}. Nothing was written"
                )
                raise ConfigurationError(msg)
        self._adding: dict[Place, list[tuple[Change, Thing]]] = {}
        self._removing: dict[Place, list[tuple[Change, Thing]]] = {}

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        wanted: dict[Place, dict[Thing, list[Row]]] = {}
        unsure: set[Place] = set()
        for row in rows:
            place = None
            try:
                ref = row.required(f"{self.owner}_ref")
                place = Place(self.owners.find(f"{self.owner}_ref", ref), self.role_of(row))
                user = self.live.users.find("user_ref", row.required("user_ref"))
            except RejectedError as error:
                self.results.reject([row], error)
                if place is not None:
                    unsure.add(place)
            else:
                wanted.setdefault(place, {}).setdefault(user, []).append(row)
        found = self.members([place for place in wanted if place.owner.id is not None])
        for place, users in wanted.items():
            self._compare(place, users, found.get(place, set()))
            if self.mirrors and place not in unsure:
                self._remove_others(place, users, found.get(place, set()))

    def _compare(self, place: Place, users: dict[Thing, list[Row]], present: set[str]) -> None:
        for user, same in users.items():
            is_in = user.id is not None and user.id in present
            leaves = same[-1].is_deleted
            if is_in != leaves:
                self.results.keep(same)
            else:
                self._note(place, user, same, adds=not leaves)

    def _remove_others(
        self, place: Place, users: dict[Thing, list[Row]], present: set[str]
    ) -> None:
        others = present - {user.id for user in users}
        for user_id in sorted(others - self.kept(place, others)):
            if user := self.live.users.by_id.get(user_id):
                self._note(place, user, [], adds=False)

    def _note(self, place: Place, user: Thing, same: Sequence[Row], *, adds: bool) -> None:
        words = ("add", "to") if adds else ("remove", "from")
        about = f"{words[0]} {place.role} {words[1]} {self.owner} {place.owner.ref}"
        shown = f"user {user.ref or user.node.get('email')}"
        change = Change(self.name, same, "created" if adds else "removed", about, shown)
        self.results.changes.append(change)
        changes = self._adding if adds else self._removing
        changes.setdefault(place, []).append((change, user))

    @override
    def write(self) -> None:
        # First the additions: whoever changes roles is never in none.
        for changes, adds in ((self._adding, True), (self._removing, False)):
            self.send(
                self._job(place, members[start : start + BATCH], adds=adds)
                for place, members in changes.items()
                for start in range(0, len(members), BATCH)
            )

    def _job(self, place: Place, members: Sequence[tuple[Change, Thing]], *, adds: bool) -> Job:
        def text() -> str:
            ids = list(self._ids(members))
            if not ids:
                msg = "its user could not be made: see there"
                raise RejectedError(msg)
            return self.mutation(place, ids, adds=adds)

        def settle(answer: Any) -> None:
            failed = self.failed(answer)
            for change, user in members:
                if user.id in failed:
                    change.reject(failed[user.id])

        def parts() -> list[Job]:
            if len(members) == 1:
                return []
            return [self._job(place, [member], adds=adds) for member in members]

        return Job([change for change, _ in members], text, settle, parts)

    def _ids(self, members: Sequence[tuple[Change, Thing]]) -> Iterator[str]:
        for change, user in members:
            try:
                yield user.known_id
            except RejectedError as error:
                change.reject(str(error))
