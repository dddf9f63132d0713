"""Every way in which reading from Pluvo can fail, by who can do something about it.

A message names what failed, why, and what to do; it never holds a secret, a token or a value of a
record, since it is printed as it is.

| error | meaning | what happens |
| --- | --- | --- |
| `ConfigurationError` | a setting, catalog or state is wrong | the run ends |
| `AuthenticationError` | the organization refuses the client | the stream ends |
| `ScopeError` | the token lacks a scope | the stream ends |
| `UnavailableError` | the organization's schema lacks a whole stream | the stream is left out |
| `SchemaDifferenceError` | the schema lacks something that was asked for | goes on without |
| `NotFoundError` | an object is gone | it is left out, or the stream ends |
| `QueryError` | the API answered with GraphQL errors | after a few retries the stream ends |
| `ProtocolError` | the answer contradicts GraphQL, Relay or the documents | likewise |
| `TransientError` | no usable answer, but one may come | retried for `max_retry_seconds` |
| `BusyError` | the same, since the API asks for patience | likewise, and all goes slower |
| `IncompleteError` | fewer rows were found than the API counts | the stream ends |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class PluvoError(Exception):
    """Base of all errors whose message is meant for the user."""


class ConfigurationError(PluvoError):
    """A setting, catalog or state is wrong; nothing was read."""


class AuthenticationError(PluvoError):
    """The organization does not accept the client's credentials or token."""


class ScopeError(PluvoError):
    """The token lacks a scope that the operation needs."""


class UnavailableError(PluvoError):
    """The organization's schema lacks what a stream cannot do without."""


class IncompleteError(PluvoError):
    """A connection gave fewer distinct rows than it counts, also when read again."""


class Difference(NamedTuple):
    """Something that was asked for and that the organization's schema lacks.

    `kind` is `field`, `argument`, `value` (of an enum) or `type`; `owner` the type or enum it was
    expected on; `name` its own name (of an argument: `field(argument)`).
    """

    kind: str
    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.owner}.{self.name}" if self.owner else f"{self.kind} {self.name}"


class SchemaDifferenceError(PluvoError):
    """The organization's schema lacks something that was asked for.

    `differences` name what by the types of the contract.
    """

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(dict.fromkeys(differences))
        super().__init__(
            "the organization's schema lacks " + ", ".join(str(item) for item in self.differences)
        )


class NotFoundError(PluvoError):
    """The API does not know the object that was asked for."""


class IntrospectionRefusedError(PluvoError):
    """The organization does not show its schema."""


class RetriableError(PluvoError):
    """Base of the errors that may pass when the request is sent again.

    `attempts` is how often it is worth trying at all; None means until `max_retry_seconds` is over.
    `by_content` tells whether what was asked for may be the reason, `wait` how many seconds to wait
    before that, where it is known.
    """

    attempts: int | None = None
    wait: float | None = None
    by_content = False


class TransientError(RetriableError):
    """No usable answer came: the network or the server is at fault."""


class BusyError(TransientError):
    """The server asked for patience: all requests wait, and go slower then.

    `wait` is how long it asked to be left alone, in seconds, if it said so.
    """

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


class QueryError(RetriableError):
    """The API answered with GraphQL errors."""

    attempts = 4
    by_content = True


class ProtocolError(RetriableError):
    """The answer contradicts GraphQL, Relay paging or the documents."""

    attempts = 4
    by_content = True


class UnreachableError(RetriableError):
    """The host does not exist, or its certificate is not trusted."""

    attempts = 2


def hint(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a name that does not exist, with one that is meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a user's mistake only

    close = get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]!r}?" if close else ""
