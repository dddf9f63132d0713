"""From a row's user to the one in Thought Industries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_thought_industries.settings import EMAIL

if TYPE_CHECKING:
    from target_thought_industries.api import Api


class Users:
    """The users of a tenant, read once, when the first one is asked for."""

    def __init__(self, api: Api, match_by: str) -> None:
        self._api = api
        by_email = match_by == EMAIL
        self.column = "user_email" if by_email else "user_ref"
        self._field = "email" if by_email else "externalCustomerId"
        self._ids: dict[str, set[str]] | None = None

    def find(self, row: dict[str, Any]) -> tuple[str | None, str]:
        """Return the id of a row's user, or None and why there is none."""
        wanted = _normal(row.get(self.column))
        if not wanted:
            return None, f"the row has no `{self.column}`"
        if self._ids is None:
            self._ids = {}
            for user in self._api.users():
                self._ids.setdefault(_normal(user.get(self._field)), set()).add(user["id"])
        found = self._ids.get(wanted, set())
        if len(found) == 1:
            return next(iter(found)), ""
        if found:
            return None, f"several users of Thought Industries have its `{self.column}`"
        return None, f"no user of Thought Industries has its `{self.column}`"


def _normal(value: Any) -> str:
    """Return a value as it is compared: e-mail addresses have no case that matters."""
    return str(value).strip().casefold() if value is not None else ""
