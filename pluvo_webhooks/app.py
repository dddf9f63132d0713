"""The receiver as an ASGI application: a webhook is checked, kept, and only then answered 2xx."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pluvo_webhooks.delivery import Delivery, NotAnEventError
from pluvo_webhooks.errors import InboxError
from pluvo_webhooks.group_commit import GroupCommit
from pluvo_webhooks.metrics import Metrics
from pluvo_webhooks.signature import is_signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from pluvo_webhooks.inbox import Inbox

OTHER_PATHS = ("/healthz", "/readyz", "/metrics")

_LARGEST_BODY = 2**20
# Pluvo gives up after 30 seconds, and is better told before.
_PATIENCE = 20

_log = logging.getLogger(__name__)


class Receiver:
    """Receives webhooks into an inbox.

    Args:
        inbox: where events are kept.
        secrets: any of which may have signed them.
        path: where they are received.

    Attributes:
        app: the ASGI application.
    """

    def __init__(self, inbox: Inbox, secrets: Sequence[str], path: str) -> None:
        self._inbox = inbox
        self._secrets = secrets
        self._metrics = Metrics()
        self._group_commit = GroupCommit(self._add)
        self.app = Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._show_metrics),
                Route(path, self._webhook, methods=["POST"]),
            ]
        )

    async def _webhook(self, request: Request) -> Response:
        try:
            await self._receive(request)
            status, reason = HTTPStatus.NO_CONTENT, ""
        except _RefusedError as refused:
            status, reason = refused.args
            _log.warning("Refused a delivery with %d: %s", status, reason)
        # Never 410, after which Pluvo would send no more.
        except (InboxError, TimeoutError) as error:
            status, reason = HTTPStatus.SERVICE_UNAVAILABLE, "the inbox can't be written"
            cause = str(error) or "the inbox is too slow"
            _log.error("Answered a delivery with %d: %s", status, cause)
        self._metrics.answers.labels(status.value).inc()
        return PlainTextResponse(reason, status) if reason else Response(status_code=status)

    async def _receive(self, request: Request) -> None:
        media_type, _, _ = request.headers.get("content-type", "").partition(";")
        if media_type.strip().lower() != "application/json":
            raise _RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"
            )
        body = await _body(request)
        signature = request.headers.get("x-signature", "")
        salt = request.headers.get("x-signature-salt", "")
        if not is_signed(body, signature, salt, self._secrets):
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "the signature is missing or wrong")
        try:
            delivery = Delivery.parse(body, datetime.now(UTC))
        except NotAnEventError as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
        async with asyncio.timeout(_PATIENCE):
            await self._group_commit.keep(delivery)

    def _add(self, deliveries: Sequence[Delivery]) -> None:
        with self._metrics.commit.time():
            new = self._inbox.add(deliveries)
        self._metrics.kept.inc(new)
        self._metrics.repeated.inc(len(deliveries) - new)
        self._metrics.last_kept.set_to_current_time()

    async def _healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _readyz(self, _: Request) -> Response:
        try:
            async with asyncio.timeout(_PATIENCE):
                await run_in_threadpool(self._inbox.check_writable)
        except (InboxError, TimeoutError):
            return PlainTextResponse("the inbox can't be written", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ok")

    async def _show_metrics(self, _: Request) -> Response:
        text = generate_latest(self._metrics.registry)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})


class _RefusedError(Exception):
    """A delivery is refused: with this status, for this reason."""


async def _body(request: Request) -> bytes:
    """Return the body as it came, unless it is too large, and then without reading it all."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                raise _RefusedError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is larger than 1 MiB"
                )
    except ClientDisconnect:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "the body is not complete") from None
    return bytes(body)
