"""Both ends of `require-dbt-version`."""

from __future__ import annotations

from importlib.metadata import distributions
from typing import TYPE_CHECKING

import yaml
from conftest import PACKAGE, ROOT, Folder
from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path


def version(tool: str) -> Version:
    (packages,) = (ROOT / ".venv-tools" / tool).glob("lib/python3.*/site-packages")
    (dbt,) = (found for found in distributions(path=[str(packages)]) if found.name == "dbt-core")
    return Version(dbt.version)


def test_the_oldest_is_the_lowest_that_is_allowed() -> None:
    allowed = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text())["require-dbt-version"]
    assert f">={version('dbt-oldest')}" in allowed
    assert version("dbt") in SpecifierSet(",".join(allowed))


def test_the_oldest_builds_on_nothing(tmp_path: Path) -> None:
    """The gate does this with the newest."""
    project = Folder(tmp_path / "project", PACKAGE)
    project.run(
        *("dbt-oldest", "dbt", "--warn-error", "build"),
        DBT_PROFILES_DIR=".",
        PLUVO_JSONL_DIR=str(tmp_path / "nothing"),
        PLUVO_DUCKDB_PATH=str(tmp_path / "pluvo.duckdb"),
    )


def test_metrics_can_be_left_out(consumer: Folder) -> None:
    """Someone with a time spine and metrics of their own is not forced to have these."""
    off = {"pluvo": {"+enabled": False}}
    settings = yaml.safe_load((consumer.path / "dbt_project.yml").read_text())
    settings |= {"metrics": off, "semantic-models": off}
    settings["models"] = {"pluvo": {"semantic": {"+enabled": False}}}
    (consumer.path / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    consumer.run("dbt", "dbt", "deps")
    said = consumer.run("dbt", "dbt", "--warn-error", "ls", "--resource-type", "metric", "model")
    assert "pluvo__fct_certificates" in said
    assert "metric:" not in said
    assert "pluvo__time_spine" not in said
