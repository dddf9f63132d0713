"""Pieces of Markdown that the generated pages share."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by scripts/docs/generate.py: change its sources and run it again. -->\n"
BEGIN = "<!-- {name}: written by scripts/docs/generate.py -->\n"
END = "<!-- end of {name} -->"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with the text of each cell on one line."""
    lines = [titles, ["---"] * len(titles), *rows]
    cells = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def first_sentence(text: str) -> str:
    """Return the first sentence of a description."""
    return text.partition(". ")[0].removesuffix(".") + "."


def code(value: Any) -> str:
    """Return a value as code."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def codes(values: Iterable[Any]) -> str:
    """Return values as code, separated by commas."""
    return ", ".join(code(value) for value in values)


def between(document: str, name: str, text: str) -> str:
    """Return a document with new text between the two markers called `name`.

    Raises:
        ValueError: The document lacks one of the markers.
    """
    begin, end = BEGIN.format(name=name), END.format(name=name)
    if document.count(begin) != 1 or document.count(end) != 1:
        msg = f"expected each of {begin.strip()} and {end} once"
        raise ValueError(msg)
    before, _, rest = document.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def in_order_of(document: str, names: Iterable[str]) -> list[str]:
    """Return names in the order of the rows in a document's tables, new ones last."""
    listed = re.findall(r"^\| `([\w.]+)`", document, re.MULTILINE)
    return sorted(
        names, key=lambda name: (listed.index(name) if name in listed else len(listed), name)
    )
