"""The ways in which a request to Pluvo can fail, grouped by who can do something about it.

A message names what failed, why, and what to do. It never holds a secret, a token or a value of a
record, so it can be printed as it is.

| error | meaning | what a reader does |
| --- | --- | --- |
| `ConfigurationError` | a setting, catalog or state is wrong | ends the run, or its stream |
| `AuthenticationError` | the organization rejects the client or its token | ends the stream |
| `ClientRejectedError` | no token, and nobody says why | retries a few times, then likewise |
| `TokenRejectedError` | the API rejects a token | retries with a new one, then likewise |
| `ScopeError` | the token lacks a scope | asks for it once; then ends the stream |
| `UnavailableError` | the organization's schema lacks a whole stream | leaves the stream out |
| `SchemaDifferenceError` | the schema lacks what was asked for | asks again, then goes on without |
| `NotFoundError` | an object is gone | asks again, then leaves it out or ends the stream |
| `IntrospectionRefusedError` | the organization does not show its schema | goes by the documents |
| `QueryError` | the API answered with GraphQL errors | retries a few times, then likewise |
| `ProtocolError` | the answer contradicts GraphQL, Relay or the documents | likewise |
| `TransientError` | no usable answer, but one may come | retries for `max_retry_seconds` |
| `TooLargeError` | an answer is larger than `max_response_mb` | retries once, divided if possible |
| `ThrottledError` | the same, as the API asked to slow down | likewise, and slows everything down |
| `OutageError` | the same, as the API is down for a while | likewise, and lets everything wait |
| `UnreachableError` | the host does not exist, or its certificate is not trusted | retries once |
| `IncompleteError` | fewer rows were found than the API counts | ends the stream |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from pluvo_client.outcome import ListOutcome


class PluvoError(Exception):
    """Base of all errors whose message is meant for the user."""


class ConfigurationError(PluvoError):
    """A setting, catalog or state is wrong."""


class AuthenticationError(PluvoError):
    """The organization rejects the client's credentials or token."""


class InvalidScopeError(AuthenticationError):
    """The organization does not grant all the scopes that a token was requested with."""


class ScopeError(PluvoError):
    """The token lacks a scope that the operation needs; `scopes` are those that the API named."""

    def __init__(self, message: str, scopes: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.scopes = frozenset(scopes)


class UnavailableError(PluvoError):
    """The organization's schema lacks what a stream cannot do without."""


class IncompleteError(PluvoError):
    """Nothing proves that all rows of a list were read, even after re-reading.

    All rows that were found have been given. `outcome` says how many, and how many are counted.
    """

    def __init__(self, message: str, outcome: ListOutcome | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class Difference(NamedTuple):
    """Something that was asked for and that the organization's schema lacks.

    `kind` is `field`, `argument`, `value` (of an enum) or `type`; `owner` the type or enum it was
    expected on; `name` its own name (of an argument: `field(argument)`).
    """

    kind: str
    owner: str
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.owner}.{self.name}" if self.owner else f"{self.kind} {self.name}"


class ClaimError(PluvoError):
    """Base of what an answer says of the organization, and one server alone may be wrong about.

    While an update is rolled out, or a replica lags behind, one answer counts for nothing: each of
    the `claims` has to be in a later answer, too.
    """

    def __init__(self, message: str, claims: Iterable[Hashable]) -> None:
        super().__init__(message)
        self.claims = frozenset(claims)


class SchemaDifferenceError(ClaimError):
    """The organization's schema lacks something that was asked for.

    `differences` say what, in the type names of the contract.
    """

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(dict.fromkeys(differences))
        super().__init__(
            "the organization's schema lacks " + ", ".join(str(item) for item in self.differences),
            self.differences,
        )


class NotFoundError(ClaimError):
    """The API does not know the object that was asked for; `kind` is what it calls it."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message, [kind])
        self.kind = kind


class IntrospectionRefusedError(PluvoError):
    """The organization does not show its schema."""


class RetriableError(PluvoError):
    """Base of the errors that may pass when the request is sent again.

    `attempts` is how often to try in all; None means until `max_retry_seconds` is over. `wait` is
    how many seconds to wait before the next attempt, where that is known. `by_content` says whether
    what was asked for may be the cause, `unprocessed` that the API has certainly not acted on the
    request. `given_up` is set once retrying has ended.
    """

    attempts: int | None = None
    wait: float | None = None
    by_content = False
    unprocessed = False
    given_up = False


class TransientError(RetriableError):
    """No usable answer came: the network or the server is at fault."""


class TooLargeError(RetriableError):
    """An answer is larger than the setting `max_response_mb` allows."""

    attempts = 2
    by_content = True


class ThrottledError(TransientError):
    """The server asked to be left alone: all requests wait, then go slower.

    `wait` is for how many seconds, if it said so.
    """

    unprocessed = True

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


class OutageError(TransientError):
    """The server is down for `wait` seconds: all requests wait, then go on as before."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


class TokenRejectedError(RetriableError, AuthenticationError):
    """The API rejects a token; a new one may be accepted.

    With `doubtful`, nothing but an error code says so.
    """

    attempts = 3
    wait = 0.0
    unprocessed = True

    def __init__(self, message: str, *, doubtful: bool = False) -> None:
        super().__init__(message)
        self.doubtful = doubtful


class ClientRejectedError(RetriableError, AuthenticationError):
    """A token is refused without a word of OAuth: by Pluvo, or by something on the way."""

    attempts = 4


class ScopeLearnedError(RetriableError):
    """The API named a scope that the token lacks; the next one is requested with it."""

    wait = 0.0
    unprocessed = True


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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a ": did you mean ...?" suffix for a name that does not exist, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a user's mistake needs it

    close = get_close_matches(name, list(known), n=1)
    return f": did you mean `{close[0]}`?" if close else ""
