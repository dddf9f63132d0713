"""A tenant inside a Python program: a context manager around a server in a thread."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pluvo_sandbox.faults import Fault
from pluvo_sandbox.server import Server, listen, url_of
from pluvo_sandbox.thought_industries.service import Served, Service, Settings
from pluvo_sandbox.thought_industries.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_sandbox.thought_industries.answers import EventShape

API_KEY = "sandbox-key"
_STARTING = 30  # seconds


@dataclass(kw_only=True)
class ThoughtIndustries(Settings):
    """A tenant on a free port of this machine, for the length of a `with` block.

    Its options are those of `Settings` and these:

    Attributes:
        users: number of users; the same people that a Pluvo sandbox of this size and seed has.
        seed: another seed gives other people.
        path: the SQLite file; in memory by default.
        requests: what was served so far.
        url: where it is served.
        store: what it holds.
    """

    api_key: str = API_KEY
    per_minute: int = 0
    burst: int = 20
    event_shape: EventShape = "published"
    grants_show: float | None = 0
    ignore_filters: bool = False
    ignore_per_page: bool = False
    external_activity: bool = False
    refuse_duplicates: bool = False
    faults: Sequence[str] = ()
    users: int = 120
    seed: int = 1
    path: str = ":memory:"
    requests: list[Served] = field(default_factory=list, repr=False)
    url: str = field(default="", init=False)
    store: Store = field(init=False, repr=False)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.store = stack.enter_context(closing(Store(self.path)))
            self.store.fill(self.users, self.seed)
            self._service = Service(self.store, self, self.requests)
            listener = stack.enter_context(closing(listen("127.0.0.1", 0)))
            self.url = url_of(listener, tls=False)
            ready = threading.Event()
            server = Server(self._service.app, ready.set)
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()
            if not ready.wait(_STARTING):
                message = "the sandbox did not start; its thread printed the reason"
                raise RuntimeError(message)
            stack.callback(thread.join)
            stack.callback(server.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def set_faults(self, *faults: str) -> None:
        """Let these go wrong from now on, and nothing else; they count requests from now."""
        self._service.faults = list(map(Fault.parse, faults))

    def certificates(self) -> list[dict[str, Any]]:
        """Return all certificates that were granted, in their order."""
        return self.store.rows("SELECT * FROM certificates ORDER BY number")

    def activities(self) -> list[dict[str, Any]]:
        """Return all courses that were recorded as done elsewhere."""
        return self.store.rows("SELECT * FROM activities ORDER BY number")
