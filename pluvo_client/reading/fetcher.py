"""Root fields asked for in parallel: one pool of workers for the whole run.

Several small ones travel in one request, under the aliases r0, r1, ..., until the API refuses that.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from pluvo_client.errors import (
    ClaimError,
    NotFoundError,
    ProtocolError,
    QueryError,
    TooLargeError,
)
from pluvo_client.transport.rate_limiter import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pluvo_client.graphql_client import Data, GraphQLClient
    from pluvo_client.reading.root_fields import RootField
    from pluvo_client.schema.contract import Contract

A = TypeVar("A")

logger = logging.getLogger("pluvo_client")

REFUSALS = 2  # requests with several root fields that fail before they are given up
POLL = 0.2  # seconds after which a wait checks whether the run is to end


class Vanished:
    """Stands for the answer about an object that is gone."""


class Fetcher:
    """Asks for root fields, with as many requests in flight as the settings allow.

    `read_ahead` is how many requests may be under way before their results are wanted; 0 means that
    nothing is asked for before it is needed.
    """

    def __init__(
        self,
        client: GraphQLClient,
        contract: Contract,
        *,
        workers: int,
        root_fields_per_request: int,
        read_ahead: int,
    ) -> None:
        self.contract = contract
        self.read_ahead = read_ahead
        self._client = client
        self._root_fields_per_request = root_fields_per_request
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pluvo")
        self._stopped = False
        self._refusals = 0
        self._said: set[str] = set()

    def say_once(self, sentence: str) -> None:
        """Log what was seen of the server, unless it was logged before."""
        if sentence not in self._said:
            self._said.add(sentence)
            logger.info("%s", sentence)

    def ask(self, *fields: RootField[A]) -> PendingResults[A]:
        """Ask for root fields in one request; their results come in the same order."""
        return PendingResults(self, self._pool.submit(self._send, fields))

    def ask_many(
        self, fields: Iterable[RootField[A]], *, together: int | None = None
    ) -> Iterator[A | Vanished]:
        """Ask for root fields in parallel, and give the results in their order.

        As many travel in a request as the settings allow, but `together` at most. No more of
        `fields` are taken than keep the workers busy.
        """
        source = iter(fields)
        waiting: deque[PendingResults[A]] = deque()
        while True:
            while len(waiting) <= self.read_ahead and (
                bundle := list(islice(source, together or self._root_fields_per_request))
            ):
                waiting.append(self.ask(*bundle))
            if not waiting:
                return
            yield from waiting.popleft().get_or_vanished()

    def stop(self) -> None:
        """Start no further request and let waits end."""
        self._stopped = True
        self._client.transport.limiter.stop()

    def close(self) -> None:
        """End the workers once their requests are answered."""
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def check_stopped(self) -> None:
        """Raise `StoppedError` if the run is to end."""
        if self._stopped:
            raise StoppedError

    def _send(self, fields: Sequence[RootField[A]]) -> list[A | Vanished]:
        limit = self._root_fields_per_request
        if len(fields) > limit:
            return self._send(fields[:limit]) + self._send(fields[limit:])
        several = len(fields) > 1

        def parse(data: Data) -> list[A | Vanished]:
            return [field.parse(data.get(f"r{index}")) for index, field in enumerate(fields)]

        body = " ".join(f"r{index}: {field.text}" for index, field in enumerate(fields))
        document = f"query TapPluvo {{ {body} }}"
        try:
            return self._client.execute(
                document,
                parse,
                schema=self.contract.schema,
                divisible=several,
                about=None if several else fields[0].about,
            )
        except (ClaimError, ProtocolError, QueryError, TooLargeError) as error:
            if not several:
                if isinstance(error, NotFoundError):
                    return [Vanished()]
                raise
            if isinstance(error, QueryError):
                self._refusals += 1
                if self._refusals == REFUSALS:
                    logger.info("the API refuses several operations in a request: sending one each")
                    self._root_fields_per_request = 1
            return self._send_each(fields)

    def _send_each(self, fields: Sequence[RootField[A]]) -> list[A | Vanished]:
        return [result for field in fields for result in self._send([field])]


class PendingResults(Generic[A]):
    """Results under way."""

    def __init__(self, fetcher: Fetcher, future: Future[list[A | Vanished]]) -> None:
        self._fetcher = fetcher
        self._future = future

    def get_or_vanished(self) -> list[A | Vanished]:
        """Wait for the results and return them, or raise what went wrong.

        The wait is cut short when the run is to end.
        """
        self._fetcher.check_stopped()
        while not self._future.done():
            with contextlib.suppress(TimeoutError):
                self._future.exception(POLL)
            self._fetcher.check_stopped()
        return self._future.result()

    def get(self) -> list[A]:
        """Wait for the results about what cannot vanish.

        Raises:
            QueryError: it has vanished all the same.
        """
        results = []
        for result in self.get_or_vanished():
            if isinstance(result, Vanished):
                msg = "an object that was asked for is gone"
                raise QueryError(msg)
            results.append(result)
        return results

    def cancel(self) -> None:
        """Do without the results, if the request has not started."""
        self._future.cancel()
