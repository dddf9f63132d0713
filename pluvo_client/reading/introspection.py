"""The organization's own schema, where it can be seen: nothing about that may end a run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pluvo_client.errors import (
    AuthenticationError,
    ConfigurationError,
    IntrospectionRefusedError,
    PluvoError,
    ProtocolError,
    QueryError,
    ScopeError,
    UnreachableError,
)
from pluvo_client.schema.comparison import differences
from pluvo_client.schema.contract import INTROSPECTION_QUERY, documented_schema, live_schema

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from pluvo_client.graphql_client import Data, GraphQLClient

logger = logging.getLogger("pluvo_client")

ANSWERS = 4  # at most, until two of them lack the same


def seen_schema(client: GraphQLClient) -> GraphQLSchema | None:
    """Return the organization's schema, or None where it does not show it; the log says why.

    What a single answer lacks may be there all the same, as while a new version is rolled out: a
    schema that lacks something is asked for again.

    Raises:
        PluvoError: the API cannot be reached, or rejects the client.
    """
    lacking: set[str] = set()
    try:
        for _ in range(ANSWERS):
            schema = client.execute(INTROSPECTION_QUERY, live_schema)
            lacks = {
                item
                for item in differences(documented_schema(), schema)
                if item.startswith("lacks ")
            }
            if lacks <= lacking:
                break
            lacking |= lacks
            client.pause()
    except (AuthenticationError, ConfigurationError, UnreachableError):
        raise
    except (IntrospectionRefusedError, QueryError, ScopeError) as error:
        reason = str(error)
    except PluvoError as error:  # perhaps nothing at all is answered
        client.execute("query TapPluvo { __typename }", _check_answer)
        reason = str(error)
    else:
        return schema
    logger.info("the organization's schema cannot be seen: %s", reason)
    return None


def _check_answer(data: Data) -> None:
    if "__typename" not in data:
        msg = "/graphql/ did not answer the smallest query"
        raise ProtocolError(msg)
