"""The tap in this process, over answers of an organization that were recorded."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from support import config, selecting

from pluvo_client.transport.http import Response, Transport
from tap_pluvo.inputs import read_catalog
from tap_pluvo.sync_run import run
from tap_pluvo.tap import TapPluvo

if TYPE_CHECKING:
    from reliability_support import Watched
    from singer_sdk.singerlib import Message

    from tap_pluvo.progress import Result

# Streams whose rows have an id and are counted by the API, so that a missing one can be noticed.
STREAMS = {"certificates", "groups", "portfolio_report", "trainings", "users"}


class Collector(SimpleSingerWriter):
    """Keeps the keys of records instead of writing messages."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[tuple[str, str]] = set()

    def write_message(self, message: Message) -> None:
        if isinstance(message, RecordMessage):
            self.keys.add((message.stream, str(message.record["id"])))


class QuietTap(TapPluvo):
    """The tap, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


class Organization:
    """An organization whose answers are kept by what was asked; `order` is that of the questions.

    `rows` tells how many rows each stream has.
    """

    def __init__(self, pluvo: Watched) -> None:
        self.settings = config(
            pluvo, max_concurrency=1, page_size=4, max_retry_seconds=0, window_days=3650
        )
        catalog = selecting(pluvo.sync("--discover").catalog, STREAMS)
        chosen = [item for item in catalog["streams"] if item["tap_stream_id"] in STREAMS]
        self.catalog = {"streams": chosen}
        self.answers: dict[tuple[str, bytes], Response] = {}
        self.rows, _ = self.run()
        self.order = list(self.answers)

    def run(
        self,
        catalog: Any = None,
        state: Any = None,
        other: tuple[int, Response] | None = None,
        **more: Any,
    ) -> tuple[Counter[str], list[Result]]:
        """Run the tap and return the number of rows by stream, and how each stream went.

        `other` is the number of a question, and what is answered to it instead, once.
        """
        post = Transport._post
        instead = {self.order[other[0]]: other[1]} if other else {}

        def answer(transport: Transport, path: str, body: bytes, *rest: Any) -> Response:
            asked = (path, body)
            if asked in instead:
                return instead.pop(asked)
            if asked not in self.answers:
                self.answers[asked] = post(transport, path, body, *rest)
            return self.answers[asked]

        collector = Collector()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transport, "_post", answer)
            tap = QuietTap(
                config=self.settings | more,
                catalog=read_catalog(io.StringIO(json.dumps(catalog or self.catalog))),
                state=state,
                message_writer=collector,
            )
            try:
                results = run(tap)
            finally:
                tap.close()
        return Counter(stream for stream, _ in collector.keys), results
