"""The stream `enrollments`: users in events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.documents import call
from target_pluvo.changes import Change, Job
from target_pluvo.rows import RejectedError
from target_pluvo.streams.base import StreamWriter
from target_pluvo.streams.memberships import BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_pluvo.live import Thing
    from target_pluvo.rows import Row

_ENROLL = "createOfferEventEnrollments"


class Enrollments(StreamWriter):
    """Users in events (page `common-recipes`). Nobody is unenrolled, or enrolled against his will.

    Who has an enrollment in any state keeps it: also who has cancelled.
    """

    name = "enrollments"
    keys = (("offer_event_ref",), ("user_ref",))
    reads = ("events.read", "users.read")
    writes = ("events.write",)

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.live.need(_ENROLL, "offerEventRef", "userRefs")
        self._enrolling: dict[str, list[tuple[Change, Thing]]] = {}

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        wanted: dict[tuple[str, Thing], list[Row]] = {}
        for row in rows:
            try:
                event = row.required("offer_event_ref")
                user = self.live.users.find("user_ref", row.required("user_ref"))
                wanted.setdefault((event, user), []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        enrolled = self._enrolled({user for _, user in wanted})
        for (event, user), same in wanted.items():
            if same[-1].is_deleted or (user.id, event) in enrolled:
                self.results.keep(same)
                continue
            change = Change(
                self.name, same, "created", f"enroll in event {event}", f"user {user.ref}"
            )
            self.results.changes.append(change)
            self._enrolling.setdefault(event, []).append((change, user))

    def _enrolled(self, users: set[Thing]) -> set[tuple[str, str]]:
        """Return the users, by id, and the refs of the events that they have an enrollment in.

        Older pages only have a list of enrollments. Without it the API is left to see to it: who is
        enrolled already stays so.
        """
        contract = self.live.contract
        if not (
            contract.has("enrollments.offerEventId") and contract.has("offers.offerEvents.ref")
        ):
            return set()
        refs = {
            event["id"]: event["ref"]
            for offer in self.client.read("offers", "id offerEvents { id ref }")
            for event in offer["offerEvents"] or ()
        }
        fields = [
            ListField("enrollments", {"userId": user.id}, "userId offerEventId", _pair)
            for user in users
            if user.id is not None
        ]
        return {
            (user_id, refs[event_id])
            for found in self.client.lists(fields)
            for user_id, event_id in found
            if refs.get(event_id)
        }

    @override
    def write(self) -> None:
        self.send(
            self._job(event, members[start : start + BATCH])
            for event, members in self._enrolling.items()
            for start in range(0, len(members), BATCH)
        )

    def _job(self, event: str, members: Sequence[tuple[Change, Thing]]) -> Job:
        def text() -> str:
            refs = [user.ref for change, user in members if _is_there(change, user)]
            if not refs:
                msg = "its user could not be made: see there"
                raise RejectedError(msg)
            given: dict[str, Any] = {"offerEventRef": event, "userRefs": refs}
            if self.live.takes(_ENROLL, "sendMail"):
                given["sendMail"] = self.settings.send_mail
            return f"{call(_ENROLL, given)} {{ id user {{ ref }} }}"

        def settle(answer: Any) -> None:
            enrolled = {((item or {}).get("user") or {}).get("ref") for item in answer}
            for change, user in members:
                if change.reason is None and user.ref not in enrolled:
                    change.reject("Pluvo did not enroll this user")

        def parts() -> list[Job]:
            return [self._job(event, [member]) for member in members] if len(members) > 1 else []

        return Job([change for change, _ in members], text, settle, parts)


def _is_there(change: Change, user: Thing) -> bool:
    try:
        return bool(user.known_id)
    except RejectedError as error:
        change.reject(str(error))
        return False


def _pair(item: dict[str, Any]) -> tuple[str, str]:
    return item["userId"], item["offerEventId"]
