"""What an error of the network means to the user, and whether it may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3.exceptions import (
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004 - not Python's own, which no request raises
)

from pluvo_client.errors import RetriableError, TooLargeError, TransientError, UnreachableError
from pluvo_client.transport.http_connection import AnswerTooLargeError, AnswerTooSlowError

if TYPE_CHECKING:
    from pluvo_client.settings import ClientSettings


def network_error(error: HTTPError, settings: ClientSettings) -> RetriableError:
    """Return what an error of the network means to the user."""
    host = settings.base_url
    # A connection that could not be made is, to urllib3, a timeout of a kind.
    unconnected = isinstance(error, NewConnectionError)
    match error:
        case AnswerTooLargeError():
            return TooLargeError(
                f"the answer of {host} has more than {settings.max_response_mb} MB: lower "
                "`page_size`, or raise `max_response_mb`"
            )
        case SSLError():
            return UnreachableError(
                f"the certificate of {host} is not trusted: if your organization has its own "
                "certificate authority, name its file in the setting `ca_bundle`"
            )
        case NameResolutionError():
            return UnreachableError(
                f"the host of {host} does not exist: check the setting `organization` or "
                "`api_url`, and your network"
            )
        case ProxyError():
            message = (
                f"the proxy on the way to {host} failed: check the environment variable HTTPS_PROXY"
            )
        case AnswerTooSlowError():
            message = (
                f"{host} did not finish its answer within {settings.max_response_seconds:g} s "
                "(setting `max_response_seconds`)"
            )
        case TimeoutError() if not unconnected:
            message = f"{host} did not answer within {settings.request_timeout:g} s"
        case _:
            inner = (error.__cause__, *error.args)
            cause = next((item for item in inner if isinstance(item, Exception)), error)
            message = f"the connection to {host} failed ({type(cause).__name__})"
    failure = TransientError(message)
    failure.unprocessed = unconnected
    return failure
