"""HTTP: one pool of connections for all threads, one retry policy, one pace.

Nothing here knows GraphQL or OAuth. Tokens travel to the configured host only: redirects are not
followed, and certificates are always verified.
"""

from __future__ import annotations

import email.utils
import logging
import ssl
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import backoff
import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_ACCEPT_ENCODING
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import (
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004 - not Python's own, which comes from no request
)

from tap_pluvo.errors import (
    BusyError,
    ConfigurationError,
    PluvoError,
    RetriableError,
    TransientError,
    UnreachableError,
)
from tap_pluvo.pace import Pace
from tap_pluvo.wire import quicken

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse

    from tap_pluvo.settings import Settings

T = TypeVar("T")

logger = logging.getLogger("tap-pluvo.http")

BUSY = (429, 503)
LONGEST_WAIT = 60.0  # seconds between two tries, where the API does not name its own


class Answer(NamedTuple):
    """What came back: HTTP status, whole body, content type (without parameters) and address."""

    status: int
    body: bytes
    content_type: str
    url: str

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: it is none, or one that is nested beyond measure.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError from error


class Transport:
    """Sends requests to the organization until an answer is usable or hope is gone."""

    def __init__(self, settings: Settings) -> None:
        self.base_url = settings.base_url
        self.pace = Pace(settings.max_concurrency, settings.requests_per_second)
        self.retries = 0
        self.requests = 0
        self._timeout = settings.request_timeout
        self._patience = settings.max_retry_seconds
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": DEFAULT_ACCEPT_ENCODING,
            "User-Agent": settings.user_agent or f"tap-pluvo/{version('tap-pluvo')}",
        }
        self._lock = threading.Lock()
        self._adapter = HTTPAdapter(pool_maxsize=settings.max_concurrency)
        self._pool = _pool(self._adapter, settings)

    def call(
        self,
        path: str,
        prepare: Callable[[], tuple[bytes, dict[str, str]]],
        read: Callable[[Answer], T],
        *,
        divisible: bool = False,
    ) -> T:
        """POST to `path` and return what `read` makes of the answer.

        `prepare` gives body and headers, anew for each try; what `read` raises as a
        `RetriableError` is tried again, at most for `max_retry_seconds`. A `divisible` request is
        not, where its content may be at fault: the caller divides it.

        Raises:
            PluvoError: what `read` raised, or the network's own failure, said in words.
        """
        waits = backoff.expo(base=2, factor=0.5, max_value=LONGEST_WAIT)
        next(waits)  # the generator's first value only starts it
        started = time.monotonic()
        tries = 0
        while True:
            body, headers = prepare()
            tries += 1
            try:
                with self.pace.turn():
                    answer = self._post(path, body, headers)
                result = read(answer)
            except RetriableError as error:
                wait = backoff.full_jitter(next(waits)) if error.wait is None else error.wait
                elapsed = time.monotonic() - started
                attempts = 1 if divisible and error.by_content else error.attempts
                if (attempts and tries >= attempts) or elapsed + wait > self._patience:
                    often = "1 try" if tries == 1 else f"{tries} tries"
                    error.args = (f"{error} (gave up after {often} in {elapsed:.0f} s)",)
                    raise
                logger.warning("%s; trying again in %.1f s", error, wait)
                with self._lock:
                    self.retries += 1
                if isinstance(error, BusyError):
                    self.pace.refused(wait)
                else:
                    self.pace.pause(wait)
            else:
                self.pace.succeeded()
                return result

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one request.

        `requests.Session.post` would work out the same headers, proxies and certificates for each
        of thousands of requests.
        """
        with self._lock:
            self.requests += 1
        try:
            response = self._pool.urlopen(
                "POST",
                path,
                body,
                self._headers | headers,
                retries=False,
                redirect=False,
                timeout=self._timeout,
            )
        except SSLError as error:
            msg = (
                f"the certificate of {self.base_url} is not trusted: if your organization has its "
                "own certificate authority, name its file in the setting `ca_bundle`"
            )
            raise UnreachableError(msg) from error
        except NameResolutionError as error:
            msg = (
                f"the host of {self.base_url} does not exist: check the setting "
                "`organization` or `api_url`, and your network"
            )
            raise UnreachableError(msg) from error
        except ProxyError as error:
            msg = (
                f"the proxy on the way to {self.base_url} failed: check the environment variable "
                "HTTPS_PROXY"
            )
            raise TransientError(msg) from error
        except HTTPError as error:
            # A connection that could not be made is, to urllib3, a timeout of a kind.
            if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
                msg = f"{self.base_url} did not answer within {self._timeout:g} s"
            else:
                inner = (error.__cause__, *error.args)
                cause = next((item for item in inner if isinstance(item, Exception)), error)
                msg = f"the connection to {self.base_url} failed ({type(cause).__name__})"
            raise TransientError(msg) from error
        url = self.base_url + path
        _check_status(response, url)
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        return Answer(response.status, response.data, kind, url)


def _pool(adapter: HTTPAdapter, settings: Settings) -> HTTPConnectionPool:
    """Return the connections, with certificates and proxies as setting and environment say.

    What goes to this machine itself is not encrypted, and so goes through no proxy.

    Raises:
        ConfigurationError: the file of certificates holds none, or the proxy's address is wrong.
    """
    url, bundle = settings.base_url, settings.ca_bundle
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, None, bundle, None)
    verify = found["verify"]
    if isinstance(verify, str) and not Path(verify).is_dir():
        try:
            ssl.create_default_context(cafile=verify)
        except OSError as error:  # an SSLError is one too
            source = "setting `ca_bundle`" if bundle else "environment variable REQUESTS_CA_BUNDLE"
            msg = f"{source}: there are no certificates in PEM form in {verify!r}"
            raise ConfigurationError(msg) from error
    proxies = found["proxies"] if url.startswith("https:") else {}
    request = requests.Request("POST", url).prepare()
    try:
        pool = adapter.get_connection_with_tls_context(request, verify, proxies, found["cert"])
    except (requests.RequestException, HTTPError) as error:
        msg = (
            "environment variable HTTPS_PROXY: the proxy's address cannot be used "
            f"({type(error).__name__})"
        )
        raise ConfigurationError(msg) from error
    assert isinstance(pool, HTTPConnectionPool)  # noqa: S101 - as all pools are
    adapter.cert_verify(pool, url, verify, found["cert"])  # type: ignore[no-untyped-call]
    quicken(pool)
    return pool


def _check_status(response: BaseHTTPResponse, url: str) -> None:
    """Raise what a status says by itself; 200, 400, 401 and 403 are for the reader to judge.

    Raises:
        ConfigurationError: a redirect or an address that does not exist.
        TransientError: the server is at fault.
        BusyError: the server asks for patience.
    """
    status = response.status
    if status in BUSY:
        wait = _retry_after(response.headers.get("Retry-After"))
        msg = f"Pluvo asked for patience (HTTP {status})"
        raise BusyError(msg, wait)
    if status >= 500 or status == 408:  # noqa: PLR2004
        msg = f"Pluvo failed to answer (HTTP {status})"
        raise TransientError(msg)
    if 300 <= status < 400:  # noqa: PLR2004
        msg = (
            f"{url} answered with a redirect (HTTP {status}), which is not followed with "
            "a token: check the host in the setting `organization` or `api_url`"
        )
        raise ConfigurationError(msg)
    if status not in {200, 400, 401, 403}:
        msg = (
            f"{url} answered HTTP {status}: check that the setting "
            "`organization` or `api_url` names a Pluvo"
        )
        raise PluvoError(msg)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number, or an HTTP date)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
