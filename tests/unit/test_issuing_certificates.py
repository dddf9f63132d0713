"""What an answer to `generateCertificate` means, and what it does to the ledger."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pluvo_singer.ledger import Ledger
from pluvo_singer.values import RejectedError
from target_pluvo.ledger import CertificateLedger
from target_pluvo.remote_state import Entity
from target_pluvo.streams.issuing import Certificate, Issuer, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ITEM = Certificate("T", Entity("U", "ref"), "Title", dt.date(2026, 1, 31), "Title", None)


def issue(folder: Path, succeeded: Sequence[str], failed: Sequence[str]) -> set[str]:
    """Issue a certificate that the portfolio does not show, and return states and errors."""
    answer = {"bulkGenerate": {"succeededIds": succeeded, "failedIds": failed}}
    client: Any = SimpleNamespace(
        settings=SimpleNamespace(max_retry_seconds=0), change=lambda *_, **__: [answer]
    )
    portfolio: Any = SimpleNamespace(count=lambda _: Counter())
    with Ledger.open(f"sqlite:///{folder}/ledger.db") as opened:
        ledger = CertificateLedger(opened, "https://a.example.com", settle_seconds=600)
        said: set[str] = set()
        try:
            Issuer(client, portfolio, ledger, {}).issue(ITEM)
        except (RejectedError, UndecidedError) as error:
            said = {type(error).__name__}
        return said.union(entry.state for entry in opened.entries(""))


@pytest.mark.parametrize(
    ("succeeded", "failed", "states"),
    [
        (["U"], [], {"done"}),
        ([], ["U"], {"RejectedError"}),
        ([], [], {"UndecidedError", "intent"}),
        (["V"], ["W"], {"UndecidedError", "intent"}),
        (["U"], ["U"], {"UndecidedError", "intent"}),
    ],
)
def test_only_an_answer_without_contradiction_decides(
    tmp_path: Path, succeeded: list[str], failed: list[str], states: set[str]
) -> None:
    assert issue(tmp_path, succeeded, failed) == states
