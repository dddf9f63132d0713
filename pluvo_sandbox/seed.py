"""Data as real organizations have it: the same options give the same rows, ids included."""

# ruff: noqa: PLR2004 - "one in nine" is said best by the nine itself

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, count
from random import Random
from typing import TYPE_CHECKING, Any

from pluvo_sandbox import words
from pluvo_sandbox.database import INDEXES, TABLES
from pluvo_sandbox.schema import enum_values, executable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from pluvo_sandbox.contract import Variant

_YEARS_BACK = 3 * 365


@dataclass(frozen=True)
class Plan:
    """What to fill a sandbox with.

    Attributes:
        users: number of users, archived ones included.
        trainings: number of trainings, archived ones included.
        groups: number of groups.
        portfolio: number of rows of the portfolio report.
        seed: another seed gives other data.
        today: the day that all dates are counted from: nothing is completed after it, and
            certificates have expired before it or will expire after it.
        variant: the schema; rows only hold what it has names for.
    """

    users: int
    trainings: int
    groups: int
    portfolio: int
    seed: int
    today: date
    variant: Variant

    def settings(self) -> dict[str, Any]:
        """Return the plan in the form in which the database keeps it."""
        return asdict(self) | {"today": self.today.isoformat()}


def seed(connection: sqlite3.Connection, plan: Plan) -> None:
    """Make the tables in an empty database and fill them."""
    connection.executescript(f"PRAGMA foreign_keys = OFF; {TABLES}")
    connection.execute("BEGIN")
    _Seeding(connection, plan).run()
    connection.execute("COMMIT")
    connection.executescript(f"{INDEXES} PRAGMA foreign_keys = ON; PRAGMA optimize;")
    connection.executemany(
        "INSERT INTO settings VALUES (?, ?)",
        ((name, json.dumps(value)) for name, value in plan.settings().items()),
    )


class _Seeding:
    """One run over all tables.

    Each table draws from a generator of its own, so that the size of one does not change another.
    """

    def __init__(self, connection: sqlite3.Connection, plan: Plan) -> None:
        self.connection = connection
        self.plan = plan
        self.midnight = datetime.combine(plan.today, time(), UTC)
        schema = executable(plan.variant)
        self.languages = enum_values(schema, "Language")
        self.roles = set(enum_values(schema, "Role"))
        self.training_roles = set(enum_values(schema, "TrainingRole"))
        self.report_types = enum_values(schema, "PortfolioReportRelatedObjectType")
        self.category_types = set(enum_values(schema, "ExtraCategoryType"))
        self.user_ids = self._ids("users", plan.users)
        self.group_ids = self._ids("groups", plan.groups)
        self.training_ids = self._ids("trainings", plan.trainings)
        self.training_titles = [_numbered(words.TRAININGS, n) for n in range(plan.trainings)]
        self.offer_ids = self._ids("offers", 2 + plan.trainings // 4)
        self.certificate_ids = self._ids("certificates", 3 + plan.trainings // 2)

    def run(self) -> None:
        """Fill the tables."""
        self._insert("users", self._users())
        self._insert("groups", self._groups())
        self._insert("group_users", self._group_users())
        self._insert("group_managers", self._group_managers())
        self._insert("trainings", self._trainings())
        self._insert("group_trainings", self._group_trainings())
        self._insert("certificates", self._certificates())
        self._insert("report", self._report())
        self._insert("training_users", self._training_users())
        self._offers()
        self._insert("portfolio_items", self._portfolio_items())
        self._categories()

    def _random(self, name: str) -> Random:
        return Random(f"{self.plan.seed}/{name}")  # noqa: S311 - repeatable on purpose

    def _ids(self, name: str, number: int) -> list[str]:
        random = self._random(f"{name}.id")
        return [new_id(random) for _ in range(number)]

    def _insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        rows = iter(rows)
        first = next(rows, None)
        if first is not None:
            marks = ", ".join("?" * len(first))
            self.connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - our own table names
                chain([first], rows),
            )

    def _moment(self, random: Random, days_ago: int, days_to: int = 0) -> str:
        """Return a moment between `days_ago` and `days_to` days ago; every third one has micros."""
        seconds = random.randrange(days_to * 86400 + 1, max(days_ago, days_to + 1) * 86400)
        micros = random.randrange(1_000_000) if random.random() < 1 / 3 else 0
        return (self.midnight - timedelta(seconds=seconds, microseconds=micros)).isoformat()

    def _day(self, days_from_today: int) -> str:
        return (self.plan.today + timedelta(days=days_from_today)).isoformat()

    # ---------- people ----------

    def _users(self) -> Iterator[Sequence[Any]]:
        random = self._random("users")
        domains = ("example.com", "example.org", "übung.example", "mail.example.net")
        for n, user_id in enumerate(self.user_ids):
            name = words.person(random, n)
            archived = n % 9 == 4
            archived_at = self._moment(random, 400) if archived else None
            invited = self._moment(random, _YEARS_BACK, 30)
            logged_in = None if n % 6 == 2 else self._moment(random, 700)
            roles = ["PARTICIPANT"]
            roles += ["MANAGER"] if n % 11 == 0 else []
            roles += ["TRAINER"] if n % 7 == 3 else []
            roles += ["PLANNER"] if n % 23 == 5 else []
            employee = None if n % 4 == 1 else f"{100000 + n}"
            yield (
                *(user_id, f"{n + 1}"),
                None if n % 10 == 6 else f"user{n}@{domains[n % 4]}",
                *(name, None if n % 8 == 5 else f"EMP-{n:06}"),
                *(archived, archived_at, not archived),
                json.dumps([role for role in roles if role in self.roles]),
                json.dumps({"id": user_id, "url": f"https://files.pluvo.co/{user_id}.jpg"}),
                self.languages[n % len(self.languages)],
                json.dumps({"Afdeling": random.choice(words.DEPARTMENTS)}, ensure_ascii=False),
                *("{}", logged_in is not None),
                *(employee and f"P{employee}", employee, None, None),
                *(invited, logged_in, '["MANUAL"]'),
                *(invited, logged_in or invited, random.choice(words.JOBS), n % 13 == 0),
            )

    def _groups(self) -> Iterator[Sequence[Any]]:
        random = self._random("groups")
        permissions = json.dumps({"change": True, "delete": False})
        for n, group_id in enumerate(self.group_ids):
            skills = [{"id": group_id, "name": "Planning"}] if n % 3 == 0 else []
            yield (
                *(group_id, _numbered(words.GROUPS, n), None if n % 5 == 3 else f"GRP-{n:04}"),
                *(1000, n % 2 == 0, n % 7 != 0, permissions, json.dumps(skills)),
                *(self._moment(random, _YEARS_BACK), None if n % 2 else "Een groep,\nmet regels"),
            )

    def _group_users(self) -> Iterator[Sequence[Any]]:
        random = self._random("group_users")
        for n, group_id in enumerate(self.group_ids):
            # Some hundred members, none, one page exactly, one more than a page, or a handful.
            size = (
                (random.randrange(200, 700), 0, 50, 51)[n % 12]
                if n % 12 < 4
                else random.randrange(1, 40)
            )
            most = max(len(self.user_ids) * 2 // 3, min(len(self.user_ids), 51))
            for user_id in random.sample(self.user_ids, min(size, most)):
                yield group_id, user_id

    def _group_managers(self) -> Iterator[Sequence[Any]]:
        random = self._random("group_managers")
        for n, group_id in enumerate(self.group_ids):
            for user_id in random.sample(self.user_ids, min(n % 4, len(self.user_ids))):
                yield group_id, user_id

    # ---------- trainings ----------

    def _trainings(self) -> Iterator[Sequence[Any]]:
        random = self._random("trainings")
        for n, (training_id, title) in enumerate(
            zip(self.training_ids, self.training_titles, strict=True)
        ):
            archived = n % 6 == 4
            image = json.dumps(
                {"id": training_id, "url": f"https://files.pluvo.co/{training_id}.png"}
            )
            start = random.randrange(-_YEARS_BACK, 60)
            modules = [
                {"id": new_id(random), "title": f"{m + 1}. {random.choice(words.MODULES)}"}
                for m in range(n % 5)
            ]
            item = json.dumps({"id": new_id(random), "title": title}) if n % 3 else None
            condition = {"type": "AbsoluteDateCondition", "date": self._moment(random, 300)}
            yield (
                *(training_id, title, None if n % 4 == 1 else "Kort & bondig"),
                *('Wat je leert: "alles",\nen meer.', None if n % 5 == 2 else f"TR-{n:04}"),
                *(n % 10 != 7, archived, image if n % 2 else None, image if n % 2 else None),
                *(self._day(start), self._day(start + 90) if n % 3 else None),
                *(f"{n % 8 + 1} uur", n % 2 == 0, n % 3 == 0, n % 4 == 0, item),
                *(json.dumps(modules), "[]", n % 4 != 3, json.dumps([condition] * (n % 4 == 3))),
                *(None, None, self._moment(random, _YEARS_BACK), self._moment(random, 100)),
                n % 5 == 0,
            )

    def _group_trainings(self) -> Iterator[Sequence[Any]]:
        random = self._random("group_trainings")
        for n, group_id in enumerate(self.group_ids):
            for training_id in random.sample(self.training_ids, min(n % 7, len(self.training_ids))):
                yield group_id, training_id

    def _certificates(self) -> Iterator[Sequence[Any]]:
        for n, certificate_id in enumerate(self.certificate_ids):
            title = _numbered(words.CERTIFICATES, n)
            language = self.languages[n % len(self.languages)]
            yield certificate_id, None if n % 5 == 4 else f"Sjabloon {n:03}", title, language

    # ---------- results ----------

    def _report(self) -> Iterator[Sequence[Any]]:
        random = self._random("report")
        others = [name for name in self.report_types if name not in {"TRAINING", "CERTIFICATE"}]
        rows = self._results(random, others)
        for _ in range(self.plan.portfolio if self.user_ids and self.training_ids else 0):
            yield new_id(random), *next(rows)

    def _results(self, random: Random, others: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Give the results of one user in one training after the other, without end."""
        user_ids, training_ids = self.user_ids, self.training_ids
        for n in count():
            user_id = user_ids[int(random.random() * len(user_ids))]
            t = int(random.random() * len(training_ids))
            title = self.training_titles[t]
            done = n % 3 != 0
            yield (
                *(user_id, "TRAINING", training_ids[t], title),
                100.0 if done else float(random.randrange(0, 100, 5)),
                round(random.uniform(40, 100), 2) if done and n % 5 else None,
                self._day(-random.randrange(_YEARS_BACK)) if done else None,
                None,
                f'{{"days": {random.randrange(3)}, "seconds": {random.randrange(86400)}}}',
                n % 4,
            )
            if n % 3 == 1:
                yield from self._issued(random, n // 3, user_id)
            if others and n % 8 == 0:
                kind = others[n // 8 % len(others)]
                day = self._day(-random.randrange(_YEARS_BACK)) if n % 16 else None
                yield user_id, kind, None, f"{kind.title()} {t}", 50.0, None, day, None, None, 1

    def _issued(self, random: Random, n: int, user_id: str) -> Iterator[Sequence[Any]]:
        """Give a certificate, which some users get twice, even on one day."""
        c = int(random.random() * len(self.certificate_ids))
        title = _numbered(words.CERTIFICATES, c)
        validity = 365 if n % 2 else 730
        # Never expires; has expired; expires within 30, 60, 90 days; is good for longer.
        ranges = (None, (-_YEARS_BACK + 730, 0), (0, 31), (31, 61), (61, 91), (91, validity))
        span = ranges[n % 6]
        expires = None if span is None else random.randrange(*span)
        issued = -random.randrange(_YEARS_BACK) if expires is None else expires - validity
        row = (user_id, "CERTIFICATE", self.certificate_ids[c], title, 100.0, None)

        def dated(days: int) -> Sequence[Any]:
            end = None if expires is None else self._day(expires + days)
            return *row, self._day(issued + days), end, None, 0

        yield dated(0)
        if n % 7 == 0:
            yield dated(0)
        if n % 5 == 0:
            yield dated(-validity)

    def _training_users(self) -> Iterator[Sequence[Any]]:
        """Make participants of all who have a result, and add trainers."""
        random = self._random("training_users")
        pairs = self.connection.execute(
            "SELECT DISTINCT relatedObjectId, userId FROM report WHERE relatedObjectType = ?"
            " ORDER BY 1, 2",
            ("TRAINING",),
        )
        for training_id, user_id in pairs:
            yield new_id(random), training_id, user_id, "PARTICIPANT"
        for n, training_id in enumerate(self.training_ids):
            for m, user_id in enumerate(
                random.sample(self.user_ids, min(n % 4, len(self.user_ids)))
            ):
                role = "MENTOR" if m == 1 and "MENTOR" in self.training_roles else "TRAINER"
                yield new_id(random), training_id, user_id, role

    def _portfolio_items(self) -> Iterator[Sequence[Any]]:
        random = self._random("portfolio_items")
        for n, user_id in enumerate(self.user_ids[::5]):
            for m in range(n % 4):
                made = self._moment(random, _YEARS_BACK, 10)
                item_id = new_id(random)
                yield (
                    *(item_id, user_id, _numbered(words.ITEMS, n + m)),
                    None if n % 2 else 'Behaald bij "Acme, B.V."',
                    *(made, self._moment(random, 0, -500) if n % 3 else None),
                    json.dumps([f"https://files.pluvo.co/{item_id}.pdf"] * (m % 3)),
                    *(made, self._moment(random, 10)),
                )

    # ---------- offers ----------

    def _offers(self) -> None:
        random = self._random("offers")
        offers, events, dates, trainers, trainings = [], [], [], [], []
        enrollments: list[Sequence[Any]] = []
        kinds = enum_values(executable(self.plan.variant), "OfferEventType")
        for n, offer_id in enumerate(self.offer_ids):
            archived = self._moment(random, 200) if n % 5 == 4 else None
            made = self._moment(random, _YEARS_BACK, 200)
            title = _numbered(words.OFFERS, n)
            offers.append(
                (
                    *(offer_id, None if n % 4 == 3 else f"OF-{n:03}", title),
                    *("Voor wie wil, en kan." if n % 2 else None, n % 6 != 5, archived, made),
                    self._moment(random, 200),
                )
            )
            for m in range((2, 0, 1, 4)[n % 4]):
                event_id = new_id(random)
                places = random.randrange(5, 30)
                enrolled = list(self._enrollments(random, event_id, places, n + m))
                taken = sum(1 for row in enrolled if row[3] == "ENROLLED")
                start = random.randrange(-700, 200)
                training = self._pick(random, self.training_ids)
                course = [{"id": new_id(random), "title": "Basiscursus"}] * (m % 2)
                video = [{"id": new_id(random), "title": "Welkom"}] * (m % 3 == 2)
                events.append(
                    (
                        *(event_id, offer_id, None if m % 2 else f"EV-{n:03}-{m}"),
                        None if m == 3 else f"{title} #{m + 1}",
                        *(kinds[(n + m) % len(kinds)], places, 3, taken, places - taken),
                        *(m % 2 == 0, self._moment(random, -start + 15, -start + 14)),
                        *(f"{random.randrange(500)}.{m % 2 * 5}0", m == 2, n % 7 != 6),
                        *(json.dumps(course), "[]", "[]", json.dumps(video)),
                        *(self._pick(random, self.certificate_ids), 55.5 if m % 2 else None),
                        *(training, "TRAINING", True, places, f"{title} #{m + 1}"),
                    )
                )
                enrollments += enrolled
                if training:
                    trainings.append((event_id, training))
                trainers += [
                    (event_id, user_id)
                    for user_id in random.sample(self.user_ids, min(m, len(self.user_ids)))
                ]
                for day in range((1, 3, 0)[m % 3]):
                    begin = self.midnight + timedelta(days=start + 7 * day, hours=9, minutes=30)
                    moments = (begin.isoformat(), (begin + timedelta(hours=4)).isoformat())
                    dates.append((new_id(random), event_id, *moments, *moments))
        for table, rows in (
            ("offers", offers),
            ("offer_events", events),
            ("offer_event_dates", dates),
            ("offer_event_trainers", trainers),
            ("offer_event_trainings", trainings),
            ("enrollments", enrollments),
        ):
            self._insert(table, rows)

    def _enrollments(
        self, random: Random, event_id: str, places: int, n: int
    ) -> Iterator[Sequence[Any]]:
        statuses = ("ENROLLED", "ENROLLED", "CANCELLED", "WAITLISTED", "ENROLLED", "DECLINED")
        most = min(places, len(self.user_ids))
        for m, user_id in enumerate(random.sample(self.user_ids, most)):
            status = statuses[(n + m) % len(statuses)]
            yield new_id(random), user_id, event_id, status, self._moment(random, 700)

    @staticmethod
    def _pick(random: Random, ids: Sequence[str]) -> str | None:
        return random.choice(ids) if ids else None

    # ---------- custom fields ----------

    def _categories(self) -> None:
        random = self._random("extra_categories")
        categories, options, values = [], [], []
        for position, (title, kind, owners, choices) in enumerate(words.CATEGORIES):
            category_id = new_id(random)
            field = [{"key": f"field{position}", "label": title, "type": kind}]
            categories.append(
                (
                    *(category_id, title, kind if kind in self.category_types else None),
                    *(json.dumps(owners), json.dumps(field, ensure_ascii=False), position),
                )
            )
            choice_ids = [new_id(random) for _ in choices]
            options += [
                (choice_id, category_id, f"OPT-{m}" if m % 2 else None, text, words.COLORS[m % 4])
                for m, (choice_id, text) in enumerate(zip(choice_ids, choices, strict=True))
            ]
            ids = {"USER": self.user_ids, "GROUP": self.group_ids, "TRAINING": self.training_ids}
            for n, owner_id in enumerate(chain.from_iterable(ids[owner] for owner in owners)):
                if (n + position) % 3:
                    values += [
                        (owner_id, category_id, *value)
                        for value in self._values(random, kind, n, choice_ids)
                    ]
        self._insert("extra_categories", categories)
        self._insert("choice_options", options)
        self._insert("extra_category_values", values)

    def _values(
        self, random: Random, kind: str, n: int, choice_ids: Sequence[str]
    ) -> Iterator[Sequence[Any]]:
        """Give what one owner has in one field: type, then text, choice, boolean, moment."""
        if kind == "TEXT":
            yield "ExtraCategoryStringValue", random.choice(words.TEXTS), None, None, None
        elif kind == "NUMBER":
            yield "ExtraCategoryStringValue", f"{random.randrange(1000) / 4:g}", None, None, None
        elif kind == "BOOLEAN":
            yield "ExtraCategoryBooleanValue", None, None, n % 2 == 0, None
        elif kind == "DATE":
            yield "ExtraCategoryDatetimeValue", None, None, None, self._moment(random, 9000)
        else:
            several = 1 + n % 3 if kind == "MULTISELECT" else 1
            for choice_id in random.sample(choice_ids, several):
                yield "ExtraCategoryChoiceValue", None, choice_id, None, None


def new_id(random: Random) -> str:
    """Return a version 4 UUID drawn from `random`; faster by far than one made by `uuid.UUID`."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _numbered(titles: Sequence[str], n: int) -> str:
    """Return the n-th title; when they are used up they come again with a number."""
    rounds, place = divmod(n, len(titles))
    return f"{titles[place]} {rounds + 1}" if rounds else titles[place]
