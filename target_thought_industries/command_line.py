"""The command `target-thought-industries`."""

from __future__ import annotations

from pluvo_singer.command_line import TargetCommand, run_command
from target_thought_industries.target import TargetThoughtIndustries


class TargetThoughtIndustriesCommand(TargetCommand, TargetThoughtIndustries):
    """Singer target for Thought Industries: issues the certificates that Pluvo's users earned."""


def main() -> None:
    """Run the command line."""
    run_command(TargetThoughtIndustriesCommand)
