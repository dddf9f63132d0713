"""Check the locked packages for known vulnerabilities: `make audit`.

The data comes from the OSV database. If it cannot be reached, the check is skipped with a message.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

DATABASE = "https://api.osv.dev"
ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / ".venv-tools/audit/bin/pip-audit"
LOCK = ROOT / "requirements/dev.txt"  # the tap, the sandbox, and the tools that check them


def main() -> int:
    """Return the exit code of pip-audit, or 0 if the database cannot be reached."""
    try:
        requests.get(DATABASE, timeout=10)
    except requests.RequestException as error:
        print(f"Audit skipped: {DATABASE} cannot be reached ({type(error).__name__})")
        return 0
    command = [str(PIP_AUDIT), "--vulnerability-service=osv", "--progress-spinner=off"]
    command += ["--require-hashes", "--disable-pip", f"--requirement={LOCK}"]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
