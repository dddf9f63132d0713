"""The bridge: a certificate earned in a made-up Pluvo, granted in a made-up Thought Industries.

`make demo-bridge` sets up what this needs. Everything is new each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo import FOLDER, MELTANO, ROOT, STARTING, FailedError, Steps, say, tail
from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor
from pluvo_sandbox.thought_industries.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

BRIDGE = FOLDER / "bridge"
TITLE = "BHV-certificaat"
USERS = "--users=40"


def main() -> None:
    """Run the demo."""
    BRIDGE.mkdir(parents=True, exist_ok=True)
    for path in BRIDGE.iterdir():
        path.unlink()
    steps = Steps()
    with contextlib.ExitStack() as stack:
        with steps.next("Start two sandboxes with the same people: Pluvo and Thought Industries"):
            pluvo = stack.enter_context(serving("serve", USERS, "--portfolio=0"))
            other = stack.enter_context(serving("thought-industries", "serve", USERS))
        say(f"   {pluvo['url']} and {other['url']}", "")
        with steps.next(f"Someone earns the certificate {TITLE!r} in Pluvo"):
            earn(pluvo["db"])
        resources = {TITLE: other["resources"][TITLE]}
        variables = {
            "TAP_PLUVO_API_URL": pluvo["url"],
            "TAP_PLUVO_CLIENT_ID": pluvo["client_id"],
            "TAP_PLUVO_CLIENT_SECRET": pluvo["client_secret"],
            "TARGET_THOUGHT_INDUSTRIES_API_URL": other["url"],
            "TARGET_THOUGHT_INDUSTRIES_API_KEY": other["api_key"],
            "TARGET_THOUGHT_INDUSTRIES_RESOURCES": json.dumps(resources),
        }
        for title in ("Cross the bridge: meltano run certificates-bridge", "And once more"):
            with steps.next(title):
                bridge(variables)
            show(other["db"])


@contextmanager
def serving(*arguments: str) -> Iterator[dict[str, Any]]:
    """Serve a sandbox; yield what it says of itself."""
    name = arguments[0]
    ready = BRIDGE / f"{name}.json"
    command = [str(Path(sys.executable).with_name("pluvo-sandbox")), *arguments]
    command += ["--port=0", f"--db={BRIDGE / name}.db", f"--ready-file={ready}"]
    log = BRIDGE / f"{name}.log"
    with log.open("wb") as file:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + STARTING
        while not ready.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise FailedError(tail(log))
            time.sleep(0.05)
        told: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
        yield told
    finally:
        server.terminate()
        server.wait()


def earn(path: str) -> None:
    """Give someone a certificate today."""
    today = datetime.now(UTC).date()
    with closing(Database(path)) as database:
        editor = Editor(database.connection, random.Random(1))  # noqa: S311 - a demo
        ((user_id,),) = editor.database.execute(
            "SELECT id FROM users WHERE email IS NOT NULL AND NOT archived ORDER BY id LIMIT 1"
        ).fetchall()
        editor.insert_report_row(
            user_id,
            TITLE,
            relatedObjectType="CERTIFICATE",
            progress=100.0,
            completionDate=today.isoformat(),
            endDate=today.replace(year=today.year + 2, day=1).isoformat(),
        )


def bridge(variables: dict[str, str]) -> None:
    """Run the job; its output goes to a file."""
    # Ignore whatever this shell may have set for a real organization.
    ours = ("TAP_PLUVO_", "TARGET_", "MELTANO_", "PLUVO_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    log = BRIDGE / "meltano.log"
    with log.open("wb") as file:
        done = subprocess.run(
            [ROOT / MELTANO, "--environment=sandbox", "run", "certificates-bridge"],
            check=False,
            cwd=ROOT,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    if done.returncode:
        raise FailedError(tail(log))


def show(path: str) -> None:
    """Show what is granted."""
    with closing(Store(path)) as store:
        rows = store.rows(
            "SELECT title, issuedAt, expirationDate FROM certificates "
            "JOIN resources ON resources.id = resourceId ORDER BY number"
        )
    say(f"   Thought Industries has {len(rows)} certificate:")
    for row in rows:
        issued, expires = row["issuedAt"][:10], row["expirationDate"][:10]
        say(f"   {row['title']}, issued on {issued}, valid to {expires}", "")


if __name__ == "__main__":
    try:
        main()
    except FailedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
