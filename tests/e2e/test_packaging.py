"""The package as users install it: from a wheel, from an sdist, and from a checkout."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from typing import TYPE_CHECKING, Any

import pytest
from support import FOREVER, OFFERED, REPOSITORY, TAP, config, environment, run_tap, tool

if TYPE_CHECKING:
    from pathlib import Path

    from pluvo_sandbox import Sandbox

LOCK = REPOSITORY / "requirements/dev.txt"
PACKAGES = {
    "pluvo_client",
    "pluvo_sandbox",
    "pluvo_singer",
    "pluvo_webhooks",
    "tap_pluvo",
    "target_batch_files",
    "target_pluvo",
    "target_thought_industries",
}
SCHEMAS = {path.name for path in (REPOSITORY / "schemas").iterdir()}


def uv(*arguments: object) -> None:
    limits = str(REPOSITORY / "requirements/build.txt")
    done = subprocess.run(
        [tool("uv", "uv"), *map(str, arguments)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=environment(UV_BUILD_CONSTRAINT=limits, UV_PYTHON_DOWNLOADS="never"),
        timeout=10 * FOREVER,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    uv("build", "--quiet", "--out-dir", folder, REPOSITORY)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built: Path) -> Path:
    (path,) = built.glob("*.tar.gz")
    return path


def installed(package: str | Path, folder: Path) -> Path:
    """Return where the programs of a package are, freshly installed."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", folder, "--constraint", LOCK, package)
    return folder / "bin"


@pytest.fixture(scope="module")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(wheel, tmp_path_factory.mktemp("wheel") / "venv")


def streams(discovered: str) -> set[str]:
    return {stream["tap_stream_id"] for stream in json.loads(discovered)["streams"]}


def test_the_wheel_holds_the_packages_and_the_contracts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {*archive.namelist()}
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(archive.read(metadata).decode())
    assert {f"pluvo_client/schemas/{name}" for name in SCHEMAS} <= names
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert {f"pluvo_sandbox/{name}.graphql" for name in ("pluvo", "rich")} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == PACKAGES
    assert not [name for name in names if "__pycache__" in name]
    assert about["Name"] == "tap-pluvo"
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert about.get_all("Provides-Extra") == ["sandbox", "targets", "webhooks"]
    links = re.findall(r"\]\(([^)]+)\)", str(about.get_payload()))
    assert len(links) > 15
    assert all(link.startswith("https://") for link in links), "the index has no other files"
    urls = dict(text.split(", ") for text in about.get_all("Project-URL") or ())
    assert {"Repository", "Changelog"} <= urls.keys()
    assert f"{urls['Repository']}/blob/main/docs/how-to/connect.md" in links
    requirements = about.get_all("Requires-Dist")
    assert requirements
    needed = [text for text in requirements if "extra ==" not in text]
    assert not [text for text in needed if text.startswith(("ariadne", "uvicorn", "starlette"))]


def test_the_sdist_holds_what_is_built_and_nothing_private(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"schemas/{name}" for name in SCHEMAS} <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "tap_pluvo/tap.py"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/", ".env", "output"))]


def test_a_wheel_works_far_from_the_repository(from_wheel: Path, tmp_path: Path) -> None:
    result = run_tap(None, "--discover", tap=from_wheel / "tap-pluvo", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert streams(result.stdout) == OFFERED


def test_a_wheel_syncs(from_wheel: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    tap = from_wheel / "tap-pluvo"
    result = run_tap(config(sandbox), tap=tap, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(result.records["users"]) == 120


def test_a_wheel_started_at_the_root_of_the_repository(from_wheel: Path) -> None:
    result = run_tap(None, "--discover", tap=from_wheel / "tap-pluvo", cwd=REPOSITORY)
    assert streams(result.stdout) == OFFERED
    # Where the working folder comes first on the path, the checkout is what runs.
    assert streams(as_module(from_wheel / "python", REPOSITORY)) == OFFERED


def as_module(python: Path, cwd: Path) -> str:
    done = subprocess.run(
        [python, "-m", "tap_pluvo", "--discover"],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=cwd,
        timeout=FOREVER,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_checkout_works_from_everywhere(tmp_path: Path) -> None:
    for folder in (REPOSITORY, REPOSITORY / "tests", tmp_path):
        result = run_tap(None, "--discover", tap=TAP, cwd=folder)
        assert streams(result.stdout) == OFFERED
        assert streams(as_module(TAP.with_name("python"), folder)) == OFFERED


def test_an_sdist_can_be_installed(sdist: Path, tmp_path: Path) -> None:
    programs = installed(sdist, tmp_path / "venv")
    result = run_tap(None, "--discover", tap=programs / "tap-pluvo", cwd=tmp_path)
    assert streams(result.stdout) == OFFERED


def test_without_the_extra_there_is_no_sandbox_and_the_tap_needs_none(from_wheel: Path) -> None:
    done: Any = subprocess.run(
        [from_wheel / "python", "-c", "import tap_pluvo.tap, sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=from_wheel,
        timeout=FOREVER,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "tap_pluvo" in loaded
    assert not loaded & {"pluvo_sandbox", "ariadne", "starlette", "uvicorn", "oauthlib"}


def refused(folder: Path, *command: str | Path) -> str:
    """Return what a program says that refuses to run."""
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=folder,
        timeout=FOREVER,
    )
    assert done.returncode == 1
    return done.stderr


def test_the_sandbox_without_its_extra_names_it(from_wheel: Path, tmp_path: Path) -> None:
    last = refused(tmp_path, from_wheel / "pluvo-sandbox", "serve").splitlines()[-1]
    assert last.endswith("install its extra, `pip install 'tap-pluvo[sandbox]'`")


def test_the_receiver_without_its_extra_names_it(from_wheel: Path, tmp_path: Path) -> None:
    said = refused(tmp_path, from_wheel / "pluvo-webhooks", "status")
    assert said.endswith("install its extra, `pip install 'tap-pluvo[webhooks]'`\n")
    assert len(said.splitlines()) == 1


def test_the_sandbox_comes_with_its_extra(wheel: Path, tmp_path: Path) -> None:
    moved = shutil.copy(wheel, tmp_path)
    programs = installed(f"tap-pluvo[sandbox] @ file://{moved}", tmp_path / "venv")
    done = subprocess.run(
        [programs / "pluvo-sandbox", "serve", "--help"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=tmp_path,
        timeout=FOREVER,
    )
    assert "--rate-limit" in done.stdout
