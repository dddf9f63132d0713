"""What is wrong, or at least surprising, in files of HR systems: each function does it to rows."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from random import Random
from typing import Any

Row = dict[str, Any]
MembershipDirt = Callable[[list[Row], str, Random], None]

NAMES = (
    *("Zofia Wyrzyk", "Ximena Quispe", "Bj\u00f6rn \u00c5gestam", "Quirijn Oudkerk"),
    *("Nguy\u1ec5n Th\u00f9y", "Zo\u00eb Pl\u00fcckthun", "Dzsenifer Vajda", "Ghislaine Oyelaran"),
    *("Wubbo Tjaarda", "Ngozi Ezeigbo", "Yolanda Vrzalova", "Jekaterina Ozols"),
    *("Siobhan Mhaoil", "Hjalmar Reykdal", "Tjitske Dijkzeul", "Ferdinand Zwicky"),
)


def _change(
    column: str, values: Callable[[Random, Any], Any]
) -> Callable[[list[Row], Random], None]:
    """Return dirt that changes a column of one row."""

    def dirt(rows: list[Row], rng: Random) -> None:
        row = rng.choice(rows)
        row[column] = values(rng, row.get(column))

    return dirt


def _padded(rng: Random, value: Any) -> str:
    blanks = rng.choice([" ", "\u00a0", "\u200b", "\t", "\ufeff", "\u2060 "])
    return rng.choice([f"{blanks}{value}", f"{value}{blanks}", f"{blanks}{value}{blanks}"])


def _number(rng: Random, value: Any) -> Any:
    digits = str(value)
    if not digits.isdigit():
        return rng.choice([1e21, math.inf, True])
    return rng.choice(
        [
            *(float(digits), int(digits), f"{digits}.0", f"00{digits}", digits[1:], 1e21),
            *(math.inf, f"{digits}.5", "1.23E+11", True, f"{digits[:2]}\u200b{digits[2:]}"),
        ]
    )


def _empty(rng: Random, _: Any) -> Any:
    return rng.choice([None, "", " ", "\u00a0", math.nan, "\u200b"])


def _broken(_: Random, value: Any) -> str:
    return f"{value}\ud83d"


def _nfd(_: Random, value: Any) -> str:
    return unicodedata.normalize("NFD", str(value))


def _other_of(column: str) -> Callable[[list[Row], Random], None]:
    """Return dirt that gives a row the number or address of another one."""

    def dirt(rows: list[Row], rng: Random) -> None:
        rng.choice(rows)[column] = rng.choice(rows).get(column)

    return dirt


def _swapped(column: str) -> Callable[[list[Row], Random], None]:
    def dirt(rows: list[Row], rng: Random) -> None:
        one, other = rng.choice(rows), rng.choice(rows)
        one[column], other[column] = other.get(column), one.get(column)

    return dirt


def _twice(rows: list[Row], rng: Random) -> None:
    rows.append(dict(rng.choice(rows)))


def _contradiction(rows: list[Row], rng: Random) -> None:
    other = dict(rng.choice(rows))
    column, value = rng.choice(
        [
            ("name", "Odhran Bystrowski"),
            ("email", "odhran.bystrowski@example.test"),
            ("archived", True),
            ("hours", 12),
            ("email", str(other.get("email")).upper()),
        ]
    )
    rows.append(other | {column: value})


def _hired_again(rows: list[Row], rng: Random) -> None:
    row = rng.choice(rows)
    rows.append(dict(row) | {"ref": f"2{row.get('ref')}", "archived": False})
    row["archived"] = True


def _known_twice(rows: list[Row], rng: Random) -> None:
    """Somebody has a second number, with the address that was the first one's."""
    row = rng.choice(rows)
    rows.append(dict(row) | {"ref": f"2{row.get('ref')}"})
    row["email"] = f"first.{row.get('email')}"


def _nobody(rows: list[Row], rng: Random) -> None:
    row = rng.choice(rows)
    row["ref"] = row["email"] = None


def _recycled(rows: list[Row], rng: Random) -> None:
    """The number of somebody is given to somebody else."""
    new = {"name": "Neomi Xhaferi", "email": f"neomi{rng.randrange(9)}@example.test"}
    rng.choice(rows).update(new)


def _stranger(rows: list[Row], rng: Random) -> None:
    number = rng.randrange(9)
    row: Row = {"ref": f"9{number}", "name": f"Strahinja Kobayashi{number}"}
    row["email"] = f"strahinja{number}@example.test"
    if rng.random() < 0.5:
        row["email"] = rng.choice(rows).get("email")
    if rng.random() < 0.5:
        row["archived"] = True
    rows.append(row)


def _cut(rows: list[Row], rng: Random) -> None:
    del rows[rng.randrange(len(rows)) :]


_MASSES: tuple[tuple[str, Callable[[Row], Any]], ...] = (
    ("archived", lambda _: True),
    ("archived", lambda _: False),
    ("email", lambda row: f"new.{row.get('email')}"),
    ("name", lambda row: str(row.get("name")).upper()),
    ("roles", lambda _: "MANAGER"),
)


def _masses(rows: list[Row], rng: Random) -> None:
    """One and the same happens to everybody, as after a mistake in the export."""
    column, change = rng.choice(_MASSES)
    for row in rows:
        row[column] = change(row)


def _deleted(rows: list[Row], rng: Random) -> None:
    rng.choice(rows)["_sdc_deleted_at"] = "2026-12-01T00:00:00Z"


_STATUS = (True, False, "ja", "nee", "Left", "lef", "YES ", "0", 1, 0.0, "", None, "\u00a0no", "x")
DIRT: tuple[Callable[[list[Row], Random], None], ...] = (
    _change("name", lambda rng, _: rng.choice(NAMES)),
    _change("name", _nfd),
    _change("name", _padded),
    _change("name", _empty),
    _change("name", _broken),
    _change("email", lambda rng, _: f"renamed{rng.randrange(9)}@example.test"),
    _change("email", lambda _, value: str(value).upper()),
    _change("email", _padded),
    _change("email", _empty),
    _change("ref", _padded),
    _change("ref", _number),
    _change("ref", _empty),
    _change("ref", _broken),
    _change("archived", lambda rng, _: rng.choice(_STATUS)),
    _change("archived", lambda *_: True),
    _change("roles", lambda rng, _: rng.choice(["MANAGER", "TRAINER;PARTICIPANT", "OWNER?", ""])),
    _change("language", lambda rng, _: rng.choice(["nl", "NL", "KLINGON"])),
    _change("hours", lambda rng, _: rng.choice([36, "36.50", 2**53 + 1, 0.5, "many", math.inf])),
    _change("level", lambda rng, _: rng.choice(["junior", "se\u0301nior", "boss", " junior"])),
    _change("first_aid", lambda rng, _: rng.choice(["ja", "nee", True, "perhaps", ""])),
    _change("since", lambda rng, _: rng.choice(["2026-01-31", "31-01-2026", "2026-01-31T08:00Z"])),
    _change("department", lambda rng, _: rng.choice(["Zorg", " Zorg", "Techniek", None])),
    _other_of("email"),
    _other_of("ref"),
    _swapped("ref"),
    _swapped("email"),
    _swapped("name"),
    *(
        _twice,
        _contradiction,
        _hired_again,
        _known_twice,
        _nobody,
        _recycled,
        _stranger,
        _cut,
        _masses,
        _deleted,
    ),
)


# Of memberships; `column` names the group or training


def _no_such_place(rows: list[Row], column: str, rng: Random) -> None:
    row = rng.choice(rows)
    row[column] = rng.choice([None, "", " ", math.nan, "nowhere", f" {row[column]}"])


def _no_such_user(rows: list[Row], _: str, rng: Random) -> None:
    rng.choice(rows)["user_ref"] = rng.choice([None, "404", math.nan, 1e21, "\ud83d"])


def _moved(rows: list[Row], column: str, rng: Random) -> None:
    """A department has got another name."""
    old = rng.choice(rows)[column]
    for row in rows:
        if row[column] == old:
            row[column] = "department-b"


def _in_role(rows: list[Row], _: str, rng: Random) -> None:
    rng.choice(rows)["role"] = rng.choice(["MANAGER", "participant", "boss", "", None])


def _any_column(dirt: Callable[[list[Row], Random], None]) -> MembershipDirt:
    return lambda rows, _, rng: dirt(rows, rng)


MEMBERSHIP_DIRT: tuple[MembershipDirt, ...] = (
    *(_no_such_place, _no_such_user, _moved, _in_role),
    *map(_any_column, (_other_of("user_ref"), _deleted, _cut, _twice)),
)
