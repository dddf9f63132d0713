"""The tap's settings: one JSON Schema that describes them, one dataclass that the code reads.

Everything a user can set wrong is refused here, with the setting's name, the cause and the remedy,
and never with the value of a secret.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from tap_pluvo.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

MAX_PAGE_SIZE = 50  # page `pagination`
MAX_CONCURRENCY = 16
EARLIEST, LATEST = 1900, 2999  # years of dates; reckoning with them never leaves the calendar
ORGANIZATION_URL = "https://{organization}.pluvo.com"  # page `introduction-2`

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


def _setting(  # noqa: PLR0913
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


PROPERTIES: dict[str, dict[str, Any]] = {
    "organization": _setting(
        "string",
        "Organization",
        "The name before `.pluvo.com` in the address of your Pluvo. Set this or `api_url`.",
        example="my-academy",
        pattern="^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
    ),
    "api_url": _setting(
        "string",
        "API address",
        "Address of a Pluvo with a domain of its own, or of the sandbox; without a path. "
        "https is required except for this machine. Set this or `organization`.",
        example="https://learning.example.com",
    ),
    "client_id": _setting(
        "string",
        "Client id",
        "Identifier of the API client; Pluvo gives it to you on request.",
        example="2b1c9f0e",
        minLength=1,
        secret=True,
    ),
    "client_secret": _setting(
        "string",
        "Client secret",
        "Secret of the API client. It is sent to the token address only and is never logged.",
        example="********",
        minLength=1,
        secret=True,
    ),
    "scopes": _setting(
        "array",
        "Scopes",
        "Scopes to ask the token for. Default: those that the selected streams need.",
        example=["users.read", "groups.read"],
        items={"type": "string", "enum": list(SCOPES)},
        minItems=1,
        uniqueItems=True,
    ),
    "start_date": _setting(
        "string",
        "Start date",
        "Earliest completion, change or enrollment to read in incremental streams, as a date or "
        "date-time. Rows without a date are always read. Default: everything.",
        example="2024-01-01",
        format="date-time",
    ),
    "end_date": _setting(
        "string",
        "End date",
        "Latest completion, change or enrollment to read in incremental streams, inclusive; for "
        "backfills by range. Default: everything up to now.",
        example="2024-12-31",
        format="date-time",
    ),
    "page_size": _setting(
        "integer",
        "Page size",
        "Rows asked for in a request; the API allows at most 50.",
        default=MAX_PAGE_SIZE,
        example=50,
        minimum=1,
        maximum=MAX_PAGE_SIZE,
    ),
    "max_concurrency": _setting(
        "integer",
        "Concurrency",
        "Requests in flight at once, at most.",
        default=4,
        example=8,
        minimum=1,
        maximum=MAX_CONCURRENCY,
    ),
    "requests_per_second": _setting(
        "number",
        "Requests per second",
        "Ceiling on the requests sent in a second. Default: none; the tap slows down by itself "
        "when the API asks for it.",
        example=10,
        exclusiveMinimum=0,
    ),
    "operations_per_request": _setting(
        "integer",
        "Operations per request",
        "How many small reads (a group's further members, a user's enrollments) travel in one "
        "request. Falls back to 1 by itself when the API refuses more.",
        default=5,
        example=5,
        minimum=1,
        maximum=50,
    ),
    "max_repair_passes": _setting(
        "integer",
        "Repair passes",
        "How often a list that changed while it was read is read again, to give the rows that "
        "slipped between two pages.",
        default=3,
        example=3,
        minimum=0,
        maximum=20,
    ),
    "lookback_days": _setting(
        "integer",
        "Look-back in days",
        "How many days before the bookmark an incremental sync starts, to catch results that "
        "were entered late.",
        default=7,
        example=7,
        minimum=0,
        maximum=3650,
    ),
    "window_days": _setting(
        "integer",
        "Window in days",
        "Completions are read in windows of this many days; each finished window is a checkpoint "
        "from which an interrupted sync resumes.",
        default=30,
        example=30,
        minimum=1,
        maximum=3650,
    ),
    "full_refresh_days": _setting(
        "integer",
        "Full refresh in days",
        "Rows in progress have no completion date and cannot be asked for alone, so the report "
        "is read in full this many days after the last time. 0: never.",
        default=1,
        example=7,
        minimum=0,
        maximum=3650,
    ),
    "request_timeout": _setting(
        "number",
        "Request timeout in seconds",
        "How long to wait for the API to connect, and between two parts of an answer.",
        default=60,
        example=60,
        exclusiveMinimum=0,
        maximum=3600,
    ),
    "max_retry_seconds": _setting(
        "number",
        "Retry limit in seconds",
        "How long one request is tried again (network errors, overload, limits) before its stream "
        "fails.",
        default=300,
        example=600,
        minimum=0,
        maximum=86400,
    ),
    "user_agent": _setting(
        "string",
        "User agent",
        "How the tap introduces itself. Default: its name, version and address.",
        example="tap-pluvo (data@example.com)",
        minLength=1,
        pattern="^[!-~][ -~]*$",
    ),
    "ca_bundle": _setting(
        "string",
        "CA bundle",
        "File with the certificates to trust, in PEM form, for a private certificate authority.",
        example="certs/company-ca.pem",
    ),
    "introspection": _setting(
        "string",
        "Introspection",
        "`auto` asks the organization for its schema and follows it; `off` goes by the documents.",
        default="auto",
        example="auto",
        enum=["auto", "off", None],
    ),
    "add_organization_column": _setting(
        "boolean",
        "Add organization column",
        "Adds the column `organization` to every stream and its key, so that several "
        "organizations fit into one warehouse.",
        default=False,
        example=True,
    ),
    "filters": _setting(
        "object",
        "Filters",
        "Restricts streams on Pluvo's side, by the documented arguments in snake_case: "
        "an object of arguments for each stream.",
        example={"users": {"archived": False, "user_roles": ["PARTICIPANT"]}},
        additionalProperties={"type": "object"},
    ),
    "emit_activate_version_messages": _setting(
        "boolean",
        "Emit ACTIVATE_VERSION messages",
        "After a stream was read completely, tell the target that rows which did not come are "
        "gone. Targets that honour this mark or delete them.",
        default=False,
        example=True,
    ),
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "additionalProperties": False,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings as the code reads them: checked, with defaults filled in.

    `base_url` has no trailing slash. Dates are days in UTC, both inclusive.
    """

    base_url: str
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    scopes: tuple[str, ...] | None
    start_date: dt.date | None
    end_date: dt.date | None
    page_size: int
    max_concurrency: int
    requests_per_second: float | None
    operations_per_request: int
    max_repair_passes: int
    lookback_days: int
    window_days: int
    full_refresh_days: int
    request_timeout: float
    max_retry_seconds: float
    user_agent: str | None
    ca_bundle: str | None
    introspection: bool
    filters: Mapping[str, Mapping[str, Any]]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration that `check` accepted.

        Raises:
            ConfigurationError: what only shows when settings are seen together is wrong.
        """

        def get(name: str) -> Any:
            value = config.get(name)
            if value is None:
                return PROPERTIES[name].get("default")
            # 5.0 is an integer in JSON.
            return int(value) if PROPERTIES[name]["type"][0] == "integer" else value

        start = _day("start_date", get("start_date"))
        end = _day("end_date", get("end_date"))
        if start and end and end < start:
            msg = f"setting `end_date` ({end}) is before `start_date` ({start}): swap them"
            raise ConfigurationError(msg)
        for name in ("client_id", "client_secret"):
            if not get(name):
                msg = (
                    f"setting `{name}` is missing: set it to what Pluvo gave you with your API "
                    f"client, for example as TAP_PLUVO_{name.upper()}"
                )
                raise ConfigurationError(msg)
        bundle = get("ca_bundle")
        if bundle and not Path(bundle).is_file():
            msg = f"setting `ca_bundle`: there is no file {bundle!r}"
            raise ConfigurationError(msg)
        return cls(
            base_url=base_url(get("organization"), get("api_url")),
            client_id=get("client_id"),
            client_secret=get("client_secret"),
            scopes=tuple(get("scopes")) if get("scopes") else None,
            start_date=start,
            end_date=end,
            introspection=get("introspection") == "auto",
            filters=get("filters") or {},
            **{
                name: get(name)
                for name in (
                    "page_size",
                    "max_concurrency",
                    "requests_per_second",
                    "operations_per_request",
                    "max_repair_passes",
                    "lookback_days",
                    "window_days",
                    "full_refresh_days",
                    "request_timeout",
                    "max_retry_seconds",
                    "user_agent",
                    "ca_bundle",
                )
            },
        )


def check(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with `config` by its JSON Schema, one sentence for each setting."""
    # Python reads `NaN` and `Infinity` as numbers, which JSON does not know and limits do not stop.
    endless = [
        f"setting `{name}` must be a finite number"
        for name, value in config.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
    return endless + [
        sentence
        for error in Draft202012Validator(schema).iter_errors(config)
        for sentence in _sentences(error, schema)
    ]


def _sentences(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[str]:
    path = [str(part) for part in error.absolute_path]
    instance: Any = error.instance
    if error.validator == "additionalProperties" and not path:
        known = schema["properties"]
        for name in sorted(set(instance) - set(known)):
            yield f"setting `{name}` is unknown{_suggestion(name, known)}"
        return
    name = ".".join(path) or "(configuration)"
    yield f"setting `{name}` {_reason(error, secret=_is_secret(path, schema))}"


def _is_secret(path: list[str], schema: Mapping[str, Any]) -> bool:
    return bool(path) and bool(schema["properties"].get(path[0], {}).get("secret"))


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a user's mistake only

    close = get_close_matches(name, known, n=1)
    return f": did you mean `{close[0]}`?" if close else "; `tap-pluvo --about` lists them all"


def _reason(  # noqa: PLR0911 - one sentence for each kind of limit
    error: ValidationError, *, secret: bool
) -> str:
    """Say what a value must be; its own text is shown only where it cannot be a secret."""
    limit: Any = error.validator_value
    found = "" if secret or isinstance(error.instance, dict | list) else f", not {error.instance!r}"
    match error.validator:
        case "type":
            kinds = (
                [limit] if isinstance(limit, str) else [kind for kind in limit if kind != "null"]
            )
            article = "an" if kinds[0][0] in "aeiou" else "a"
            return f"must be {article} {' or '.join(kinds)}{found}"
        case "minimum":
            return f"must be at least {limit}{found}"
        case "maximum":
            return f"must be at most {limit}{found}"
        case "exclusiveMinimum":
            return f"must be more than {limit}{found}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "enum":
            values = ", ".join(str(value) for value in limit if value is not None)
            return f"must be one of {values}{found}"
        case "pattern":
            return f"has a character that is not allowed{found}: {_remedy(error)}"
        case "anyOf" | "oneOf":
            return f"has a value of a kind that is not allowed{found}: see `tap-pluvo --about`"
        case _:
            return f"is not valid: {error.validator} must be {limit!r}"


def _remedy(error: ValidationError) -> str:
    if error.absolute_path and error.absolute_path[0] == "organization":
        return "give only the name before `.pluvo.com`, or a whole address as `api_url`"
    return "use printable ASCII characters"


def base_url(organization: str | None, api_url: str | None) -> str:
    """Return the address that `/graphql/` and `/oauth/token/` follow, without a trailing slash.

    Raises:
        ConfigurationError: neither or both are set, or `api_url` is no https address of a host.
    """
    if bool(organization) == bool(api_url):
        state = "both set: remove one" if organization else "both missing: set one of them"
        msg = f"settings `organization` and `api_url` are {state}"
        raise ConfigurationError(msg)
    if organization:
        return ORGANIZATION_URL.format(organization=organization.lower())
    assert api_url is not None  # noqa: S101 - one of the two is set
    msg = "setting `api_url` is no valid address: check its host and port"
    try:
        url = urlsplit(api_url.strip())
        host, port = url.hostname, url.port
    except ValueError as error:
        raise ConfigurationError(msg) from error
    if host and ":" not in host and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", host):
        raise ConfigurationError(msg)
    if url.scheme not in {"http", "https"} or not host:
        msg = "setting `api_url` must begin with https:// and name a host"
        raise ConfigurationError(msg)
    if url.username or url.password:
        msg = "setting `api_url` must not hold a user name or password: use `client_id` and so on"
        raise ConfigurationError(msg)
    if url.path.strip("/") or url.query or url.fragment:
        msg = (
            "setting `api_url` must not have a path: give only https://host, "
            "the tap adds /graphql/ and /oauth/token/"
        )
        raise ConfigurationError(msg)
    if url.scheme == "http" and not re.fullmatch(r"localhost|127(\.\d+){3}|::1", host):
        msg = "setting `api_url` must begin with https://, since the client secret travels there"
        raise ConfigurationError(msg)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


def organization_label(config: Mapping[str, Any]) -> str:
    """Return what the column `organization` holds: the organization's name, or its host."""
    label: str = config.get("organization") or urlsplit(config.get("api_url") or "").netloc
    return label.lower()


def _day(name: str, value: str | None) -> dt.date | None:
    """Return the UTC day of an ISO 8601 date or date-time."""
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as error:
        msg = f"setting `{name}` is no ISO 8601 date: write it like 2024-01-31"
        raise ConfigurationError(msg) from error
    if not EARLIEST <= moment.year <= LATEST:
        msg = f"setting `{name}` must lie between the years {EARLIEST} and {LATEST}"
        raise ConfigurationError(msg)
    return (moment.astimezone(dt.UTC) if moment.tzinfo else moment).date()


def from_environment(environment: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that variables such as TAP_PLUVO_CLIENT_ID give.

    Text stands as it is; numbers, booleans, lists and objects are JSON.

    Raises:
        ConfigurationError: a variable that should be JSON is not.
    """
    found: dict[str, Any] = {}
    for name, definition in schema["properties"].items():
        variable = f"TAP_PLUVO_{name.upper()}"
        text = environment.get(variable, "")
        if not text:
            continue
        if "string" in definition["type"]:
            found[name] = text
            continue
        try:
            found[name] = json.loads(text)
        except ValueError:
            kind = next(kind for kind in definition["type"] if kind != "null")
            msg = f"environment variable {variable} must be JSON (type {kind})"
            raise ConfigurationError(msg) from None
    return found


def from_meltano(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as it was meant, where Meltano has no words for it.

    A variable without a value comes as an empty text, and a fraction as text, since Meltano cannot
    pass on fractions as numbers.
    """
    found = {name: value for name, value in config.items() if value != ""}
    for name, value in found.items():
        definition = schema["properties"].get(name, {})
        if isinstance(value, str) and "number" in definition.get("type", ()):
            with contextlib.suppress(ValueError):  # it is refused for what it is
                found[name] = float(value)
    return found
