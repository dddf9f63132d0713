"""Write the staging models and their documentation from the output contract.

`schemas/<stream>.json` says which columns a stream has, of which type, what they mean and what
tells rows apart. Staging repeats that, so it is generated:

    python dbt/generate.py
"""

# ruff: noqa: INP001 - a script beside the project that it writes, not a package
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMAS = HERE.parent / "schemas"
STAGING = HERE / "models" / "staging"

# Streams that an organization may lack or leave out: that they were never loaded is no alarm.
OPTIONAL = {
    "enrollments",
    "offer_event_dates",
    "offer_events",
    "offers",
    "portfolio_items",
    "webhook_events",
}

# Streams whose key is computed from the completion date: what else names a result.
RESULT_OF = {
    "portfolio_report": ["related_object_type", "user_id", "title"],
    "issued_certificates": ["user_id", "title"],
}

# References that may lead nowhere for a good reason: the API lists only offers that are not
# archived, but enrollments in the events of all.
LOOSE = {("enrollments", "offer_event_id")}

STALE_ROWS = (
    "A row in progress gets another `id` when it is completed, so the old row is dropped: it counts"
    " only if the newest sync that read any row in progress read it too, and if no later sync found"
    " a completion of the same result dated on or after the day it was read. Limits: when nothing"
    " at all is in progress any more, rows of the last sync that saw some stay until their"
    " completion is seen; a completion dated back to before that day leaves the old row until the"
    " next full read; and syncs that each read only a part of the users (shards) drop each other's"
    " rows in progress."
)

NOTICE = "Generated from schemas/ by generate.py: change it there."

# "The user: `users.id`." is a reference; "... as a JSON list of `users.id`." is not.
REFERENCE = re.compile(r"[^:]*: `(?P<stream>\w+)\.(?P<column>\w+)`\.")


def column_type(column: dict[str, Any]) -> str:
    """Return the type of a column in the words of the macro `column_type`."""
    (name,) = set(column["type"]) - {"null"}
    if name == "string":
        return {"date": "date", "date-time": "timestamp"}.get(column.get("format", ""), "text")
    return str(name)


def model(stream: str, schema: dict[str, Any]) -> str:
    """Return the SQL of a staging model."""
    columns = ",\n".join(
        f"        '{name}': '{column_type(column)}'"
        for name, column in schema["properties"].items()
    )
    options = [
        f"source('pluvo', '{stream}')",
        f"key={schema['x-key']}",
        f"columns={{\n{columns},\n    }}",
        f"full_read={str('x-replication-key' not in schema).lower()}",
    ]
    if stream in RESULT_OF:
        options.append(f"result_of={RESULT_OF[stream]}")
    arguments = ",\n    ".join(options)
    return f"-- {NOTICE}\n{{{{ pluvo.stage(\n    {arguments},\n) }}}}\n"


def text(value: str) -> str:
    """Return a YAML string; each JSON string is one."""
    return json.dumps(value, ensure_ascii=False)


def documentation(stream: str, schema: dict[str, Any], streams: set[str]) -> str:
    """Return the YAML entry of a staging model: descriptions and tests."""
    description = schema["description"] + (f" {STALE_ROWS}" if stream in RESULT_OF else "")
    lines = [
        f"  - name: stg_pluvo__{stream}",
        f"    description: {text(description)}",
        "    data_tests:",
        "      - unique_and_not_null:",
        "          arguments:",
        f"            columns: {json.dumps(schema['x-key'])}",
        "    columns:",
    ]
    for name, column in schema["properties"].items():
        lines += [
            f"      - name: {name}",
            f"        description: {text(column['description'])}",
        ]
        reference = REFERENCE.fullmatch(column["description"])
        if reference and reference["stream"] in streams and (stream, name) not in LOOSE:
            lines += [
                "        data_tests:",
                "          - refers_to:",
                "              arguments:",
                f"                to: ref('stg_pluvo__{reference['stream']}')",
                f"                field: {reference['column']}",
                "              config:",
                "                severity: warn",
            ]
    lines += [
        "      - name: _sdc_extracted_at",
        "        description: When the row was read (DuckDB - when its sync started).",
    ]
    return "\n".join(lines)


def sources(schemas: dict[str, dict[str, Any]]) -> str:
    """Return the YAML of the sources."""
    lines = [
        f"# {NOTICE}",
        "version: 2",
        "",
        "sources:",
        "  - name: pluvo",
        "    description: >",
        "      The learning management system Pluvo as tap-pluvo reads it: on DuckDB the files of",
        "      target-jsonl, elsewhere the tables of a Singer target.",
        "    database: \"{{ var('pluvo_database', target.database) }}\"",
        "    schema: \"{{ var('pluvo_schema', env_var('PLUVO_SCHEMA', 'pluvo')) }}\"",
        "    config:",
        '      loaded_at_query: "{{ pluvo.last_loaded(this) }}"',
        "      freshness:",
        "        warn_after:",
        "          count: \"{{ var('pluvo_freshness_hours') | as_number }}\"",
        "          period: hour",
        "    tables:",
    ]
    for stream, schema in schemas.items():
        lines += [
            f"      - name: {stream}",
            f"        description: {text(schema['description'])}",
        ]
        if stream in OPTIONAL:
            lines += ["        config:", "          freshness: null"]
    return "\n".join(lines) + "\n"


def generate() -> dict[str, str]:
    """Return the text of each generated file by its name."""
    schemas = {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}
    files = {
        f"stg_pluvo__{stream}.sql": model(stream, schema) for stream, schema in schemas.items()
    }
    files["_sources.yml"] = sources(schemas)
    entries = [documentation(stream, schema, set(schemas)) for stream, schema in schemas.items()]
    files["_staging.yml"] = f"# {NOTICE}\nversion: 2\n\nmodels:\n" + "\n\n".join(entries) + "\n"
    return files


def main() -> None:
    """Write what the contract says, and remove what it does not name any more."""
    files = generate()
    for path in STAGING.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (STAGING / name).write_text(content)


if __name__ == "__main__":
    main()
