"""The streams, declared: what each is read from, and with which scopes.

Columns, keys and replication keys stand in `schemas/<stream>.json`. A stream that is one connection
needs a few lines here; the report, with its windows, has a file of its own.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

import msgspec
from graphql import is_abstract_type, is_leaf_type

from tap_pluvo.connection import Reading
from tap_pluvo.errors import ProtocolError
from tap_pluvo.query import Enum, call
from tap_pluvo.report import IssuedCertificates, PortfolioReport
from tap_pluvo.stream import (
    FULL_TABLE,
    IncrementalOnOurSide,
    ListQuestion,
    PluvoStream,
    ahead,
    items,
    side_by_side,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_pluvo.connection import Connection, Page
    from tap_pluvo.contract import Contract
    from tap_pluvo.query import Plan, Record


class ConnectionStream(PluvoStream):
    """A stream whose rows are the nodes of one root connection."""

    def read(self) -> Iterator[Record]:
        """Give the nodes."""
        plan = self.plan()
        yield from self.nodes(self.root, plan.selection, plan.record, self.filters())


class Users(ConnectionStream):
    """Users, active and archived (page `users-2`)."""

    name = "users"
    node = "paginatedUsers.edges.node"
    scopes = ("users.read",)


class Groups(ConnectionStream):
    """Groups (page `groups-2`)."""

    name = "groups"
    node = "paginatedGroups.edges.node"
    scopes = ("groups.read",)


class Trainings(ConnectionStream):
    """Trainings, active and archived (page `learning-journeys-2`)."""

    name = "trainings"
    node = "paginatedTrainings.edges.node"
    scopes = ("trainings.read",)


class Certificates(ConnectionStream):
    """Certificate templates (page `certificate-2`)."""

    name = "certificates"
    node = "certificates.edges.node"
    scopes = ("trainings.read",)


class MemberStream(PluvoStream):
    """A stream whose rows are the nodes of connections inside the nodes of a root connection.

    `roles` maps each nested connection to the role of its nodes; `owner` is the field that gives
    one outer node by its id, and the prefix of the columns for its id and ref.
    """

    widens = False
    roles: ClassVar[dict[str, str]]
    owner: ClassVar[str]

    def read(self) -> Iterator[Record]:
        """Give the members of each owner; the first ones travel with the owners themselves."""
        plan = self.plan()
        outer = self.node.rsplit(".", 3)[0]
        reader = self.reader(itemgetter("user_id"))
        nested = {
            field: self.nested(f"{outer}.{field}", plan)
            for field in self.roles
            if self.has(f"{outer}.{field}")
        }

        def first_pages(node: Record) -> Record:
            for field, connection in nested.items():
                node[field] = connection.page(node.get(field), reader.first, None)
            return node

        bodies = " ".join(connection.body(reader.first, None) for connection in nested.values())
        ref = self.ref_of(outer, f"{self.owner}_ref")
        owners = self.nodes(self.root, f"id{ref} {bodies}", first_pages, self.filters())
        for batch in side_by_side(owners):
            pages: list[tuple[Connection, Page | None]] = []
            labels: list[Record] = []
            for owner in batch:
                parent = call(self.owner, {"id": owner["id"]})
                for field, connection in nested.items():
                    pages.append((connection.inside(parent), owner[field]))
                    labels.append(self.label(owner, self.roles[field]))
            drained = (
                [page.nodes if page else [] for _, page in pages]
                if self.a_page_is_enough
                else reader.drain(pages)
            )
            for label, members in zip(labels, drained, strict=True):
                for member in members:
                    yield label | member

    def label(self, owner: Record, role: str) -> Record:
        """Return the columns that say whose member a row is, and as what."""
        return {
            f"{self.owner}_id": owner["id"],
            f"{self.owner}_ref": owner.get("ref"),
            "role": role,
        }


class GroupMembers(MemberStream):
    """Participants and managers of groups (page `groups-2`)."""

    name = "group_members"
    node = "paginatedGroups.edges.node.users.edges.node"
    scopes = ("groups.read",)
    roles: ClassVar = {"users": "PARTICIPANT", "managers": "MANAGER"}
    owner = "group"


class TrainingParticipants(MemberStream):
    """Participants and trainers of trainings (pages `learning-journeys-2`, `users-2`).

    The shape of `Training.participants` is only assumed in the documents. Without the live schema
    to confirm it, the documented way is taken: `paginatedUsers(trainingIds:)` for each training,
    which gives participants only.
    """

    name = "training_participants"
    node = "paginatedTrainings.edges.node.participants.edges.node"
    scopes = ("trainings.read", "users.read")
    roles: ClassVar = {"participants": "PARTICIPANT", "trainers": "TRAINER"}
    owner = "training"

    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why neither way is there, or None."""
        if not cls._fallback(contract):
            return super().unavailable(contract)
        for path, argument in (("paginatedTrainings", "first"), ("paginatedUsers", "trainingIds")):
            if not contract.accepts(path, argument):
                return f"the organization's schema lacks `{path}({argument}:)`"
        return None

    @classmethod
    def _fallback(cls, contract: Contract) -> bool:
        return not contract.is_live or super().unavailable(contract) is not None

    def read(self) -> Iterator[Record]:
        """Give the participants in the way that the organization has."""
        if self._fallback(self.contract):
            return self._read_users()
        return super().read()

    def _read_users(self) -> Iterator[Record]:
        names = {column.name for column in self.selected_columns()}
        selection = "user_id: id" + (" user_ref: ref" if "user_ref" in names else "")
        reader = self.reader(itemgetter("user_id"))
        trainings: list[Record] = []

        def readings() -> Iterator[Reading]:
            ref = self.ref_of("paginatedTrainings.edges.node", "training_ref")
            for training in self.nodes(self.root, f"id{ref}", None, self.filters()):
                trainings.append(training)
                halves = self.halves("paginatedUsers", {"trainingIds": [training["id"]]})
                yield Reading(
                    reader, [self.connection("paginatedUsers", selection, half) for half in halves]
                )

        for reading in ahead(readings(), self.fetcher.concurrency):
            label = self.label(trainings.pop(0), "PARTICIPANT")
            for user, _ in self.rows(reading):
                yield label | user


class GroupTrainings(PluvoStream):
    """Trainings assigned to groups (page `groups-2`)."""

    name = "group_trainings"
    node = "paginatedGroups.edges.node.trainings"
    scopes = ("groups.read",)
    widens = False

    def read(self) -> Iterator[Record]:
        """Give the trainings of each group, which travel with the group."""
        plan = self.plan()
        ref = self.ref_of("paginatedGroups.edges.node", "group_ref")
        selection = f"id{ref} trainings {{ {plan.selection} }}"
        for group in self.nodes(self.root, selection, None, self.filters()):
            label = {"group_id": group["id"], "group_ref": group.get("ref")}
            for training in items("trainings", group["trainings"]):
                yield label | plan.record(training)


class CustomFields(PluvoStream):
    """Definitions of custom fields, by what they can be set on (page `extracategory-2`)."""

    name = "custom_fields"
    node = "extraCategories"
    scopes = ("users.read",)

    def read(self) -> Iterator[Record]:
        """Give each definition once, also if it serves several content types."""
        plan = self.plan()
        kinds = self.contract.values(self.root, "contentType")
        given = set()
        for item in self.lists(
            ListQuestion(self.root, {"contentType": Enum(kind)} if kind else {}, plan.selection)
            for kind in kinds or [""]
        ):
            record = plan.record(item)
            if record["id"] not in given:
                given.add(record["id"])
                yield record


class CustomFieldValues(PluvoStream):
    """Custom field values of users and groups (page `extracategory-2`)."""

    name = "custom_field_values"
    node = "paginatedUsers.edges.node.extraCategoryValues"
    scopes = ("groups.read", "users.read")
    takes_filters = False

    @property
    def made_of(self) -> tuple[str, ...]:
        """The column of which `value_key` is made."""
        return ("choice_id",)

    def read(self) -> Iterator[Record]:
        """Give the values of each owner, which travel with the owner."""
        plan = self.plan()
        others = self._other_types()
        inner = " ".join([plan.selection, *others.values()])
        for owner_type, root in (("USER", "paginatedUsers"), ("GROUP", "paginatedGroups")):
            node = f"{root}.edges.node"
            if not self.has(f"{node}.extraCategoryValues"):
                self._say_once(f"the organization's schema lacks the values of each {owner_type}")
                continue
            ref = self.ref_of(node, "owner_ref")
            selection = f"id{ref} __typename extraCategoryValues {{ {inner} }}"
            for owner in self.nodes(root, selection):
                label = {
                    "owner_type": owner_type,
                    "owner_id": owner["id"],
                    "owner_ref": owner.get("ref"),
                }
                values = owner["extraCategoryValues"]
                if values is not None:
                    yield from self._values(label, items("extraCategoryValues", values), plan)

    def _values(self, label: Record, values: list[Record], plan: Plan) -> Iterator[Record]:
        used: dict[tuple[str, str], int] = {}
        for value in values:
            other = {key: value.pop(key) for key in list(value) if key.startswith("other_")}
            record = label | plan.record(value)
            if record["field_id"] is None:
                msg = (
                    f"custom field values have a type ({record['value_type']}) that the documents "
                    "do not name: set `introspection` to `auto`, or deselect the stream"
                )
                raise ProtocolError(msg)
            field = record["field_id"]
            choice = record.get("choice_id")
            number = used[field, choice or ""] = used.get((field, choice or ""), 0) + 1
            if choice is None:
                record["value_key"] = str(number)
            else:
                record["value_key"] = choice if number == 1 else f"{choice} {number}"
            record["other_value"] = msgspec.json.encode(other).decode() if other else None
            yield record

    def _other_types(self) -> dict[str, str]:
        """Return a selection for each type of value that the live schema has beyond the documents.

        Their own fields get names of their own, since GraphQL does not let one name stand for
        values of several types.
        """
        union = self.contract.type_at(self.node)
        if not self.contract.is_live or not is_abstract_type(union):
            return {}
        selections = {}
        for kind in self.contract.schema.get_possible_types(union):  # type: ignore[arg-type]
            if kind.name in _VALUE_TYPES or "category" not in kind.fields:
                continue
            own = " ".join(
                f"other_{kind.name}_{name}: {name}"
                for name, field in kind.fields.items()
                if is_leaf_type(getattr(field.type, "of_type", field.type)) and not field.args
            )
            category = "category { field_id: id field_title: title }"
            selections[kind.name] = f"... on {kind.name} {{ {category} {own} }}"
        return selections


_VALUE_TYPES = frozenset(
    f"ExtraCategory{kind}Value" for kind in ("String", "Choice", "Boolean", "Datetime")
)


class Offers(IncrementalOnOurSide):
    """Offers (page `offer`, older than the others)."""

    name = "offers"
    node = "offers"
    scopes = ("events.read",)

    def read(self) -> Iterator[Record]:
        """Give the offers that changed since the bookmark."""
        plan = self.plan()
        questions = [ListQuestion("offers", {}, plan.selection)]
        yield from self.fresh(map(plan.record, self.lists(questions)))


class OfferEvents(PluvoStream):
    """Events of the offers (page `offerevent-date-2`)."""

    name = "offer_events"
    node = "offers.offerEvents"
    scopes = ("events.read",)

    def read(self) -> Iterator[Record]:
        """Give the events of each offer."""
        plan = self.plan()
        selection = f"id offerEvents {{ {plan.selection} }}"
        for offer in self.lists([ListQuestion("offers", {}, selection)]):
            for event in items("offerEvents", offer["offerEvents"] or []):
                yield {"offer_id": offer["id"]} | plan.record(event)


class OfferEventDates(PluvoStream):
    """Dates of the offer events (page `offerevent-date-2`)."""

    name = "offer_event_dates"
    node = "offers.offerEvents.dates"
    scopes = ("events.read",)

    def read(self) -> Iterator[Record]:
        """Give the dates of each event."""
        plan = self.plan()
        selection = f"offerEvents {{ id dates {{ {plan.selection} }} }}"
        for offer in self.lists([ListQuestion("offers", {}, selection)]):
            for event in items("offerEvents", offer["offerEvents"] or []):
                for date in items("dates", event["dates"] or []):
                    yield {"offer_event_id": event["id"]} | plan.record(date)


class PerUserStream(IncrementalOnOurSide):
    """A stream that is asked for user by user, since no list of all is documented."""

    def read(self) -> Iterator[Record]:
        """Give the rows of each user, a few users in a request."""
        plan = self.plan()
        questions = (
            ListQuestion(self.root, {"userId": user["id"]}, plan.selection, may_vanish=True)
            for user in self.nodes("paginatedUsers", "id")
        )
        yield from self.fresh(map(plan.record, self.lists(questions)))


class Enrollments(PerUserStream):
    """Enrollments in offer events (page `enrollments`, older than the others).

    A change of status does not show in `enrolled_at`, so everything is read unless the catalog
    chooses INCREMENTAL, for new enrollments only.
    """

    name = "enrollments"
    node = "enrollments"
    scopes = ("events.read", "users.read")
    default_method = FULL_TABLE


class PortfolioItems(PerUserStream):
    """Portfolio items (page `portfolioitems`, older than the others)."""

    name = "portfolio_items"
    node = "portfolioItems"
    scopes = ("trainings.read", "users.read")
    selected_by_default = False


STREAMS: tuple[type[PluvoStream], ...] = (
    Certificates,
    CustomFieldValues,
    CustomFields,
    Enrollments,
    GroupMembers,
    GroupTrainings,
    Groups,
    IssuedCertificates,
    OfferEventDates,
    OfferEvents,
    Offers,
    PortfolioItems,
    PortfolioReport,
    TrainingParticipants,
    Trainings,
    Users,
)
