"""From one organization into an empty one, by tap-pluvo and target-pluvo, and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support import SYNC_LOG, Result, config, discover, selecting, sync
from target_support import Target

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

# What a copy has like the original: ids, and what no mutation sets, aside.
COLUMNS = {
    "users": "ref name email archived is_active roles language afas_employee_id",
    "groups": "ref name max_users enable_chat is_editable",
    "group_members": "group_ref user_ref role",
    "trainings": "ref title subtitle is_active archived start_date end_date show_participants "
    "enable_chat",
    "training_participants": "training_ref user_ref role",
    "custom_field_values": "owner_type owner_ref field_title value_type string_value boolean_value "
    "datetime_value choice_value",
}


def read(sandbox: Sandbox) -> Result:
    # With the log of what was read, which a stream map drops.
    catalog = selecting(discover(config(sandbox)), [*COLUMNS, SYNC_LOG])
    return sync(config(sandbox), catalog=catalog)


def comparable(result: Result) -> dict[str, list[tuple[Any, ...]]]:
    return {
        stream: sorted(set(result.keys(stream, *columns.split())), key=repr)
        for stream, columns in COLUMNS.items()
    }


@pytest.mark.parametrize("schema", ["documented", "rich"])
def test_a_copy_reads_like_the_original(schema: Any, tmp_path: Path) -> None:
    size = {"users": 70, "trainings": 7, "groups": 6, "portfolio": 150, "schema": schema}
    empty = {"users": 0, "trainings": 0, "groups": 0, "portfolio": 0, "schema": schema}
    with Sandbox(**size) as full, Sandbox(**empty) as copy:
        # Pluvo makes up a ref for what is given none.
        for table in ("users", "groups", "trainings"):
            full.database.execute(f"UPDATE {table} SET ref = 'made-' || id WHERE ref IS NULL")
        # Nobody is made who has left, and blanks around a name are not written.
        full.database.execute(
            "UPDATE users SET archived = 0, archivedAt = NULL, isActive = 1, name = trim(name)"
        )
        original = read(full)
        target = Target(copy, tmp_path, stream_maps={"sync_log": None}, manage_roles=True)
        written = target.run(original.stdout)
        assert written.returncode == 0, written.stderr
        assert comparable(read(copy)) == comparable(original)
        assert all(comparable(original).values())

        copy.reset_log()
        again = target.run(original.stdout)
        assert {name for numbers in again.table.values() for name in numbers} == {"unchanged"}
        assert target.mutations() == []
        # The state is the tap's own, once all is there.
        assert written.states == again.states == [original.state]
