"""The recipe of docs/how-to/assign-training.md, with the files and settings as they stand there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from support import REPOSITORY, config, sync
from target_support import Target

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (REPOSITORY / "docs/how-to/assign-training.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
_, CATALOG, TARGET = (json.loads(text) for language, text in BLOCKS if language == "json")
(TABLE,) = (text for language, text in BLOCKS if language == "text")


def test_the_recipe(tmp_path: Path) -> None:
    with Sandbox(users=20, groups=2, trainings=2, portfolio=0) as pluvo:
        group = pluvo.insert_group("Warehouse", ref="warehouse")
        training = pluvo.insert_training("Forklift", ref="forklift")
        users = {name: pluvo.insert_user(name, ref=name) for name in ("ann", "bob", "cid")}
        for name, user in users.items():
            pluvo.insert_group_member(group, user, manager=name == "cid")
        read = sync(config(pluvo), catalog=CATALOG)
        assert read.returncode == 0, read.stderr
        settings = {name: value for name, value in TARGET.items() if name != "organization"}
        target = Target(pluvo, tmp_path, **settings)
        dry = target.run(read.stdout, dry_run=True)
        assert dry.returncode == 0, dry.stderr
        first = target.run(read.stdout)
        assert first.returncode == 0, first.stderr
        lines = [line.rpartition("| ")[2] for line in first.stderr.splitlines()]
        assert lines[-2:] == TABLE.splitlines()
        found = pluvo.database.execute(
            "SELECT userId, role FROM training_users WHERE trainingId = ?", (training,)
        ).fetchall()
        assert set(found) == {(users[name], "PARTICIPANT") for name in ("ann", "bob")}
        assert "sendInvites: true" not in " ".join(target.mutations())
        again = target.run(read.stdout)
        assert again.table == {"training_participants": {"unchanged": 2}}
