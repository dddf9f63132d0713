"""The page on the models of the dbt project, from its YAML files."""

from __future__ import annotations

from pathlib import Path

import yaml
from markdown_text import NOTICE, table

ROOT = Path(__file__).parents[2]

# Models of the dbt project by folder, with what the page says of each.
MODELS = {
    "marts": "Facts and dimensions: one row for each thing or event, made to be joined.",
    "reports": "Answers: one row for each group, training or person, ready for a chart.",
    "lms": (
        "The seam: the only views that read Pluvo's staging. A second learning management system "
        "fits by giving the same columns."
    ),
}


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
                table(["column", "meaning"], rows),
            ]
    return "\n".join(parts)
