"""An organization made of prepared answers, and a clock that moves when someone waits."""

from __future__ import annotations

import io
import json
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from urllib3 import HTTPResponse

from pluvo_client.graphql_client import GraphQLClient
from pluvo_client.settings import ClientSettings, problems
from pluvo_client.transport.authentication import Authenticator
from pluvo_client.transport.clock import Clock
from pluvo_client.transport.http import Transport
from tap_pluvo.settings import SCHEMA

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

URL = "https://academy.pluvo.com"
CONFIG = {"organization": "academy", "client_id": "me", "client_secret": "never-shown"}
NOW = 1_700_000_000.0  # of the calendar, when the clock shows 0


class FakeClock(Clock):
    """For one thread: waiting moves the clock. `waits` are all waits so far."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return NOW + self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        del condition
        assert seconds is not None, "nobody is there to wake this thread"
        assert seconds >= 0
        self.waits.append(seconds)
        self.now += seconds


class Sent:
    """A request that was sent."""

    def __init__(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        self.url = f"{URL}{path}"
        self.body = body
        self.headers = headers

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


class PlainClient(GraphQLClient):
    """Returns the data as they come, unless they are parsed."""

    def execute(self, document: str, parse: Callable[[Any], Any] = dict, **options: Any) -> Any:
        return super().execute(document, parse, **options)


class Api:
    """Gives prepared answers: for tokens and for everything else, one after the other.

    An exception is raised instead. Where answers have run out, tokens are still given.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sent: list[Sent] = []
        self.timeouts: set[float] = set()
        self.tokens: deque[Any] = deque()
        self.answers: deque[Any] = deque()
        self.before_sending: Callable[[], object] = lambda: None

    def urlopen(self, method: str, url: str, body: bytes, **options: Any) -> HTTPResponse:
        """Take the place of a pool of connections."""
        assert method == "POST"
        headers, timeout = options.pop("headers"), options.pop("timeout")
        assert options == {"retries": False, "redirect": False, "preload_content": False}
        self.before_sending()
        sent = Sent(url, body, headers)
        self.timeouts.add(timeout)
        self.sent.append(sent)
        if sent.url == f"{URL}/oauth/token/":
            prepared = self.tokens.popleft() if self.tokens else token(f"token-{self.asked}")
        else:
            prepared = self.answers.popleft()
        if isinstance(prepared, BaseException):
            raise prepared
        assert isinstance(prepared, HTTPResponse)
        return prepared

    def close(self) -> None:
        pass

    @property
    def asked(self) -> int:
        """How many tokens were asked for."""
        return sum(sent.url.endswith("/oauth/token/") for sent in self.sent)

    @property
    def operations(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.url == f"{URL}/graphql/"]

    def client(
        self, scope_users: Mapping[str, Sequence[str]] | None = None, **config: Any
    ) -> PlainClient:
        """Return a client whose waits move the clock."""
        whole = CONFIG | config
        assert problems(whole, SCHEMA) == []
        settings = ClientSettings.from_config(whole)
        transport = Transport(settings, clock=self.clock, pool=self)
        if scope_users is None:
            scope_users = {"users.read": ["users"]}
        return PlainClient(transport, Authenticator(transport, settings, scope_users))
