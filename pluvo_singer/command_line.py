"""The command line of a target: configuration from files and the environment, and exit codes."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import (
    InvalidInputLine,
    MapExpressionError,
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
    StreamMapConfigError,
)
from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.settings.sources import read_config, refuse_unknown_variables
from pluvo_singer.messages import ERRORS
from pluvo_singer.target import RowTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPS = (MappingError, MapExpressionError, StreamMapConfigError)
_INPUT = (InvalidInputLine, MissingKeyPropertiesError, RecordsWithoutSchemaException)


class TargetCommand(RowTarget):
    """A target as a command; the class that also derives from the target has its help text."""

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration from files and, for `ENV`, from the environment.

        Raises:
            ConfigurationError: a file is missing or does not hold a JSON object.
        """
        found = super().cb_config(ctx, param, ())  # which would make a Decimal of 0.5 in a file
        cls.append_builtin_config(cls.config_jsonschema)
        found.config = read_config(value, os.environ, cls.config_jsonschema, cls.name)
        return found

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and that no variable looks like one by mistake.

        Raises:
            ConfigurationError: something is wrong.
        """
        wrong = super()._validate_config(raise_errors=raise_errors)
        refuse_unknown_variables(os.environ, self.config_jsonschema, self._config, self.name)
        return wrong

    @override
    @classmethod
    def invoke(  # type: ignore[override]  # as the SDK's own targets override the plugin's
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target as the command line asks."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        messages = file_input or sys.stdin
        if isinstance(messages, io.TextIOWrapper):
            messages.reconfigure(encoding="utf-8", errors=ERRORS)
        target = cls(config=config.config if config else {})
        target.listen(messages)
        click.get_current_context().exit(0 if target.succeeded else 1)


def run_command(command: type[TargetCommand]) -> None:
    """Run a target's command line; a user's mistake ends in sentences, not in a traceback."""
    try:
        command.cli()
    except (PluvoError, *_MAPS, *_INPUT) as error:
        for sentence in _sentences(error):
            command.logger.critical("%s", sentence)
        logging.shutdown()
        sys.exit(1)


def _sentences(error: Exception) -> Iterator[str]:
    """Yield what is wrong; what the SDK says may show values."""
    if isinstance(error, _MAPS):
        yield f"setting `stream_maps`: {error}"
    elif isinstance(error, InvalidInputLine | MissingKeyPropertiesError):
        yield f"{error}. Nothing was written"
    elif isinstance(error, RecordsWithoutSchemaException):
        yield "a row came before the schema of its stream. Nothing was written"
    else:
        yield from str(error).splitlines()
