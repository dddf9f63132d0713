"""Write what `tap-pluvo --about` says into plugin.yml and meltano.yml; `--check` only compares.

The tap is the one place where its settings are described; Meltano wants them in files.
"""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?<=# <tap-pluvo --about>\n).*?(?= +# </tap-pluvo --about>)", re.DOTALL)
# Meltano cannot write its `decimal` as JSON; the tap reads numbers as text, too.
KINDS = {"number": "string"}
HEAD = """\
# What Meltano has to know of tap-pluvo, to add it to any project:
#   meltano add --plugin-type extractor tap-pluvo --from-ref path/to/tap-pluvo/plugin.yml
# TAP_PLUVO_PIP_URL says where to install it from: "-e path/to/tap-pluvo", a wheel or a repository.
# Written by `make generate` from what `tap-pluvo --about` says.
"""


def main() -> None:
    """Write both files, or say how they differ from what would be written."""
    tap = Path(sys.executable).with_name("tap-pluvo")
    process = subprocess.run(
        [tap, "--about", "--format=json"], check=True, stdout=subprocess.PIPE, text=True
    )
    about = json.loads(process.stdout)
    settings = [_setting(name, schema) for name, schema in about["settings"]["properties"].items()]
    plugin = {
        "name": about["name"],
        "namespace": about["name"].replace("-", "_"),
        "label": "Pluvo",
        "description": about["description"],
        "executable": about["name"],
        "pip_url": "${TAP_PLUVO_PIP_URL}",
        "capabilities": about["capabilities"],
        "settings_group_validation": [
            ["organization", "client_id", "client_secret"],
            ["api_url", "client_id", "client_secret"],
        ],
        "settings": settings,
    }
    # Meltano needs the kinds to read environment variables; the rest the tap says itself.
    brief = [
        {name: setting[name] for name in ("name", "kind", "sensitive") if name in setting}
        | ({"kind": "string"} if setting["kind"] == "options" else {})
        for setting in settings
    ]
    lines = "".join(f"    - {json.dumps(setting)}\n".replace('"', "") for setting in brief)
    block = f"    capabilities: [{', '.join(about['capabilities'])}]\n    settings:\n{lines}"
    project = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    wanted = {
        "plugin.yml": HEAD + yaml.safe_dump(plugin, sort_keys=False, allow_unicode=True, width=100),
        "meltano.yml": BLOCK.sub(lambda _: block, project, count=1),
    }
    differences = [line for name, text in wanted.items() for line in _difference(name, text)]
    if "--check" in sys.argv[1:]:
        if differences:
            sys.exit("\n".join([*differences, "", "Run `make generate` and commit the result."]))
        return
    for name, text in wanted.items():
        (ROOT / name).write_text(text, encoding="utf-8")


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as Meltano describes it."""
    kind = next(kind for kind in schema["type"] if kind != "null")
    setting = {"name": name, "label": schema["title"], "kind": KINDS.get(kind, kind)}
    if schema.get("format") in {"date", "date-time"}:
        setting["kind"] = "date_iso8601"
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        setting["kind"] = "options"
        setting["options"] = [{"label": value, "value": value} for value in values]
    if schema.get("secret"):
        setting["sensitive"] = True
    if "default" in schema:
        setting["value"] = schema["default"]
    if "description" in schema:
        setting["description"] = schema["description"]
    return setting


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
