"""Questions to the API, sent in parallel: one pool of workers for the whole run.

A question is one root field of a document. Several small ones travel in one request, under the
aliases r0, r1, ..., until the API refuses that.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tap_pluvo.errors import NotFoundError, ProtocolError, QueryError
from tap_pluvo.pace import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_pluvo.client import Client, Data

A_co = TypeVar("A_co", covariant=True)
A = TypeVar("A")

logger = logging.getLogger("tap-pluvo.http")

REFUSALS = 2  # requests with several operations that fail before they are given up
POLL = 0.2  # seconds after which a wait looks whether the run is to end


class Question(Protocol[A_co]):
    """Something to ask the API: a root field, and how to read its answer."""

    @property
    def may_vanish(self) -> bool:
        """Whether it is about an object that may be gone by now."""

    @property
    def text(self) -> str:
        """The root field with its arguments and selection."""

    def read(self, answer: Any) -> A_co:
        """Return what the answer says.

        Raises:
            ProtocolError: the answer cannot be; the question is asked again.
        """


class Vanished:
    """Stands for the answer to a question about an object that is gone."""


class Fetcher:
    """Asks questions with at most `max_concurrency` requests in flight."""

    def __init__(
        self, client: Client, *, max_concurrency: int, operations_per_request: int
    ) -> None:
        self.client = client
        self.concurrency = max_concurrency
        self.bundle = operations_per_request
        self._pool = ThreadPoolExecutor(max_concurrency, thread_name_prefix="pluvo")
        self._stopped = False
        self._refusals = 0

    def ask(self, *questions: Question[A]) -> Answers[A]:
        """Send questions in one request; their answers come in the same order."""
        return Answers(self, self._pool.submit(self._send, questions))

    def ask_many(self, questions: Iterable[Question[A]]) -> Iterator[A | Vanished]:
        """Send questions bundled and in parallel, and give the answers in their order.

        No more of `questions` are taken than keep the workers busy.
        """
        source = iter(questions)
        waiting: deque[Answers[A]] = deque()
        while True:
            while len(waiting) <= self.concurrency and (
                bundle := list(islice(source, self.bundle))
            ):
                waiting.append(self.ask(*bundle))
            if not waiting:
                return
            yield from waiting.popleft().get()

    def stop(self) -> None:
        """Start no further request and let waits end."""
        self._stopped = True
        self.client.transport.pace.stop()

    def close(self) -> None:
        """End the workers once their requests are answered."""
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.client.transport.close()

    def check_stopped(self) -> None:
        """Raise `StoppedError` if the run is to end."""
        if self._stopped:
            raise StoppedError

    def _send(self, questions: Sequence[Question[A]]) -> list[A | Vanished]:
        if len(questions) > self.bundle:
            head, tail = questions[: self.bundle], questions[self.bundle :]
            return self._send(head) + self._send(tail)
        answers: list[A | Vanished] = []

        def check(data: Data) -> None:
            answers[:] = [
                question.read(data.get(f"r{index}")) for index, question in enumerate(questions)
            ]

        fields = " ".join(f"r{index}: {item.text}" for index, item in enumerate(questions))
        try:
            self.client.execute(
                f"query TapPluvo {{ {fields} }}", check, divisible=len(questions) > 1
            )
        except NotFoundError:
            if len(questions) == 1:
                if questions[0].may_vanish:
                    return [Vanished()]
                raise
            return self._send_each(questions)
        except (ProtocolError, QueryError) as error:
            if len(questions) == 1:
                raise
            if isinstance(error, QueryError):
                self._refusals += 1
                if self._refusals == REFUSALS:
                    logger.info("several operations in one request are refused: sending one each")
                    self.bundle = 1
            return self._send_each(questions)
        return answers

    def _send_each(self, questions: Sequence[Question[A]]) -> list[A | Vanished]:
        return [answer for question in questions for answer in self._send([question])]


class Answers(Generic[A]):
    """Answers under way."""

    def __init__(self, fetcher: Fetcher, future: Future[list[A | Vanished]]) -> None:
        self._fetcher = fetcher
        self._future = future

    def get(self) -> list[A | Vanished]:
        """Wait for the answers and return them, or raise what went wrong.

        The wait is cut short when the run is to end.
        """
        self._fetcher.check_stopped()
        while not self._future.done():
            with contextlib.suppress(TimeoutError):
                self._future.exception(POLL)
            self._fetcher.check_stopped()
        return self._future.result()

    def all(self) -> list[A]:
        """Wait for the answers of questions about what cannot vanish."""
        return [answer for answer in self.get() if not isinstance(answer, Vanished)]

    def cancel(self) -> None:
        """Do without the answers, if the request has not started."""
        self._future.cancel()
