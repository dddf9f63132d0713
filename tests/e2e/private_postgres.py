"""A PostgreSQL server of one's own: on a free port, in a temporary folder, gone afterwards.

Its programs come from a wheel (requirements/postgres.txt), so neither root nor a system package is
needed. From a shell: `.venv/bin/python tests/e2e/private_postgres.py COMMAND...`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEEL = Path(__file__).parents[2] / ".venv-tools/postgres"
# A superuser that everyone on this machine may be, and the same order of text everywhere.
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
STARTING = 30
STOPPING = 30


@contextmanager
def private_postgres() -> Iterator[dict[str, str]]:
    """Yield the environment variables that lead libpq, the target and dbt to the server."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        programs = _programs(folder)
        run: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL}
        if os.geteuid() == 0:  # as which PostgreSQL refuses to run
            shutil.chown(folder, "nobody")
            run |= {"user": "nobody", "extra_groups": []}
        data, log, port = folder / "data", folder / "log", _free_port()
        subprocess.run(
            [programs / "initdb", "-D", data, *INITDB],
            check=True,
            stdout=subprocess.DEVNULL,
            **run,
        )
        with log.open("wb") as file:
            server = subprocess.Popen(
                # -F: nothing here has to survive a crash.
                [programs / "postgres", "-F", "-D", data, "-k", folder, "-p", str(port)],
                stdout=file,
                stderr=file,
                **run,
            )
        try:
            variables = {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(port),
                "PGUSER": "postgres",
                "PGPASSWORD": "any",
                "PGDATABASE": "postgres",
            }
            _wait_until_ready(server, programs / "pg_isready", variables)
            yield variables
        except _NotStartedError:
            sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
            raise
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for those who are connected
            server.wait(STOPPING)


class _NotStartedError(Exception):
    pass


def _wait_until_ready(
    server: subprocess.Popen[bytes], is_ready: Path, variables: dict[str, str]
) -> None:
    deadline = time.monotonic() + STARTING
    environment = os.environ | variables
    while subprocess.run([is_ready, "-q"], check=False, env=environment).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            message = "PostgreSQL did not start; its log is above"
            raise _NotStartedError(message)
        time.sleep(0.05)


def _programs(folder: Path) -> Path:
    """Return where the programs are; for root a copy that other users can reach, in `folder`."""
    found = sorted(WHEEL.glob("lib/python*/site-packages/*/pginstall*/bin"))
    if not found:
        message = f"no PostgreSQL in {WHEEL}: run `make setup`"
        raise FileNotFoundError(message)
    programs = found[-1]
    if os.geteuid() != 0:
        return programs
    # The libraries that came with the wheel are found relative to the programs.
    install, package = programs.parent, programs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(install, folder / package.name / install.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / install.name / programs.name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    with private_postgres() as environment:
        command = subprocess.run(sys.argv[1:], check=False, env=os.environ | environment)
    sys.exit(command.returncode)
