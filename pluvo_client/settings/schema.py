"""The settings of the connection to an organization, as JSON Schema: data for every program."""

from __future__ import annotations

from typing import Any

MAX_PAGE_SIZE = 50  # page `pagination`
MAX_CONCURRENCY = 16

SCOPES = (  # page `introduction-2`
    "users.read",
    "users.write",
    "trainings.read",
    "trainings.write",
    "groups.read",
    "groups.write",
    "events.read",
    "events.write",
    "extra_categories.write",
)


def setting(  # noqa: PLR0913 - the parts of a setting
    json_type: str,
    title: str,
    description: str,
    *,
    default: Any = None,
    example: Any = None,
    secret: bool = False,
    **limits: Any,
) -> dict[str, Any]:
    """Return the JSON Schema of one setting; each may also be null, which means unset."""
    schema: dict[str, Any] = {"type": [json_type, "null"], "title": title}
    schema["description"] = description
    if default is not None:
        schema["default"] = default
    if example is not None:
        schema["examples"] = [example]
    if secret:
        schema |= {"secret": True, "writeOnly": True}
    return schema | limits


CONNECTION: dict[str, dict[str, Any]] = {
    "organization": setting(
        "string",
        "Organization",
        "The part of your Pluvo address before `.pluvo.com`. Set this or `api_url`.",
        example="my-academy",
        pattern="^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
    ),
    "api_url": setting(
        "string",
        "API address",
        "The address, without a path, of an organization with its own domain, or of the sandbox. "
        "Must be https, except on this machine. Set this or `organization`.",
        example="https://learning.example.com",
    ),
    "only_host": setting(
        "string",
        "Only host",
        "Refuse every other host, so that the rows of two organizations never mix in one place. "
        "`localhost` stands for this machine by any name.",
        example="my-academy.pluvo.com",
        minLength=1,
    ),
    "client_id": setting(
        "string",
        "Client id",
        "Identifier of the API client. Ask Pluvo for one.",
        example="2b1c9f0e",
        minLength=1,
        secret=True,
    ),
    "client_secret": setting(
        "string",
        "Client secret",
        "Secret of the API client. It is only sent to request a token, and never logged.",
        example="********",
        minLength=1,
        secret=True,
    ),
    "scopes": setting(
        "array",
        "Scopes",
        "The exact scopes to request. Default: those that the selected streams are known to need, "
        "and any others that the API asks for.",
        example=["users.read", "groups.read"],
        items={"type": "string", "enum": list(SCOPES)},
        minItems=1,
        uniqueItems=True,
    ),
    "page_size": setting(
        "integer",
        "Page size",
        "Rows to request per page. The API allows at most 50.",
        default=MAX_PAGE_SIZE,
        example=50,
        minimum=1,
        maximum=MAX_PAGE_SIZE,
    ),
    "max_concurrency": setting(
        "integer",
        "Concurrency",
        "Maximum number of requests in flight.",
        default=4,
        example=8,
        minimum=1,
        maximum=MAX_CONCURRENCY,
    ),
    "requests_per_second": setting(
        "number",
        "Requests per second",
        "Maximum number of requests per second. Default: no limit; they slow down by "
        "themselves when the API throttles them.",
        example=10,
        exclusiveMinimum=0,
    ),
    "operations_per_request": setting(
        "integer",
        "Operations per request",
        "How many small reads (a group's further members, a user's enrollments) share a request. "
        "Falls back to 1 if the API refuses more.",
        default=5,
        example=5,
        minimum=1,
        maximum=50,
    ),
    "max_repair_passes": setting(
        "integer",
        "Repair passes",
        "How many times at most to re-read a list that changed while it was read, or whose rows "
        "tie in its order: each time with other page boundaries, until nothing can be missing.",
        default=7,
        example=7,
        minimum=0,
        maximum=20,
    ),
    "request_timeout": setting(
        "number",
        "Request timeout in seconds",
        "How long to wait for a connection, and for the next part of a response.",
        default=60,
        example=60,
        exclusiveMinimum=0,
        maximum=3600,
    ),
    "max_response_seconds": setting(
        "number",
        "Response time limit in seconds",
        "How long a whole answer may take. One that takes longer is asked for again.",
        default=120,
        example=120,
        exclusiveMinimum=0,
        maximum=3600,
    ),
    "max_response_mb": setting(
        "integer",
        "Response size limit in MB",
        "How large an answer may be, packed or unpacked. A page of 50 users has 0.05 MB, the "
        "largest schema about 2 MB.",
        default=32,
        example=32,
        minimum=1,
        maximum=1024,
    ),
    "max_retry_seconds": setting(
        "number",
        "Retry limit in seconds",
        "How long to retry a request (network errors, overload, rate limits) before its stream "
        "fails. While the API stays down, the streams that follow fail after a few tries.",
        default=300,
        example=600,
        minimum=0,
        maximum=86400,
    ),
    "user_agent": setting(
        "string",
        "User agent",
        "The User-Agent header of requests. Default: the name and version of the tap.",
        example="tap-pluvo (data@example.com)",
        minLength=1,
        pattern="^[!-~][ -~]*$",
    ),
    "ca_bundle": setting(
        "string",
        "CA bundle",
        "PEM file of certificates to trust, for a private certificate authority.",
        example="certs/company-ca.pem",
    ),
    "introspection": setting(
        "string",
        "Introspection",
        "`auto` asks the organization for its schema and follows it; `off` reads as documented.",
        default="auto",
        example="auto",
        enum=["auto", "off", None],
    ),
}
