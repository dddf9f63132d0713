"""The recipe of docs/how-to/enroll.md, with the files and settings as they stand there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from log_support import receiver
from support import REPOSITORY, config, sync
from target_support import Target

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (REPOSITORY / "docs/how-to/enroll.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TAP, CATALOG, TARGET = (json.loads(text) for language, text in BLOCKS if language == "json")
FIRST, LATER = (text for language, text in BLOCKS if language == "text")


def table(printed: str) -> dict[str, int]:
    """Return the numbers of the one stream in a table."""
    names, numbers = (line.split()[1:] for line in printed.splitlines())
    return {name: int(number) for name, number in zip(names, numbers, strict=True) if int(number)}


def test_the_recipe(tmp_path: Path) -> None:
    inbox = f"sqlite:///{tmp_path / 'inbox.db'}"
    with (
        receiver(inbox) as address,
        Sandbox(users=20, groups=2, trainings=0, portfolio=0, webhooks=[address]) as pluvo,
    ):
        offer = pluvo.insert("offers", title="First days", isActive=True)
        event = pluvo.insert(
            "offer_events", offerId=offer, ref="introduction", title="Introduction", type="LIVE"
        )
        group = pluvo.insert_group("New colleagues", ref="new-colleagues")
        ann, bob, cid = (
            pluvo.insert_user(name, ref=name, email=f"{name}@example.com")
            for name in ("ann", "bob", "cid")
        )
        pluvo.insert_group_member(group, ann)
        pluvo.insert_group_member(group, bob)
        pluvo.insert_group_member(group, cid, manager=True)
        settings = {name: value for name, value in TARGET.items() if name != "organization"}
        target = Target(pluvo, tmp_path, **settings)
        state = None

        def run() -> dict[str, int]:
            nonlocal state
            pluvo.settle_webhooks()
            given = {name: value for name, value in TAP.items() if name != "organization"}
            read = sync(
                config(pluvo, **given | {"webhook_inbox": inbox}), catalog=CATALOG, state=state
            )
            assert read.returncode == 0, read.stderr
            pluvo.reset_log()
            written = target.run(read.stdout)
            assert written.returncode == 0, written.stderr
            (state,) = written.states
            return written.table.get("enrollments", {})

        def enrolled() -> set[str]:
            query = "SELECT userId FROM enrollments WHERE offerEventId = ?"
            return {user for (user,) in pluvo.database.execute(query, (event,))}

        assert run() == table(FIRST)
        assert enrolled() == {ann, bob}

        pluvo.insert_group_member(group, cid)
        assert run() == table(LATER)
        assert enrolled() == {ann, bob, cid}

        assert run() == {}
        assert target.mutations() == []

        pluvo.delete_group_member(group, ann)
        assert run() == {"unchanged": 2}
        assert enrolled() == {ann, bob, cid}
