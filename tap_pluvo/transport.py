"""HTTP: one session for each thread, one retry policy, one pace.

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
from requests.auth import AuthBase
from urllib3.exceptions import NameResolutionError

from tap_pluvo.errors import (
    BusyError,
    ConfigurationError,
    PluvoError,
    RetriableError,
    TransientError,
    UnreachableError,
)
from tap_pluvo.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from tap_pluvo.settings import Settings

T = TypeVar("T")

logger = logging.getLogger("tap-pluvo.http")

BUSY = (429, 503)
READ_SIZE = 1 << 20  # bytes; a page is read in one go
LONGEST_WAIT = 60.0  # seconds between two tries, where the API does not name its own


class NoAuth(AuthBase):
    """Leaves a request as it is."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:  # noqa: D102 - as in AuthBase
        return r


class Session(requests.Session):
    """A session of one thread, with the first request to each path, ready to be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.firsts: dict[str, PreparedRequest] = {}

    def prepare(self, url: str, content_type: str) -> PreparedRequest:
        """Return a request to `url` without body and token, which `NoAuth` keeps out.

        Without authentication of its own a request would be given one from ~/.netrc.
        """
        headers = {"Content-Type": content_type}
        return self.prepare_request(requests.Request("POST", url, headers=headers, auth=NoAuth()))


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
        self._environment = _environment(settings)
        self._user_agent = settings.user_agent or f"tap-pluvo/{version('tap-pluvo')}"
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[Session] = []

    def call(
        self,
        path: str,
        prepare: Callable[[], tuple[bytes, str, AuthBase]],
        read: Callable[[Answer], T],
        *,
        divisible: bool = False,
    ) -> T:
        """POST to `path` and return what `read` makes of the answer.

        `prepare` gives body, content type and authentication, anew for each try; what `read`
        raises as a `RetriableError` is tried again, at most for `max_retry_seconds`. A
        `divisible` request is not, where its content may be at fault: the caller divides it.

        Raises:
            PluvoError: what `read` raised, or the network's own failure, said in words.
        """
        waits = backoff.expo(base=2, factor=0.5, max_value=LONGEST_WAIT)
        next(waits)  # the generator's first value only starts it
        started = time.monotonic()
        tries = 0
        while True:
            body, content_type, auth = prepare()
            tries += 1
            try:
                with self.pace.turn():
                    answer = self._post(path, body, content_type, auth)
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

    def _session(self) -> Session:
        session: Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = Session()
            session.headers["User-Agent"] = self._user_agent
            session.headers["Accept"] = "application/json"
            with self._lock:
                self._sessions.append(session)
        return session

    def close(self) -> None:
        """Close all sessions."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _post(self, path: str, body: bytes, content_type: str, auth: AuthBase) -> Answer:
        """Send one request with this thread's session.

        `Session.post` would work out the same headers and proxies for each of thousands of
        requests, and read the body in small parts; a copy of the first request, with another body
        and token, and one read take half the time.
        """
        with self._lock:
            self.requests += 1
        session = self._session()
        try:
            first = session.firsts.get(path)
            if first is None:
                first = session.firsts[path] = session.prepare(self.base_url + path, content_type)
            request = first.copy()
            request.prepare_body(body, None)
            request.prepare_auth(auth)
            with session.get_adapter(self.base_url).send(
                request, stream=True, timeout=self._timeout, **self._environment
            ) as response:
                content = b"".join(response.iter_content(READ_SIZE))
        except requests.exceptions.SSLError as error:
            msg = (
                f"the certificate of {self.base_url} is not trusted: if your organization has its "
                "own certificate authority, name its file in the setting `ca_bundle`"
            )
            raise UnreachableError(msg) from error
        except requests.exceptions.Timeout as error:
            msg = f"{self.base_url} did not answer within {self._timeout:g} s"
            raise TransientError(msg) from error
        except requests.exceptions.RequestException as error:
            if any(isinstance(getattr(e, "reason", None), NameResolutionError) for e in error.args):
                msg = (
                    f"the host of {self.base_url} does not exist: check the setting "
                    "`organization` or `api_url`, and your network"
                )
                raise UnreachableError(msg) from error
            msg = f"the connection to {self.base_url} failed ({type(error).__name__})"
            raise TransientError(msg) from error
        _check_status(response, path)
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        return Answer(response.status_code, content, kind, response.url)


def _environment(settings: Settings) -> dict[str, Any]:
    """Return what setting and environment say of certificates and proxies, as `requests` takes it.

    What goes to this machine itself is not encrypted, and so goes through no proxy.

    Raises:
        ConfigurationError: the file of certificates holds none.
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
    return {"verify": verify, "proxies": proxies, "cert": found["cert"]}


def _check_status(response: requests.Response, path: str) -> None:
    """Raise what a status says by itself; 200, 400, 401 and 403 are for the reader to judge.

    Raises:
        ConfigurationError: a redirect or an address that does not exist.
        TransientError: the server is at fault.
        BusyError: the server asks for patience.
    """
    status = response.status_code
    if status in BUSY:
        wait = _retry_after(response.headers.get("Retry-After"))
        msg = f"Pluvo asked for patience (HTTP {status})"
        raise BusyError(msg, wait)
    if status >= 500 or status == 408:  # noqa: PLR2004
        msg = f"Pluvo failed to answer (HTTP {status})"
        raise TransientError(msg)
    if response.is_redirect or 300 <= status < 400:  # noqa: PLR2004
        msg = (
            f"{response.url} answered with a redirect (HTTP {status}), which is not followed with "
            "a token: check the host in the setting `organization` or `api_url`"
        )
        raise ConfigurationError(msg)
    if status not in {200, 400, 401, 403}:
        msg = (
            f"{response.url} answered HTTP {status} to {path}: check that the setting "
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
