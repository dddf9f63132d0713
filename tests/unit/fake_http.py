"""An organization made of prepared answers, and a clock that moves when someone waits."""

from __future__ import annotations

import io
import json
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from urllib3 import HTTPConnectionPool, HTTPResponse

from tap_pluvo import auth, pace, transport
from tap_pluvo.client import Client
from tap_pluvo.settings import SCHEMA, Settings, check

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

URL = "https://academy.pluvo.com"
CONFIG = {"organization": "academy", "client_id": "me", "client_secret": "never-shown"}
NOW = 1_700_000_000.0  # of the calendar, when the clock shows 0


class Clock:
    """Takes the place of the module `time`; `waits` are all waits so far."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return NOW + self.now

    def wait(self, seconds: float) -> None:
        assert seconds >= 0
        self.waits.append(seconds)
        self.now += seconds


class Condition:
    """A condition for one thread: waiting moves the clock; to wait for others is an error."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "nobody is there to wake this thread"
        self._clock.wait(timeout)
        return False

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        if not predicate():
            self.wait(timeout)
        return predicate()

    def notify_all(self) -> None:
        pass


class Sent:
    """A request that was sent, and the pool of connections that it went through."""

    def __init__(
        self, pool: HTTPConnectionPool, path: str, body: bytes, headers: dict[str, str]
    ) -> None:
        self.url = f"{pool.scheme}://{pool.host}{path}"
        self.body = body
        self.headers = headers
        self.pool = pool

    @property
    def form(self) -> dict[str, str]:
        return {name: value for name, (value,) in parse_qs(self.body.decode()).items()}

    @property
    def query(self) -> str:
        found: str = json.loads(self.body)["query"]
        return found


def answer(
    body: Any = None, status: int = 200, kind: str = "application/json", **headers: str
) -> HTTPResponse:
    """Return an answer: bytes as they are, all else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(
        io.BytesIO(content),
        {"Content-Type": kind, **named},
        status,
        preload_content=False,
    )


def token(text: str = "token-1", **more: Any) -> HTTPResponse:
    return answer({"access_token": text, "token_type": "Bearer", "expires_in": 86400} | more)


def data(**fields: Any) -> HTTPResponse:
    return answer({"data": fields})


def errors(*messages: str, **extensions: Any) -> HTTPResponse:
    entries: list[dict[str, Any]] = [{"message": text} for text in messages]
    if extensions:
        entries = [entry | {"extensions": extensions} for entry in entries]
    return answer({"data": None, "errors": entries})


class Api:
    """Gives prepared answers: for tokens and for everything else, one after the other.

    An exception is raised instead. Where answers have run out, tokens are still given.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.sent: list[Sent] = []
        self.timeouts: set[float] = set()
        self.tokens: deque[Any] = deque()
        self.answers: deque[Any] = deque()
        self.before_sending: Callable[[], object] = lambda: None

        def urlopen(pool: HTTPConnectionPool, *arguments: Any, **options: Any) -> HTTPResponse:
            return self._send(pool, *arguments, **options)

        monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)
        for module in (auth, pace, transport):
            monkeypatch.setattr(module, "time", self.clock)

    def _send(
        self,
        pool: HTTPConnectionPool,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        **options: Any,
    ) -> HTTPResponse:
        assert method == "POST"
        assert options == {"retries": False, "redirect": False, "timeout": options["timeout"]}
        self.before_sending()
        sent = Sent(pool, path, body, headers)
        self.timeouts.add(options["timeout"])
        self.sent.append(sent)
        if sent.url == f"{URL}/oauth/token/":
            prepared = self.tokens.popleft() if self.tokens else token(f"token-{self.asked}")
        else:
            prepared = self.answers.popleft()
        if isinstance(prepared, BaseException):
            raise prepared
        assert isinstance(prepared, HTTPResponse)
        return prepared

    @property
    def asked(self) -> int:
        """How many tokens were asked for."""
        return sum(sent.url.endswith("/oauth/token/") for sent in self.sent)

    @property
    def operations(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.url == f"{URL}/graphql/"]

    def client(self, needs: dict[str, list[str]] | None = None, **config: Any) -> Client:
        """Return a client whose waits move the clock."""
        whole = CONFIG | config
        assert check(whole, SCHEMA) == []
        found = Client(Settings.from_config(whole), needs or {"users.read": ["users"]})
        found.transport.pace._condition = Condition(self.clock)  # type: ignore[assignment]
        return found
