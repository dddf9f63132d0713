"""Write the staging models and their documentation from the output contract.

`schemas/<stream>.json` gives the columns of a stream, their types, their meaning and the key;
`schemas/README.md` explains its keywords. Staging repeats all this, so it is generated:

    python dbt/generate_staging.py
"""

# ruff: noqa: INP001 - a script next to the project that it writes, not a package
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMAS = HERE.parent / "schemas"
STAGING = HERE / "models" / "staging"
RAW = HERE / "models" / "raw"

STALE_ROWS = (
    "A result in progress gets a new `id` when it is completed. The old row is dropped when a full"
    " read no longer gives it, or when a completion is dated after the day on which it was read. If"
    " both are of the same day, the person may have begun again, and the row stays until the next"
    " full read."
)

RAW_ROWS = (
    "The newest version of each row in the files that were merged, also of rows that are gone."
)

NOTICE = "Generated from schemas/ by dbt/generate_staging.py: change it there."


def column_type(column: dict[str, Any]) -> str:
    """Return the type of a column as the macro `column_type` names it."""
    (name,) = set(column["type"]) - {"null"}
    if name == "string":
        return {"date": "date", "date-time": "timestamp"}.get(column.get("format", ""), "text")
    return str(name)


def call(macro: str, options: list[str]) -> str:
    """Return a call of a macro that writes a model."""
    arguments = ",\n    ".join(options)
    return f"{{{{ pluvo.{macro}(\n    {arguments},\n) }}}}\n"


def contract(stream: str, schema: dict[str, Any]) -> list[str]:
    """Return what both macros need to know of a stream."""
    columns = ",\n".join(
        f"        '{name}': '{column_type(column)}'"
        for name, column in schema["properties"].items()
    )
    return [
        f"'{stream}'",
        f"key={schema['x-key']}",
        f"columns={{\n{columns},\n    }}",
    ]


def raw_model(stream: str, schema: dict[str, Any]) -> str:
    """Return the SQL of a model of the raw layer on DuckDB."""
    config = f"{{{{ config(unique_key={['organization', *schema['x-key']]}) }}}}\n"
    source = f"-- depends_on: {{{{ source('pluvo', '{stream}') }}}}\n"
    return f"-- {NOTICE}\n{source}{config}{call('merge_files', contract(stream, schema))}"


def staging_model(stream: str, schema: dict[str, Any]) -> str:
    """Return the SQL of a staging model."""
    options = contract(stream, schema)
    read_by = schema.get("x-replication-key")
    if read_by and column_type(schema["properties"][read_by]) != "integer":  # a number is no time
        options.append(f"read_by='{read_by}'")
    if "x-result-key" in schema:
        options.append(f"result_of={schema['x-result-key']}")
    return f"-- {NOTICE}\n{call('stage', options)}"


def text(value: str) -> str:
    """Return a YAML string; every JSON string is one."""
    return json.dumps(value, ensure_ascii=False)


def tested_reference(column: dict[str, Any]) -> dict[str, str] | None:
    """Return the reference that dbt tests: to one stream, by one key, never dangling."""
    references = column.get("x-references", [])
    if len(references) != 1 or references[0].keys() & {"many", "dangling"}:
        return None
    reference: dict[str, str] = references[0]
    return reference


def raw_documentation(stream: str, schema: dict[str, Any]) -> str:
    """Return the YAML entry of a model of the raw layer."""
    lines = [
        f"  - name: raw_pluvo__{stream}",
        f"    description: {text(schema['description'] + ' ' + RAW_ROWS)}",
        "    columns:",
    ]
    for name, column in schema["properties"].items():
        lines += [
            f"      - name: {name}",
            f"        description: {text(column['description'])}",
        ]
    lines += [
        "      - name: organization",
        "        description: Whose row it is, if the tap adds that column; or else an empty text.",
        "      - name: _sdc_extracted_at",
        "        description: When the stream began to be read for this version of the row.",
        "      - name: _sdc_deleted_at",
        "        description: When the tap noticed that it is gone, by a webhook; or null.",
    ]
    return "\n".join(lines)


def staging_documentation(stream: str, schema: dict[str, Any]) -> str:
    """Return the YAML entry of a staging model: descriptions and tests."""
    description = schema["description"] + (f" {STALE_ROWS}" if "x-result-key" in schema else "")
    lines = [
        f"  - name: stg_pluvo__{stream}",
        f"    description: {text(description)}",
        "    data_tests:",
        "      - unique_and_not_null:",
        "          arguments:",
        f"            columns: {json.dumps(schema['x-key'])}",
        "            nullable: [organization]",
        "    columns:",
    ]
    for name, column in schema["properties"].items():
        lines += [
            f"      - name: {name}",
            f"        description: {text(column['description'])}",
        ]
        if reference := tested_reference(column):
            lines += [
                "        data_tests:",
                "          - refers_to:",
                "              arguments:",
                f"                to: ref('pluvo', 'stg_pluvo__{reference['stream']}')",
                f"                field: {reference['column']}",
                "              config:",
                "                severity: warn",
            ]
    lines += [
        "      - name: organization",
        "        description: Whose row it is, if the tap adds that column; or else null.",
        "      - name: _sdc_extracted_at",
        "        description: When its stream began to be read; from target-jsonl, its sync.",
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
        "      The learning management system Pluvo, as read by tap-pluvo: on DuckDB the files of",
        "      target-batch-files, elsewhere the tables of a Singer target.",
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
        if schema.get("x-optional"):
            lines += ["        config:", "          freshness: null"]
    return "\n".join(lines) + "\n"


def generate() -> dict[Path, str]:
    """Return the text of each generated file."""
    schemas = {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}
    files = {STAGING / "_sources.yml": sources(schemas)}
    for folder, prefix, model, documentation in (
        (RAW, "raw", raw_model, raw_documentation),
        (STAGING, "stg", staging_model, staging_documentation),
    ):
        for stream, schema in schemas.items():
            files[folder / f"{prefix}_pluvo__{stream}.sql"] = model(stream, schema)
        entries = "\n\n".join(documentation(*item) for item in schemas.items())
        files[folder / f"_{folder.name}.yml"] = f"# {NOTICE}\nversion: 2\n\nmodels:\n{entries}\n"
    return files


def main() -> None:
    """Write the files, and remove those that the contract no longer names."""
    files = generate()
    for folder in (RAW, STAGING):
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            if path not in files:
                path.unlink()
    for path, content in files.items():
        path.write_text(content)


if __name__ == "__main__":
    main()
