"""The target: its settings, its stream, and what it does with the rows."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_singer.ledger import LedgerError
from pluvo_singer.target import RowTarget
from target_thought_industries.run import STREAM, Run
from target_thought_industries.settings import EMAIL, PROGRAM, SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Incoming, Row


class TargetThoughtIndustries(RowTarget):
    """Singer target for Thought Industries: issues the certificates that Pluvo's users earned."""

    name = PROGRAM
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    streams: ClassVar = {STREAM: (("title",), ("completion_date",))}

    @override
    def required_columns(self, stream: str) -> Sequence[Sequence[str]]:
        by_email = self.config.get("match_users_by") in {None, EMAIL}
        return (*super().required_columns(stream), ("user_email" if by_email else "user_ref",))

    @override
    def check_settings(self) -> None:
        """Check the settings against each other.

        Raises:
            ConfigurationError: something is wrong.
        """
        Settings.from_config(self._config)

    @override
    def finish(self, incoming: Incoming) -> list[Row]:
        """Issue everything, and return the rows that are not issued."""
        run = Run(Settings.from_config(self._config))
        try:
            unfinished = run(incoming)
        except LedgerError as error:
            raise PluvoError(str(error)) from error
        self.succeeded = run.succeeded
        return unfinished
