"""Write the reference pages, the tables of streams in other documents, and the stream diagram.

Everything comes from elsewhere: `schemas/`, the stream classes, `tap-pluvo --about` and `--help`,
the dbt models. `--into FOLDER` writes the files there instead, so that a test can see which are
stale.

    python scripts/docs/generate.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from commands_page import commands_page
from erd import draw
from markdown_text import NOTICE
from models_page import models_page
from settings_page import settings_page
from stream_tables import stream_tables
from streams_page import streams_page
from target_page import target_page
from thought_industries_page import thought_industries_page

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, default=ROOT, metavar="FOLDER")
    folder = parser.parse_args().into
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """Return the text of each generated file, by path."""
    about, target, other_target = (
        json.loads(output(program, "--about", "--format=json"))
        for program in ("tap-pluvo", "target-pluvo", "target-thought-industries")
    )
    schemas = {
        path.stem: json.loads(path.read_text("utf-8"))
        for path in sorted((ROOT / "schemas").glob("*.json"))
    }
    return {
        "docs/reference/settings.md": settings_page(about["settings"]["properties"]),
        "docs/reference/target-pluvo.md": target_page(target["settings"]["properties"]),
        "docs/reference/target-thought-industries.md": thought_industries_page(
            other_target["settings"]["properties"]
        ),
        "docs/reference/streams.md": streams_page(schemas),
        "docs/reference/models.md": models_page(),
        "docs/reference/dbt.md": f"{NOTICE}\n\n{(ROOT / 'dbt/README.md').read_text('utf-8')}",
        "docs/reference/commands.md": commands_page(output),
        "docs/assets/erd.svg": draw(schemas),
        **stream_tables(schemas),
    }


def output(*command: str) -> str:
    """Return the output of a program in this environment."""
    program, *arguments = command
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    ).stdout


if __name__ == "__main__":
    main()
