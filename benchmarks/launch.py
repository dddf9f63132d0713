"""Run a program, and write what it cost to a file: wall and CPU seconds, and bytes of memory.

    python -S launch.py FILE PROGRAM [ARGUMENT...]

A process of its own, and a small one: on Linux, the memory of whoever starts a program counts as
the program's.
"""

import json
import os
import sys
import time

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> int:
    """Return the program's exit code."""
    _, file, *command = sys.argv
    started = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    cost = {
        "wall": time.monotonic() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * RSS_UNIT,
    }
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 - pathlib takes megabytes
        json.dump(cost, out)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
