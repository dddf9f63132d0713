"""The words, numbers and days of a language."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

FOLDER = Path(__file__).with_name("languages")
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))


class Language:
    """What `languages/<code>.toml` says."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.words: dict[str, Any] = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        return f"{number:,}".replace(",", self.words["thousands"])

    def share(self, share: float) -> str:
        """Return a part of one as a whole percentage."""
        return f"{share:.0%}"

    def month(self, day: date) -> str:
        """Return the month of a day, such as Jun 2025."""
        return f"{self.words['months'][day.month - 1]} {day.year}"

    def day(self, day: date) -> str:
        """Return a day, such as 15 Jun 2025."""
        return f"{day.day} {self.month(day)}"
