"""What a server does with what it does not know: found out by asking, when it matters.

A schema that the organization shows can be trusted without asking.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import NotFoundError, QueryError, SchemaDifferenceError
from pluvo_client.reading.root_fields import AnythingField

if TYPE_CHECKING:
    from pluvo_client.graphql_client import GraphQLClient
    from pluvo_client.reading.fetcher import Fetcher
    from pluvo_client.schema.contract import Contract

UNKNOWN_FIELD = "tapPluvoProbe"  # which no schema has


class Probes:
    """Small requests that tell how a server behaves; none where the live schema is known."""

    def __init__(self, client: GraphQLClient, contract: Contract, fetcher: Fetcher) -> None:
        self._client = client
        self._contract = contract
        self._fetcher = fetcher

    @cached_property
    def validates(self) -> bool:
        """Whether the server refuses what its schema lacks; others ignore it in silence."""
        if self._contract.is_live:
            return True
        document = f"query TapPluvo {{ __typename {UNKNOWN_FIELD} }}"
        try:
            return self._client.execute(
                document,
                lambda data: UNKNOWN_FIELD in data,
                schema=self._contract.schema,
                believed=True,
            )
        except (QueryError, SchemaDifferenceError):
            return True

    def heeds(self, field: str, argument: str, unknown: Any) -> bool:
        """Tell whether an argument of a root field has an effect.

        `unknown` is a value of it that no object has, so that nothing may come.
        """
        if self.validates:
            return True
        is_list = not self._contract.has(f"{field}.edges")
        probe = AnythingField(field, {argument: unknown}, is_list=is_list)
        try:
            (found,) = self._fetcher.ask(probe).get()
        except (NotFoundError, QueryError):
            return True  # who complains about a value does look at it
        return not found
