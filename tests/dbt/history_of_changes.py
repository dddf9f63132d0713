"""Who met which requirement at the end of each month, computed from a sandbox's log of changes.

Plain Python, and nothing of the API, the tap or the models: a second opinion on all of them.
"""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pluvo_sandbox import Change

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Rule:
    """A line of the seed pluvo__requirements."""

    audience_type: str
    audience: str
    audience_value: str
    required_type: str
    required_title: str
    repeat_months: int | None = None
    valid_from: date | None = None
    grace_days: int | None = None


@dataclass(frozen=True)
class Answer:
    is_compliant: bool
    is_known: bool  # not only told from who is there today


class Month(NamedTuple):
    people: int
    compliant: int  # with all that they must
    is_known: bool


History = dict[tuple[date, str, str], Answer]  # by month, user and title


def tables_on(changes: Iterable[Change], last: date) -> Tables:
    """Return the rows of all tables in the evening of a day."""
    found: dict[str, dict[str, Row]] = {}
    for day, table, before, after in changes:
        if day > str(last):
            break
        rows = found.setdefault(table, {})
        if before is not None:
            del rows[json.dumps(before)]
        if after is not None:
            rows[json.dumps(after)] = after
    return {table: list(rows.values()) for table, rows in found.items()}


def months_until(today: date, back: int) -> Iterator[date]:
    """Give the days that the months are reported for: today, then the last ones of those before."""
    yield today
    for _ in range(back):
        today = today.replace(day=1) - timedelta(days=1)
        yield today


@dataclass
class Historian:
    """What is known today of the past.

    `read_on` are the days on which all of a stream was read; who was there on a day is known from
    the last of them until then. The first of all is also that of the first snapshot.
    """

    changes: list[Change]
    read_on: Mapping[str, list[date]]
    today: date

    def __post_init__(self) -> None:
        self.now = tables_on(self.changes, self.today)
        self.user_ids = {user["id"] for user in self.now["users"]}

    def history(self, rules: Iterable[Rule], months: int) -> History:
        found: History = {}
        for as_of in months_until(self.today, months):
            is_closed = as_of < self.today
            is_known = not is_closed or as_of >= min(self.read_on["users"])
            people = self.people(as_of, is_known=is_known)
            members = {
                (row["groupId"], row["userId"])
                for row in self.read("group_members", as_of, is_known=is_known)["group_users"]
            }
            grouped = {user_id for _, user_id in members}
            for rule in rules:
                if rule.valid_from and rule.valid_from > as_of:
                    continue
                for user in people:
                    user_id = user["id"]
                    if user_id not in grouped and "PARTICIPANT" not in json.loads(user["roles"]):
                        continue
                    if not self.is_meant(rule, user_id, members):
                        continue
                    invited = day_of(user["invitedOn"])
                    since = max(filter(None, [rule.valid_from, invited]), default=None)
                    grace = rule.grace_days and since and since + timedelta(rule.grace_days)
                    found[as_of.replace(day=1), user_id, rule.required_title] = Answer(
                        is_compliant=self.holds(rule, user_id, as_of)
                        or bool(grace and as_of <= grace),
                        is_known=is_known
                        and not (rule.audience_type == "custom_field" and is_closed),
                    )
        return found

    def read(self, stream: str, as_of: date, *, is_known: bool) -> Tables:
        """Return the tables as they were when a stream was last read, or else those of today."""
        if not is_known:
            return self.now
        return tables_on(self.changes, max(day for day in self.read_on[stream] if day <= as_of))

    def people(self, as_of: date, *, is_known: bool) -> list[Row]:
        """Return the users who were there."""

        def was_there(user: Row) -> bool:
            invited, archived = day_of(user["invitedOn"]), day_of(user["archivedAt"])
            left = user["archived"] and (is_known or archived is None or archived <= as_of)
            return not left and (invited is None or invited <= as_of)

        return [*filter(was_there, self.read("users", as_of, is_known=is_known)["users"])]

    def is_meant(self, rule: Rule, user_id: str, members: set[tuple[str, str]]) -> bool:
        """Tell whether a rule is for a user. Groups and values of fields are those of today."""
        if rule.audience_type == "group":
            groups = (row["id"] for row in self.now["groups"] if row["name"] == rule.audience)
            return any((group, user_id) in members for group in groups)
        if rule.audience_type == "custom_field":
            fields = {
                row["id"] for row in self.now["extra_categories"] if row["title"] == rule.audience
            }
            choices = {
                row["id"]
                for row in self.now["choice_options"]
                if row["stringValue"] == rule.audience_value
            }
            return user_id in self.user_ids and any(
                row["ownerId"] == user_id
                and row["categoryId"] in fields
                and row["choiceId"] in choices
                for row in self.now["extra_category_values"]
            )
        return True

    def holds(self, rule: Rule, user_id: str, as_of: date) -> bool:
        """Tell whether a user had what a rule asks for, by the results as they are today."""
        for row in self.now["report"]:
            if (
                row["userId"] != user_id
                or row["title"] != rule.required_title
                or row["relatedObjectType"] != rule.required_type.upper()
                or row["completionDate"] is None
            ):
                continue
            obtained, ends = date.fromisoformat(row["completionDate"]), date.max
            if rule.required_type == "certificate" and row["endDate"]:
                ends = date.fromisoformat(row["endDate"])
            elif rule.repeat_months is not None:
                ends = months_after(obtained, rule.repeat_months)
            if obtained <= as_of <= ends:
                return True
        return False


def by_month(history: History) -> dict[date, Month]:
    """Count people by month."""
    found: dict[date, dict[str, list[Answer]]] = {}
    for (month, user_id, _), answer in history.items():
        found.setdefault(month, {}).setdefault(user_id, []).append(answer)
    return {
        month: Month(
            len(people),
            sum(all(answer.is_compliant for answer in answers) for answers in people.values()),
            all(answer.is_known for answers in people.values() for answer in answers),
        )
        for month, people in found.items()
    }


def day_of(moment: str | None) -> date | None:
    return (moment and datetime.fromisoformat(moment).date()) or None


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
