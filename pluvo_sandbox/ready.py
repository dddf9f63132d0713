"""How a served sandbox says that it is ready."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def announce(ready: Mapping[str, Any], ready_file: Path | None, sentence: str) -> None:
    """Say that requests are served: as a file, for people, and as one line of JSON."""
    as_json = json.dumps(ready)
    if ready_file is not None:
        # Renamed into place, so that whoever waits for the file finds it complete.
        part = ready_file.with_name(ready_file.name + ".part")
        part.write_text(as_json + "\n", encoding="utf-8")
        part.replace(ready_file)
    sys.stdout.write(f"{sentence}; stop it with Ctrl+C\n{as_json}\n")
    sys.stdout.flush()
