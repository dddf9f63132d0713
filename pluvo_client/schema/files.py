"""Where the contracts are: the one place that knows how `schemas/` is found.

A wheel carries `schemas/` inside this package; an editable install and a plain checkout have it at
the top of the repository.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def schemas() -> Traversable:
    """Return the folder that holds `pluvo.graphql` and one `<stream>.json` for each stream."""
    package = files("pluvo_client")
    packaged = package / "schemas"
    return packaged if packaged.is_dir() else package.joinpath("..", "schemas")


def read_schema(name: str) -> str:
    """Return the text of the file `name` in `schemas/`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (schemas() / name).read_text(encoding="utf-8")
