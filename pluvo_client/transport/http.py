"""HTTP: requests to one host, one rate limit, one retry policy.

Nothing here knows GraphQL or OAuth. Tokens travel to the configured host only: redirects are not
followed, and certificates are always verified.
"""

from __future__ import annotations

import codecs
import email.utils
import logging
import threading
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import msgspec
from requests.utils import DEFAULT_ACCEPT_ENCODING
from urllib3.exceptions import HTTPError

from pluvo_client.errors import (
    ConfigurationError,
    OutageError,
    PluvoError,
    ThrottledError,
    TransientError,
)
from pluvo_client.transport.clock import Clock
from pluvo_client.transport.connection_pool import connection_pool
from pluvo_client.transport.http_connection import AnswerTooLargeError
from pluvo_client.transport.network_errors import network_error
from pluvo_client.transport.rate_limiter import RateLimiter
from pluvo_client.transport.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse

    from pluvo_client.settings import ClientSettings

T = TypeVar("T")

logger = logging.getLogger("pluvo_client")

# The statuses that the reader of a body judges.
READABLE = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

CONTENT_TYPES = {
    "no content type",
    *("application/json", "application/graphql-response+json", "application/octet-stream"),
    *("application/xml", "text/html", "text/plain", "text/xml"),
}


class ConnectionPool(Protocol):
    """What sends a request: urllib3's pool, or what a test puts in its place."""

    def urlopen(self, method: str, url: str, body: bytes, **options: Any) -> BaseHTTPResponse:
        """Send a request and return the response, whose body is not read yet."""

    def close(self) -> None:
        """Close all connections."""


class Response(NamedTuple):
    """What came back: HTTP status, whole body, content type (if a usual one) and address."""

    status: int
    body: bytes
    content_type: str
    url: str

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is not JSON, or nested beyond measure.
        """
        try:
            return msgspec.json.decode(self.body.removeprefix(codecs.BOM_UTF8))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError from error


class Transport:
    """Sends requests to the organization, and retries what may pass.

    `requests` and `retries` count since the start. `is_confirmed` is set once GraphQL has been
    answered at this address: what does not fit after that, such as a page for maintenance or a
    firewall's refusal, is a fault that may pass; before, the address is probably wrong.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        clock: Clock | None = None,
        pool: ConnectionPool | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.base_url = settings.base_url
        self.limiter = RateLimiter(
            settings.max_concurrency, settings.requests_per_second, self.clock
        )
        self.requests = 0
        self.is_confirmed = False
        self._settings = settings
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": DEFAULT_ACCEPT_ENCODING,
            "User-Agent": settings.user_agent or f"tap-pluvo/{version('tap-pluvo')}",
        }
        self._retry = Retry(self.clock, settings.max_retry_seconds, logger)
        self._lock = threading.Lock()
        self._pool = pool or connection_pool(settings)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send one request, when the rate limit allows it, and return the response.

        Raises:
            ConfigurationError: the address redirects.
            TransientError: no answer came, or not in time, or the server is at fault.
            TooLargeError: the answer is larger than `max_response_mb`.
            ThrottledError: the server asked to slow down.
            OutageError: the server is down, and said for how long.
            UnreachableError: the host does not exist, or its certificate is not trusted.
            PluvoError: there is no API at this address.
        """
        with self.limiter.slot():
            return self._post(path, body, headers)

    def retry(
        self, attempt: Callable[[], T], *, divisible: bool = False, repeatable: bool = True
    ) -> T:
        """Return what `attempt` returns, after as many attempts as it takes; see `Retry`.

        Raises:
            PluvoError: what the last attempt raised.
        """
        return self._retry(attempt, self.limiter, divisible=divisible, repeatable=repeatable)

    @property
    def retries(self) -> int:
        """How often something was tried again."""
        return self._retry.count

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        with self._lock:
            self.requests += 1
        try:
            response = self._pool.urlopen(
                "POST",
                path,
                body,
                headers={**self._headers, **headers},
                retries=False,
                redirect=False,
                timeout=self._settings.request_timeout,
                preload_content=False,
            )
            content = self._read(response)
        except HTTPError as error:
            raise network_error(error, self._settings) from error
        url = self.base_url + path
        self._check_status(response, url)
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        if kind not in CONTENT_TYPES:  # it may repeat what was sent
            kind = "an unusual content type"
        return Response(response.status, content, kind, url)

    def out_of_order(self, what: str) -> TransientError:
        """Return the error for what is not an answer of the API that has answered before."""
        return TransientError(
            f"{self.base_url} answered {what}, which is not the API's answer: maintenance, or "
            "something on the way"
        )

    def _read(self, response: BaseHTTPResponse) -> bytes:
        """Return the whole body, unpacked no further than the limit.

        Raises:
            AnswerTooLargeError: it is larger.
        """
        limit = self._settings.max_response_bytes
        content = response.read(limit + 1)
        if len(content) > limit:
            response.close()
            raise AnswerTooLargeError
        return content

    def _check_status(self, response: BaseHTTPResponse, url: str) -> None:
        """Raise what a status means by itself; those in `READABLE` are for the caller to judge."""
        status = response.status
        if status in READABLE:
            return
        wait = seconds_of(response.headers.get("Retry-After"), self.clock.time())
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            msg = f"Pluvo is throttling requests (HTTP {status})"
            raise ThrottledError(msg, wait)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            msg = f"Pluvo is temporarily unavailable (HTTP {status})"
            raise TransientError(msg) if wait is None else OutageError(msg, wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            msg = f"Pluvo failed to answer (HTTP {status})"
            raise TransientError(msg)
        if self.is_confirmed:
            what = f"HTTP {status}"
            raise self.out_of_order(what)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            msg = (
                f"{url} redirects (HTTP {status}), which is not followed with a token: check the "
                "host in the setting `organization` or `api_url`"
            )
            raise ConfigurationError(msg)
        msg = (
            f"{url} answered HTTP {status}: check that the setting `organization` or `api_url` "
            "names a Pluvo organization"
        )
        raise PluvoError(msg)


def seconds_of(retry_after: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number, or an HTTP date).

    `now` is the calendar's time in seconds since 1970. None: it says nothing that can be read.
    """
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - now)
