"""Certificates in organizations that are not as the documents may be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_sandbox_cli import ask, serving

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


def organization(portfolio: int = 0, **options: Any) -> Sandbox:
    return Sandbox(users=3, groups=0, trainings=3, portfolio=portfolio, **options)


class Certificates:
    """Somebody, and the certificates that a sandbox issues and shows."""

    def __init__(self, sandbox: Sandbox, api: Api) -> None:
        self._api = api
        self.user = sandbox.insert_user("Ann")
        self._certificate = sandbox.insert_certificate("First aid")

    def issue(self, day: str = "2026-01-31") -> Any:
        """Issue one, and return the answer."""
        query = (
            f'mutation {{ generateCertificate(id: "{self._certificate}", userIds: ["{self.user}"], '
            f'issueDate: "{day}") {{ bulkGenerate {{ succeededIds failedIds }} }} }}'
        )
        return self._api.data(query)["generateCertificate"]["bulkGenerate"]

    def items(self) -> int:
        """Return how many the portfolio shows."""
        query = f'{{ portfolioItems(userId: "{self.user}") {{ id }} }}'
        return len(self._api.data(query)["portfolioItems"])

    def report(self, **arguments: str) -> int:
        """Return how many the report shows."""
        return len(self._api.nodes("portfolioReport", "title", **arguments))


def test_a_certificate_may_show_later(connect: Callable[..., Api]) -> None:
    with organization(portfolio=7, portfolio_lag=3600) as sandbox:
        found = Certificates(sandbox, connect(sandbox))
        before = found.report()
        assert before  # what was there from the first shows at once
        assert found.issue() == {"succeededIds": [found.user], "failedIds": []}
        assert (found.items(), found.report()) == (0, before)
        sandbox.database.execute("UPDATE late_rows SET shows = shows - 3601")
        assert (found.items(), found.report()) == (1, before + 1)


@pytest.mark.parametrize(
    ("day_filter", "from_that_day", "to_that_day"),
    [("inclusive", 1, 1), ("exclusive", 0, 0), ("exclusive-to", 1, 0)],
)
def test_the_days_of_the_filter_may_be_exclusive(
    connect: Callable[..., Api], day_filter: Any, from_that_day: int, to_that_day: int
) -> None:
    with organization(day_filter=day_filter) as sandbox:
        found = Certificates(sandbox, connect(sandbox))
        found.issue("2026-01-31")
        assert found.report(completionDateFrom='"2026-01-31"') == from_that_day
        assert found.report(completionDateTo='"2026-01-31"') == to_that_day
        wider = {"completionDateFrom": '"2026-01-30"', "completionDateTo": '"2026-02-01"'}
        assert found.report(**wider) == 1


@pytest.mark.parametrize(("kind", "issued"), [("silent", 1), ("silent-refusal", 0)])
def test_an_answer_may_be_without_a_word(
    connect: Callable[..., Api], kind: str, issued: int
) -> None:
    with organization() as sandbox:
        found = Certificates(sandbox, connect(sandbox))
        sandbox.set_faults(f"{kind}:generateCertificate")
        assert found.issue() == {"succeededIds": [], "failedIds": []}
        sandbox.set_faults()
        assert found.items() == issued


def test_the_options_reach_the_server() -> None:
    switches = (
        *("--portfolio-lag", "3600", "--day-filter", "exclusive-to"),
        *("--fault", "silent:generateCertificate", "--portfolio", "40", "--users", "1"),
    )
    with serving(*switches) as (_, ready, _):
        (user,) = ask(ready, "{ users { id } }")["data"]["users"]
        first = ask(ready, "{ certificates(first: 1) { edges { node { id } } } }")
        certificate = first["data"]["certificates"]["edges"][0]["node"]["id"]
        shown = f'{{ portfolioItems(userId: "{user["id"]}") {{ title }} }}'
        before = ask(ready, shown)
        answer = ask(
            ready,
            f'mutation {{ generateCertificate(id: "{certificate}", userIds: ["{user["id"]}"]) '
            "{ bulkGenerate { succeededIds failedIds } } }",
        )
        assert answer["data"]["generateCertificate"]["bulkGenerate"]["succeededIds"] == []
        assert ask(ready, shown) == before
        days = ask(ready, "{ portfolioReport { edges { node { completionDate } } } }")["data"]
        last = max(
            edge["node"]["completionDate"] or "" for edge in days["portfolioReport"]["edges"]
        )
        query = (
            '{{ portfolioReport(completionDateTo: "{0}", completionDateFrom: "{0}") {{ count }} }}'
        )
        assert ask(ready, query.format(last))["data"] == {"portfolioReport": {"count": 0}}
