"""The target's settings."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import setting
from pluvo_client.settings.settings import is_same_host, is_this_machine, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "target-thought-industries"
EMAIL, EXTERNAL_CUSTOMER_ID = "email", "external_customer_id"
CERTIFY, EXTERNAL_ACTIVITY = "certify", "external_activity"

PROPERTIES: dict[str, dict[str, Any]] = {
    "tenant": setting(
        "string",
        "Tenant",
        "Name of the tenant, as in https://name.thoughtindustries.com. Set this or `api_url`.",
        example="my-academy",
        pattern=r"^[A-Za-z0-9-]+$",
    ),
    "api_url": setting(
        "string",
        "API address",
        "The address, without a path, of a tenant with its own domain, or of the sandbox. Must be "
        "https, except on this machine. Set this or `tenant`.",
        example="https://learn.example.com",
    ),
    "only_host": setting(
        "string",
        "Only host",
        "Refuse every other host, so that certificates of a sandbox never get into a real tenant. "
        "localhost stands for this machine.",
        example="my-academy.thoughtindustries.com",
        minLength=1,
    ),
    "api_key": setting(
        "string",
        "API key",
        "Key of the tenant's REST API.",
        example="your-key",
        pattern=r"^[!-~]+$",
        secret=True,
    ),
    "match_users_by": setting(
        "string",
        "Match users by",
        "How a row's user is found: `email` compares `user_email`, `external_customer_id` compares "
        "`user_ref`, with what Thought Industries has.",
        default=EMAIL,
        example=EMAIL,
        enum=[EMAIL, EXTERNAL_CUSTOMER_ID, None],
    ),
    "resources": setting(
        "object",
        "Resources",
        "For the title of each certificate, what is certified in Thought Industries: "
        "`resource_type` (such as course), `resource_id`, and, if holders must recertify, after "
        "how many days: `recertify_days`.",
        example={
            "First aid": {
                "resource_type": "course",
                "resource_id": "5d0a4c0e-9f0b-4e0e-8a7e-3f8f0a0c1d2e",
                "recertify_days": 365,
            }
        },
        additionalProperties={
            "type": "object",
            "required": ["resource_type", "resource_id"],
            "additionalProperties": False,
            "properties": {
                "resource_type": {"type": "string", "minLength": 1},
                "resource_id": {"type": "string", "minLength": 1},
                "recertify_days": {"type": ["integer", "null"], "minimum": 1, "maximum": 36500},
            },
        },
    ),
    "send_email": setting(
        "boolean",
        "Send e-mail",
        "Let Thought Industries send users an e-mail about their certificate.",
        default=False,
        example=True,
    ),
    "requests_per_minute": setting(
        "integer",
        "Requests a minute",
        "How many requests a minute the tenant allows: 120, or 600 with an enterprise plan. Of "
        "events, never more than 100 are read.",
        default=120,
        example=600,
        minimum=1,
        maximum=6000,
    ),
    "burst": setting(
        "integer",
        "Burst",
        "How many requests may start at once after a pause.",
        default=20,
        example=20,
        minimum=1,
        maximum=1000,
    ),
    "settle_seconds": setting(
        "number",
        "Seconds to settle",
        "How long at least a certificate of which no answer came is given to show in the events, "
        "before it is sent again. Longer where this tenant is known to be slower.",
        default=600,
        example=3600,
        minimum=0,
        maximum=604800,
    ),
    "via": setting(
        "string",
        "Via",
        "`certify` grants a certificate; `external_activity` records the course as done "
        "elsewhere, on tenants that have this feature.",
        default=CERTIFY,
        example=EXTERNAL_ACTIVITY,
        enum=[CERTIFY, EXTERNAL_ACTIVITY, None],
    ),
    "max_days_ahead": setting(
        "integer",
        "Most days ahead",
        "Reject a certificate whose `completion_date` is more days ahead.",
        default=366,
        example=30,
        minimum=0,
        maximum=36500,
    ),
    "request_timeout": setting(
        "number",
        "Request timeout",
        "Seconds to wait for an answer.",
        default=60,
        example=60,
        exclusiveMinimum=0,
        maximum=3600,
    ),
    "max_retry_seconds": setting(
        "number",
        "Longest retry",
        "Seconds for which a request is tried again.",
        default=300,
        example=300,
        minimum=0,
        maximum=86400,
    ),
    "ledger": setting(
        "string",
        "Ledger",
        "SQLAlchemy URL of the ledger of certificates, which lets each be issued exactly once. All "
        "machines that issue certificates must share it: PostgreSQL for several.",
        default=f"sqlite:///{PROGRAM}-ledger.db",
        example="sqlite:///output/prod/ledger.db",
        minLength=1,
        secret=True,
    ),
    "rejects": setting(
        "string",
        "Rejects",
        "Path of the file of rejected rows, as JSON lines with the reason. It is written anew by "
        "each run, and only its owner can read it.",
        default=f"{PROGRAM}-rejects.jsonl",
        example="output/prod/rejects.jsonl",
        minLength=1,
    ),
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": dict(PROPERTIES),  # to which the SDK adds its own
    "additionalProperties": False,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """What a certificate is issued against."""

    resource_type: str
    resource_id: str
    recertify_days: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Where certificates are issued, and which; `base_url` has no trailing slash."""

    base_url: str
    api_key: str = dataclasses.field(repr=False)
    match_users_by: str
    resources: Mapping[str, Resource]
    send_email: bool
    requests_per_minute: int
    burst: int
    settle_seconds: float
    via: str
    max_days_ahead: int
    request_timeout: float
    max_retry_seconds: float
    ledger: str = dataclasses.field(repr=False)
    rejects: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration in which `problems` found nothing.

        Raises:
            ConfigurationError: a setting is missing, or does not go with another one.
        """
        values = {name: value_of(name, config, PROPERTIES) for name in PROPERTIES}
        wrong = []
        address = ""
        try:
            address = _base_url(values.pop("tenant"), values.pop("api_url"))
            _check_host(address, values.pop("only_host"))
        except ConfigurationError as error:
            wrong.append(str(error))
        if not values["api_key"]:
            wrong.append(
                "setting `api_key` is missing: set it, for example as "
                "TARGET_THOUGHT_INDUSTRIES_API_KEY"
            )
        if not values["resources"]:
            wrong.append(
                "setting `resources` is missing: name what each certificate's title stands for in "
                "Thought Industries"
            )
        if wrong:
            raise ConfigurationError("\n".join(wrong))
        resources = {
            title: Resource(**resource) for title, resource in values.pop("resources").items()
        }
        return cls(base_url=address, resources=resources, **values)


def _check_host(address: str, only: str | None) -> None:
    host = str(urlsplit(address).hostname)
    if only is None or is_same_host(host, only):
        return
    msg = (
        f"setting `only_host`: only {only} is to be written here, and not {host}: choose the "
        "environment of that tenant, or correct `tenant` or `api_url`"
    )
    raise ConfigurationError(msg)


def _base_url(tenant: str | None, api_url: str | None) -> str:
    if bool(tenant) == bool(api_url):
        state = "both set: remove one" if tenant else "both missing: set one of them"
        msg = f"settings `tenant` and `api_url` are {state}"
        raise ConfigurationError(msg)
    if tenant:
        return f"https://{tenant.lower()}.thoughtindustries.com"
    assert api_url is not None  # noqa: S101 - one of the two is set
    msg = "setting `api_url` must be https://host, without a path, a user name or a password"
    try:
        url = urlsplit(api_url.strip())
        host, port = url.hostname, url.port
    except ValueError as error:
        raise ConfigurationError(msg) from error
    if not host or url.username or url.password or url.path.strip("/") or url.query or url.fragment:
        raise ConfigurationError(msg)
    if ":" not in host and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", host):
        raise ConfigurationError(msg)
    if url.scheme != "https" and not (url.scheme == "http" and is_this_machine(host)):
        msg = "setting `api_url` must begin with https://, except on this machine"
        raise ConfigurationError(msg)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")
