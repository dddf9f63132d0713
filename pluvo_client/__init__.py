"""Pluvo, a learning management system, for Python programs: its GraphQL API, read completely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_client.errors import PluvoError

if TYPE_CHECKING:
    from pluvo_client.client import PluvoClient
    from pluvo_client.schema.documents import Enum

__all__ = ["Enum", "PluvoClient", "PluvoError"]


def __getattr__(name: str) -> Any:
    """Import what needs GraphQL when it is asked for: parts of this package can do without."""
    if name == "PluvoClient":
        from pluvo_client.client import PluvoClient  # noqa: PLC0415 - see above

        return PluvoClient
    if name == "Enum":
        from pluvo_client.schema.documents import Enum  # noqa: PLC0415 - see above

        return Enum
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
