"""Run the whole target in this process, from messages to mutations, against an organization."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from organization import KilledError, Organization

from pluvo_client.errors import PluvoError
from target_pluvo.target import TargetPluvo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Row = dict[str, Any]
KEYS = {"users": ["ref"], "group_members": ["group_ref", "user_ref"]}


class Target(TargetPluvo):
    """The target, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


@dataclass(frozen=True)
class Outcome:
    """What a run left behind. `ended` says whether it came to its end."""

    ended: bool
    succeeded: bool
    rejects: list[Row]
    mutations: list[str]
    log: str

    def rejected(self, stream: str = "users") -> set[int]:
        """Return the numbers of the rejected rows of a stream."""
        return {row["row"] for row in self.rejects if row["stream"] == stream}


def messages(data: Mapping[str, Sequence[Row]]) -> str:
    """Return rows by stream as messages, and a state after them."""
    lines: list[Row] = []
    for stream, rows in data.items():
        columns = dict.fromkeys(name for row in rows for name in row) | dict.fromkeys(KEYS[stream])
        schema = {"type": "object", "properties": {name: {} for name in columns}}
        lines.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []})
        lines += [{"type": "RECORD", "stream": stream, "record": row} for row in rows]
    lines.append({"type": "STATE", "value": {}})
    return "".join(json.dumps(line) + "\n" for line in lines)


def run(
    organization: Organization,
    folder: Path,
    data: Mapping[str, Sequence[Row]] | str,
    **settings: Any,
) -> Outcome:
    """Run the target over rows by stream, or over messages."""
    text = data if isinstance(data, str) else messages(data)
    config = {
        "api_url": "http://127.0.0.1:9",
        "client_id": "me",
        "client_secret": "hidden-secret",
        "ledger": f"sqlite:///{folder}/ledger.db",
        "rejects": f"{folder}/rejects.jsonl",
        "plan": f"{folder}/plan.txt",
        **settings,
    }
    organization.mutations.clear()
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    ended, target = False, None
    try:
        with (
            mock.patch("target_pluvo.run.PluvoClient", return_value=organization),
            mock.patch.object(sys, "stderr", said),
            redirect_stdout(io.StringIO()),
        ):
            target = Target(config=config)
            target.listen(io.StringIO(text))
            ended = True
    except (KilledError, PluvoError) as error:
        said.write(str(error))
    finally:
        logging.getLogger().removeHandler(handler)
    path = folder / "rejects.jsonl"
    lines = path.read_text("utf-8").splitlines() if ended and path.exists() else []
    return Outcome(
        ended,
        target is not None and target.succeeded,
        [json.loads(line) for line in lines],
        list(organization.mutations),
        said.getvalue(),
    )
