"""The pace that the API allows is found by itself."""

from __future__ import annotations

import threading
import time

from support import config, discover, run_tap, selecting

from pluvo_sandbox import Sandbox


def test_a_limit_that_nobody_told_is_hardly_ever_hit_again() -> None:
    """5 requests a second: under 5% are refused once ten seconds have passed."""
    served: list[tuple[float, int]] = []
    ended = threading.Event()
    with Sandbox(users=3500, trainings=1, groups=1, portfolio=1, rate_limit="5/s") as sandbox:

        def watch() -> None:
            while not ended.wait(0.1):
                served.append((time.monotonic(), len(sandbox.requests)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        settings = config(sandbox, max_concurrency=8, max_retry_seconds=60)
        result = run_tap(settings, catalog=selecting(discover({}), ["users"]))
        ended.set()
        watcher.join()
        statuses = [request.status for request in sandbox.requests]
    assert result.returncode == 0, result.stderr
    assert len(result.records["users"]) == 3500
    first = next(moment for moment, number in served if number)
    settled = max(number for moment, number in served if moment - first <= 10)
    later = statuses[settled:]
    assert 429 in statuses
    assert later.count(429) < 0.05 * len(later)
