"""Kill target-pluvo at random moments and start it again: `python kill_target.py KILLS SEED`.

Faults hit after the effect and before the answer all the while. In the end every certificate was
issued exactly once, and ledger and portfolio agree.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from target_support import Target, Written, singer

from pluvo_sandbox import Sandbox
from pluvo_singer.ledger import Ledger

PEOPLE = 5
FAULTS = (
    *("late-502:generateCertificate/5", "reset:generateCertificate/7", "502:portfolioItems/9"),
    *("silent:generateCertificate/6", "silent-refusal:generateCertificate/11"),
)
LAG = 3.0  # seconds until the portfolio shows a certificate: several runs fit in


class Issuing:
    """People who are to have a certificate, and the target that issues it."""

    def __init__(self, sandbox: Sandbox, folder: Path, people: int = PEOPLE) -> None:
        self.target = Target(sandbox, folder, settle_seconds=0)
        self.certificate = sandbox.insert_certificate("First aid")
        self.users = {
            f"P{number}": sandbox.insert_user(f"P{number}", ref=f"P{number}")
            for number in range(people)
        }

    @staticmethod
    def sandbox(**options: Any) -> Sandbox:
        """Return an organization without portfolios."""
        return Sandbox(users=0, groups=0, trainings=0, portfolio=0, **options)

    def data(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of all people."""
        rows = [
            {"certificate_id": self.certificate, "user_ref": ref, "issue_date": "2026-01-31"}
            for ref in self.users
        ]
        return {"certificates_to_issue": rows}

    def kill_and_restart(self, rng: random.Random, kills: int) -> Written:
        """Kill runs at random moments while they issue, then let one come to its end."""
        self.target.sandbox.set_faults(*FAULTS)
        for _ in range(kills):
            self._add_people(rng.randrange(4, 7))
            last = len(self.target.mutations()) + rng.randrange(1, 5)  # each run makes more
            pid = self.start()
            while len(self.target.mutations()) < last:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.05))
            self.target.kill(pid)
        self.target.sandbox.set_faults()
        return self.run_until_decided()

    def start(self) -> int:
        """Start a run that is going to be killed, and return its process id.

        It may have held a request back for as long as it retries: less than the portfolio needs, so
        that only what is learned protects.
        """
        return self.target.start(singer(self.data()), max_retry_seconds=LAG / 3)

    def run_until_decided(self, **settings: Any) -> Written:
        """Run until nothing is undecided, which needs the time that the portfolio needs."""
        written = self.target.run(singer(self.data()), **settings)
        while written.table["certificates_to_issue"].get("undecided"):
            assert written.returncode == 1
            written = self.target.run(singer(self.data()), **settings)
        assert written.returncode == 0, written.stderr
        return written

    def _add_people(self, number: int) -> None:
        for _ in range(number):
            ref = f"P{len(self.users)}"
            self.users[ref] = self.target.sandbox.insert_user(ref, ref=ref)

    def check(self, ledger: str | None = None) -> None:
        """Make sure that everybody has the certificate once, and the ledger says so."""
        database = self.target.sandbox.database
        found = database.execute("SELECT userId, title, startDate FROM portfolio_items").fetchall()
        expected = [
            (user, "First aid", "2026-01-31T00:00:00+00:00") for user in self.users.values()
        ]
        assert sorted(found) == sorted(expected)
        url = ledger or f"sqlite:///{self.target.folder}/target-pluvo-ledger.db"
        with Ledger.open(url) as opened:
            entries = opened.entries("")
        assert {entry.state for entry in entries} == {"done"}
        assert sorted(entry.detail["user_id"] for entry in entries) == sorted(self.users.values())


def main(kills: int, seed: int) -> None:
    """Do it."""
    with tempfile.TemporaryDirectory() as folder, Issuing.sandbox(portfolio_lag=LAG) as sandbox:
        issuing = Issuing(sandbox, Path(folder))
        issuing.kill_and_restart(random.Random(seed), kills)
        issuing.check()
        sys.stdout.write(
            f"killed {kills} times: {len(issuing.users)} certificates, each issued exactly once; "
            "ledger and portfolio agree\n"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
