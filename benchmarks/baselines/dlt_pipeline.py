"""Baseline (b): the same users with `dlt`, from a GraphQL resource to JSON lines.

    python dlt_pipeline.py API_URL FOLDER

A resource that follows cursors, and a pipeline as in dlt's documentation: extract, normalize, load,
to files in a folder. Lists stay in their row, since child tables would be a different job. Settings
in the environment (`workloads.py`) switch off dlt's compression and telemetry.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from data import SELECTION
from dlt.sources.helpers import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

api_url, folder = sys.argv[1:]

QUERY = (
    "query Users($first: Int!, $after: String) { paginatedUsers(first: $first, after: $after) "
    f"{{ pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {SELECTION} }} }} }} }}"
)


def token() -> str:
    """Return an access token."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "bench",
        "client_secret": "bench",
        "scope": "users.read",
    }
    found: str = requests.post(f"{api_url}/oauth/token/", data=form).json()["access_token"]
    return found


@dlt.resource(  # type: ignore[untyped-decorator]  # only .venv-bench has dlt
    name="users",
    primary_key="id",
    write_disposition="replace",
    max_table_nesting=0,
    columns={name: {"data_type": "text"} for name in ("afas_contact_id", "afas_connection_id")},
)
def users() -> Iterator[list[dict[str, Any]]]:
    """Yield all users, a page at a time."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token()}"
    after = None
    while True:
        answer = session.post(
            f"{api_url}/graphql/",
            json={"query": QUERY, "variables": {"first": 50, "after": after}},
        )
        page = answer.json()["data"]["paginatedUsers"]
        yield [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


pipeline = dlt.pipeline(
    pipeline_name="bench",
    destination=dlt.destinations.filesystem(bucket_url=Path(folder, "out").as_uri()),
    dataset_name="bench",
)
pipeline.run(users(), loader_file_format="jsonl")
