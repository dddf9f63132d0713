"""Pluvo for Python programs: read its lists completely, or send it any operation."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pluvo_client.errors import ConfigurationError, SchemaDifferenceError, UnavailableError
from pluvo_client.graphql_client import GraphQLClient
from pluvo_client.reading.connection import ARCHIVED, Connection, as_it_is
from pluvo_client.reading.fetcher import Fetcher, Vanished
from pluvo_client.reading.introspection import seen_schema
from pluvo_client.reading.key_set import KeySet
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.probes import Probes
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.columns import response_keys
from pluvo_client.schema.contract import Contract
from pluvo_client.schema.documents import is_mutation
from pluvo_client.schema.selection import complete, identifier
from pluvo_client.settings import CONNECTION, ClientSettings, problems
from pluvo_client.transport.authentication import Authenticator
from pluvo_client.transport.http import Transport
from pluvo_client.writing import Mutations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pluvo_client.errors import Difference
    from pluvo_client.reading.root_fields import RootField
    from pluvo_client.schema.selection import Record
    from pluvo_client.writing import Outcome

T = TypeVar("T")

_SCHEMA = {"type": "object", "properties": CONNECTION, "additionalProperties": False}
_ADDED_ARGUMENTS = (ARCHIVED, "offset")  # that reading sets by itself


class PluvoClient:
    """An organization's API; a context manager, safe for use by several threads.

        with PluvoClient(organization="my-academy", client_id=..., client_secret=...) as client:
            for user in client.read("paginatedUsers", "id name email", archived=False):
                print(user["name"])

    Settings are those of `pluvo_client.settings.CONNECTION`. `scope_users` names what needs each
    scope, where that is known beforehand; other scopes are requested when the API names them.
    `sample` reads the first page of everything and no more.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """

    def __init__(
        self,
        settings: ClientSettings | None = None,
        *,
        scope_users: Mapping[str, Sequence[str]] | None = None,
        transport: Transport | None = None,
        sample: bool = False,
        **config: Any,
    ) -> None:
        if settings is None:
            if wrong := problems(config, _SCHEMA):
                raise ConfigurationError("\n".join(wrong))
            settings = ClientSettings.from_config(config)
        self.settings = settings
        self.transport = transport or Transport(settings)
        self.authenticator = Authenticator(self.transport, settings, scope_users or {})
        self._graphql = GraphQLClient(self.transport, self.authenticator)
        self._sample = sample
        self._fetcher: Fetcher | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, document: str) -> dict[str, Any]:
        """Send a query or a mutation and return its data, by the document's response keys.

        A mutation is sent again only where the API has certainly not acted on it.

        Raises:
            PluvoError: see `GraphQLClient.execute`.
        """
        return self._graphql.execute(document, as_it_is, repeatable=not is_mutation(document))

    def change(self, mutations: Iterable[str], *, repeatable: bool = True) -> Iterator[Outcome]:
        """Send mutations, several in a request; see `Mutations.send`."""
        return Mutations(
            self._graphql,
            workers=self.settings.max_concurrency,
            together=self.settings.operations_per_request,
        ).send(mutations, repeatable=repeatable)

    def read(
        self, field: str, selection: str, *, key: str = "id", **arguments: Any
    ) -> Iterator[Record]:
        """Give all objects of a root field that is a list, with the fields of `selection`.

        `arguments` are the API's own, in its spelling. Objects are told apart by the response key
        `key`, which the selection must hold. Where `archived` is an argument that is not given,
        archived objects come too.

        Raises:
            SchemaDifferenceError: the organization lacks the field, or a part of the selection.
            IncompleteError: fewer objects were found than the API counts.
            PluvoError: see `GraphQLClient.execute`.
        """
        if self.contract.has(field) and not self.contract.has(f"{field}.edges"):
            for found in self.lists(
                [ListField(field, arguments, selection, complete(response_keys(selection)))]
            ):
                yield from found
            return
        given = KeySet()
        while True:
            reader = self.reader(
                field, selection, arguments, self.plan(lambda record: identifier(record, key))
            )
            try:
                for rows in reader.read():
                    for record, _ in rows:
                        if given.add(identifier(record, key)):
                            yield record
            except SchemaDifferenceError as error:
                new = self.contract.refuse(error.differences)
                if not new or any(
                    _asked_for(item, field, arguments, self.contract) for item in new
                ):
                    raise
            else:
                return

    # What programs that know the reader's parts build on

    @cached_property
    def contract(self) -> Contract:
        """What the API has: by the organization's own schema where it can be seen.

        Raises:
            PluvoError: the API cannot be reached, or rejects the client.
        """
        return Contract(seen_schema(self._graphql) if self.settings.introspection else None)

    @property
    def fetcher(self) -> Fetcher:
        """Where root fields are asked for."""
        if self._fetcher is None:
            self._fetcher = Fetcher(
                self._graphql,
                self.contract,
                workers=self.settings.max_concurrency,
                root_fields_per_request=self.settings.operations_per_request,
                read_ahead=0 if self._sample else self.settings.max_concurrency,
            )
        return self._fetcher

    @cached_property
    def probes(self) -> Probes:
        """How the server turns out to behave, found out when it matters."""
        return Probes(self._graphql, self.contract, self.fetcher)

    def plan(
        self,
        key: Callable[[Record], str],
        *,
        repeats: bool = False,
        former: Callable[[Record], str | None] | None = None,
    ) -> ReadPlan:
        """Return how connections are read whose records `key` tells apart."""
        return ReadPlan(
            self.fetcher,
            self.settings.page_size,
            self.settings.max_repair_passes,
            key,
            repeats=repeats,
            former=former,
            sample=self._sample,
        )

    def connection(
        self,
        field: str,
        selection: str,
        arguments: Mapping[str, Any],
        record: Callable[[Record], Record] = as_it_is,
    ) -> Connection:
        """Return a root connection, paged in the best way that the API has."""
        return Connection(
            field,
            arguments,
            selection,
            by_offset=self.contract.accepts(field, "offset"),
            counted=self.contract.has(f"{field}.count"),
            record=record,
        )

    def reader(
        self,
        field: str,
        selection: str,
        arguments: Mapping[str, Any],
        plan: ReadPlan,
        record: Callable[[Record], Record] | None = None,
    ) -> ListReader:
        """Return a reader of all objects of a root connection, archived ones included.

        `record` makes a record of a node; without it, a node is one as it is.

        Raises:
            UnavailableError: the organization lacks the field.
        """
        if not self.contract.has(field):
            msg = f"the organization's schema lacks `{field}`"
            raise UnavailableError(msg)
        record = record or complete(response_keys(selection))
        halves = [
            self.connection(field, selection, part, record)
            for part in self.by_archived(field, arguments)
        ]
        whole = self.connection(field, selection, arguments, record) if len(halves) > 1 else None
        return ListReader(plan, halves, whole=whole)

    def by_archived(self, field: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the arguments with which everything is read: archived objects, and the others.

        What the API gives when `archived` is left out is not documented.
        """
        if ARCHIVED in arguments or not self.contract.accepts(field, ARCHIVED):
            return [dict(arguments)]
        return [{**arguments, ARCHIVED: archived} for archived in (False, True)]

    def lists(self, fields: Iterable[RootField[list[T]]]) -> Iterator[list[T]]:
        """Give lists that have no pages; one about an object that is gone is left out."""
        for found in self.fetcher.ask_many(fields):
            if not isinstance(found, Vanished):
                yield found

    def stop(self) -> None:
        """Start no further request and let waits end; `StoppedError` ends what is under way."""
        if self._fetcher is None:
            self.transport.limiter.stop()
        else:
            self._fetcher.stop()

    def close(self) -> None:
        """End the workers and the connections."""
        if self._fetcher is not None:
            self._fetcher.close()
        self.transport.close()


def _asked_for(
    item: Difference, field: str, arguments: Mapping[str, Any], contract: Contract
) -> bool:
    """Tell whether the caller asked for what is missing; else reading did by itself."""
    if item.kind == "argument":
        added = [name for name in _ADDED_ARGUMENTS if name not in arguments]
        return item not in [contract.root_argument(field, name) for name in added]
    return not (item.kind == "field" and item.name == "count")
