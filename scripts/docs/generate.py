"""Write the reference pages, the diagram of the streams and the entry for MeltanoHub.

What they say stands elsewhere already: in `schemas/`, in `tap-pluvo --about` and `--help`, in the
dbt models. `--into FOLDER` writes them there instead, which is how a test sees what is stale.

    python scripts/docs/generate.py
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from erd import draw, references
from hub_entry import hub_entry

from pluvo_client.schema.contract import Contract
from tap_pluvo.filters import filter_names
from pluvo_client.schema.documents import snake_case
from tap_pluvo.catalog_stream import FULL_TABLE, INCREMENTAL
from tap_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_pluvo.stream import PluvoStream

ROOT = Path(__file__).parents[2]
NOTICE = "<!-- Written by scripts/docs/generate.py: change what it reads, then run it. -->\n"

ERD = "../assets/erd.svg"  # seen from the pages of the reference

# The settings by what one wants of them; those of the SDK come last, whatever they are.
GROUPS = {
    "Organization and access": [
        *("organization", "api_url", "client_id", "client_secret", "scopes"),
        *("ca_bundle", "user_agent", "introspection"),
    ],
    "What is read": [
        *("start_date", "end_date", "filters"),
        *("lookback_days", "window_days", "full_refresh_days"),
        *("add_organization_column", "emit_activate_version_messages"),
    ],
    "Speed, limits and repair": [
        *("page_size", "max_concurrency", "requests_per_second", "operations_per_request"),
        *("request_timeout", "max_retry_seconds", "max_repair_passes"),
    ],
}
SDK_GROUP = "Settings of the Singer SDK"

# Models of the dbt project by folder, with what the page says of each.
MODELS = {
    "marts": "Facts and dimensions: one row for each thing or event, made to be joined.",
    "reports": "Answers: one row for each group, training or person, ready for a chart.",
    "lms": (
        "The seam: the only views that read Pluvo's staging. A second learning management system "
        "fits by giving the same columns."
    ),
}


def main() -> None:
    """Write all pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, default=ROOT, metavar="FOLDER")
    folder = parser.parse_args().into
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of each generated file by its path."""
    about = json.loads(_output("tap-pluvo", "--about", "--format=json"))
    schemas = {
        path.stem: json.loads(path.read_text("utf-8"))
        for path in sorted((ROOT / "schemas").glob("*.json"))
    }
    entry = hub_entry(about)
    return {
        "docs/reference/settings.md": settings_page(about["settings"]["properties"]),
        "docs/reference/streams.md": streams_page(schemas),
        "docs/reference/models.md": models_page(),
        "docs/reference/commands.md": commands_page(),
        "docs/assets/erd.svg": draw(schemas),
        entry.path: entry.text,
    }


def _output(*command: str) -> str:
    """Return what a program of this environment prints."""
    program, *arguments = command
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    ).stdout


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells stand on one line."""
    lines = [titles, ["---"] * len(titles), *rows]
    cells = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."


def _code(value: Any) -> str:
    """Return a value as code."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


# ---------- settings ----------


def settings_page(properties: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on the settings."""
    ours = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, SDK_GROUP: [name for name in properties if name not in ours]}
    secrets = " and ".join(
        f"`{name}`" for name, setting in properties.items() if setting.get("secret")
    )
    parts = [
        NOTICE,
        "# Settings\n",
        (
            "Give them in a JSON file (`--config=config.json`), in `meltano.yml` under `config:`, "
            "or as environment variables (`--config=ENV`; Meltano reads the same ones). Numbers, "
            "lists and objects in a variable are JSON. A setting that is null counts as not "
            "given; one that is unknown or out of its limits is refused before anything is read, "
            f"by name and reason. {secrets} are secrets: they are never logged or shown.\n"
        ),
        _table(
            ["setting", "type", "default", "what it is"],
            (
                [
                    f"[`{name}`](#{name})",
                    _kind(properties[name]),
                    _code(properties[name]["default"]) if "default" in properties[name] else "",
                    _first_sentence(properties[name]["description"]),
                ]
                for names in groups.values()
                for name in names
            ),
        ),
    ]
    for group, names in groups.items():
        parts.append(f"## {group}\n")
        parts += [_setting(name, properties[name]) for name in names]
    return "\n".join(parts)


def _kind(setting: Mapping[str, Any]) -> str:
    return str(next(kind for kind in setting["type"] if kind != "null"))


def _setting(name: str, setting: Mapping[str, Any]) -> str:
    facts = [_kind(setting)]
    if "enum" in setting:
        facts.append(" or ".join(_code(value) for value in setting["enum"] if value is not None))
    if "items" in setting and "enum" in setting["items"]:
        facts.append(f"of {', '.join(_code(value) for value in setting['items']['enum'])}")
    low, above, high = (setting.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        facts.append(f"{low} to {high}")
    elif above is not None:
        facts.append(f"more than {above}" + (f", at most {high}" if high is not None else ""))
    facts.append(f"default {_code(setting['default'])}" if "default" in setting else "no default")
    if setting.get("secret"):
        facts.append("secret")
    facts.append(f"variable `TAP_PLUVO_{name.upper()}`")
    lines = [f"### `{name}`\n", setting["description"] + "\n", " · ".join(facts)]
    if setting.get("examples") and not setting.get("secret"):
        example = json.dumps(setting["examples"][0], ensure_ascii=False)
        lines[-1] += "\n"
        lines.append(f'```json\n{{"{name}": {example}}}\n```')
    return "\n".join(lines) + "\n"


# ---------- streams ----------


def streams_page(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page on the streams and their columns."""
    streams = {stream.name: stream for stream in STREAMS}
    names = sorted(schemas)
    rows = (
        [
            f"[`{name}`](#{name})",
            _first_sentence(schemas[name]["description"]),
            ", ".join(_code(column) for column in schemas[name]["x-key"]),
            _method(streams[name], schemas[name]),
            "yes" if streams[name].selected_by_default else "no",
        ]
        for name in names
    )
    return "\n".join(
        [
            NOTICE,
            "# Streams and columns\n",
            (
                "Every column has the same name and type in every target: snake_case, plain "
                "values, moments in UTC as ISO 8601 (`2024-01-31T12:00:00+00:00`), lists and free "
                "objects as JSON text. Key columns are never null; every other one may be. *Field* "
                "is where a column comes from in Pluvo's API; *computed* ones the tap makes.\n"
            ),
            (
                "What your organization's API does not have is left out, and plain fields that "
                "only it has are offered as further columns: see "
                "[drift](../explanation/drift.md). `tap-pluvo --discover` shows what is really "
                "there.\n"
            ),
            _table(["stream", "what it holds", "key", "replication", "on by default"], rows),
            "## How they fit together\n",
            f"[![The streams, their keys and what they refer to]({ERD})]({ERD})\n",
            (
                "A dashed line is one of two: the owner of a custom field value is a user or a "
                "group, and `owner_type` says which. A result in `portfolio_report` names its "
                "training by title only (page `common-recipes` shows no identifier), so no line "
                "leads from it to `trainings`. With "
                "[`add_organization_column`](settings.md#add_organization_column) every table has "
                "`organization` in its key, too.\n"
            ),
            *(_stream(streams[name], schemas[name], schemas) for name in names),
        ]
    )


def _method(stream: type[PluvoStream], schema: Mapping[str, Any]) -> str:
    """Return how a stream is replicated, and what else may be chosen."""
    key = schema.get("x-replication-key")
    if key is None:
        return FULL_TABLE
    if stream.default_method == FULL_TABLE:
        return f"{FULL_TABLE}, or {INCREMENTAL} by `{key}`"
    return f"{INCREMENTAL} by `{key}`"


def _stream(
    stream: type[PluvoStream], schema: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> str:
    contract = Contract()
    root = stream.node.split(".", 1)[0]
    field = contract.root(root)
    filters = [
        snake_case(name)
        for name in (field.args if field and stream.takes_filters else {})
        if name not in NO_FILTERS
    ]
    pages_ = re.findall(r"\(pages? (.*?)[,)]", inspect.getdoc(stream) or "", re.DOTALL)
    sources = sorted({slug for text in pages_ for slug in re.findall(r"`([\w-]+)`", text)})
    facts = [
        ("Key", ", ".join(_code(name) for name in schema["x-key"])),
        ("Replication", _method(stream, schema)),
        ("Scopes", ", ".join(_code(scope) for scope in stream.scopes)),
        ("Read from", _code(stream.node)),
        ("Filters", ", ".join(_code(name) for name in filters) or "none"),
    ]
    if sources:
        facts.append(("Vendor's pages", ", ".join(_code(slug) for slug in sources)))
    rows = []
    for name, column in schema["properties"].items():
        description = column["description"]
        found, _ = references(column, schemas)
        for target in found:
            description = re.sub(rf"`{target}\.(\w+)`", rf"[`{target}.\1`](#{target})", description)
        rows.append(
            [
                f"`{name}`" + (" **key**" if name in schema["x-key"] else ""),
                _type(column),
                description,
                _code(_api_field(column["x-field"])) if "x-field" in column else "computed",
            ]
        )
    return "\n".join(
        [
            f"## `{stream.name}`\n",
            schema["description"] + "\n",
            "\n".join(f"- {title}: {text}" for title, text in facts) + "\n",
            _table(["column", "type", "meaning", "field"], rows),
        ]
    )


def _type(column: Mapping[str, Any]) -> str:
    kind: str = next(kind for kind in column["type"] if kind != "null")
    return {"date-time": "moment", "date": "date", "uuid": "uuid"}.get(
        column.get("format", ""), {"string": "text"}.get(kind, kind)
    )


def _api_field(selection: str) -> str:
    """Return a selection as people write it: `user.id`; of several types, that of the first."""
    selection = re.sub(r"^\.\.\. on \w+ \{ (.*?) \}(?: \.\.\..*)?$", r"\1", selection)
    while found := re.fullmatch(r"([\w.]+) \{ (\w+(?: \{.*\})?) \}", selection):
        selection = f"{found[1]}.{found[2]}"
        if found := re.fullmatch(r"([\w.]+)\.(\w+) (\{.*\})", selection):
            selection = f"{found[1]}.{found[2]} {found[3]}"
    return selection


# ---------- models ----------


def models_page() -> str:
    """Return the page on the models of the dbt project."""
    parts = [
        NOTICE,
        "# Models\n",
        (
            "What the dbt project makes of the streams, on DuckDB and PostgreSQL alike. How to use "
            "it as a package, what can be set and what the numbers mean is in `dbt/README.md`; the "
            "staging models `stg_pluvo__<stream>` have the columns of the [streams](streams.md).\n"
        ),
    ]
    for folder, text in MODELS.items():
        (path,) = (ROOT / "dbt/models" / folder).glob(f"_{folder}.yml")
        models = yaml.safe_load(path.read_text("utf-8"))["models"]
        parts += [f"## {folder.title() if folder != 'lms' else 'Seam'}\n", text + "\n"]
        for model in models:
            rows = (
                [f"`{column['name']}`", column.get("description", "")]
                for column in model.get("columns", [])
            )
            description = " ".join(model["description"].split())
            parts += [
                f"### `{model['name']}`\n",
                description + "\n",
                _table(["column", "meaning"], rows),
            ]
    return "\n".join(parts)


# ---------- commands ----------


def commands_page() -> str:
    """Return the page on the two programs."""
    return "\n".join(
        [
            NOTICE,
            "# Commands\n",
            (
                "`make` alone lists the ways to run the project. Beneath it are two programs; "
                "`make sandbox` and the others put them into `.venv/bin`.\n"
            ),
            "## `tap-pluvo`\n",
            (
                "Writes Singer messages to standard output and says what it does on standard "
                "error. Exit code 0: every selected stream was read completely. 1: at least one "
                "stream, or the run, failed; the last lines say which and why. 128 plus the number "
                "of a signal: the run was ended, and the next one goes on from the last state.\n"
            ),
            f"```text\n{_output('tap-pluvo', '--help').strip()}\n```\n",
            (
                "`--test` reads one page of each selected stream and says what it finds, see "
                "[Read your own organization](../how-to/connect.md).\n"
            ),
            "## `pluvo-sandbox`\n",
            (
                "A made-up Pluvo on this machine: the documented API over real HTTP and OAuth, "
                "with data that is the same for the same seed. Nothing of it is Pluvo's code.\n"
            ),
            f"```text\n{_output('pluvo-sandbox', 'serve', '--help').strip()}\n```\n",
        ]
    )


if __name__ == "__main__":
    main()
