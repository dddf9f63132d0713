"""The contract: where `pluvo.graphql` is, and the variants of it that a sandbox can serve."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal, get_args

Variant = Literal["documented", "lean", "rich"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def read_contract() -> str:
    """Return the API as documented, as text in GraphQL's schema definition language.

    A wheel carries the file inside this package. An editable install and a plain checkout have it
    beside the package, in `schemas/`.

    Raises:
        FileNotFoundError: the file is in neither place.
    """
    package = files("pluvo_sandbox")
    packaged = package / "pluvo.graphql"
    path = packaged if packaged.is_file() else package.joinpath("..", "schemas", "pluvo.graphql")
    return path.read_text(encoding="utf-8")
