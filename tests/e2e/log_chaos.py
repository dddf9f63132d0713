"""Random changes, syncs in between, targets that fail: what must hold of LOG_BASED all the same."""

from __future__ import annotations

from random import Random

from log_support import LOG_STREAMS, Loop, Tables, receiver, truth
from random_changes import Changes

from pluvo_sandbox import Sandbox

SHAKEN = ("twice/3", "late=0.03/5", "out-of-order=0.03/7")
LOST = (*SHAKEN, "lost/4")


def live(inbox: str, seed: int, *, method: str, lossy: bool, syncs: int) -> None:
    """Let an organization live; the target must have all of it, in the end or after each sync."""
    random = Random(seed)
    with (
        receiver(inbox) as url,
        Sandbox(
            users=30,
            groups=5,
            trainings=5,
            portfolio=20,
            seed=seed,
            webhooks=[url],
            webhook_faults=LOST if lossy else SHAKEN,
        ) as pluvo,
    ):
        loop, changes = Loop(pluvo, inbox, method), Changes(pluvo, random)
        loop.sync()
        for number in range(syncs):
            changes.happen(random.randrange(1, 25))
            result = loop.read()
            modes = {read["mode"] for read in result.sync_log.values()}
            assert modes == {"LOG_BASED" if method == "LOG_BASED" else "FULL"}
            if random.random() < 0.3:  # the target fails before it has stored the state
                loop.store_without_state(result, random)
            else:
                loop.store(result)
                if not lossy or method == "FULL_TABLE":
                    assert differences(loop.tables, truth(pluvo)) == {}, (seed, number)
        loop.sync(reconcile_days=0)
        assert differences(loop.tables, truth(pluvo)) == {}, (seed, "after the reconciling read")


def differences(ours: Tables, theirs: Tables) -> dict[str, object]:
    """Return, by stream, what one has and the other has not."""
    return {
        stream: {
            "missing": [key for key in theirs[stream] if key not in ours.get(stream, {})],
            "too many": [key for key in ours.get(stream, {}) if key not in theirs[stream]],
            "other": [
                (ours[stream][key], row)
                for key, row in theirs[stream].items()
                if key in ours.get(stream, {}) and ours[stream][key] != row
            ],
        }
        for stream in LOG_STREAMS
        if ours.get(stream, {}) != theirs[stream]
    }
