"""Everything that can go wrong between the tap and Pluvo: once, and for good.

The table `FAULTS` stands, with what the user reads, in docs/reliability.md too.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from reliability_support import Watched, comparable, like
from support import REPOSITORY, selecting

from pluvo_sandbox.faults import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Result

STREAMS = {"certificates", "group_members", "portfolio_report", "users"}
REPORT = frozenset({"portfolio_report"})
GAVE_UP = " (gave up after … in … s)"
NOW = dt.datetime.now(dt.UTC)
STATE = {
    "bookmarks": {
        "portfolio_report": {
            "replication_key": "completion_date",
            "replication_key_value": (NOW - dt.timedelta(days=300)).date().isoformat(),
            "full_read_at": NOW.isoformat(timespec="seconds"),
        }
    }
}


@dataclass(frozen=True)
class Fault:
    """A fault, and what becomes of it.

    When `once` hits a few requests, the log shows `trace`, and the output is the undisturbed one.
    While `lasting` stays, the streams `fails` fail with `message` or `or_message`. When `token`
    hits every token request, the run ends with `token_message`. `…` stands for anything.
    """

    once: tuple[str, ...]
    lasting: tuple[str, ...]
    message: str
    trace: str
    or_message: str = ""
    fails: frozenset[str] = REPORT
    token: str | None = None
    token_message: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def of_any_request(
    kind: str, message: str, token_message: str | None = None, *, value: str = "", **settings: Any
) -> dict[str, Fault]:
    """Return a fault that may hit every request, those for tokens included."""
    fault = kind + value
    early = (f"{fault}@1",) if "429" not in kind else ()  # the tap would slow down much
    return {
        kind: Fault(
            once=(f"{fault}:token@1", *early, f"{fault}@9"),
            lasting=(f"{fault}:portfolioReport",),
            message=message + GAVE_UP,
            trace=f"{message}; trying again in … s",
            token=f"{fault}:token",
            token_message=(token_message or message) + GAVE_UP,
            settings=settings,
        )
    }


def of_tokens(kind: str, message: str) -> dict[str, Fault]:
    """Return a fault of tokens that were given out."""
    return {
        kind: Fault(
            once=(f"{kind}@2", f"{kind}@7"),
            lasting=(f"{kind}@2-999",),  # all but the request for the schema
            message=message + GAVE_UP,
            trace=f"{message}; trying again in 0.0 s",
            fails=frozenset(STREAMS),
        )
    }


def of_pages(kind: str, message: str) -> dict[str, Fault]:
    """Return a fault of the pages of lists."""
    places = ("portfolioReport@1", "paginatedUsers@2", "users@3")
    return {
        kind: Fault(
            once=tuple(f"{kind}:{place}" for place in places),
            lasting=(f"{kind}:portfolioReport",),
            message=f"`portfolioReport` {message}{GAVE_UP}",
            trace=f"`…` {message}; trying again in … s",
        )
    }


BUSY = "Pluvo is throttling requests (HTTP 429)"
REFUSED = "the connection to … failed (ConnectionRefusedError)"
RESET = "the connection to … failed (ConnectionResetError)"
NO_GRAPHQL = "… did not return GraphQL (…, not valid JSON)"
NO_TOKEN = (
    "… did not return a token (no JSON object): check that the setting `organization` "
    "or `api_url` names a Pluvo organization"
)
WITHOUT_TOKEN = "… did not return a token (no `access_token`)"

FAULTS = {
    **of_any_request("429", BUSY, value="=0.2"),
    **of_any_request("429-date", BUSY),
    **of_any_request("429-bare", BUSY),
    **of_any_request("500", "Pluvo failed to answer (HTTP 500)"),
    **of_any_request("502", "Pluvo failed to answer (HTTP 502)"),
    **of_any_request("503", "Pluvo is temporarily unavailable (HTTP 503)"),
    **of_any_request("html", NO_GRAPHQL, NO_TOKEN),
    "refused": Fault(
        once=("refused=1:token@1", "refused=1@1", "refused=1@6"),
        lasting=("refused=600:portfolioReport",),
        message=REFUSED + GAVE_UP,
        trace=f"{REFUSED}; trying again in … s",
        fails=REPORT | {"users"},
        token="refused=600:token",
        token_message=REFUSED + GAVE_UP,
    ),
    **of_any_request("reset", RESET),
    **of_any_request("reset-body", RESET),
    **of_any_request("truncated", NO_GRAPHQL, NO_TOKEN),
    **of_any_request("slow", "… did not answer within 0.5 s", request_timeout=0.5),
    **of_tokens("revoked", "the API rejects the token (HTTP 401)"),
    **of_tokens("expired", "the API rejects the token (HTTP 401)"),
    **of_tokens("auth-error", "the API rejects the token (AuthenticationError)"),
    "no-token": Fault(
        once=("no-token:token@1", "revoked@5", "no-token:token@3"),
        lasting=("revoked:portfolioReport", "no-token:token@2-99"),
        message=WITHOUT_TOKEN + GAVE_UP,
        # Who waited for another's attempt at a token until its time was up says why it waited.
        or_message=f"the API rejects the token (HTTP 401){GAVE_UP}",
        trace=f"{WITHOUT_TOKEN}; trying again in … s",
        fails=REPORT | {"users"},
        token="no-token:token",
        token_message=WITHOUT_TOKEN + GAVE_UP,
    ),
    **of_any_request(
        "no-data", "the API answered with errors: 'An unknown error occurred.'", WITHOUT_TOKEN
    ),
    "partial": Fault(
        once=("partial:portfolioReport@1", "partial:paginatedUsers@2", "partial:users@3"),
        lasting=("partial:portfolioReport",),
        message=f"the API answered with errors: 'This row could not be read.'{GAVE_UP}",
        trace="the API answered with errors: 'This row could not be read.'; trying again in … s",
    ),
    **of_pages("null-node", "came with an empty node"),
    **of_pages(
        "empty-page",
        "gave 0 of 20 rows although more follow",
    ),
    **of_pages("null-next", "does not say whether another page follows"),
    "stuck-cursor": Fault(
        once=("stuck-cursor:users@2", "stuck-cursor:users@3"),
        lasting=("stuck-cursor:users",),
        message=f"`users` gave a cursor that does not move{GAVE_UP}",
        trace="`users` gave a cursor that does not move; trying again in … s",
        fails=frozenset({"group_members"}),
    ),
    "wrong-count": Fault(
        once=("wrong-count:portfolioReport@2", "wrong-count=-3:paginatedUsers@2"),
        lasting=("wrong-count:portfolioReport",),
        message="`portfolioReport` reports … rows, but only … were found, even after "
        "re-reading: run the sync again, or raise `max_repair_passes`",
        trace="`portfolioReport` …; reading it again",
    ),
    "short-page": Fault(  # as long as pages have two rows, all are read
        once=("short-page:portfolioReport@2", "short-page:paginatedUsers@2", "short-page:users@3"),
        lasting=("short-page:portfolioReport",),
        message=f"`portfolioReport` gave 1 of 20 rows although more follow{GAVE_UP}",
        trace="`portfolioReport`: the server returned … rows per page instead of 20",
    ),
    **of_pages("duplicate-rows", "gave … rows …"),
}


@pytest.fixture(scope="module")
def catalog() -> Iterator[Any]:
    with organization() as pluvo:
        yield selecting(pluvo.sync("--discover").catalog, STREAMS)


@pytest.fixture(scope="module")
def undisturbed(catalog: Any) -> Result:
    with organization() as pluvo:
        result = read(pluvo, catalog)
    assert result.returncode == 0
    assert result.records.keys() == STREAMS
    return result


@pytest.fixture
def pluvo() -> Iterator[Watched]:
    with organization() as running:
        yield running


def organization(**options: Any) -> Watched:
    """Return an organization whose lists have several pages, also those inside of others."""
    return Watched(users=60, trainings=4, groups=4, portfolio=200, **options)


def read(pluvo: Watched, catalog: Any, **settings: Any) -> Result:
    settings = {"page_size": 20, "window_days": 100, "max_retry_seconds": 20} | settings
    return pluvo.run(catalog=catalog, state=STATE, **settings)


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_passes_leaves_no_trace_in_the_output(
    kind: str, concurrency: int, pluvo: Watched, catalog: Any, undisturbed: Result
) -> None:
    fault = FAULTS[kind]
    pluvo.set_faults(*fault.once)
    result = read(pluvo, catalog, max_concurrency=concurrency, **fault.settings)
    assert result.returncode == 0, result.stderr
    assert all(item.seen >= item.first for item in pluvo._service.faults)
    assert like(fault.trace).search(result.stderr)
    assert comparable(result) == comparable(undisturbed)


# Tokens are refused in three ways, which end in the same wait.
LASTING = [
    (kind, concurrency)
    for kind in FAULTS
    for concurrency in (1, 8)
    if (kind, concurrency) not in {("expired", 8), ("auth-error", 1)}
]


@pytest.mark.parametrize(("kind", "concurrency"), LASTING)
def test_a_fault_that_stays_fails_its_streams_and_no_others(
    kind: str, concurrency: int, pluvo: Watched, catalog: Any, undisturbed: Result
) -> None:
    fault = FAULTS[kind]
    pluvo.set_faults(*fault.lasting)
    # Long enough for a second attempt, which tells the fault from the accident that began it.
    settings = {"max_concurrency": concurrency, "max_retry_seconds": 2} | fault.settings
    result = read(pluvo, catalog, **settings)
    assert result.returncode == 1, result.stderr
    assert failures(result).keys() == fault.fails
    known = [like(fault.message), like(fault.or_message)]
    assert not [
        text
        for text in failures(result).values()
        if not any(pattern.fullmatch(text) for pattern in known)
    ]
    assert result.messages[-1]["type"] == "STATE"  # for targets that pass on only the last message
    for stream in STREAMS - fault.fails:
        assert result.records[stream] == undisturbed.records[stream]
    assert (
        result.bookmark("portfolio_report")
        == (STATE if "portfolio_report" in fault.fails else undisturbed.state)["bookmarks"][
            "portfolio_report"
        ]
    )


@pytest.mark.parametrize("kind", [kind for kind, fault in FAULTS.items() if fault.token])
def test_without_a_token_a_run_ends_before_it_began(
    kind: str, pluvo: Watched, catalog: Any
) -> None:
    fault = FAULTS[kind]
    pluvo.set_faults(fault.token or "")
    result = read(pluvo, catalog, **{"max_retry_seconds": 0.5} | fault.settings)
    assert result.returncode == 1
    assert not result.stdout
    last = result.stderr.splitlines()[-1]
    assert "| CRITICAL |" in last
    assert like(f"…| {fault.token_message}").fullmatch(last)


def failures(result: Result) -> dict[str, str]:
    """Return what the last lines of the log say of each stream that failed."""
    found = re.findall(r"\| ERROR .*\| stream (\w+) failed: (.*)", result.stderr)
    lines = result.stderr.splitlines()[-len(found) :]
    assert all(" failed: " in line for line in lines)
    return dict(found)


# Kinds of the sandbox for which nothing is promised yet.
OPEN = {"yesterday", "trickle", "endless", "gzip", "not-found"}
OF_WRITING = {
    "409",
    "late-502",
    "late-no-data",
    "silent",
    "silent-refusal",
}  # see the tests of the targets


def test_the_table_has_every_kind_of_fault() -> None:
    assert FAULTS.keys() == KINDS.keys() - OPEN - OF_WRITING


def test_the_manual_has_the_same_table() -> None:
    text = (REPOSITORY / "docs/reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (.*) \|$", text, re.MULTILINE)
    assert [kind for kind, _ in rows] == [*FAULTS]
    for kind, shown in rows:
        assert shown == f"`` {FAULTS[kind].message} ``", kind


def test_retries_end_and_say_how_often_and_how_long(pluvo: Watched, catalog: Any) -> None:
    pluvo.set_faults("500:portfolioReport")
    result = read(pluvo, catalog, max_concurrency=1, max_retry_seconds=2, window_days=3650)
    (message,) = failures(result).values()
    tries, seconds = map(int, re.findall(r"\d+", message.partition("gave up")[2]))
    statuses = [request.status for request in pluvo.requests]
    assert tries == statuses.count(500) > 2
    assert seconds <= 2
    waits = [
        float(wait)
        for wait in re.findall(r"\(HTTP 500\); trying again in ([0-9.]+) s", result.stderr)
    ]
    assert len(waits) == tries - 1
    assert sum(waits) <= 2


def test_a_wait_that_is_longer_than_the_limit_is_not_begun(pluvo: Watched, catalog: Any) -> None:
    pluvo.set_faults("429=3600:portfolioReport")
    result = read(pluvo, catalog, max_retry_seconds=60)
    waits = "it asks to wait 3,600 s, and `max_retry_seconds` is 60 s"
    assert failures(result) == {"portfolio_report": f"{BUSY} (gave up after 1 try in 0 s; {waits})"}


def test_a_token_that_lives_shorter_than_the_run_is_renewed(
    catalog: Any, undisturbed: Result
) -> None:
    with organization(token_ttl=2, latency=150) as pluvo:
        result = read(pluvo, catalog, max_concurrency=1)
        assert result.returncode == 0, result.stderr
        assert comparable(result) == comparable(undisturbed)
        assert len(pluvo.tokens) > 1


def test_a_token_that_is_never_accepted_is_not_asked_for_again_and_again(catalog: Any) -> None:
    with organization(token_ttl=0) as pluvo:
        result = read(pluvo, catalog)
        assert result.returncode == 1
        assert like(f"the API rejects the token (HTTP 401){GAVE_UP}").search(result.stderr)
        assert len(pluvo.tokens) == 3
