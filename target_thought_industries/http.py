"""HTTP to one tenant: one request at a time, within the limits, repeated where that is safe."""

from __future__ import annotations

import logging
import ssl
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import AuthBase
from typing_extensions import override
from urllib3.exceptions import NewConnectionError

from pluvo_client.errors import ConfigurationError, ThrottledError, TransientError
from pluvo_client.redaction import redacted
from pluvo_client.transport.clock import Clock
from pluvo_client.transport.http import seconds_of
from pluvo_client.transport.rate_limiter import RateLimiter
from pluvo_client.transport.retry import LONGEST_WAIT, Retry
from target_thought_industries.errors import ApiError, RefusedError, UncertainError

if TYPE_CHECKING:
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

EVENTS = "/incoming/v2/events/"
EVENTS_A_MINUTE = 100
EPOCH_FROM = 1_000_000_000  # a larger X-RateLimit-Reset is a moment, a smaller one a distance


class Http:
    """Sends requests; `requests` counts them."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.requests = 0
        self._clock = clock or Clock()
        self._settings = settings
        per_minute, burst = settings.requests_per_minute, settings.burst
        self._limiter = RateLimiter(1, per_minute / 60, self._clock, burst)
        events = min(per_minute, EVENTS_A_MINUTE)
        self._event_limiter = RateLimiter(1, events / 60, self._clock, burst)
        self._retry = Retry(self._clock, settings.max_retry_seconds, logger)
        self._session = requests.Session()
        self._session.auth = _Bearer(settings.api_key)
        self._session.headers["User-Agent"] = f"tap-pluvo/{version('tap-pluvo')}"
        self._session.headers["Accept"] = "application/json"

    def get(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        """Read something, and try again for `max_retry_seconds`.

        Raises:
            ApiError: it cannot be read.
        """
        limiter = self._event_limiter if path.startswith(EVENTS) else self._limiter
        try:
            return self._retry(lambda: _data(self._attempt("GET", path, limiter, query)), limiter)
        except TransientError as error:
            raise ApiError(str(error)) from error

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something; try again only where it has certainly not been done.

        Returns:
            The data of the answer; nothing if the answer has no body.

        Raises:
            RefusedError: it was refused.
            UncertainError: nobody knows whether it was done.
            ApiError: it was certainly not done, and will not be in this run.
        """

        def attempt() -> dict[str, Any]:
            response = self._attempt("POST", path, self._limiter, body=body)
            return _data(response) if response.content else {}

        try:
            return self._retry(attempt, self._limiter, repeatable=False)
        except TransientError as error:
            raise (ApiError if error.unprocessed else UncertainError)(str(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _attempt(
        self,
        method: str,
        path: str,
        limiter: RateLimiter,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
    ) -> requests.Response:
        host = self._settings.base_url
        with limiter.slot():
            self.requests += 1
            try:
                response = self._session.request(
                    method,
                    host + path,
                    params=query,
                    json=body,
                    timeout=self._settings.request_timeout,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise _network_error(error, host) from error
        self._keep_limits(response, limiter)
        self._check_status(response, path)
        return response

    def _keep_limits(self, response: requests.Response, limiter: RateLimiter) -> None:
        """Let everything wait where the API says that nothing is left of its limit."""
        if response.headers.get("X-RateLimit-Remaining") != "0":
            return
        reset = seconds_of(response.headers.get("X-RateLimit-Reset"), self._clock.time())
        if reset is None:
            return
        if reset >= EPOCH_FROM:
            reset = max(0.0, reset - self._clock.time())
        limiter.hold(min(reset, LONGEST_WAIT))

    def _check_status(self, response: requests.Response, path: str) -> None:
        status = response.status_code
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return
        wait = seconds_of(response.headers.get("Retry-After"), self._clock.time())
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            msg = f"Thought Industries is throttling requests (HTTP {status})"
            raise ThrottledError(msg, wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            error = TransientError(f"Thought Industries failed to answer (HTTP {status})")
            error.wait = wait
            raise error
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            msg = (
                f"Thought Industries rejects the key (HTTP {status}): check the setting `api_key`, "
                "what the key may do, and that it belongs to this tenant"
            )
            raise ConfigurationError(msg)
        if status < HTTPStatus.BAD_REQUEST and response.request.method == "POST":
            # The addresses of reading do not redirect, so it may be where to go when all is done.
            msg = f"Thought Industries answered a request with a redirect (HTTP {status})"
            raise TransientError(msg)
        if status < HTTPStatus.BAD_REQUEST:
            msg = (
                f"{self._settings.base_url} redirects (HTTP {status}), which is not followed with "
                "a key: check the setting `tenant` or `api_url`"
            )
            raise ConfigurationError(msg)
        said = redacted(_message(response), path)
        raise RefusedError(f"HTTP {status}" + (f": {said}" if said else ""), status)


class _Bearer(AuthBase):
    """Sends the key; without this, requests would prefer what a file .netrc says."""

    def __init__(self, key: str) -> None:
        self._key = key

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _data(response: requests.Response) -> dict[str, Any]:
    """Return the data of an answer; it may come where something else has answered before."""
    try:
        data = response.json()["data"]
    except (ValueError, KeyError, TypeError):
        data = None
    if not isinstance(data, dict):
        msg = f"Thought Industries answered without data (HTTP {response.status_code})"
        raise TransientError(msg)
    return data


def _network_error(error: requests.RequestException, host: str) -> TransientError:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        # It may break off after a request was sent; a certificate is looked at before.
        found = TransientError(f"the encrypted connection to {host} failed")
        cause = reason.args[0] if reason is not None and reason.args else None
        found.unprocessed = isinstance(cause, ssl.SSLCertVerificationError)
    elif isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        found = TransientError(f"no connection to {host} could be made")
        found.unprocessed = True
    elif isinstance(error, requests.Timeout):
        found = TransientError(f"{host} did not answer in time")
    else:
        found = TransientError(f"the connection to {host} failed ({type(error).__name__})")
    return found


def _message(response: requests.Response) -> str:
    """Return what an answer says is wrong, as far as that can be found."""
    try:
        errors = response.json()["errors"]
        return " ".join(str(error["message"]) for error in errors)
    except (ValueError, KeyError, TypeError):
        return ""
