"""The stream `enrollments`: users in events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.documents import call
from pluvo_singer.values import RejectedError
from target_pluvo.changes import Change, Job
from target_pluvo.remote_state import read_key
from target_pluvo.streams.base import StreamWriter
from target_pluvo.streams.memberships import BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Entity

_ENROLL = "createOfferEventEnrollments"


class Enrollments(StreamWriter):
    """Users in events (page `common-recipes`).

    Nobody is unenrolled. Whoever has an enrollment in any state keeps it, a cancelled one too.
    """

    name = "enrollments"
    keys = (("offer_event_ref",), ("user_ref",))
    reads = ("events.read", "users.read")
    writes = ("events.write",)

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.state.require_mutation(_ENROLL, "offerEventRef", "userRefs")
        self._enrolling: dict[str, list[tuple[Change, Entity]]] = {}

    @override
    def plan(self, rows: Sequence[Row]) -> None:
        wanted: dict[tuple[str, Entity], list[Row]] = {}
        for row in rows:
            try:
                event = row.required_key("offer_event_ref")
                ref = row.required_key("user_ref")
                if ref in self.state.users.left:
                    self.results.mark_unchanged([row])
                    continue
                user = self.state.users.find("user_ref", ref)
                wanted.setdefault((event, user), []).append(row)
            except RejectedError as error:
                self.results.reject([row], error)
        enrolled = self._enrolled({user for _, user in wanted})
        for (event, user), same in wanted.items():
            if all(row.is_deleted for row in same) or (user.id, event) in enrolled:
                self.results.mark_unchanged(same)
                continue
            mailed = " (with an e-mail)" if self.settings.send_mail else ""
            change = Change(
                self.name, same, "created", f"enroll in event {event}{mailed}", user.ref or ""
            )
            self.results.changes.append(change)
            self._enrolling.setdefault(event, []).append((change, user))

    def _enrolled(self, users: set[Entity]) -> set[tuple[str, str]]:
        """Return the users, by id, and the refs of the events that they have an enrollment in.

        Older pages only have a list of enrollments. Without it the API is left to see to it: who is
        enrolled already stays so.
        """
        contract = self.state.contract
        if not (
            contract.has("enrollments.offerEventId") and contract.has("offers.offerEvents.ref")
        ):
            return set()
        refs = {
            event["id"]: read_key(event["ref"])
            for offer in self.client.read("offers", "id offerEvents { id ref }")
            for event in offer["offerEvents"] or ()
        }
        fields = [
            ListField("enrollments", {"userId": user.id}, "userId offerEventId", _pair)
            for user in users
            if user.id is not None
        ]
        return {
            (user_id, ref)
            for found in self.client.lists(fields)
            for user_id, event_id in found
            if (ref := refs.get(event_id))
        }

    @override
    def write(self) -> None:
        self.send(
            self._job(event, members[start : start + BATCH])
            for event, members in self._enrolling.items()
            for start in range(0, len(members), BATCH)
        )

    def _job(self, event: str, members: Sequence[tuple[Change, Entity]]) -> Job:
        def text() -> str:
            there = [user for change, user in members if _is_there(change, user)]
            refs = [user.node.get("ref") or user.ref for user in there]
            if not refs:
                msg = "its user was not created; see the error there"
                raise RejectedError(msg)
            given: dict[str, Any] = {"offerEventRef": event, "userRefs": refs}
            if self.state.accepts(_ENROLL, "sendMail"):
                given["sendMail"] = self.settings.send_mail
            return f"{call(_ENROLL, given)} {{ id user {{ ref }} }}"

        def apply_result(answer: Any) -> None:
            users = [(item or {}).get("user") or {} for item in answer]
            enrolled = {read_key(user.get("ref")) for user in users}
            for change, user in members:
                if change.reason is None and user.ref not in enrolled:
                    change.reject("Pluvo did not enroll this user")

        def parts() -> list[Job]:
            return [self._job(event, [member]) for member in members] if len(members) > 1 else []

        return Job([change for change, _ in members], text, apply_result, parts)


def _is_there(change: Change, user: Entity) -> bool:
    try:
        return bool(user.known_id)
    except RejectedError as error:
        change.reject(str(error))
        return False


def _pair(item: dict[str, Any]) -> tuple[str, str]:
    return item["userId"], item["offerEventId"]
