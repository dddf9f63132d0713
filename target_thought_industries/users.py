"""From a row's user to the one in Thought Industries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_singer.values import RejectedError, key
from target_thought_industries.settings import EMAIL

if TYPE_CHECKING:
    from pluvo_singer.rows import Row
    from target_thought_industries.api import Api


class Users:
    """The users of a tenant, read once, when the first one is asked for."""

    def __init__(self, api: Api, match_by: str) -> None:
        self._api = api
        self._column, self._field = (
            ("user_email", "email") if match_by == EMAIL else ("user_ref", "externalCustomerId")
        )
        self._ids: dict[str, set[str]] | None = None

    def find(self, row: Row) -> str:
        """Return the id of a row's user.

        Raises:
            RejectedError: there is none, or more than one.
            ApiError: the users cannot be read.
        """
        wanted = row.required_key(self._column).casefold()
        if self._ids is None:
            ids: dict[str, set[str]] = {}
            for user in self._api.users():
                if (value := _value(user.get(self._field))) is not None:
                    ids.setdefault(value, set()).add(str(user["id"]))
            self._ids = ids
        found = self._ids.get(wanted, set())
        if len(found) == 1:
            return next(iter(found))
        number = "several users" if found else "no user"
        msg = f"{number} of Thought Industries have its `{self._column}`"
        if not found:
            msg = f"no user of Thought Industries has its `{self._column}`"
        raise RejectedError(msg, self._column)


def _value(value: Any) -> str | None:
    """Return a value as it is compared: e-mail addresses have no case that matters."""
    try:
        found = key(value, "")
    except RejectedError:
        return None
    return found and found.casefold()
