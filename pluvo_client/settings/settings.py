"""The settings as the code reads them: checked, with defaults filled in."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings.schema import CONNECTION
from pluvo_client.settings.sources import TAP, variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ORGANIZATION_URL = "https://{organization}.pluvo.com"  # page `introduction-2`


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """How to reach an organization; `base_url` has no trailing slash."""

    base_url: str
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    scopes: tuple[str, ...] | None
    page_size: int
    max_concurrency: int
    requests_per_second: float | None
    operations_per_request: int
    max_repair_passes: int
    request_timeout: float
    max_response_seconds: float
    max_response_mb: int
    max_retry_seconds: float
    user_agent: str | None
    ca_bundle: str | None
    introspection: bool

    @property
    def host(self) -> str:
        """The organization's host, which tells it from others."""
        return str(urlsplit(self.base_url).hostname)

    @property
    def max_response_bytes(self) -> int:
        """The limit of an answer's size in bytes."""
        return self.max_response_mb * 1_000_000

    @classmethod
    def from_config(cls, config: Mapping[str, Any], program: str = TAP) -> ClientSettings:
        """Return the settings of a configuration in which `problems` found nothing.

        Settings that `config` has beside those of the connection are left to others.

        Raises:
            ConfigurationError: a setting is missing, or does not go with another one.
        """
        values = {name: value_of(name, config, CONNECTION) for name in CONNECTION}
        wrong = [
            f"setting `{name}` is missing: set it to what Pluvo gave you with your API client, for "
            f"example as {variable_of(program, name)}"
            for name in ("client_id", "client_secret")
            if not values[name]
        ]
        address = ""
        try:
            address = base_url(values.pop("organization"), values.pop("api_url"))
            check_host(address, values.pop("only_host"), program)
        except ConfigurationError as error:
            wrong.insert(0, str(error))
        if wrong:
            raise ConfigurationError("\n".join(wrong))
        bundle = values["ca_bundle"]
        if bundle and not Path(bundle).is_file():
            msg = f"setting `ca_bundle`: there is no file {bundle!r}"
            raise ConfigurationError(msg)
        scopes = values.pop("scopes")
        return cls(
            base_url=address,
            scopes=tuple(scopes) if scopes else None,
            introspection=values.pop("introspection") == "auto",
            **values,
        )


def value_of(
    name: str, config: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]]
) -> Any:
    """Return the value of a setting, or its default; 5.0 is an integer in JSON."""
    value = config.get(name)
    if value is None:
        return properties[name].get("default")
    return int(value) if properties[name]["type"][0] == "integer" else value


def base_url(organization: str | None, api_url: str | None) -> str:
    """Return the address that `/graphql/` and `/oauth/token/` follow, without a trailing slash.

    Raises:
        ConfigurationError: neither or both are set, or `api_url` is not an https address.
    """
    if bool(organization) == bool(api_url):
        state = "both set: remove one" if organization else "both missing: set one of them"
        msg = f"settings `organization` and `api_url` are {state}"
        raise ConfigurationError(msg)
    if organization:
        return ORGANIZATION_URL.format(organization=organization.lower())
    assert api_url is not None  # noqa: S101 - one of the two is set
    msg = "setting `api_url` is not a valid address: check its host and port"
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
    if url.scheme == "http" and not is_this_machine(host):
        msg = "setting `api_url` must begin with https://, since the client secret travels there"
        raise ConfigurationError(msg)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


def check_host(address: str, only: str | None, program: str = TAP) -> None:
    """Raise `ConfigurationError` for an address that the setting `only_host` rules out."""
    host = str(urlsplit(address).hostname)
    if only is None or is_same_host(host, only):
        return
    msg = (
        f"setting `only_host`: only {only} is to be read here, and not {host}: choose the "
        "environment of that organization, or correct `organization` or `api_url` (a variable such "
        f"as {variable_of(program, 'api_url')} holds for all environments)"
    )
    raise ConfigurationError(msg)


def is_same_host(host: str, other: str) -> bool:
    """Tell whether two names are of one host; all names of this machine are."""
    return host == other.lower() or (is_this_machine(host) and is_this_machine(other))


def is_this_machine(host: str) -> bool:
    """Tell whether a host's name always means the machine that asks."""
    return re.fullmatch(r"localhost|127(\.\d+){3}|::1", host.lower()) is not None
