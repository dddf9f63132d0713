"""The SQL for warehouses that are not here: written by their adapters, read by sqlglot.

No adapter connects: this shows that all macros exist there and give SQL of that dialect, not that
functions and types fit together. What staging reads of a loaded table is not in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import PACKAGE, Folder

HERE = Path(__file__).parent
MERGED_FILES = "base_pluvo__merged_files"  # with the raw layer, of DuckDB only


@pytest.mark.parametrize("dialect", ["bigquery", "databricks", "redshift", "snowflake"])
def test_all_models_parse(dialect: str, tmp_path: Path) -> None:
    project = Folder(tmp_path / "project", HERE / "project")
    at = {"DBT_TARGET": dialect, "DBT_PROFILES_DIR": "."}
    project.run("dialects", "dbt", "deps", **at)
    project.run("dialects", "dbt", "--no-populate-cache", "compile", "--no-introspect", **at)
    compiled = project.path / "target/compiled/pluvo/models"
    models = {path.stem for path in (PACKAGE / "models").rglob("*.sql")} - {MERGED_FILES}
    models -= {path.stem for path in (PACKAGE / "models/raw").glob("*.sql")}
    assert models <= {path.stem for path in compiled.rglob("*.sql")}
    project.run("dialects", "python", str(HERE / "parse.py"), dialect, str(compiled))
