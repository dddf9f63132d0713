"""The command `target-pluvo`: configuration from files and the environment, and exit codes."""

from __future__ import annotations

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
)
from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.settings.sources import read_config, refuse_unknown_variables
from target_pluvo.settings import PROGRAM
from target_pluvo.target import TargetPluvo

if TYPE_CHECKING:
    from collections.abc import Iterator

_INPUT = (InvalidInputLine, RecordsWithoutSchemaException)


class TargetPluvoCommand(TargetPluvo):
    """Singer target for Pluvo, a learning management system: users, groups, certificates."""

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration from files and, for `ENV`, from the environment.

        Raises:
            ConfigurationError: a file is missing or does not hold a JSON object.
        """
        found = super().cb_config(ctx, param, ())  # which would make a Decimal of 0.5 in a file
        cls.append_builtin_config(cls.config_jsonschema)
        found.config = read_config(value, os.environ, cls.config_jsonschema, PROGRAM)
        return found

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and that no variable looks like one by mistake.

        Raises:
            ConfigurationError: something is wrong.
        """
        wrong = super()._validate_config(raise_errors=raise_errors)
        refuse_unknown_variables(os.environ, self.config_jsonschema, self._config, PROGRAM)
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
        target = cls(config=config.config if config else {})
        target.listen(file_input)
        click.get_current_context().exit(0 if target.succeeded else 1)


def main() -> None:
    """Run the command line; a user's mistake ends in sentences, not in a traceback."""
    try:
        TargetPluvoCommand.cli()
    except (
        PluvoError,
        MappingError,
        MapExpressionError,
        MissingKeyPropertiesError,
        *_INPUT,
    ) as error:
        for sentence in _sentences(error):
            TargetPluvoCommand.logger.critical("%s", sentence)
        logging.shutdown()
        sys.exit(1)


def _sentences(error: Exception) -> Iterator[str]:
    """Say what is wrong; what the SDK says may show values."""
    match error:
        case MappingError() | MapExpressionError():
            yield f"setting `stream_maps`: {error}"
        case MissingKeyPropertiesError():
            yield "a row lacks a column of its key. Nothing was written"
        case InvalidInputLine():
            yield "a line of the input is not a Singer message. Nothing was written"
        case RecordsWithoutSchemaException():
            yield "a row came before the schema of its stream. Nothing was written"
        case _:
            yield from str(error).splitlines()
