"""The command `tap-pluvo`: what the SDK's command line does in another way, and exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import MappingError
from typing_extensions import override

from pluvo_client.errors import PluvoError
from pluvo_client.settings.sources import json_object, read_config, refuse_unknown_variables
from tap_pluvo.inputs import read_catalog
from tap_pluvo.tap import TapPluvo

if TYPE_CHECKING:
    from typing import IO

# What a write raises, and nothing else: the disk or the quota is full, the file or the disk ends.
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
TESTING = "tap_pluvo.testing"  # marks a call with `--test`
BRIEFLY = {"max_retry_seconds": 15, "request_timeout": 15}  # for someone who waits for the answer


class TapPluvoCommand(TapPluvo):
    """Singer tap for Pluvo, a learning management system: users, progress, certificates."""

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration from files and, for `ENV`, from the environment.

        Raises:
            ConfigurationError: a file is missing or does not hold a JSON object.
        """
        found = super().cb_config(ctx, param, ())  # which would make a Decimal of 0.5 in a file
        cls.append_builtin_config(cls.config_jsonschema)
        found.config = read_config(value, os.environ, cls.config_jsonschema)
        return found

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and that no variable looks like one by mistake.

        Raises:
            ConfigurationError: something is wrong.
        """
        wrong = super()._validate_config(raise_errors=raise_errors)
        refuse_unknown_variables(os.environ, self.config_jsonschema, self._config)
        return wrong

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Write the catalog; what does not answer is not waited for as long as in a sync."""
        if value and "config" in ctx.params:
            ctx.params["config"].config = BRIEFLY | ctx.params["config"].config
        super().cb_discover(ctx, param, value)

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Check settings, address, token, scopes, schema and a page of each selected stream.

        Raises:
            BadParameter: it is to test something else.
        """
        if value not in {"all", "schema", "disabled"}:
            msg = f"{value!r} is unknown: use `--test`, or `--test=schema`"
            raise click.BadParameter(msg, ctx, param)
        if value != "all":
            super().cb_test(ctx, param, value)
            return
        ctx.meta[TESTING] = True  # `invoke` knows the catalog, too

    @override
    @classmethod
    def invoke(  # type: ignore[override]  # as the SDK's own taps override the plugin's
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap as the command line asks."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        context = click.get_current_context()
        testing = TESTING in context.meta
        tap = cls(
            config=(BRIEFLY if testing else {}) | (config.config if config else {}),
            state=json_object("state", state),
            catalog=read_catalog(catalog),
            sample=testing,
        )
        context.exit(_test(tap) if testing else _sync(tap))


def _test(tap: TapPluvo) -> int:
    """Test the connection and return the exit code."""
    from tap_pluvo.connection_test import run_test  # noqa: PLC0415 - only `--test` needs it

    try:
        return 0 if run_test(tap) else 1
    finally:
        tap.close()


def _sync(tap: TapPluvo) -> int:
    """Sync all streams and return the exit code; a signal or a broken pipe ends the process."""
    from tap_pluvo.sync_run import run  # noqa: PLC0415 - only a sync needs it

    try:
        results = run(tap)
    except BrokenPipeError:
        tap.logger.error("the target has closed the pipe: see what it says")  # noqa: TRY400 - no traceback
        _leave(1)
    except BaseException:
        if tap.stopped_by is None:
            raise
        _leave(128 + tap.stopped_by)
    return 1 if any(result.error for result in results) else 0


def _leave(code: int) -> NoReturn:
    """End the process now: workers may still wait for answers that nobody needs."""
    logging.shutdown()
    os._exit(code)


def main() -> None:
    """Run the command line; a user's mistake ends in a sentence, not in a traceback."""
    try:
        try:
            TapPluvoCommand.cli()
        finally:
            sys.stdout.flush()  # here, where it can be said that it failed
    except BrokenPipeError:
        _leave(1)  # who reads `--about` or a catalog has seen enough
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        TapPluvoCommand.logger.critical("the output cannot be written: %s", error.strerror)
        _leave(1)
    except (PluvoError, MappingError) as error:
        about = "setting `stream_maps`: " if isinstance(error, MappingError) else ""
        for sentence in str(error).splitlines():
            TapPluvoCommand.logger.critical("%s%s", about, sentence)
        _leave(1)
