"""Run the target for Thought Industries as a process, against the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import FOREVER, Result, environment, write

from pluvo_singer.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluvo_sandbox.thought_industries import ThoughtIndustries

TARGET = Path(sys.executable).with_name("target-thought-industries")
TITLES = ("BHV-certificaat", "Bewijs van deelname")
STATE = {"bookmarks": {"issued_certificates": {"replication_key_value": "2025-06-01"}}}
_COLUMNS = ("id", "user_id", "user_ref", "user_email", "title", "completion_date", "end_date")
SCHEMA = {
    "type": "SCHEMA",
    "stream": "issued_certificates",
    "key_properties": ["id"],
    "schema": {"properties": {name: {"type": ["string", "null"]} for name in _COLUMNS}},
}


def resources(tenant: ThoughtIndustries) -> dict[str, Any]:
    """Return the setting `resources` for some titles."""
    return {
        title: {"resource_type": "course", "resource_id": tenant.store.add_resource(title)}
        for title in TITLES
    }


def config(tenant: ThoughtIndustries, folder: Path, /, **settings: Any) -> dict[str, Any]:
    """Return settings that lead to a sandbox, with ledger and rejects in a folder."""
    return {
        "api_url": tenant.url,
        "api_key": tenant.api_key,
        "resources": resources(tenant),
        "requests_per_minute": 6000,
        "burst": 1000,
        "settle_seconds": 0,
        "max_retry_seconds": 5,
        "ledger": f"sqlite:///{folder}/ledger.db",
        "rejects": f"{folder}/rejects.jsonl",
        **settings,
    }


def row(user: dict[str, Any], title: str = TITLES[0], day: str = "2025-03-01") -> dict[str, Any]:
    """Return a row as the tap emits it."""
    return {
        "id": f"{user['email']} {title} {day}",
        "user_id": f"pluvo-{user['number']}",
        "user_ref": user["externalCustomerId"],
        "user_email": user["email"],
        "title": title,
        "completion_date": day,
        "end_date": "2027-03-01",
    }


def messages(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages of a tap that emits rows, and a state after them."""
    records = [{"type": "RECORD", "stream": "issued_certificates", "record": row} for row in rows]
    return [SCHEMA, *records, {"type": "STATE", "value": STATE}]


def command(settings: dict[str, Any], folder: Path) -> list[str]:
    """Return the command that runs the target."""
    return [str(TARGET), "--config", write(folder, "target.json", settings)]


def load(
    settings: dict[str, Any], folder: Path, said: Iterable[dict[str, Any]], code: int | None = 0
) -> Result:
    """Give messages to the target, and make sure of its exit code; None: any."""
    done = subprocess.run(
        command(settings, folder),
        check=False,
        input="".join(json.dumps(message) + "\n" for message in said),
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        cwd=folder,
        timeout=FOREVER,
    )
    assert code in {None, done.returncode}, done.stderr
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def people(tenant: ThoughtIndustries, number: int) -> list[dict[str, Any]]:
    """Return users who can be found by e-mail and by ref."""
    found = tenant.store.rows(
        "SELECT * FROM users WHERE email IS NOT NULL AND externalCustomerId IS NOT NULL "
        "ORDER BY number LIMIT ?",
        (number,),
    )
    assert len(found) == number
    return found


def granted(tenant: ThoughtIndustries) -> list[tuple[str, str, str]]:
    """Return user, resource and day of each certificate, sorted."""
    return sorted(
        (item["userId"], item["resourceId"], item["issuedAt"][:10])
        for item in tenant.certificates()
    )


def unfinished(settings: dict[str, Any]) -> list[str]:
    """Return the states of what the ledger has not as done."""
    with closing(Ledger.open(settings["ledger"])) as ledger:
        return [entry.state for entry in ledger.intents()]


def rejects(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the file of rejects."""
    if not (folder / "rejects.jsonl").exists():
        return []
    return [*map(json.loads, (folder / "rejects.jsonl").read_text("utf-8").splitlines())]
