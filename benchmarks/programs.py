"""The programs that are compared: the tap and its baselines, as commands."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import Program

if TYPE_CHECKING:
    from bench_server import BenchServer, Load
    from measure import Command

HERE = Path(__file__).parent
BASELINES = HERE / "baselines"
VENV = HERE.parent / ".venv-bench"
PYTHON = VENV / "bin" / "python"
TOOLS = HERE.parent / ".venv-tools"
SCHEMA = "bench"  # where the users go in PostgreSQL, and dlt's in DuckDB
CREDENTIALS = {"client_id": "bench", "client_secret": "bench"}

DLT_SETTINGS = {
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
}


def install_baselines() -> None:
    """Install what only the baselines need into a separate virtual environment."""
    lock = HERE / "requirements.txt"
    stamp = VENV / ".installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    print("Installing the baselines into .venv-bench", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip: Command = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "--only-binary", ":all:", "--require-hashes", "-r", lock], check=True)
    stamp.write_text(wanted, "utf-8")


def versions() -> dict[str, str]:
    """Return the versions of the programs that are compared."""
    script = (
        "import sys; from importlib.metadata import version; "
        "print(*(f'{name}={version(name)}' for name in sys.argv[1:]))"
    )
    found: dict[str, str] = {}
    for python, names in (
        (sys.executable, ["tap-pluvo", "singer-sdk", "requests", "urllib3", "msgspec"]),
        (PYTHON, ["dlt", "aiohttp"]),
    ):
        command = [python, "-c", script, *names]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found |= dict(item.split("=") for item in output.split())
    return found


def take_keys(warehouse: str, output: Path) -> None:
    """Write the keys that were loaded into a warehouse to `output`, and empty it."""
    subprocess.run([sys.executable, HERE / "take_keys.py", warehouse, output], check=True)


class Programs:
    """Makes the commands, with their inputs and outputs in `folder`."""

    def __init__(self, server: BenchServer, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.environment = {
            "PYTHONPATH": str(HERE),  # where the baselines find data.py
            "DLT_DATA_DIR": str(folder / "dlt"),
            **DLT_SETTINGS,
        }
        self._catalog = self._write("catalog.json", self._discover())

    def tap(self, load: Load, **settings: Any) -> Program:
        """Return the tap."""
        config = {"api_url": self._server.url(load), **CREDENTIALS, **settings}
        command: Command = [sys.executable, "-m", "tap_pluvo", "--catalog", self._catalog]
        name = "-".join(["tap", *map(str, load), *settings])
        command += ["--config", self._write(f"{name}.json", config)]
        return Program("tap-pluvo", command, self.folder / "tap.jsonl", {})

    def sdk(self, load: Load) -> Program:
        """Return baseline (a)."""
        config = {"api_url": self._server.url(load), **CREDENTIALS}
        name = "-".join(["sdk", *map(str, load)])
        command: Command = [sys.executable, BASELINES / "sdk_tap.py"]
        command += ["--config", self._write(f"{name}.json", config)]
        return Program("(a) GraphQLStream", command, self.folder / "sdk.jsonl", self.environment)

    def dlt(self, load: Load) -> Program:
        """Return baseline (b)."""
        output = self.folder / "dlt-output"
        command: Command = [PYTHON, BASELINES / "dlt_pipeline.py", self._server.url(load), output]
        return Program("(b) dlt", command, output, self.environment, to_stdout=False)

    def raw(self, load: Load, in_flight: int) -> Program:
        """Return baseline (c)."""
        output = self.folder / "raw.jsonl"
        command: Command = [PYTHON, BASELINES / "raw_client.py", self._server.url(load)]
        command += [str(in_flight), output]
        return Program(
            "(c) asyncio", command, output, self.environment, to_stdout=False, exact=False
        )

    def loaded(self, load: Load, target: str) -> Program:
        """Return the tap piped into a target, with the target's output.

        `target-postgres` loads the database in the PG... variables.
        """
        output = self.folder / f"{target}-output"
        configs: dict[str, dict[str, Any]] = {
            "target-jsonl": {"destination_path": str(output)},
            "target-csv": {"output_path": str(output)},
            "target-postgres": {
                "sqlalchemy_url": "postgresql+psycopg://",
                "default_target_schema": SCHEMA,
                "use_copy": True,
            },
        }
        program: Command = [TOOLS / target / "bin" / target]
        program += ["--config", self._write(f"{target}.json", configs[target])]
        command = " | ".join(map(shlex.join, (map(str, self.tap(load).command), map(str, program))))
        return Program(
            target,
            ["bash", "-o", "pipefail", "-c", f"mkdir -p {shlex.quote(str(output))} && {command}"],
            output,
            {},
            to_stdout=False,
            fetch=partial(take_keys, "postgres") if target == "target-postgres" else None,
        )

    def organizations(self, load: Load, number: int, *, at_once: bool) -> Program:
        """Return one tap per organization, all at once or one after the other."""
        output = self.folder / "organizations"
        tap = shlex.join(map(str, self.tap(load).command))
        runs = (f"{tap} > {shlex.quote(str(output))}/{index}.jsonl" for index in range(number))
        text = "".join(f"{run} & " for run in runs) + "wait" if at_once else " && ".join(runs)
        command = f"mkdir -p {shlex.quote(str(output))} && {{ {text}; }}"
        return Program(
            "organizations", ["bash", "-c", command], output, {}, to_stdout=False, copies=number
        )

    def version(self) -> Program:
        """Return the tap's start-up."""
        command: Command = [sys.executable, "-m", "tap_pluvo", "--version"]
        return Program("tap-pluvo --version", command, self.folder / "version", {})

    def empty_version(self) -> Program:
        """Return the start-up of a tap that only has the SDK."""
        command: Command = [sys.executable, BASELINES / "empty_tap.py", "--version"]
        return Program("empty tap --version", command, self.folder / "version", {})

    def keys(self, number: int) -> Program:
        """Return a program that keeps the keys of a number of rows and nothing else."""
        command: Command = [sys.executable, HERE / "key_set.py", str(number)]
        return Program("key set", command, self.folder / "keys", {})

    def _discover(self) -> dict[str, list[dict[str, object]]]:
        """Return a catalog of only the users."""
        command = [sys.executable, "-m", "tap_pluvo", "--discover"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return {"streams": [item for item in found["streams"] if item["stream"] == "users"]}

    def _write(self, name: str, content: object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content), "utf-8")
        return path
