"""The page on the dbt models, from their YAML files."""

from __future__ import annotations

from pathlib import Path

import yaml
from markdown_text import NOTICE, table

ROOT = Path(__file__).parents[2]

# The folders of models, and what the page says about each.
MODELS = {
    "marts": "Facts and dimensions to join: one row per thing or event.",
    "reports": "Answers: one row per group, training or person, ready for a chart.",
    "intermediate": "Steps on the way: views that several marts read.",
    "semantic": "What the metrics of dbt's semantic layer count.",
    "lms": (
        "The seam: the only views that read Pluvo's staging. A second learning management system "
        "fits in by providing the same columns."
    ),
}


def models_page() -> str:
    """Return the page on the dbt models."""
    parts = [
        NOTICE,
        "# Models\n",
        (
            "What the dbt project makes of the streams, on DuckDB and PostgreSQL alike. "
            "[The models' own page](dbt.md) explains how to use it as a package, its "
            "variables, and what the numbers mean. The staging models `stg_pluvo__<stream>` "
            "have the columns of the [streams](streams.md).\n"
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
