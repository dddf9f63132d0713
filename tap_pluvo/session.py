"""What the streams of a run share; it is handed to them, so that they do not reach for it."""

from __future__ import annotations

import datetime as dt
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pluvo_client.client import PluvoClient
from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.contract import Contract
from tap_pluvo.event_log import EventLog
from tap_pluvo.filters import parse_filters
from tap_pluvo.settings import Settings, organization_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger("tap-pluvo")


class Session:
    """A run's settings, client, contract and filters, each made when it is first needed.

    `started` is when the run began, in UTC: the one clock that bookmarks go by.


    `scope_users` names the streams that need each scope; `filter_roots` gives the root field whose
    arguments a stream can be filtered by (None: it has no filters); `chosen` says whether a catalog
    names the streams and columns; `sample` reads one page of each stream.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        scope_users: Mapping[str, Sequence[str]],
        filter_roots: Mapping[str, str | None],
        chosen: bool,
        sample: bool,
    ) -> None:
        self.started = dt.datetime.now(dt.UTC)
        self._config = config
        self._scope_users = scope_users
        self._filter_roots = filter_roots
        self.sample = sample
        self.looked_up: dict[tuple[str, str], dict[str, str | None]] = {}  # see `log_based`
        self._client: PluvoClient | None = None
        self.chosen = chosen
        self.organization = organization_column(config)

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked.

        Raises:
            ConfigurationError: a setting is missing, or does not go with another one.
        """
        return Settings.from_config(self._config)

    @property
    def has_credentials(self) -> bool:
        """Whether the organization can be asked; else the documents are all there is."""
        return bool(self._config.get("client_id") or self._config.get("client_secret"))

    @property
    def client(self) -> PluvoClient:
        """The organization."""
        if self._client is None:
            self._client = PluvoClient(
                self.settings.client, scope_users=self._scope_users, sample=self.sample
            )
        return self._client

    @cached_property
    def contract(self) -> Contract:
        """What the API has."""
        if not self.has_credentials:
            return Contract()
        contract = self.client.contract
        if not contract.is_live:
            logger.info(
                "reading as documented (the organization's own schema is not shown, or not asked "
                "for)"
            )
        return contract

    @cached_property
    def filters(self) -> dict[str, dict[str, Any]]:
        """The setting `filters`, as API arguments by stream.

        Raises:
            ConfigurationError: a stream, an argument or a value is not one of the API.
        """
        filters = self._config.get("filters") or {}
        parsed = parse_filters(filters, self._filter_roots, self.contract)
        if any(parsed.values()) and not self.client.probes.validates:
            msg = (
                "setting `filters`: the organization's server ignores what it does not know, and "
                "does not show its schema, so filters cannot be relied on: remove them"
            )
            raise ConfigurationError(msg)
        return parsed

    @cached_property
    def event_log(self) -> EventLog:
        """What webhooks told.

        Raises:
            ConfigurationError: the setting `webhook_inbox` does not lead to an inbox.
        """
        if self.settings.webhook_inbox is None:
            msg = "set `webhook_inbox` to the inbox of webhooks"
            raise ConfigurationError(msg)
        return EventLog.open(self.settings.webhook_inbox)

    def stop(self) -> bool:
        """Start no further request and let waits end; return whether any could have started."""
        if self._client is None:
            return False
        self._client.stop()
        return True

    def close(self) -> None:
        """End the workers and the connections."""
        if self._client is not None:
            self._client.close()
        if "event_log" in vars(self):
            self.event_log.close()
