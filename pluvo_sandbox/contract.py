"""Where the contract is: the one place that knows how `pluvo.graphql` is found."""

from __future__ import annotations

from importlib.resources import files


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
