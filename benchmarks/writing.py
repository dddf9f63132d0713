"""target-pluvo over many users of whom a few have changed, beside a plain read of them all."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from measure import FailedError, Run, measured

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

BIN = Path(sys.executable).parent


def writing(users: int, changed: int) -> tuple[dict[str, Run], float]:
    """Return the runs, and the requests of the write as a ratio to the read and the changes.

    Raises:
        FailedError: a program failed, or other users were changed than those that differ.
    """
    with (
        Sandbox(users=users, groups=0, trainings=0, portfolio=0) as sandbox,
        TemporaryDirectory() as name,
    ):
        folder = Path(name)
        credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        config = folder / "config.json"
        config.write_text(json.dumps({"api_url": sandbox.url, **credentials}), encoding="utf-8")
        catalog = folder / "catalog.json"
        _run(sandbox, folder, ["tap-pluvo", "--discover"], catalog)
        _select_users(catalog)
        rows = folder / "users.singer"
        read = _run(sandbox, folder, ["tap-pluvo", "--catalog", str(catalog)], rows)
        messages = rows.read_text("utf-8").splitlines()
        for number in range(0, len(messages), users // changed):
            messages[number] = messages[number].replace('"name":"', '"name":"Another ')
        rows.write_text("\n".join(m for m in messages if '"sync_log"' not in m), encoding="utf-8")
        written = _run(
            sandbox, folder, ["target-pluvo", "--input", str(rows)], folder / "state.json"
        )
        mutations = [
            request.query.count("updateOrCreateUser(")
            for request in sandbox.requests
            if request.query and request.query.startswith("mutation")
        ]
        ((renamed,),) = sandbox.database.execute(
            "SELECT count(*) FROM users WHERE name LIKE 'Another %'"
        )
        if sum(mutations) != renamed or not 0 < renamed <= changed + 1:
            msg = f"{sum(mutations)} mutations changed {renamed} of {changed} users"
            raise FailedError(msg)
    runs = {"tap-pluvo, users": read, f"target-pluvo, {renamed} changed": written}
    return runs, written.requests / (read.requests + len(mutations))


def _run(sandbox: Sandbox, folder: Path, command: Sequence[str], output: Path) -> Run:
    """Run a program over the sandbox."""
    sandbox.reset_log()
    program, *arguments = command
    with output.open("wb") as out, (folder / "log").open("wb") as err:
        code, run = measured(
            [BIN / program, "--config", folder / "config.json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
        )
    if code:
        msg = f"{program} failed:\n{(folder / 'log').read_text('utf-8')[-2000:]}"
        raise FailedError(msg)
    return replace(run, rows=sandbox.users, requests=len(sandbox.requests))


def _select_users(path: Path) -> None:
    catalog = json.loads(path.read_text("utf-8"))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "users"
    path.write_text(json.dumps(catalog), encoding="utf-8")
