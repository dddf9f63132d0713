"""The Dockerfile without an engine: its steps in an empty folder, and a run. `make test-image`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import duckdb
from support import REPOSITORY

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


def run(folder: Path, *command: str, **variables: str) -> str:
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LANG": "C.UTF-8"} | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-10_000:]
    return done.stdout


def registry() -> Mapping[str, str]:
    """Return how this machine reaches packages, which a build has ways of its own to be told."""
    names = ("PIP_", "UV_INDEX", "UV_DEFAULT_INDEX", "SSL_CERT", "REQUESTS_CA")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


def locked(name: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_steps_of_the_dockerfile_and_a_run(tmp_path: Path) -> None:
    project = tmp_path / "tap-pluvo"
    project.mkdir()
    build = DOCKERFILE.partition("AS build")[2].partition("\nFROM ")[0]
    for sources in re.findall(r"^COPY (.*)$", build, re.MULTILINE):
        *names, target = sources.split()
        for name in names:
            source, place = REPOSITORY / name, project / (name if target == "./" else target)
            place.parent.mkdir(exist_ok=True)
            if source.is_dir():
                left_out = shutil.ignore_patterns("__pycache__", "target", "logs", "*.duckdb")
                shutil.copytree(source, place, ignore=left_out)
            else:
                shutil.copy(source, place)
    (step,) = [line for line in re.findall(r"^RUN (.*)$", build, re.MULTILINE) if "apt" not in line]
    run(project, *step.split(), **registry())

    python = project / ".meltano/extractors/tap-pluvo/venv/bin/python"
    freeze = run(project, ".venv-tools/uv/bin/uv", "pip", "freeze", "--python", str(python))
    installed = dict(re.findall(r"^([\w.-]+)==(\S+)", freeze, re.MULTILINE))
    assert len(installed) > 10
    assert installed.items() <= locked("dev.txt").items()

    entry = re.search(r'^ENTRYPOINT \["(.*)"\]$', DOCKERFILE, re.MULTILINE)
    command = re.search(r"^CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    settings = re.search(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    health = re.search(r"^  CMD (.*)$", DOCKERFILE, re.MULTILINE)
    assert entry
    assert command
    assert health
    assert settings
    began = time.time()
    with Sandbox(users=20, trainings=4, groups=2, portfolio=100) as sandbox:
        run(
            project,
            entry[1],
            *re.findall(r'"(.*?)"', command[1]),
            **dict(re.findall(r"(\w+)=(\S+)", settings[1])),
            TAP_PLUVO_API_URL=sandbox.url,
            TAP_PLUVO_CLIENT_ID=sandbox.client_id,
            TAP_PLUVO_CLIENT_SECRET=sandbox.client_secret,
        )
    with duckdb.connect(project / "output/prod/pluvo.duckdb", read_only=True) as database:
        assert database.execute("select count(*) from pluvo__dim_users").fetchall() == [(20,)]
    run(project, "sh", "-c", health[1])
    old = project / "output/prod/metrics.prom"
    os.utime(old, (0, 0))
    assert subprocess.run(["sh", "-c", health[1]], cwd=project, check=False).returncode == 1
    # Nothing else was written to, so all else may be read-only.
    files = (path for path in project.rglob("*") if path.is_file())
    late = {path.relative_to(project).parts[0] for path in files if path.stat().st_ctime > began}
    assert "output" in late
    assert late <= {"output", ".meltano"}
