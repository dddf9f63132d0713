"""The tap in this process, with an API that is a function: no network, no token, no targets."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphql import graphql_sync, introspection_from_schema
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from pluvo_client.errors import Difference, SchemaDifferenceError
from pluvo_client.graphql_client import GraphQLClient
from pluvo_sandbox.database import Database
from pluvo_sandbox.oauth import SCOPES
from pluvo_sandbox.resolvers import Context
from pluvo_sandbox.sandbox import prepare
from pluvo_sandbox.schema import executable
from pluvo_sandbox.seed import Plan
from tap_pluvo.sync_run import run
from tap_pluvo.tap import TapPluvo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from singer_sdk.singerlib import Message

    from pluvo_sandbox.contract import Variant
    from tap_pluvo.progress import Result

PROBE = "tapPluvoProbe"
SETTINGS = {"api_url": "http://127.0.0.1:1", "client_id": "me", "client_secret": "secret"}


class Organization:
    """Answers GraphQL documents from a small sandbox's data, and keeps the documents."""

    def __init__(self, folder: Path, variant: Variant, today: date) -> None:
        plan = Plan(
            users=8, trainings=5, groups=4, portfolio=30, seed=1, today=today, variant=variant
        )
        path = folder / f"{variant}.db"
        prepare(path, plan)
        self.path = path
        self.documents: list[str] = []
        self._schema = executable(variant)
        self._introspection = dict(introspection_from_schema(self._schema, descriptions=False))
        self._one_at_a_time = threading.Lock()
        self._context = Context(Database(str(path)), frozenset(SCOPES))

    def execute(self, document: str, parse: Callable[[Any], Any], **_: Any) -> Any:
        """Answer a document; take the place of `GraphQLClient.execute`."""
        if "__schema" in document:
            return parse(self._introspection)
        if PROBE in document:
            message = f"Cannot query field '{PROBE}' on type 'Query'."
            raise SchemaDifferenceError([Difference("field", "Query", message)])
        self.documents.append(document)
        with self._one_at_a_time:
            result = graphql_sync(self._schema, document, context_value=self._context)
        assert result.errors is None, result.errors
        assert result.data is not None
        return parse(result.data)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let every tap of this process ask this organization."""
        asked = GraphQLClient.execute
        GraphQLClient.execute = lambda _, *args, **named: self.execute(*args, **named)  # type: ignore[method-assign]
        try:
            yield
        finally:
            GraphQLClient.execute = asked  # type: ignore[method-assign]

    def close(self) -> None:
        self._context.database.close()


class Collector(SimpleSingerWriter):
    """Keeps messages instead of writing them."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    def write_message(self, message: Message) -> None:
        self.messages.append(message)

    def records(self) -> list[dict[str, Any]]:
        return [item.record for item in self.messages if isinstance(item, RecordMessage)]

    def named_records(self) -> list[tuple[str, dict[str, Any]]]:
        """The records, each with its stream."""
        return [
            (item.stream, item.record) for item in self.messages if isinstance(item, RecordMessage)
        ]

    def schemas(self) -> dict[str, Any]:
        return {
            item.stream: item.schema for item in self.messages if isinstance(item, SchemaMessage)
        }

    def states(self) -> list[Any]:
        return [item.value for item in self.messages if isinstance(item, StateMessage)]


class QuietTap(TapPluvo):
    """The tap, which leaves this process's signals alone and asks for no token."""

    def run(self) -> list[Result]:
        return run(self)

    def _setup_signal_handlers(self) -> None:
        pass


@contextmanager
def running(
    catalog: Any = None, state: Any = None, **settings: Any
) -> Iterator[tuple[QuietTap, Collector]]:
    """Give a tap and what collects its messages."""
    collector = Collector()
    tap = QuietTap(
        config=SETTINGS | settings, catalog=catalog, state=state, message_writer=collector
    )
    tap.session.client.authenticator.require = lambda _: None  # type: ignore[assignment, method-assign]
    try:
        yield tap, collector
    finally:
        tap.close()
