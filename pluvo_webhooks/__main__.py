"""The command `pluvo-webhooks`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

try:
    from pluvo_webhooks.app import OTHER_PATHS, Receiver
    from pluvo_webhooks.inbox import Inbox, InboxError
    from pluvo_webhooks.server import listen, run, url_of
except ModuleNotFoundError as error:
    sys.exit(
        f"pluvo-webhooks needs {error.name}: install its extra, `pip install 'tap-pluvo[webhooks]'`"
    )

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_webhooks.records import Status

_INBOX = "PLUVO_WEBHOOKS_INBOX"
_SECRET = "PLUVO_WEBHOOKS_SECRET"  # noqa: S105 - the name of a variable
_PREVIOUS = "PLUVO_WEBHOOKS_SECRET_PREVIOUS"
_VARIABLES = f"""variables:
  {_SECRET:<31} the "Pluvo Webhook Key"; needed by `serve`
  {_PREVIOUS:<31} the key before, while it is being replaced
  {_INBOX:<31} instead of --inbox, where the URL holds a password
"""
_UNITS = {"d": "days", "h": "hours"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: those of the process by default.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        command: int = options.command(options)
    except (InboxError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    return command


def _fail(message: str) -> int:
    sys.stderr.write(f"pluvo-webhooks: {message}\n")
    return 1


def _serve(options: argparse.Namespace) -> int:
    secrets = [os.environ.get(name, "") for name in (_SECRET, _PREVIOUS)]
    if not secrets[0]:
        return _fail(f"set {_SECRET} to the Pluvo Webhook Key of your organization")
    if not options.path.startswith("/") or options.path in OTHER_PATHS:
        return _fail(f"--path must start with a slash, and not be one of {', '.join(OTHER_PATHS)}")
    # Leave by way of the `with` block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    with (
        closing(Inbox.open(options.inbox, create=True)) as inbox,
        listen(options.host, options.port) as listener,
    ):
        receiver = Receiver(inbox, [secret for secret in secrets if secret], options.path)
        ready = {"url": url_of(listener) + options.path, "inbox": inbox.name}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        run(receiver.app, listener)
    return 0


def _purge(options: argparse.Namespace) -> int:
    with closing(Inbox.open(options.inbox, create=False)) as inbox:
        count = inbox.purge(options.older_than, unread=options.unread, dry_run=options.dry_run)
        if not inbox.status().consumers and not options.unread:
            sys.stdout.write("nobody has read this inbox yet; --unread deletes all the same\n")
    events = "1 event" if count == 1 else f"{count} events"
    verb = "would be" if options.dry_run else "was" if count == 1 else "were"
    sys.stdout.write(f"{events} {verb} deleted\n")
    return 0


def _status(options: argparse.Namespace) -> int:
    with closing(Inbox.open(options.inbox, create=False)) as inbox:
        status = inbox.status()
    if options.json:
        shown = asdict(status)
        shown["consumers"] = [consumer._asdict() for consumer in status.consumers]
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        sys.stdout.write(_for_people(status))
    return 0


def _for_people(status: Status) -> str:
    lines = [
        f"events         {status.events}",
        f"unread         {status.unread}",
        f"oldest unread  {status.oldest_unread or 'none'}",
        f"last received  {status.last_received or 'none'}",
        f"last sequence  {status.last_sequence}",
        f"purged to      {status.purged_to}",
    ]
    if status.by_type:
        lines += ["", "by type:"]
        lines += [f"  {count:>9}  {name or '(none)'}" for name, count in status.by_type.items()]
    if status.consumers:
        lines += ["", "read by:"]
        lines += [
            f"  {name}, up to {sequence}, at {recorded_at}"
            for name, sequence, recorded_at in status.consumers
        ]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pluvo-webhooks",
        description="Receive Pluvo's webhooks and keep them for the tap.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_VARIABLES,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    inbox = argparse.ArgumentParser(add_help=False)
    inbox.add_argument(
        "--inbox",
        metavar="URL",
        default=os.environ.get(_INBOX) or "sqlite:///inbox.db",
        help="database: sqlite:///FILE or postgresql+psycopg://...; by default that in the "
        f"variable {_INBOX}, or else sqlite:///inbox.db",
    )

    serve = commands.add_parser("serve", parents=[inbox], help="receive until it is stopped")
    serve.set_defaults(command=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=int, default=8780, help="port to listen on (%(default)s); 0 takes a free one"
    )
    serve.add_argument("--path", default="/", help="where webhooks are received (%(default)s)")

    purge = commands.add_parser(
        "purge", parents=[inbox], help="delete old events that every consumer has read"
    )
    purge.set_defaults(command=_purge)
    purge.add_argument(
        "--older-than",
        type=_age,
        required=True,
        metavar="AGE",
        help="only events that were received longer ago, such as 30d or 12h",
    )
    purge.add_argument(
        "--unread", action="store_true", help="also events that some consumer has not read"
    )
    purge.add_argument("--dry-run", action="store_true", help="only say how many it would delete")

    status = commands.add_parser("status", parents=[inbox], help="say what is in the inbox")
    status.set_defaults(command=_status)
    status.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _age(text: str) -> timedelta:
    if not (match := re.fullmatch(r"(\d{1,5})([dh])", text, re.ASCII)):
        message = f"{text!r} is no age, such as 30d or 12h"
        raise argparse.ArgumentTypeError(message)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


if __name__ == "__main__":
    sys.exit(main())
