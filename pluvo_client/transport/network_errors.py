"""What an error of the network means to the user, and whether it may pass.

All of them may, but for two, which get a second chance only: a certificate that is not trusted, and
a name that the name servers say does not exist (EAI_NONAME; a typing error in `organization` should
not take `max_retry_seconds` to be found). A name server that does not answer, or is not reached, is
a network that is down (EAI_AGAIN and all other codes), and so is a TLS handshake that breaks off.
"""

from __future__ import annotations

import socket
import ssl
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

# What OpenSSL says of a certificate (X509_V_ERR_...), in words, and what to do.
_OWN_AUTHORITY = (
    "if your organization has its own certificate authority, name its file in the setting "
    "`ca_bundle`"
)
_UNKNOWN_AUTHORITY = ("its authority is unknown", _OWN_AUTHORITY)
_OTHER_HOST = ("it is for another host", "check the setting `organization` or `api_url`")
_DISTRUST = {
    2: _UNKNOWN_AUTHORITY,
    9: ("it is not valid yet", "check the clock of this machine"),
    10: ("it has expired", "tell Pluvo, and check the clock of this machine"),
    18: ("it is self-signed", _OWN_AUTHORITY),
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    62: _OTHER_HOST,
    64: _OTHER_HOST,
}
# EAI_NODATA is what some systems say of a name that has no address.
_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


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
        case SSLError(args=(ssl.SSLCertVerificationError() as cause, *_)):
            reason, remedy = _DISTRUST.get(cause.verify_code, ("it is not valid", _OWN_AUTHORITY))
            return UnreachableError(
                f"the certificate of {host} is not trusted, since {reason}: {remedy}"
            )
        case SSLError():
            message = f"the encrypted connection to {host} failed ({_reason(error)})"
        case NameResolutionError() if _errno(error) in _UNKNOWN_NAME:
            return UnreachableError(
                f"the host of {host} does not exist: check the setting `organization` or "
                "`api_url`, and your network"
            )
        case NameResolutionError():
            message = f"the name of {host} cannot be resolved at the moment"
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
            message = f"the connection to {host} failed ({type(_cause(error)).__name__})"
    failure = TransientError(message)
    failure.unprocessed = unconnected
    return failure


def _cause(error: HTTPError) -> Exception:
    """Return what an error of urllib3 was made of, or the error itself."""
    inner = (error.__cause__, *error.args)
    return next((item for item in inner if isinstance(item, Exception)), error)


def _errno(error: HTTPError) -> int | None:
    cause = _cause(error)
    return cause.errno if isinstance(cause, OSError) else None


def _reason(error: HTTPError) -> str:
    """Return OpenSSL's name for a failure, such as UNEXPECTED_EOF_WHILE_READING."""
    cause = _cause(error)
    return getattr(cause, "reason", None) or type(cause).__name__
