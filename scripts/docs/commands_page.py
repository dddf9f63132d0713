"""The page on the programs, from their `--help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_text import NOTICE

if TYPE_CHECKING:
    from collections.abc import Callable


def commands_page(output: Callable[..., str]) -> str:
    """Return the page on the programs; `output` runs a command and returns what it prints."""
    return "\n".join(
        [
            NOTICE,
            "# Commands\n",
            (
                "`make` on its own lists the ways to run the project. They use these programs, "
                "which `make setup` installs into `.venv/bin`.\n"
            ),
            "## `tap-pluvo`\n",
            (
                "Writes Singer messages to standard output and its log to standard error. Exit "
                "code 0: every selected stream was read completely. 1: the run or at least one "
                "stream failed; the last lines say which and why. 128 plus a signal number: the "
                "run was stopped, and the next one resumes from the last state.\n"
            ),
            f"```text\n{output('tap-pluvo', '--help').strip()}\n```\n",
            (
                "`--test` reads one page of each selected stream and reports on it: see "
                "[Read your own organization](../how-to/connect.md).\n"
            ),
            "## `target-pluvo`\n",
            (
                "Reads Singer messages from standard input and writes their rows into Pluvo: see "
                "[target-pluvo](target-pluvo.md). Standard output is the state, standard error the "
                "log and what a dry run prints.\n"
            ),
            f"```text\n{output('target-pluvo', '--help').strip()}\n```\n",
            "## `target-thought-industries`\n",
            (
                "Reads Singer messages from standard input and issues certificates in Thought "
                "Industries: see [target-thought-industries](target-thought-industries.md).\n"
            ),
            f"```text\n{output('target-thought-industries', '--help').strip()}\n```\n",
            "## `pluvo-sandbox`\n",
            (
                "A made-up Pluvo on this machine: the documented API over real HTTP and OAuth. The "
                "same seed gives the same data. It contains none of Pluvo's code.\n"
            ),
            f"```text\n{output('pluvo-sandbox', 'serve', '--help').strip()}\n```\n",
            "## `pluvo-webhooks`\n",
            (
                "Receives Pluvo's webhooks and keeps them in an inbox: see "
                "[Receive webhooks](../how-to/webhooks.md).\n"
            ),
            *(
                f"```text\n{output('pluvo-webhooks', *command, '--help').strip()}\n```\n"
                for command in ((), ("serve",), ("purge",), ("status",))
            ),
            (
                "`pluvo-sandbox thought-industries serve` is a made-up Thought Industries, with "
                "the people that a Pluvo sandbox of the same size and seed has.\n"
            ),
            (
                "```text\n"
                + output("pluvo-sandbox", "thought-industries", "serve", "--help").strip()
                + "\n```\n"
            ),
        ]
    )
