"""Write plugin.yml, parts of meltano.yml and the entries for MeltanoHub; `--check` only compares.

What the programs say with `--about` describes the settings, and the contracts describe the streams;
Meltano wants them in files.
"""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hub_entry import hub_entry
from plugin_settings import SUFFICIENT, plugin_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "schemas"
HEAD = """\
# The plugin definition of tap-pluvo, to add it to any Meltano project:
#   meltano add --plugin-type extractor tap-pluvo --from-ref path/to/tap-pluvo/plugin.yml
# TAP_PLUVO_PIP_URL says where to install it from: "-e path/to/tap-pluvo", a wheel or a repository.
# Written by `make generate` from `tap-pluvo --about`.
"""


def main() -> None:
    """Write the files, or show how they differ from what would be written."""
    wanted = files()
    if "--check" in sys.argv[1:]:
        differences = [line for name, text in wanted.items() for line in _difference(name, text)]
        if differences:
            sys.exit("\n".join([*differences, "", "Run `make generate` and commit the result."]))
        return
    for name, text in wanted.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """Return the text of each file, by path."""
    tap, *targets = map(_about, ("tap-pluvo", "target-pluvo", "target-thought-industries"))
    plugin = {
        "name": tap["name"],
        "namespace": tap["name"].replace("-", "_"),
        "label": "Pluvo",
        "description": tap["description"],
        "executable": tap["name"],
        "pip_url": "${TAP_PLUVO_PIP_URL}",
        "capabilities": tap["capabilities"],
        "settings_group_validation": SUFFICIENT,
        "settings": _settings(tap),
    }
    project = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    for about in (tap, *targets):
        before, start, rest = project.partition(f"# <{about['name']} --about>\n")
        _, end, after = rest.partition(f"    # </{about['name']} --about>")
        project = before + start + _block(about) + end + after
    return {
        "plugin.yml": HEAD + yaml.safe_dump(plugin, sort_keys=False, allow_unicode=True, width=100),
        "meltano.yml": project,
        **dict([hub_entry(tap, _unselected()), *map(hub_entry, targets)]),
    }


def _about(program: str) -> dict[str, Any]:
    """Return what a program says of itself."""
    process = subprocess.run(
        [Path(sys.executable).with_name(program), "--about", "--format=json"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    about: dict[str, Any] = json.loads(process.stdout)
    return about


def _settings(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    properties = about["settings"]["properties"]
    return [plugin_setting(name, schema) for name, schema in properties.items()]


def _block(about: Mapping[str, Any]) -> str:
    """Return what Meltano needs to read environment variables; the program provides the rest."""
    brief = [
        {name: setting[name] for name in ("name", "kind", "sensitive") if name in setting}
        | ({"kind": "string"} if setting["kind"] == "options" else {})
        for setting in _settings(about)
    ]
    lines = "".join(f"    - {json.dumps(setting)}\n".replace('"', "") for setting in brief)
    return f"    capabilities: [{', '.join(about['capabilities'])}]\n    settings:\n{lines}"


def _unselected() -> list[str]:
    """Return the streams that are off by default."""
    schemas = {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}
    return [
        name for name, schema in schemas.items() if not schema.get("x-selected-by-default", True)
    ]


def _difference(name: str, wanted: str) -> list[str]:
    path = ROOT / name
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    return list(
        difflib.unified_diff(
            found.splitlines(), wanted.splitlines(), f"{name} as it is", f"{name} as it should be"
        )
    )


if __name__ == "__main__":
    main()
