"""The page on the two programs, from their `--help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_text import NOTICE

if TYPE_CHECKING:
    from collections.abc import Callable


def commands_page(output: Callable[..., str]) -> str:
    """Return the page on the two programs; `output` runs a command and returns what it prints."""
    return "\n".join(
        [
            NOTICE,
            "# Commands\n",
            (
                "`make` alone lists the ways to run the project. Beneath it are two programs; "
                "`make sandbox` and the others put them into `.venv/bin`.\n"
            ),
            "## `tap-pluvo`\n",
            (
                "Writes Singer messages to standard output and says what it does on standard "
                "error. Exit code 0: every selected stream was read completely. 1: at least one "
                "stream, or the run, failed; the last lines say which and why. 128 plus the number "
                "of a signal: the run was ended, and the next one goes on from the last state.\n"
            ),
            f"```text\n{output('tap-pluvo', '--help').strip()}\n```\n",
            (
                "`--test` reads one page of each selected stream and says what it finds, see "
                "[Read your own organization](../how-to/connect.md).\n"
            ),
            "## `pluvo-sandbox`\n",
            (
                "A made-up Pluvo on this machine: the documented API over real HTTP and OAuth, "
                "with data that is the same for the same seed. Nothing of it is Pluvo's code.\n"
            ),
            f"```text\n{output('pluvo-sandbox', 'serve', '--help').strip()}\n```\n",
        ]
    )
