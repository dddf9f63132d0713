"""The setting `allow_incomplete`: success where nothing proves that all was read, and said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support import SYNC_LOG, config, run_tap, selecting

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = "portfolio_report"


@pytest.fixture(scope="module")
def unordered() -> Iterator[Sandbox]:
    """A report whose rows all tie, in another order for each request, and have no day."""
    options: dict[str, Any] = {"users": 300, "trainings": 20, "portfolio": 1200}
    with Sandbox(**options, ties="random", report_order="completion-date") as sandbox:
        for (row,) in sandbox.database.execute("SELECT id FROM report").fetchall():
            sandbox.change("report", row, completionDate=None)
        yield sandbox


def test_a_stream_that_may_be_incomplete_succeeds_and_says_so(
    unordered: Sandbox, catalog: Any, tmp_path: Path
) -> None:
    chosen = selecting(catalog, [REPORT, SYNC_LOG])
    path = tmp_path / "metrics"
    settings: dict[str, Any] = {"max_repair_passes": 0, "metrics_file": str(path)}
    failed = run_tap(config(unordered, **settings), catalog=chosen)
    assert failed.returncode == 1
    assert f"stream {REPORT} failed: `portfolioReport`" in failed.stderr
    allowed = run_tap(
        config(
            unordered,
            allow_incomplete=[REPORT],
            emit_activate_version_messages=True,
            **settings,
        ),
        catalog=chosen,
    )
    assert allowed.returncode == 0, allowed.stderr
    assert f"stream {REPORT} is incomplete: `portfolioReport`" in allowed.stderr
    assert "  INCOMPLETE" in allowed.stderr
    assert {row["id"] for row in allowed.records[REPORT]}
    assert allowed.sync_log[REPORT]["complete"] is False
    assert not [item for item in allowed.messages if item["type"] == "ACTIVATE_VERSION"]
    measured = path.with_name("metrics.prom").read_text().splitlines()
    (complete,) = (line for line in measured if line.startswith("tap_pluvo_run_complete{"))
    assert complete.endswith(" 0")


def test_a_stream_that_there_is_not_is_refused(unordered: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, [REPORT])
    result = run_tap(config(unordered, allow_incomplete=["user"]), catalog=chosen)
    assert result.returncode == 1
    assert "setting `allow_incomplete`: there is no stream 'user'" in result.stderr
    assert "Traceback" not in result.stderr
