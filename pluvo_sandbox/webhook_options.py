"""The options of the command for webhooks."""

from __future__ import annotations

import argparse
import os

from pluvo_sandbox.behaviour import WEBHOOK_SECRET
from pluvo_sandbox.faults import Fault
from pluvo_sandbox.webhooks import FAULTS

WEBHOOK_FAULTS = """

webhook faults:
  WHERE is the name of an event (lost:USER_UPDATED); numbers count events. Kinds:

""" + "\n".join(f"  {kind:<15} {text}" for kind, text in FAULTS.items())


def add_webhook_options(serve: argparse.ArgumentParser) -> None:
    """Let a parser know them."""
    add = serve.add_argument_group("webhooks").add_argument
    add(
        "--webhook",
        action="append",
        default=[],
        dest="webhooks",
        type=_url,
        metavar="URL",
        help="send what happens to the data here (may be repeated)",
    )
    add(
        "--webhook-secret-env",
        default=WEBHOOK_SECRET,
        dest="webhook_secret",
        type=_variable,
        metavar="NAME",
        help="environment variable with the key that signs webhooks (without it: %(default)s)",
    )
    add(
        "--webhook-fault",
        action="append",
        default=[],
        dest="webhook_faults",
        type=_webhook_fault,
        metavar="KIND[=VALUE][:WHERE][@N|@N-M|/N]",
        help="let something go wrong with webhooks (may be repeated): see below",
    )
    add(
        "--webhook-first-wait",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="until a webhook that was refused is sent again; each further wait is twice as long "
        "(%(default)s)",
    )


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        message = f"{text!r} does not begin with http:// or https://"
        raise argparse.ArgumentTypeError(message)
    return text


def _variable(name: str) -> str:
    """Return what an environment variable holds; the default stands for itself."""
    if name == WEBHOOK_SECRET:
        return name
    if not os.environ.get(name):
        message = f"the environment variable {name} is not set"
        raise argparse.ArgumentTypeError(message)
    return os.environ[name]


def _webhook_fault(text: str) -> str:
    try:
        Fault.parse(text, FAULTS)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
