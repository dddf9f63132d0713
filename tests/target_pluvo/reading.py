"""What a row says, read a second time and independently of the target."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts import Account

_YES, _NO = {"true", "yes", "ja", "1", "y", "t"}, {"false", "no", "nee", "0", "n", "f"}
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class UnreadableError(Exception):
    """A value is none that the row can have."""


def _is_blank(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in {"Cf", "Zs", "Zl", "Zp"}


def plain(value: Any) -> Any:
    """Return a value as a person sees it; what is empty is None.

    Raises:
        UnreadableError: it is infinite, or holds half of a character.
    """
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise UnreadableError
    if not isinstance(value, str):
        return value
    if any(unicodedata.category(letter) == "Cs" for letter in value):
        raise UnreadableError
    text = unicodedata.normalize("NFC", value)
    while text and _is_blank(text[0]):
        text = text[1:]
    while text and _is_blank(text[-1]):
        text = text[:-1]
    return text or None


def key(value: Any) -> str | None:
    """Return what something is found by.

    Raises:
        UnreadableError: it can be no key.
    """
    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, str | int | float | None):
        raise UnreadableError
    if isinstance(found, float):
        if not found.is_integer() or abs(found) >= 2**53:
            raise UnreadableError
        return str(int(found))
    if found is None:
        return None
    text = "".join(letter for letter in str(found) if unicodedata.category(letter) != "Cf")
    text = " ".join(text.split())
    if re.fullmatch(r"\d(\.\d+)?[eE]\+\d+", text):
        raise UnreadableError
    if re.fullmatch(r"\d{1,15}\.0+", text):
        text = text.partition(".")[0]
    return None if text.casefold() in {"", "nan"} else text


def address(value: Any) -> str | None:
    """Return an e-mail address, to be compared."""
    found = key(value)
    return found and found.casefold()


def yes_or_no(value: Any) -> bool | None:
    """Return a value as yes or no, or None where it is empty.

    Raises:
        UnreadableError: it is a word for neither.
    """
    found = plain(value)
    if found is None:
        return None
    word = str(int(found) if isinstance(found, bool | float) else found).lower()
    if word not in _YES | _NO:
        raise UnreadableError
    return word in _YES


def is_made_up(ref: str | None) -> bool:
    """Tell whether Pluvo made up a ref by itself."""
    return ref is not None and _UUID4.fullmatch(ref) is not None


@dataclass(frozen=True)
class Claim:
    """What a row of `users` says: who it is about, and whether that person has left.

    A row that is not `readable` says what can be read of it.
    """

    place: int
    row: Mapping[str, Any]
    readable: bool
    ref: str | None
    email: str | None
    left: bool
    given: Mapping[str, Any]

    @property
    def is_blank(self) -> bool:
        """Whether the row says nothing of anybody."""
        unnamed = not (self.ref or self.email or "name" in self.given)
        return self.readable and unnamed and not self.row.get("_sdc_deleted_at")

    def is_about(self, account: Account, *, by_any_address: bool = False) -> bool:
        """Tell whether the row is about an account, by ref, or by address where that decides."""
        ref = ref_of(account)
        if self.ref is not None and self.ref == ref:
            return True
        if self.email is None or self.email != email_of(account):
            return False
        weak = ref is None or (self.ref is None and is_made_up(ref))
        return weak or by_any_address


def claim(place: int, row: Mapping[str, Any]) -> Claim:
    """Read a row of `users`."""
    readable = True
    given: dict[str, Any] = {}
    for name, value in row.items():
        try:
            found = plain(value)
        except UnreadableError:
            readable = False
        else:
            given |= {} if found is None else {name: found}
    known: dict[str, Any] = {}
    for name, read in {"ref": key, "email": address}.items():
        try:
            known[name] = read(row.get(name))
        except UnreadableError:
            readable, known[name] = False, None
    left = bool(row.get("_sdc_deleted_at"))
    try:
        left = left or bool(yes_or_no(row.get("archived")))
    except UnreadableError:
        readable = False
    return Claim(place, row, readable, known["ref"], known["email"], left, given)


def claims(rows: Iterable[Mapping[str, Any]]) -> list[Claim]:
    """Read rows of `users`."""
    return [claim(place, row) for place, row in enumerate(rows)]


def ref_of(account: Account) -> str | None:
    """Return an account's ref as those of rows are read."""
    try:
        return key(account.ref)
    except UnreadableError:
        return account.ref


def email_of(account: Account) -> str | None:
    """Return an account's address as those of rows are read."""
    try:
        return address(account.email)
    except UnreadableError:
        return account.email
