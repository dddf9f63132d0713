"""Baseline (b): the same users with `dlt`, from a GraphQL resource to JSON lines or a warehouse.

    python dlt_pipeline.py API_URL FOLDER [duckdb|postgres]

A resource that follows cursors, and a pipeline as in dlt's documentation: extract, normalize, load,
to files in a folder, to a DuckDB file in it, or to the PostgreSQL of the PG... variables, in the
format that each of them takes best. Lists stay in their row, since child tables would be a
different job. Settings in the environment (`workloads.py`) switch off dlt's compression and
telemetry.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from data import SELECTION
from dlt.sources.helpers import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

api_url, folder, *warehouse = sys.argv[1:]

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


def destination() -> Any:
    """Return where to load to."""
    match warehouse:
        case ["duckdb"]:
            return dlt.destinations.duckdb(str(Path(folder, "warehouse.duckdb")))
        case ["postgres"]:
            names = ("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT", "PGDATABASE")
            user, password, host, port, database = (os.environ.get(name, "") for name in names)
            address = f"postgresql://{user}:{password or 'none'}@{host}:{port}/{database}"
            return dlt.destinations.postgres(address)
    return dlt.destinations.filesystem(bucket_url=Path(folder, "out").as_uri())


pipeline = dlt.pipeline(
    pipeline_name="_".join(["bench", *warehouse]),
    destination=destination(),
    dataset_name="bench",
)
FORMATS = {"duckdb": "parquet", "postgres": "csv"}  # by default it would be insert statements
pipeline.run(users(), loader_file_format=FORMATS[warehouse[0]] if warehouse else "jsonl")
