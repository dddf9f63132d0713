"""The command `pluvo-sandbox`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from pluvo_sandbox.argument_types import number, positive
from pluvo_sandbox.behaviour import CLIENT_ID, CLIENT_SECRET, Behaviour, check_requirement
from pluvo_sandbox.contract import VARIANTS
from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor
from pluvo_sandbox.faults import KINDS, Fault
from pluvo_sandbox.list_options import add_list_options
from pluvo_sandbox.movement import Churn
from pluvo_sandbox.oauth import SCOPES
from pluvo_sandbox.rate_limit import RateLimit
from pluvo_sandbox.ready import announce
from pluvo_sandbox.sandbox import OtherDataError, prepare
from pluvo_sandbox.schema import yesterday
from pluvo_sandbox.seed import Plan
from pluvo_sandbox.server import Server, listen, url_of
from pluvo_sandbox.service import LoggedRequest, Service
from pluvo_sandbox.thought_industries import command as thought_industries
from pluvo_sandbox.webhook_options import WEBHOOK_FAULTS, add_webhook_options
from pluvo_sandbox.webhooks import sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_FAULTS = """faults:
  WHERE is `token` for token requests, or the name of a field for GraphQL requests that ask for it
  (500:paginatedUsers); without it every GraphQL request is meant. @N hits the Nth of them, @N-M the
  Nth to Mth, /N every Nth; without it all are hit. Kinds:

""" + "\n".join(f"  {kind:<15} {text}" for kind, text in KINDS.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: those of the process by default.

    Returns:
        The exit code.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    # Leave by way of the `with` blocks, which remove temporary files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.command == "thought-industries":
        return _exit_code(partial(thought_industries.serve, options))
    try:
        yesterday(options.schema, tuple(options.yesterday_lacks))
    except ValueError as error:
        parser.error(f"argument --yesterday-lacks: {error}")
    plan = Plan(
        users=options.users,
        trainings=options.trainings,
        groups=options.groups,
        portfolio=options.portfolio,
        names=options.names,
        days=options.days,
        untyped=options.untyped,
        repeats=options.repeats,
        seed=options.seed,
        today=options.today or datetime.now(UTC).date(),
        variant=options.schema,
    )
    required: dict[str, list[str]] = {}
    for root, scope in options.required_scopes:
        required.setdefault(root, []).append(scope)
    options.required_scopes = required
    behaviour = Behaviour(
        **{field.name: getattr(options, field.name) for field in fields(Behaviour)}
    )
    return _exit_code(partial(_serve, options, plan, behaviour))


def _exit_code(run: Callable[[], None]) -> int:
    try:
        run()
    except (OSError, OtherDataError) as error:
        sys.stderr.write(f"pluvo-sandbox: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(options: argparse.Namespace, plan: Plan, behaviour: Behaviour) -> None:
    with ExitStack() as stack:
        # Before the data, so that a port in use is known at once.
        listener = stack.enter_context(closing(listen(options.host, options.port)))
        path = options.db
        if path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pluvo-sandbox-"))
            path = Path(folder) / "sandbox.db"
        prepare(path, plan, any_day=options.today is None)
        database = stack.enter_context(closing(Database(str(path))))
        stack.enter_context(sending(database, str(path), behaviour))
        log: deque[LoggedRequest] = deque(maxlen=0)
        service = Service(database, behaviour, log)
        if options.movement:
            editor = Editor(database.connection, Random(options.seed))  # noqa: S311 - repeatable
            service.before = partial(Churn(options.movement, options.seed), editor)
        ready = {
            "url": url_of(listener, tls=options.tls is not None),
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "scopes": options.scopes,
            "db": str(path),
        }
        Server(
            service.app,
            partial(announce, ready, options.ready_file, _sentence(ready)),
            options.tls,
            options.broken_handshakes,
        ).run([listener])


def _sentence(ready: dict[str, object]) -> str:
    return (
        f"Pluvo sandbox at {ready['url']} (client id {ready['client_id']}, "
        f"client secret {ready['client_secret']})"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pluvo-sandbox", description="A local Pluvo to develop and test against."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    other = commands.add_parser("thought-industries", help="a local Thought Industries")
    thought_industries.add_options(
        other.add_subparsers(required=True, metavar="COMMAND").add_parser(
            "serve", help="serve the API until it is stopped"
        ),
        _fault,
    )
    serve = commands.add_parser(
        "serve",
        help="serve the API until it is stopped",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_FAULTS + WEBHOOK_FAULTS,
    )
    add = serve.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add(
        "--port", type=int, default=8765, help="port to listen on (%(default)s); 0 takes a free one"
    )

    add(
        "--tls",
        type=_file,
        metavar="FILE",
        help="serve HTTPS with the private key and certificate in this PEM file",
    )
    add(
        "--broken-handshakes",
        type=number,
        default=0,
        metavar="N",
        help="break the first N connections off in the middle of the TLS handshake",
    )

    data = serve.add_argument_group("data")
    for name, size in (("users", 1000), ("trainings", 40), ("groups", 30), ("portfolio", 5000)):
        what = "rows of the portfolio report" if name == "portfolio" else name
        text = f"number of {what} (%(default)s)"
        data.add_argument(f"--{name}", type=number, default=size, metavar="N", help=text)
    for name, what in (
        (
            "names",
            "number of different names of users, groups and trainings (no limit)",
        ),
        ("days", "number of different days on which results are completed (no limit)"),
    ):
        data.add_argument(f"--{name}", type=positive, metavar="N", help=what)
    for name, what in (
        ("untyped", "number of further rows of the report, of a type that the API does not name"),
        ("repeats", "number of participants who are in one training twice"),
    ):
        text = f"{what} (%(default)s)"
        data.add_argument(f"--{name}", type=number, default=0, metavar="N", help=text)
    add = data.add_argument
    add("--seed", type=int, default=1, metavar="S", help="same seed, same data (%(default)s)")
    add(
        "--today",
        type=date.fromisoformat,
        metavar="DATE",
        help="the day that all dates are counted from (the current one)",
    )
    add(
        "--db",
        type=Path,
        metavar="FILE",
        help="keep the data in this file; one that exists is served as it is, and must have been "
        "made with the same numbers, seed and schema (and day, if one is given)",
    )

    add = serve.add_argument_group("access").add_argument
    add("--client-id", default=CLIENT_ID, metavar="ID", help="(%(default)s)")
    add("--client-secret", default=CLIENT_SECRET, metavar="SECRET", help="(%(default)s)")
    add(
        "--scopes",
        nargs="*",
        default=list(SCOPES),
        metavar="SCOPE",
        help="what the client may ask for (everything)",
    )
    add(
        "--require-scope",
        action="append",
        default=[],
        dest="required_scopes",
        type=_requirement,
        metavar="ROOT=SCOPE",
        help="let a root field need a further scope (may be repeated)",
    )
    add(
        "--token-ttl",
        type=number,
        default=86400,
        metavar="SECONDS",
        help="how long a token is valid (%(default)s)",
    )
    add("--ready-file", type=Path, metavar="FILE", help="write URL and credentials here as JSON")

    add_list_options(serve)

    add = serve.add_argument_group("behaviour").add_argument
    add(
        "--schema",
        choices=VARIANTS,
        default="documented",
        help="lean: without what only older pages mention; rich: with more than is documented",
    )
    add(
        "--yesterday-lacks",
        action="append",
        default=[],
        metavar="PATH",
        help="field or argument that the schema lacks in answers with the fault `yesterday` (may "
        "be repeated), such as User.name or Query.paginatedUsers.archived; by default, all that "
        "the schema has beyond the next smaller one",
    )
    add("--no-introspection", dest="introspection", action="store_false", help="hide the schema")
    add(
        "--no-validation",
        dest="validation",
        action="store_false",
        help="ignore fields, arguments and enum values that the schema lacks, without an error",
    )
    add("--latency", type=number, default=0, metavar="MS", help="hold every answer back")
    add(
        "--max-root-fields",
        type=number,
        metavar="N",
        help="refuse operations that ask for more at the top level",
    )
    add(
        "--movement",
        type=number,
        default=0,
        metavar="N",
        help="insert, rename and delete a row of every list before every Nth GraphQL request",
    )
    add(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        type=_fault,
        metavar="KIND[=VALUE][:WHERE][@N|@N-M|/N]",
        help="make something go wrong (may be repeated): see below",
    )
    add("--rate-limit", type=_rate, metavar="N/s", help="answer 429 above this; also N/m and N/h")
    add_webhook_options(serve)
    return parser


def _fault(text: str) -> str:
    try:
        Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _requirement(text: str) -> tuple[str, str]:
    root, _, scope = text.partition("=")
    try:
        check_requirement(root, scope)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return root, scope


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        message = f"{text} is not a file"
        raise argparse.ArgumentTypeError(message)
    return path


def _rate(text: str) -> str:
    try:
        RateLimit.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


if __name__ == "__main__":
    sys.exit(main())
