"""What all streams of the target have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pluvo_client.errors import NotFoundError, PluvoError, RetriableError
from pluvo_singer.values import RejectedError
from target_pluvo.changes import Job, Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pluvo_client import PluvoClient
    from pluvo_singer.rows import Rejection, Row
    from target_pluvo.remote_state import RemoteState
    from target_pluvo.settings import Settings


class StreamWriter(ABC):
    """A stream: its rows compared with what Pluvo has, and what differs written.

    `keys` are the columns that its schema must have; of several in one place, one is enough.
    `reads` and `writes` are scopes. `unread` are rows that were rejected before they came here.
    """

    name: ClassVar[str]
    keys: ClassVar[tuple[tuple[str, ...], ...]]
    reads: ClassVar[tuple[str, ...]]
    writes: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, state: RemoteState, settings: Settings, unread: Sequence[Rejection] = ()
    ) -> None:
        self.state = state
        self.settings = settings
        self.unread = unread
        self.results = Results(rejected=list(unread))

    @abstractmethod
    def prepare(self, rows: Sequence[Row]) -> None:
        """Say what has to be read.

        Raises:
            PluvoError: the organization lacks what the stream needs, or a setting cannot be meant.
        """

    @abstractmethod
    def plan(self, rows: Sequence[Row]) -> None:
        """Compare rows with what Pluvo has, and note the changes in `results`."""

    @abstractmethod
    def write(self) -> None:
        """Make the changes."""

    @property
    def client(self) -> PluvoClient:
        """The organization's API."""
        return self.state.client

    def send(self, jobs: Iterable[Job], *, repeatable: bool = True) -> dict[Job, PluvoError]:
        """Send the mutations of jobs; return those that failed, whose changes are rejected."""
        sent: list[Job] = []
        failed: dict[Job, PluvoError] = {}
        smaller: list[Job] = []
        outcomes = self.client.change(_texts(jobs, sent), repeatable=repeatable)
        for number, outcome in enumerate(outcomes):
            job = sent[number]
            if not isinstance(outcome, PluvoError):
                for change in job.changes:
                    change.done = change.reason is None
                job.apply_result(outcome)
            elif parts := job.parts():
                smaller += parts
            else:
                failed[job] = outcome
                for change in job.changes:
                    change.reject(f"Pluvo refused it: {outcome}")
        return failed | self.send(smaller, repeatable=repeatable) if smaller else failed


def _texts(jobs: Iterable[Job], sent: list[Job]) -> Iterator[str]:
    """Yield the mutations of jobs, and note in `sent` whose they are."""
    for job in jobs:
        try:
            text = job.text()
        except RejectedError as error:
            for change in job.changes:
                change.reject(str(error))
        else:
            sent.append(job)
            yield text


def is_refusal(error: PluvoError) -> bool:
    """Tell whether an error says that the API has certainly not acted on a mutation."""
    return isinstance(error, NotFoundError) or (
        isinstance(error, RetriableError) and error.unprocessed
    )
