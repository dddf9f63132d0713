"""The tap at another time: `python tap_on_day.py MOMENT OPTIONS...`."""

from __future__ import annotations

import sys
from datetime import datetime

import time_machine

from tap_pluvo.command_line import main

if __name__ == "__main__":
    moment = datetime.fromisoformat(sys.argv.pop(1))
    with time_machine.travel(moment):
        sys.exit(main())  # type: ignore[func-returns-value]  # as the installed command does
