"""HTTP to one tenant: one request at a time, within the limits, repeated where that is safe."""

from __future__ import annotations

import logging
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import backoff
import requests
from requests.auth import AuthBase
from typing_extensions import override
from urllib3.exceptions import NewConnectionError

from pluvo_client.errors import ConfigurationError
from pluvo_client.redaction import redacted
from pluvo_client.transport.clock import Clock
from pluvo_client.transport.http import seconds_of
from pluvo_client.transport.rate_limiter import RateLimiter
from target_thought_industries.errors import ApiError, RefusedError, UncertainError

if TYPE_CHECKING:
    from target_thought_industries.settings import Settings

logger = logging.getLogger("target-thought-industries")

LONGEST_WAIT = 60.0  # seconds between two attempts, where the API does not name its own
EVENTS = "/incoming/v2/events/"
EVENTS_A_MINUTE = 100
EPOCH_FROM = 1_000_000_000  # a larger X-RateLimit-Reset is a moment, a smaller one a distance


class _Failure(Exception):  # noqa: N818 - becomes one of `errors` when patience ends
    """An attempt failed; `wait` is what the API asks for, `acted` whether it may have acted."""

    def __init__(self, message: str, *, wait: float | None = None, acted: bool = True) -> None:
        super().__init__(message)
        self.wait = wait
        self.acted = acted
        self.throttled = False


class Http:
    """Sends requests; `requests` counts them."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.requests = 0
        self.clock = clock or Clock()
        self._settings = settings
        per_minute, burst = settings.requests_per_minute, settings.burst
        self.limiter = RateLimiter(1, per_minute / 60, self.clock, burst)
        events = min(per_minute, EVENTS_A_MINUTE)
        self._event_limiter = RateLimiter(1, events / 60, self.clock, burst)
        self._session = requests.Session()
        self._session.auth = _Bearer(settings.api_key)
        self._session.headers["User-Agent"] = f"tap-pluvo/{version('tap-pluvo')}"
        self._session.headers["Accept"] = "application/json"

    def get(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        """Read something, and try again for `max_retry_seconds`.

        Raises:
            ApiError: it cannot be read.
        """
        return self._retry("GET", path, query, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something; try again only where it has certainly not been done.

        Raises:
            RefusedError: it was refused.
            UncertainError: nobody knows whether it was done.
            ApiError: it was certainly not done, and will not be in this run.
        """
        return self._retry("POST", path, None, body)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _retry(
        self, method: str, path: str, query: dict[str, Any] | None, body: dict[str, Any] | None
    ) -> dict[str, Any]:
        waits = backoff.expo(base=2, factor=0.5, max_value=LONGEST_WAIT)
        next(waits)  # the generator's first value only starts it
        limiter = self._event_limiter if path.startswith(EVENTS) else self.limiter
        end = self.clock.monotonic() + self._settings.max_retry_seconds
        while True:
            try:
                with limiter.slot():
                    answer = self._attempt(method, path, query, body)
            except _Failure as failure:
                if failure.acted and body is not None:
                    raise UncertainError(str(failure)) from failure
                wait = backoff.full_jitter(next(waits)) if failure.wait is None else failure.wait
                if self.clock.monotonic() + wait > end:
                    msg = f"{failure} (gave up after {self._settings.max_retry_seconds:g} s)"
                    raise ApiError(msg) from failure
                logger.warning("%s; trying again in %.1f s", failure, wait)
                if failure.throttled:
                    limiter.throttled(wait)
                else:
                    limiter.pause(wait)
            else:
                limiter.succeeded()
                return answer

    def _attempt(
        self, method: str, path: str, query: dict[str, Any] | None, body: dict[str, Any] | None
    ) -> dict[str, Any]:
        self.requests += 1
        host = self._settings.base_url
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
            raise _network_failure(error, host) from error
        self._heed_limits(response, path)
        self._check_status(response, path)
        try:
            data = response.json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{host} answered without data (HTTP {response.status_code})"
            raise _Failure(msg) from error
        if not isinstance(data, dict):
            msg = f"{host} answered without data (HTTP {response.status_code})"
            raise _Failure(msg)
        return data

    def _heed_limits(self, response: requests.Response, path: str) -> None:
        """Let everything wait where the API says that nothing is left of its limit."""
        if response.headers.get("X-RateLimit-Remaining") != "0":
            return
        reset = seconds_of(response.headers.get("X-RateLimit-Reset"), self.clock.time())
        if reset is None:
            return
        if reset >= EPOCH_FROM:
            reset = max(0.0, reset - self.clock.time())
        limiter = self._event_limiter if path.startswith(EVENTS) else self.limiter
        limiter.hold(min(reset, LONGEST_WAIT))

    def _check_status(self, response: requests.Response, path: str) -> None:
        status = response.status_code
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return
        wait = seconds_of(response.headers.get("Retry-After"), self.clock.time())
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            msg = f"Thought Industries is throttling requests (HTTP {status})"
            failure = _Failure(msg, wait=wait, acted=False)
            failure.throttled = True
            raise failure
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            msg = f"Thought Industries failed to answer (HTTP {status})"
            raise _Failure(msg, wait=wait)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            msg = (
                f"Thought Industries rejects the key (HTTP {status}): check the setting `api_key`, "
                "what the key may do, and that it belongs to this tenant"
            )
            raise ConfigurationError(msg)
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


def _network_failure(error: requests.RequestException, host: str) -> _Failure:
    if isinstance(error, requests.exceptions.SSLError):
        return _Failure(f"the encrypted connection to {host} failed", acted=False)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return _Failure(f"no connection to {host} could be made", acted=False)
    if isinstance(error, requests.Timeout):
        return _Failure(f"{host} did not answer in time")
    return _Failure(f"the connection to {host} failed ({type(error).__name__})")


def _message(response: requests.Response) -> str:
    """Return what an answer says is wrong, as far as that can be found."""
    try:
        errors = response.json()["errors"]
        return " ".join(str(error["message"]) for error in errors)
    except (ValueError, KeyError, TypeError):
        return ""
