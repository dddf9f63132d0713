"""The command `target-thought-industries`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import (
    InvalidInputLine,
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.settings.sources import read_config, refuse_unknown_variables
from pluvo_singer.ledger import LedgerError
from target_thought_industries.settings import PROGRAM
from target_thought_industries.target import TargetThoughtIndustries

if TYPE_CHECKING:
    from typing import IO

    import click

# What is wrong with the messages, in the SDK's words.
_BAD_INPUT = (
    InvalidInputLine,
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)


class TargetThoughtIndustriesCommand(TargetThoughtIndustries):
    """Singer target for Thought Industries: issues the certificates that Pluvo's users earned."""

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
        refuse_unknown_variables(os.environ, cls.config_jsonschema, found.config, PROGRAM)
        return found

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
        try:
            target.listen(file_input)
        finally:
            target.close()
        if target.failed:
            cls.logger.error(
                "not everything was done: see above, and the file %s", target.settings.rejects
            )
            sys.exit(1)


def main() -> None:
    """Run the command line; a user's mistake ends in a sentence, not in a traceback."""
    try:
        TargetThoughtIndustriesCommand.cli()
    except (PluvoError, LedgerError, *_BAD_INPUT) as error:
        for sentence in str(error).splitlines():
            TargetThoughtIndustriesCommand.logger.critical("%s", sentence)
        sys.exit(1)
