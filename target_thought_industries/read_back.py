"""What the events say of a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from target_thought_industries.certificate import utc_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class ReadBack(NamedTuple):
    """The events of a user's certificates for a resource, compared with one day of issue.

    Events need not say their day of issue: `undated` counts those that do not.
    """

    that_day: int
    earlier: int
    undated: int

    @classmethod
    def of(cls, events: Iterable[dict[str, Any]], day: str) -> Self:
        """Count events."""
        days = [utc_day(event.get("issuedAt")) for event in events]
        return cls(
            that_day=days.count(day),
            earlier=sum(1 for found in days if found and found < day),
            undated=days.count(None),
        )

    @property
    def holds_earlier(self) -> bool:
        """Whether the user has an earlier certificate, which a new one renews."""
        return bool(self.earlier or self.undated)

    def shows_since(self, before: ReadBack) -> bool:
        """Tell whether the certificate is there now, given what was there before it was sent."""
        return self.that_day > 0 or self.undated > before.undated
