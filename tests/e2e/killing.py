"""Kill the target for Thought Industries, start it again, and see what was issued."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from random import Random
from typing import TYPE_CHECKING, Any

from support import environment, write
from thought_industries_support import (
    command,
    config,
    granted,
    load,
    messages,
    people,
    resources,
    row,
    unfinished,
)
from typing_extensions import override

from pluvo_sandbox.thought_industries import ThoughtIndustries

if TYPE_CHECKING:
    from pathlib import Path

LAG = 0.5  # seconds until the events show a grant
# Before the effect, after it, and instead of the answer of the read-back.
FAULTS = ("502:certify/7", "late-502:certify/4", "reset:certify/5", "500:events/6")


class Log(list[Any]):
    """The log of a sandbox, which kills a process when it has served so many requests.

    That is after the effect of the last one, and before its answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self.process: subprocess.Popen[str] | None = None

    @override
    def append(self, item: Any) -> None:
        super().append(item)
        self.left -= 1
        if not self.left and self.process:
            self.process.kill()


def kill(times: int, folder: Path, ledger: str, seed: int) -> None:
    """Kill the target and start it again, over and over; then let it end, and compare."""
    random = Random(seed)
    log = Log()
    with ThoughtIndustries(users=20 * times, grants_show=LAG, requests=log) as tenant:
        settings = config(tenant, folder, ledger=ledger, settle_seconds=2 * LAG)
        users = people(tenant, 8 * times)
        said = messages(map(row, users))
        text = "".join(json.dumps(message) + "\n" for message in said)
        source = write(folder, "messages.jsonl", text)
        tenant.set_faults(*FAULTS)
        killed = 0
        for number in range(times):
            process = subprocess.Popen(
                [*command(settings, folder), "--input", source],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env=environment(),
                cwd=folder,
            )
            by_clock = number % 2 == 1
            log.process, log.left = process, 0 if by_clock else random.randint(1, 14)
            timer = threading.Timer(random.uniform(0.4, 1.2) if by_clock else 60, process.kill)
            with process:
                timer.start()
                output, _ = process.communicate()
                timer.cancel()
            assert process.returncode in {0, 1, -signal.SIGKILL}  # 1: something is undecided
            killed += process.returncode == -signal.SIGKILL
            assert not output or process.returncode == 0  # a state says that all is done
        assert killed > times / 2
        tenant.set_faults()
        # What is undecided is decided by a run that comes after the events had their time.
        while load(settings, folder, said, code=None).returncode:
            time.sleep(LAG)
        resource = resources(tenant)["BHV-certificaat"]["resource_id"]
        wanted = sorted((user["id"], resource, "2025-03-01") for user in users)
        assert granted(tenant) == wanted
        assert unfinished(settings) == []
