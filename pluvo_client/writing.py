"""Mutations: several in a request, several requests at once, each with an outcome of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import (
    ClientRejectedError,
    PluvoError,
    ProtocolError,
    RetriableError,
    TokenRejectedError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pluvo_client.graphql_client import Data, GraphQLClient

Outcome = dict[str, Any] | list[Any] | PluvoError


class Mutations:
    """Sends mutations.

    `workers` is how many requests may be in flight, `together` how many mutations a request has at
    most.
    """

    def __init__(self, client: GraphQLClient, *, workers: int, together: int) -> None:
        self._client = client
        self._workers = workers
        self._together = together

    def send(self, mutations: Iterable[str], *, repeatable: bool = True) -> Iterator[Outcome]:
        """Send mutations, and give in their order what each gave, or why it failed.

        Each is a field with its arguments and selection. What is `repeatable` has the same effect
        when it is sent again, as it is after an error that may pass; what is not travels alone, and
        its error may mean that it had its effect.

        Raises:
            PluvoError: the API cannot be reached, or rejects the client.
        """
        source = iter(mutations)
        size = self._together if repeatable else 1
        bundles = iter(lambda: list(islice(source, size)), [])
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="pluvo-write")
        try:
            for outcomes in pool.map(lambda bundle: self._send(bundle, repeatable), bundles):
                yield from outcomes
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _send(self, mutations: Sequence[str], repeatable: bool) -> list[Outcome]:
        def parse(data: Data) -> list[Outcome]:
            outcomes = [data.get(f"m{number}") for number in range(len(mutations))]
            if not all(isinstance(outcome, dict | list | PluvoError) for outcome in outcomes):
                msg = "the API answered a mutation with nothing"
                raise ProtocolError(msg)
            return outcomes  # type: ignore[return-value]  # just checked

        fields = " ".join(f"m{number}: {text}" for number, text in enumerate(mutations))
        try:
            return self._client.execute(
                f"mutation TapPluvo {{ {fields} }}",
                parse,
                repeatable=repeatable,
                divisible=len(mutations) > 1,
                by_part=True,
            )
        except RetriableError as error:
            ends = isinstance(error, TransientError | TokenRejectedError | ClientRejectedError)
            if (ends and repeatable) or error.unprocessed:
                raise
            if len(mutations) == 1:
                return [error]
            return [outcome for text in mutations for outcome in self._send([text], repeatable)]
