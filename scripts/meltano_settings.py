"""Write plugin.yml, part of meltano.yml and the entry for MeltanoHub; `--check` only compares.

`tap-pluvo --about` describes the settings and the contracts describe the streams; Meltano wants
both in files.
"""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml
from hub_entry import hub_entry
from plugin_settings import SUFFICIENT, plugin_setting

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "schemas"
BLOCK = re.compile(r"(?<=# <tap-pluvo --about>\n).*?(?= +# </tap-pluvo --about>)", re.DOTALL)
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
        (ROOT / name).write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """Return the text of each file, by path."""
    tap = Path(sys.executable).with_name("tap-pluvo")
    process = subprocess.run(
        [tap, "--about", "--format=json"], check=True, stdout=subprocess.PIPE, text=True
    )
    about = json.loads(process.stdout)
    properties = about["settings"]["properties"]
    settings = [plugin_setting(name, schema) for name, schema in properties.items()]
    plugin = {
        "name": about["name"],
        "namespace": about["name"].replace("-", "_"),
        "label": "Pluvo",
        "description": about["description"],
        "executable": about["name"],
        "pip_url": "${TAP_PLUVO_PIP_URL}",
        "capabilities": about["capabilities"],
        "settings_group_validation": SUFFICIENT,
        "settings": settings,
    }
    # Meltano needs the kinds to read environment variables; the tap itself provides the rest.
    brief = [
        {name: setting[name] for name in ("name", "kind", "sensitive") if name in setting}
        | ({"kind": "string"} if setting["kind"] == "options" else {})
        for setting in settings
    ]
    lines = "".join(f"    - {json.dumps(setting)}\n".replace('"', "") for setting in brief)
    block = f"    capabilities: [{', '.join(about['capabilities'])}]\n    settings:\n{lines}"
    project = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    entry = hub_entry(about, _unselected())
    return {
        "plugin.yml": HEAD + yaml.safe_dump(plugin, sort_keys=False, allow_unicode=True, width=100),
        "meltano.yml": BLOCK.sub(lambda _: block, project, count=1),
        entry.path: entry.text,
    }


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
