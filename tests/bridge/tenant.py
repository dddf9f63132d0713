"""A made-up tenant of Thought Industries that takes the place of HTTP.

What the vendor's pages leave open is drawn: when events show a grant, or that they never do; whom
and what an event names; whether the filters of the events are honoured; and how a request fails.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.errors import ConfigurationError
from target_thought_industries.errors import ApiError, RefusedError, UncertainError

if TYPE_CHECKING:
    from random import Random

PAGE = 3  # events on a page
FAULTS = (
    *("lost before", "lost", "silent", "refused", "conflict", "throttled", "denied"),
    *("killed before", "killed"),
)
USERS = {f"user-{number}": f"user-{number}@example.test" for number in range(3)}


class Killed(BaseException):
    """The process ends here."""


class Grant(NamedTuple):
    """A certificate that was issued, and when the events begin to show it."""

    user_id: str
    resource_id: str
    day: str
    shown_from: dt.datetime | None


@dataclass
class Tenant:
    """A tenant.

    Attributes:
        delay: seconds until events show a grant, at most; None: they never do.
        says_day: whether an event has the day of issue.
        names: what an event says of user and resource: `published`, `flat` or `nothing`.
        filters: whether the filters of the events are honoured.
        trouble: how likely a request is to fail.
    """

    random: Random
    delay: float | None
    says_day: bool
    names: str
    filters: bool
    trouble: float
    grants: list[Grant] = field(default_factory=list)
    requests: int = 0

    @classmethod
    def drawn(cls, random: Random) -> Tenant:
        """Return a tenant of some kind."""
        names = random.choice(["published", "published", "flat", "nothing"])
        return cls(
            random,
            delay=random.choice([0.0, 5.0, 500.0, 7_200.0, 100_000.0, None]),
            says_day=random.random() < 0.5,
            names=names,
            filters=random.random() < 0.7 or names == "nothing",
            trouble=random.choice([0.0, 0.1, 0.4]),
        )

    def get(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that reads."""
        self.requests += 1
        if self.random.random() < self.trouble / 4:
            msg = "made up: cannot be read"
            raise ApiError(msg)
        if path.endswith("/users"):
            users = [{"id": name, "email": email} for name, email in USERS.items()]
            return {"APIUsers": {"users": users, "pageInfo": {"hasMore": False, "total": 3}}}
        return {"APIEvents": self._events(query)}

    def post(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that issues a certificate."""
        self.requests += 1
        fault = "none"
        if self.random.random() < self.trouble:
            fault = self.random.choice(FAULTS)
        match fault:
            case "lost before":
                msg = "made up: no answer"
                raise UncertainError(msg)
            case "refused" | "conflict":
                msg = "made up: refused"
                raise RefusedError(msg, 409 if fault == "conflict" else 422)
            case "throttled":
                msg = "made up: not taken"
                raise ApiError(msg)
            case "denied":
                msg = "made up: the key may not do this"
                raise ConfigurationError(msg)
            case "killed before":
                raise Killed
        self._grant(body)
        match fault:
            case "lost":
                msg = "made up: no answer"
                raise UncertainError(msg)
            case "killed":
                raise Killed
            case "silent":
                return {}
        return {"APICertifyUser": {"id": f"grant-{len(self.grants)}"}}

    def close(self) -> None:
        """Do nothing."""

    def counts(self) -> Counter[tuple[str, str, str]]:
        """Return how often each certificate was issued."""
        return Counter(grant[:3] for grant in self.grants)

    def _grant(self, body: dict[str, Any]) -> None:
        shown_from = None
        if self.delay is not None:
            # Not always after the same time, but never much longer than the others.
            takes = self.delay * self.random.uniform(0.8, 1.0)
            shown_from = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=takes)
        day = body["issuedAt"][:10]
        self.grants.append(Grant(body["userId"], body["resourceId"], day, shown_from))

    def _events(self, query: dict[str, Any]) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        shown = [grant for grant in self.grants if grant.shown_from and grant.shown_from <= now]
        if self.filters:
            wanted = query["userId"], query["notifiableId"]
            shown = [grant for grant in shown if grant[:2] == wanted]
        start = int(query.get("cursor") or 0)
        more = start + PAGE < len(shown)
        info = {"hasMore": more, "cursor": str(start + PAGE) if more else None}
        events = [self._event(grant) for grant in shown[start : start + PAGE]]
        return {"events": events, "pageInfo": info}

    def _event(self, grant: Grant) -> dict[str, Any]:
        event: dict[str, Any] = {"id": f"{grant.user_id} {grant.day}"}
        if self.names == "published":
            event |= {"userDetail": {"id": grant.user_id}, "notifiableId": grant.resource_id}
        elif self.names == "flat":
            event |= {"userId": grant.user_id, "courseId": grant.resource_id}
        if self.says_day:
            event["issuedAt"] = f"{grant.day}T00:00:00Z"
        return event
