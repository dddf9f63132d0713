"""Baseline (c): fetch the tap's pages with asyncio and write them as they are.

    python raw_client.py API_URL IN_FLIGHT FILE

It sends the same requests as the tap, with the same number in flight, and does nothing else: no
decoding, checks, ordering or retries. It shows what the server and this machine allow.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import BinaryIO

import aiohttp
from data import SELECTION

PAGE = 50
BODY = f"{{ count pageInfo {{ hasNextPage }} edges {{ node {{ {SELECTION} }} }} }}"
COUNT = re.compile(rb'"count":(\d+)')


def field(archived: str, offset: int) -> str:
    """Return the root field for one page."""
    skip = f", offset: {offset}" if offset else ""
    return f"paginatedUsers(archived: {archived}, first: {PAGE}{skip}) {BODY}"


async def download(api_url: str, in_flight: int, out: BinaryIO) -> None:
    """Fetch all pages."""
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(api_url, connector=connector) as session:
        form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench"}
        async with session.post("/oauth/token/", data=form) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}

        async def ask(*fields: str) -> bytes:
            text = " ".join(f"r{number}: {item}" for number, item in enumerate(fields))
            body = {"query": f"query Bench {{ {text} }}"}
            async with session.post("/graphql/", json=body, headers=headers) as response:
                answer: bytes = await response.read()
            out.write(answer)
            out.write(b"\n")
            return answer

        counts = map(int, COUNT.findall(await ask(field("false", 0), field("true", 0))))
        pages = iter(
            [
                field(archived, offset)
                for archived, count in zip(("false", "true"), counts, strict=True)
                for offset in range(PAGE - 1, count - 1, PAGE - 1)
            ]
        )

        async def work() -> None:
            for page in pages:
                await ask(page)

        await asyncio.gather(*(work() for _ in range(in_flight)))


if __name__ == "__main__":
    with Path(sys.argv[3]).open("wb") as file:
        asyncio.run(download(sys.argv[1], int(sys.argv[2]), file))
