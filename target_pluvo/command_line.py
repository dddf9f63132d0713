"""The command `target-pluvo`."""

from __future__ import annotations

from pluvo_singer.command_line import TargetCommand, run_command
from target_pluvo.target import TargetPluvo


class TargetPluvoCommand(TargetCommand, TargetPluvo):
    """Singer target for Pluvo, a learning management system: users, groups, certificates."""


def main() -> None:
    """Run the command line."""
    run_command(TargetPluvoCommand)
