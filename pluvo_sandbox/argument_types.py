"""Values of the command's options."""

from __future__ import annotations

import argparse


def number(text: str) -> int:
    """Return a number that is not negative."""
    value = int(text)
    if value < 0:
        message = "must not be negative"
        raise argparse.ArgumentTypeError(message)
    return value


def positive(text: str) -> int:
    """Return a number that is at least 1."""
    value = number(text)
    if not value:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return value
