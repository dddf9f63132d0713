"""Who may ask what: OAuth 2.0 client credentials, carried out by oauthlib."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from oauthlib.oauth2 import BackendApplicationServer, RequestValidator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES = (
    "users.read",
    "users.write",
    "trainings.read",
    "trainings.write",
    "groups.read",
    "groups.write",
    "events.read",
    "events.write",
    "extra_categories.write",
)


@dataclass(frozen=True)
class Client:
    """An API client of the organization.

    Attributes:
        client_id: its public name.
        client_secret: its password.
        scopes: what it may ask for.
    """

    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = SCOPES


@dataclass
class Grant:
    """What a token stands for.

    Attributes:
        scopes: what its holder may do.
        expires_at: seconds since the epoch.
    """

    scopes: frozenset[str]
    expires_at: float


class _Validator(RequestValidator):
    """Answers oauthlib's questions about the one client and the tokens given out to it."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.grants: dict[str, Grant] = {}

    @override
    def authenticate_client(self, request: Any, *_args: Any, **_kwargs: Any) -> bool:
        """Compare the credentials in the form body; Pluvo documents no other place for them."""
        request.client = self.client
        given = (request.client_id or "", request.client_secret or "")
        return all(
            secrets.compare_digest(ours.encode(), theirs.encode())
            for ours, theirs in zip(
                (self.client.client_id, self.client.client_secret), given, strict=True
            )
        )

    @override
    def validate_grant_type(self, client_id: str, grant_type: str, *_args: Any) -> bool:
        """Allow what Pluvo documents."""
        return grant_type == "client_credentials"

    @override
    def get_default_scopes(self, *_args: Any) -> list[str]:
        """Give all that the client may have to a request that names no scope."""
        return list(self.client.scopes)

    @override
    def validate_scopes(self, client_id: str, scopes: list[str], *_args: Any, **_more: Any) -> bool:
        """Refuse a request as soon as one of its scopes is not the client's."""
        return set(scopes) <= set(self.client.scopes)

    @override
    def save_bearer_token(self, token: Any, *_args: Any, **_more: Any) -> None:
        """Remember a token that was given out."""
        self.grants[token["access_token"]] = Grant(
            frozenset(token["scope"].split()), time.time() + token["expires_in"]
        )

    @override
    def validate_bearer_token(self, token: str | None, scopes: Any, request: Any) -> bool:
        """Find the grant behind a token that is known and has not expired."""
        grant = self.grants.get(token or "")
        request.grant = grant
        return grant is not None and time.time() < grant.expires_at


class OAuth:
    """The token endpoint, and the check of the tokens that it gave out."""

    def __init__(self, client: Client, token_ttl: int) -> None:
        self._validator = _Validator(client)
        # A function, because oauthlib takes a plain 0 for "not given".
        self._server = BackendApplicationServer(
            self._validator, token_expires_in=lambda _request: token_ttl
        )

    def token(
        self, uri: str, headers: Mapping[str, str], body: str
    ) -> tuple[dict[str, str], str, int]:
        """Answer a token request.

        Returns:
            Headers, JSON body and status, as RFC 6749 has them for success and refusal alike.
        """
        answer_headers, answer, status = self._server.create_token_response(
            uri, body=body, headers=dict(headers)
        )
        return answer_headers, answer, status

    def grant(self, uri: str, headers: Mapping[str, str]) -> Grant | None:
        """Return what the request's bearer token allows; None without a valid one."""
        valid, request = self._server.verify_request(uri, headers=dict(headers))
        return cast("Grant", request.grant) if valid else None

    def revoke_all(self) -> None:
        """Forget every token given out so far."""
        self._validator.grants.clear()

    def expire_all(self) -> None:
        """Let the time of every token given out so far be up."""
        for grant in self._validator.grants.values():
            grant.expires_at = 0
