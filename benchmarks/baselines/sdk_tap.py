"""Baseline (a): the same stream on the SDK's `GraphQLStream`, as in its template.

Default writer, default conformance, default paginator, one cursor chain, and the same records as
the tap. Unlike the template, it keeps its authenticator, which would otherwise request a token for
each page.
"""

from __future__ import annotations

import decimal
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from data import SELECTION
from singer_sdk import GraphQLStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests


class BenchAuthenticator(OAuthAuthenticator):
    """Client credentials."""

    @property
    def oauth_request_body(self) -> dict[str, Any]:
        """The token request."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": "users.read",
        }


class UsersStream(GraphQLStream[str]):
    """All users."""

    name = "users"
    primary_keys = ("id",)
    replication_key = None
    next_page_token_jsonpath = "$.data.paginatedUsers.pageInfo.endCursor"
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("ref", th.StringType),
        th.Property("name", th.StringType),
        th.Property("email", th.StringType),
        th.Property("archived", th.BooleanType),
        th.Property("archived_at", th.DateTimeType),
        th.Property("is_active", th.BooleanType),
        th.Property("roles", th.StringType),
        th.Property("language", th.StringType),
        th.Property("last_login", th.DateTimeType),
        th.Property("invited_on", th.DateTimeType),
        th.Property("has_password", th.BooleanType),
        th.Property("group_count", th.IntegerType),
        th.Property("profile_image_url", th.StringType),
        th.Property("extra_fields", th.StringType),
        th.Property("extra_fields_profile", th.StringType),
        th.Property("user_via", th.StringType),
        th.Property("model_id", th.StringType),
        th.Property("afas_person_id", th.StringType),
        th.Property("afas_employee_id", th.StringType),
        th.Property("afas_contact_id", th.StringType),
        th.Property("afas_connection_id", th.StringType),
    ).to_dict()
    query = f"""
        query Users($first: Int!, $after: String) {{
            paginatedUsers(first: $first, after: $after) {{
                pageInfo {{ hasNextPage endCursor }}
                edges {{ node {{ {SELECTION} }} }}
            }}
        }}
    """

    @property
    def url_base(self) -> str:
        """The address of the API."""
        return f"{self.config['api_url']}/graphql/"

    @cached_property
    def authenticator(self) -> BenchAuthenticator:
        """One authenticator for the run."""
        return BenchAuthenticator(
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
            auth_endpoint=f"{self.config['api_url']}/oauth/token/",
            oauth_scopes="users.read",
        )

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        """Return the variables of the query."""
        return {"first": 50, "after": next_page_token}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """Yield the nodes of a page."""
        users = response.json(parse_float=decimal.Decimal)["data"]["paginatedUsers"]
        for edge in users["edges"]:
            yield edge["node"]

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        """Flatten the record, as the tap does."""
        row |= row.pop("profileImage")
        for name in ("roles", "user_via"):
            row[name] = json.dumps(row[name])
        return row


class TapBaseline(Tap):
    """The tap."""

    name = "tap-baseline"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("client_id", th.StringType, required=True),
        th.Property("client_secret", th.StringType, required=True),
    ).to_dict()

    def discover_streams(self) -> list[UsersStream]:
        """Return the only stream."""
        return [UsersStream(self)]


if __name__ == "__main__":
    TapBaseline.cli()
