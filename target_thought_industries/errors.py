"""The ways in which a request to Thought Industries can fail.

A message never holds the key, or a value of a record.
"""

from __future__ import annotations

from pluvo_client.errors import PluvoError


class ApiError(PluvoError):
    """A request failed, and nothing more can be done about it in this run."""


class RefusedError(ApiError):
    """The API has refused to act on a request, and said so; `status` is that of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class UncertainError(ApiError):
    """The API may or may not have acted on a request that must not be repeated blindly."""
