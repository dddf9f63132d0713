"""The receiver's server with a handler that does nothing, for benchmarks/webhooks.py."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pluvo_webhooks.server import listen, run, url_of

if TYPE_CHECKING:
    from starlette.requests import Request


async def nothing(_: Request) -> Response:
    """Answer as the receiver does."""
    return Response(status_code=204)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with listen("127.0.0.1", 0) as listener:
        print(json.dumps({"url": url_of(listener)}), flush=True)
        run(Starlette(routes=[Route("/", nothing, methods=["POST"])]), listener)
