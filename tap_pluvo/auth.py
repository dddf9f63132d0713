"""OAuth 2 client credentials: one token that all workers share.

Pages `introduction-2` and `getting-started-2`: form body with id and secret, 24 hours, no refresh
token. The token is renewed shortly before it expires and whenever the API refuses it, by one
worker while the others wait; it is never logged.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tap_pluvo.errors import AuthenticationError, ProtocolError, ScopeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_pluvo.settings import Settings
    from tap_pluvo.transport import Answer, Transport

PATH = "/oauth/token/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEFAULT_LIFETIME = 86_400.0  # seconds, page `getting-started-2`
LEEWAY = 300.0  # seconds before its end at which a token is renewed, or a tenth of its lifetime


class Authenticator:
    """Gets, shares and renews the access token.

    `needs` names the streams that need each scope, for the error that a refusal deserves.
    """

    def __init__(
        self, transport: Transport, settings: Settings, needs: Mapping[str, Sequence[str]]
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._needs = needs
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        self._granted: frozenset[str] | None = None

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes that the token is asked for."""
        return self._settings.scopes or tuple(sorted(self._needs))

    def token(self) -> str:
        """Return a token that is valid for a while.

        Raises:
            AuthenticationError: the organization refuses the client or the scopes.
        """
        with self._lock:
            if self._token is None or time.monotonic() >= self._renew_at:
                self._token = self._request()
            return self._token

    def reject(self, token: str) -> None:
        """Forget `token`, which the API refused, unless another worker has renewed it already."""
        with self._lock:
            if self._token == token:
                self._token = None

    def require(self, scopes: Iterable[str]) -> None:
        """Make sure that the token has `scopes`, as far as the organization said so.

        With the setting `scopes` the user has decided, and the API itself will judge.

        Raises:
            ScopeError: a scope was asked for and not granted.
        """
        self.token()
        if self._settings.scopes or self._granted is None:
            return
        if missing := sorted(set(scopes) - self._granted):
            msg = (
                f"the organization did not grant the scope {', '.join(missing)} to this client: "
                "ask Pluvo for it, or deselect the stream"
            )
            raise ScopeError(msg)

    def _request(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
        }
        if self.requested:
            form["scope"] = " ".join(self.requested)
        body = urlencode(form).encode()
        answer = self._transport.call(PATH, lambda: (body, FORM), self._read)
        granted = answer.get("scope")
        self._granted = frozenset(granted.split()) if isinstance(granted, str) else None
        lifetime = answer.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else DEFAULT_LIFETIME
        self._renew_at = time.monotonic() + seconds - min(LEEWAY, seconds / 10)
        token: str = answer["access_token"]
        return token

    def _read(self, response: Answer) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            if response.status != 200:  # noqa: PLR2004
                raise AuthenticationError(self._refusal("", response.status))
            msg = (
                f"{response.url} answered with something else than a token (no JSON): check that "
                "the setting `organization` or `api_url` names a Pluvo"
            )
            raise ProtocolError(msg)
        if response.status != 200 or "error" in answer:  # noqa: PLR2004
            raise AuthenticationError(self._refusal(str(answer.get("error", "")), response.status))
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
            msg = f"{response.url} answered without an access token"
            raise ProtocolError(msg)
        return answer

    def _refusal(self, code: str, status: int) -> str:
        match code:
            case "invalid_client" | "unauthorized_client" | "":
                return (
                    f"the organization refuses the client (HTTP {status} {code}".rstrip()
                    + "): check the settings `client_id` and `client_secret`, "
                    "and that they belong to this organization"
                )
            case "invalid_scope":
                wanted = "; ".join(
                    f"{scope} (for {', '.join(self._needs.get(scope, ())) or 'setting `scopes`'})"
                    for scope in self.requested
                )
                return (
                    f"the organization does not grant all of these scopes: {wanted}. Ask Pluvo "
                    "for them, deselect the streams, or set `scopes` to what you have"
                )
            case _:
                return f"the organization refuses to give a token: {code[:80]!r} (HTTP {status})"
