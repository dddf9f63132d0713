"""OAuth 2 client credentials: one token that all workers share, with the scopes that it needs.

Pages `introduction-2` and `getting-started-2`: a form with id and secret, 24 hours, no refresh
token. The token is renewed shortly before it expires and whenever the API rejects it, by one worker
while the others wait; it is never logged. A token may be valid a moment after it was issued only:
where a young one is rejected, its successor is given that moment.

Which operation needs which scope is not documented. So scopes are learned: what the API names as
lacking is requested with the next token, and what the organization does not grant is requested no
more. Where the setting `scopes` is set, it decides.
"""

from __future__ import annotations

import logging
import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pluvo_client.errors import (
    AuthenticationError,
    ClientRejectedError,
    InvalidScopeError,
    ProtocolError,
    ScopeError,
)
from pluvo_client.redaction import redacted_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pluvo_client.settings import ClientSettings
    from pluvo_client.transport.http import Response, Transport

logger = logging.getLogger("pluvo_client")

PATH = "/oauth/token/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEFAULT_LIFETIME = 86_400.0  # seconds, page `getting-started-2`
LEEWAY = 300.0  # seconds before its end at which a token is renewed, or a tenth of its lifetime
YOUNG = 10.0  # seconds for which a token may not be valid everywhere
SPREAD = 1.0  # seconds that a token is given to become valid, after a young one was rejected
SENDABLE = re.compile(r"[!-~]+")  # RFC 6749, appendix A.12: VSCHAR


class Authenticator:
    """Gets, shares and renews the access token.

    `scope_users` names, for each scope that is believed to be needed, what needs it (such as
    streams), for the messages.
    """

    def __init__(
        self,
        transport: Transport,
        settings: ClientSettings,
        scope_users: Mapping[str, Sequence[str]],
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._scope_users = scope_users
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        self._issued_at = 0.0
        self._spread = 0.0
        self._wanted = frozenset(scope_users)
        self._refused: frozenset[str] = frozenset()
        self._granted: frozenset[str] | None = None

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes that a token is requested with."""
        return self._settings.scopes or tuple(sorted(self._wanted - self._refused))

    def token(self) -> str:
        """Return a token that is valid for a while.

        Raises:
            AuthenticationError: the organization rejects the client, or grants none of the scopes.
        """
        with self._lock:
            if self._token is None or self._transport.clock.monotonic() >= self._renew_at:
                self._token = self._request()
                self._issued_at = self._transport.clock.monotonic()
                if self._spread:
                    self._transport.limiter.pause(self._spread)
                    self._spread = 0.0
            return self._token

    def reject(self, token: str) -> None:
        """Forget `token`, which the API rejected, unless another worker has renewed it already."""
        with self._lock:
            if self._token == token:
                self._token = None
                if self._transport.clock.monotonic() - self._issued_at < YOUNG:
                    self._spread = SPREAD

    def learn(self, scopes: Iterable[str], token: str) -> bool:
        """Take the API's word that `token` lacks `scopes`; tell whether another one may have them.

        Nothing is learned where the setting `scopes` decides, or what lacks was requested already.
        """
        with self._lock:
            if self._settings.scopes:
                return False
            if token != self._token:
                return True  # renewed by another worker, perhaps for the same reason
            new = frozenset(scopes) - self._wanted
            if not new:
                return False
            logger.info(
                "the API says that the scope %s is needed: requesting a token with it",
                ", ".join(sorted(new)),
            )
            self._wanted |= new
            self._token = None
            return True

    def require(self, scopes: Iterable[str]) -> None:
        """Make sure that the token has `scopes`, as far as the organization said so.

        With the setting `scopes` the user has decided, and the API itself will judge.

        Raises:
            ScopeError: a scope was requested and not granted.
        """
        self.token()
        if self._settings.scopes:
            return
        wanted = frozenset(scopes)
        missing = wanted & self._refused
        if self._granted is not None:
            missing |= wanted - self._granted
        if missing:
            names = ", ".join(sorted(missing))
            msg = (
                f"the organization did not grant the scope {names} to this client: ask Pluvo for "
                "it, or deselect the stream"
            )
            raise ScopeError(msg, missing)

    def _request(self) -> str:
        """Request a token, if need be without the scopes that the organization refuses."""
        scopes = self.requested
        try:
            return self._request_with(scopes)
        except InvalidScopeError:
            if self._settings.scopes:
                raise
            refused = frozenset(scope for scope in scopes if self._refuses(scope))
            if not refused or refused == frozenset(scopes):
                raise
        self._refused |= refused
        logger.warning(
            "the organization does not grant %s: going on without",
            "; ".join(map(self._described, sorted(refused))),
        )
        return self._request_with(self.requested)

    def _refuses(self, scope: str) -> bool:
        """Find out whether a single scope is refused, as the answer to several does not say it."""
        try:
            self._request_with((scope,))
        except InvalidScopeError:
            return True
        return False

    def _request_with(self, scopes: Sequence[str]) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
        }
        if scopes:
            form["scope"] = " ".join(scopes)
        body = urlencode(form).encode()
        answer = self._transport.retry(
            lambda: self._parse(self._transport.post(PATH, body, FORM), scopes)
        )
        granted = answer.get("scope")
        self._granted = (
            frozenset(re.split(r"[\s,]+", granted.strip())) if isinstance(granted, str) else None
        )
        lifetime = answer.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else DEFAULT_LIFETIME
        self._renew_at = self._transport.clock.monotonic() + seconds - min(LEEWAY, seconds / 10)
        token: str = answer["access_token"]
        return token

    def _parse(self, response: Response, scopes: Sequence[str]) -> dict[str, Any]:
        """Return what the organization answered, which holds a token."""
        try:
            answer = response.json()
        except ValueError:
            answer = None
        failed = response.status != HTTPStatus.OK
        if not isinstance(answer, dict):
            if failed:
                msg = (
                    f"{response.url} did not return a token (HTTP {response.status}, no JSON "
                    "object): check the settings `client_id` and `client_secret`, and whether "
                    "something on the way, such as a firewall, answers in Pluvo's place"
                )
                raise ClientRejectedError(msg)
            msg = (
                f"{response.url} did not return a token (no JSON object): check that the setting "
                "`organization` or `api_url` names a Pluvo organization"
            )
            raise ProtocolError(msg)
        if failed or "error" in answer:
            raise self._rejection(answer.get("error"), response.status, scopes)
        _check_token(answer, response.url)
        return answer

    def _rejection(self, error: Any, status: int, scopes: Sequence[str]) -> AuthenticationError:
        """Return the exception for an OAuth error code (RFC 6749, section 5.2), or for none."""
        code = "" if error is None else str(error)
        if code == "invalid_scope":
            return InvalidScopeError(
                "the organization does not grant all of these scopes: "
                f"{'; '.join(map(self._described, scopes))}. Ask Pluvo for them, deselect the "
                "streams, or set `scopes` to what you have"
            )
        if code in {"invalid_client", "unauthorized_client", ""}:
            return AuthenticationError(
                f"the organization rejects the client (HTTP {status} {code}".rstrip()
                + "): check the settings `client_id` and `client_secret`, and that they belong to "
                "this organization"
            )
        return AuthenticationError(
            f"the organization refuses to issue a token: {redacted_name(code)!r} (HTTP {status})"
        )

    def _described(self, scope: str) -> str:
        users = ", ".join(self._scope_users.get(scope, ()))
        if not users:
            users = "setting `scopes`" if self._settings.scopes else "the API asked for it"
        return f"{scope} (for {users})"


def _check_token(answer: dict[str, Any], url: str) -> None:
    """Raise `ProtocolError` where an answer holds no token, or one that no header can hold."""
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        msg = f"{url} did not return a token (no `access_token`)"
        raise ProtocolError(msg)
    for name in ("access_token", "token_type"):
        value = answer.get(name)
        if isinstance(value, str) and not SENDABLE.fullmatch(value):
            msg = (
                f"{url} returned a token that cannot be sent: `{name}` has a space, a line break "
                "or a character that is not ASCII"
            )
            raise ProtocolError(msg)
