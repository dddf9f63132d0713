"""The connections to one host, with certificates and proxies as settings and environment say."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_auth_from_url,
    prepend_scheme_if_needed,
    select_proxy,
)
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, make_headers
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from pluvo_client.errors import ConfigurationError
from pluvo_client.transport.http_connection import Limits, use_own_connections

if TYPE_CHECKING:
    from pluvo_client.settings import ClientSettings


def connection_pool(settings: ClientSettings) -> HTTPConnectionPool:
    """Return connections to the organization's host that all workers can share.

    Certificates are always verified: against `ca_bundle`, else against what `REQUESTS_CA_BUNDLE`
    names, else against those that come with `requests`. What goes to this machine itself is not
    encrypted, and goes through no proxy.

    Raises:
        ConfigurationError: the file holds no certificates, or the proxy's address is wrong.
    """
    url, bundle = settings.base_url, settings.ca_bundle
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, None, bundle, None)
    trusted = DEFAULT_CA_BUNDLE_PATH if found["verify"] is True else str(found["verify"])
    options: dict[str, Any] = {"maxsize": settings.max_concurrency, "cert_reqs": "CERT_REQUIRED"}
    if Path(trusted).is_dir():
        options["ca_cert_dir"] = trusted
    else:
        _check_bundle(trusted, "setting `ca_bundle`" if bundle else "REQUESTS_CA_BUNDLE")
        options["ca_certs"] = trusted
    proxy = select_proxy(url, found["proxies"]) if url.startswith("https:") else None
    try:
        manager = _through_proxy(proxy, options) if proxy else PoolManager(**options)
        pool = manager.connection_from_url(url)
    except (ImportError, requests.RequestException, HTTPError, ValueError) as error:
        msg = (
            "environment variable HTTPS_PROXY: the proxy's address cannot be used "
            f"({type(error).__name__})"
        )
        raise ConfigurationError(msg) from error
    use_own_connections(pool, Limits(settings.max_response_seconds, settings.max_response_bytes))
    return pool


def _check_bundle(path: str, source: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # an SSLError is one too
        source = source if source.startswith("setting") else f"environment variable {source}"
        msg = f"{source}: there are no certificates in PEM form in {path!r}"
        raise ConfigurationError(msg) from error


def _through_proxy(proxy: str, options: dict[str, Any]) -> PoolManager:
    """Return connections through a proxy; SOCKS needs the package PySocks, as in requests."""
    address: str = prepend_scheme_if_needed(proxy, "http")  # type: ignore[no-untyped-call]
    if not parse_url(address).host:
        raise LocationParseError(address)
    if address.lower().startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - PySocks is optional

        return SOCKSProxyManager(address, **options)
    user, password = get_auth_from_url(address)
    headers = make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
    return ProxyManager(address, proxy_headers=headers, **options)
