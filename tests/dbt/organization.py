"""A small organization as tap-pluvo would extract it in three syncs, corner cases included.

Everything counts from one day, TODAY, and from one seed, so that each call gives the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sync_log import log

Row = dict[str, Any]

TODAY = date(2025, 6, 15)

# Columns that this organization's API does not have; nor does it have portfolio items.
LACKING = {"users": {"is_active", "language", "model_id"}, "trainings": {"portfolio_item_id"}}


@dataclass
class Sync:
    """What one run of the tap wrote."""

    started: datetime
    streams: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, stream: str, /, **row: Any) -> None:
        self.streams.setdefault(stream, []).append(row)


def of_organization(sync: Sync, organization: str | None) -> Sync:
    """Return the sync as the tap writes it with `add_organization_column`."""
    if organization is None:
        return sync
    owned = {
        stream: [row | {"organization": organization} for row in rows]
        for stream, rows in sync.streams.items()
    }
    return Sync(sync.started, owned)


def uid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def day(days: int) -> str:
    """Return the day so many days from today."""
    return (TODAY + timedelta(days=days)).isoformat()


def moment(days: int, offset: str = "+00:00") -> str:
    return f"{day(days)}T10:00:00{offset}"


def syncs() -> list[Sync]:
    """Return three syncs: two that read all, and one that read only new completions."""
    first = Sync(datetime(2025, 6, 10, 2, tzinfo=UTC))
    second = Sync(datetime(2025, 6, 14, 2, tzinfo=UTC))
    third = Sync(datetime(2025, 6, 15, 2, tzinfo=UTC))
    for sync in (first, second):
        people(sync)
        trainings(sync)
        offers(sync)
        custom_fields(sync)
        crowd(sync)
    changes(first, second)
    progress(first, second, third)
    for sync in (first, second):
        for stream in list(sync.streams):
            log(sync, stream)
    for stream in ("portfolio_report", "issued_certificates"):
        window(second, third, stream)
    return [first, second, third]


def window(before: Sync, sync: Sync, stream: str) -> None:
    """Let a sync read, beside what is new, all that was there before in the last week."""
    rows = sync.streams[stream]
    read = {row["id"] for row in rows}
    rows += [
        row
        for row in before.streams[stream]
        if (row.get("completion_date") or "") >= day(-7) and row["id"] not in read
    ]
    log(sync, stream, "WINDOW", (day(-7), day(1)))


# ---------- corner cases ----------


def people(sync: Sync) -> None:
    def user(word: str, **more: Any) -> None:
        usual = {
            "id": uid(word),
            "ref": f"EMP-{word}",
            "name": word.title(),
            "email": f"{word}@example.com",
            "archived": False,
            "archived_at": None,
            "roles": '["PARTICIPANT"]',
            "last_login": moment(-1),
            "invited_on": moment(-400),
            "group_count": 1,
        }
        sync.add("users", **usual | more)

    user("ann", roles='["PARTICIPANT","MANAGER"]', last_login=moment(0, "+02:00"))
    user("bob", last_login=moment(-90), name="Bob\n'Bobby' \"Ł\" \\N 🌷")
    user("cas", last_login=moment(-89))
    user("dee", last_login=None, email=None, ref=None)
    user("left", archived=True, archived_at=moment(-30), last_login=moment(-300))

    def group(name: str, ref: str | None) -> None:
        sync.add(
            "groups",
            id=uid(name),
            ref=ref,
            name=name,
            max_users=1000,
            user_count=3,
            manager_count=1,
            enable_chat=True,
            is_editable=True,
            permissions='{"change": true}',
        )

    group("Care", "G-care")
    group("Kitchen, 'hot'", None)
    group("Empty", "G-empty")

    def member(group: str, user: str, role: str = "PARTICIPANT") -> None:
        sync.add("group_members", group_id=uid(group), user_id=uid(user), role=role)

    for name in ("ann", "bob", "cas", "left"):
        member("Care", name)
    member("Kitchen, 'hot'", "ann")
    member("Kitchen, 'hot'", "dee")
    member("Care", "ann", "MANAGER")


def trainings(sync: Sync) -> None:
    def training(name: str, title: str | None = None) -> None:
        sync.add(
            "trainings",
            id=uid(name),
            ref=name,
            title=title or name,
            is_active=True,
            archived=False,
            start_date=day(-300),
            end_date=None,
            estimated_time_spent="2 hours",
        )
        for user in ("ann", "bob", "dee"):
            sync.add(
                "training_participants",
                training_id=uid(name),
                user_id=uid(user),
                role="PARTICIPANT",
            )
        sync.add("training_participants", training_id=uid(name), user_id=uid("cas"), role="TRAINER")
        sync.add("group_trainings", group_id=uid("Care"), training_id=uid(name))

    training("Privacy")
    training("Onboarding 1", title="Onboarding")
    training("Onboarding 2", title="Onboarding")
    sync.add("group_trainings", group_id=uid("Empty"), training_id=uid("Privacy"))
    sync.add("certificates", id=uid("First aid"), name="FA", title="First aid")


def offers(sync: Sync) -> None:
    sync.add("offers", id=uid("offer"), title="First aid", is_active=True, updated_at=moment(-9))
    sync.add(
        "offer_events",
        id=uid("event"),
        offer_id=uid("offer"),
        title="First aid in June",
        type="MEETING",
        max_subscriptions=12,
        price=12.5,
        cancelled=False,
        closing_date=moment(-3),
        certificate_id=uid("First aid"),
        trainer_ids="[]",
    )
    for n in range(2):
        sync.add(
            "offer_event_dates",
            id=uid(f"date {n}"),
            offer_event_id=uid("event"),
            start_date=moment(n),
            end_date=moment(n + 1),
        )
    statuses = {"ann": "ENROLLED", "bob": "WAITLISTED", "cas": "CANCELLED", "dee": "DECLINED"}
    for name, status in statuses.items():
        sync.add(
            "enrollments",
            id=uid(f"enrollment {name}"),
            user_id=uid(name),
            offer_event_id=uid("event"),
            status=status,
            enrolled_at=moment(-20),
        )


def custom_fields(sync: Sync) -> None:
    def value(owner: str, title: str, key: str = "1", kind: str = "USER", **more: Any) -> None:
        sync.add(
            "custom_field_values",
            owner_type=kind,
            owner_id=uid(owner),
            field_id=uid(title),
            value_key=key,
            field_title=title,
            **{"string_value": None, "boolean_value": None, "datetime_value": None} | more,
        )

    titles = ("Cost centre", "Shift", "First aider?", "Since", "Region", "Location")
    for title in titles:
        sync.add("custom_fields", id=uid(title), title=title, for_model_types='["USER"]')
    value("ann", "Cost centre", string_value="4100")
    value("ann", "Shift", key="b", choice_value="Nights")
    value("ann", "Shift", key="a", choice_value="Days")
    value("ann", "First aider?", boolean_value=True)
    value("bob", "First aider?", boolean_value=False)
    value("bob", "Since", datetime_value="1990-01-01T00:00:00Z")
    value("Care", "Region", kind="GROUP", choice_value="North")


def changes(first: Sync, second: Sync) -> None:
    """Let a user be renamed, a row be written twice by one sync, and a membership vanish."""
    renamed = next(row for row in first.streams["users"] if row["id"] == uid("ann"))
    renamed["name"] = "Ann as she was called before"
    members = second.streams["group_members"]
    members[:] = [row for row in members if row["user_id"] != uid("cas")]
    twice = dict(second.streams["users"][1])
    second.streams["users"].insert(0, twice | {"name": "Overtaken in the same sync"})


def result_id(*parts: Any) -> str:
    return uid("|".join(map(str, parts)))


def progress(first: Sync, second: Sync, third: Sync) -> None:
    """Let results be begun, completed, repeated and given up between the syncs."""

    def result(
        sync: Sync, name: str, title: str, completed: str | None = None, **more: Any
    ) -> None:
        sync.add(
            "portfolio_report",
            id=result_id("TRAINING", name, title, completed),
            related_object_type="TRAINING",
            user_id=uid(name),
            title=title,
            completion_date=completed,
            **{"progress": 50.0, "score": None, "time_spent_days": 0, "time_spent_seconds": 90}
            | more,
        )

    # Completed between the two full reads: the row in progress is not read again.
    result(first, "ann", "Privacy")
    result(second, "ann", "Privacy", day(-2), progress=100.0, score=8.25)
    # Completed after the second full read, and seen by the third sync, which read completions only.
    result(first, "bob", "Privacy")
    result(second, "bob", "Privacy")
    result(third, "bob", "Privacy", day(0), progress=100.0, score=6.5)
    # Begun again, one day after it was completed: both rows hold, though the third sync looked
    # back far enough to read the completion once more.
    result(second, "dee", "Privacy", day(-3), progress=100.0, score=7.0)
    result(second, "dee", "Privacy", progress=10.0)
    result(third, "dee", "Privacy", day(-3), progress=100.0, score=7.0)
    # Completed and begun again on the day on which one sync read both; the next, which read
    # completions only, read the completion once more.
    result(second, "ann", "Onboarding", day(-1), progress=100.0)
    result(second, "ann", "Onboarding", progress=5.0)
    # Given up: it vanished from the second full read.
    result(first, "cas", "Privacy")
    # The same title in two trainings; and a title that no training has any more.
    result(second, "bob", "Onboarding", progress=0.0, time_spent_seconds=None)
    result(second, "left", "Renamed since", day(-500), time_spent_days=2)
    # Neither a training nor named.
    second.add("portfolio_report", id=uid("?"), user_id=uid("bob"), title="Privacy", progress=1.0)

    def certificate(
        sync: Sync, name: str, issued: str | None, expires: str | None, n: int = 0
    ) -> None:
        row = {
            "id": result_id("CERTIFICATE", name, issued, n),
            "user_id": uid(name),
            "title": "First aid",
            "completion_date": issued,
            "end_date": expires,
        }
        sync.add("issued_certificates", **row)
        sync.add("portfolio_report", related_object_type="CERTIFICATE", **row)

    for sync in (first, second):
        certificate(sync, "ann", day(-730), day(-365))
        certificate(sync, "ann", day(-365), day(0))
        certificate(sync, "bob", day(-400), day(-1))
        certificate(sync, "left", day(-10), None)
    certificate(first, "dee", None, None)
    certificate(third, "dee", day(0), day(365))
    certificate(third, "bob", day(1), day(366))


# ---------- many rows ----------

TITLES = [f"Training {n}" for n in range(10)]
CERTIFICATES = ["First aid", "Fire safety", "Hygiene"]


def crowd(sync: Sync) -> None:
    """Add rows by the hundred, so that both warehouses have something to disagree about."""
    random = Random(1)
    users = [uid(f"user {n}") for n in range(150)]
    for n, user in enumerate(users):
        sync.add(
            "users",
            id=user,
            ref=f"EMP-{n:04}",
            name=f"User {n}",
            email=f"user{n}@example.com",
            archived=n % 9 == 4,
            roles="[]" if n % 7 else '["TRAINER"]',
            last_login=None if n % 6 == 2 else moment(-random.randrange(400)),
        )
        if n % 3:
            sync.add(
                "custom_field_values",
                owner_type="USER",
                owner_id=user,
                field_id=uid("Location"),
                value_key="1",
                field_title="Location",
                choice_value=("North", "South")[n % 2],
            )
        for title in random.sample(TITLES, 4):
            completed = day(-random.randrange(3, 700)) if random.random() < 0.6 else None
            sync.add(
                "portfolio_report",
                id=result_id("TRAINING", user, title, completed),
                related_object_type="TRAINING",
                user_id=user,
                title=title,
                progress=100.0 if completed else random.choice([0.0, 12.5, 99.9]),
                score=round(random.uniform(1, 10), 3) if completed and n % 5 else None,
                completion_date=completed,
                time_spent_days=random.randrange(2),
                time_spent_seconds=random.randrange(86400),
            )
        for title in random.sample(CERTIFICATES, 2):
            issued = -random.randrange(700)
            sync.add(
                "issued_certificates",
                id=result_id("CERTIFICATE", user, title, issued),
                user_id=user,
                title=title,
                completion_date=day(issued),
                end_date=day(issued + 365) if n % 4 else None,
            )
    for n, title in enumerate(TITLES):
        sync.add("trainings", id=uid(title), title=title, estimated_time_spent=f"{n} hours")
        for user in random.sample(users, 40):
            sync.add(
                "training_participants", training_id=uid(title), user_id=user, role="PARTICIPANT"
            )
    for n in range(8):
        group = uid(f"group {n}")
        sync.add("groups", id=group, ref=f"G-{n}", name=f"Group {n % 7}", max_users=1000)
        for user in random.sample(users, 10 * n):
            sync.add("group_members", group_id=group, user_id=user, role="PARTICIPANT")
        for title in TITLES[n:]:
            sync.add("group_trainings", group_id=group, training_id=uid(title))
