"""Answers that are not the API's: waited for once it has answered, refused at once before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_http import answer, data, errors, token

from pluvo_client.errors import PluvoError, ThrottledError, TransientError

if TYPE_CHECKING:
    from fake_http import Api

QUERY = "{ users { id } }"
PAGE = b"<html><title>Maintenance</title></html>"

FAULTS: dict[str, Any] = {
    "maintenance page": lambda: answer(PAGE, 200, "text/html"),
    "firewall": lambda: answer(PAGE, 403, "text/html"),
    "not found": lambda: answer(PAGE, 404, "text/html"),
    "nothing": lambda: answer(b"", 204),
    **{
        f"redirect {status}": lambda status=status: answer(b"", status, Location="/login")
        for status in (301, 302, 307, 308)
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_is_waited_for(api: Api, fault: str) -> None:
    client = api.client(max_retry_seconds=300)
    api.answers += [data(users=[]), *(FAULTS[fault]() for _ in range(8)), data(users=[])]
    assert client.execute(QUERY) == client.execute(QUERY) == {"users": []}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_address_that_never_answered_is_given_up_soon(api: Api, fault: str) -> None:
    api.answers += [FAULTS[fault]() for _ in range(8)]
    with pytest.raises(PluvoError, match=r"organization|GraphQL"):
        api.client(max_retry_seconds=300).execute(QUERY)
    assert len(api.operations) <= 4


def test_what_does_not_pass_is_given_up_in_the_end(api: Api) -> None:
    client = api.client(max_retry_seconds=30)
    api.answers += [data(users=[]), *(answer(PAGE, 403, "text/html") for _ in range(50))]
    client.execute(QUERY)
    with pytest.raises(TransientError, match=r"did not return GraphQL \(text/html.*gave up after"):
        client.execute(QUERY)


@pytest.mark.parametrize("code", ["THROTTLED", "RATE_LIMITED", "TOO_MANY_REQUESTS"])
def test_throttling_in_errors_slows_down(api: Api, code: str) -> None:
    client = api.client(max_retry_seconds=300)
    api.answers += [*(errors("slower, please", code=code) for _ in range(6)), data(users=[])]
    assert client.execute(QUERY) == {"users": []}
    api.answers += [errors("slower, please", code=code) for _ in range(500)]
    with pytest.raises(ThrottledError, match="throttling"):
        client.execute(QUERY)


def test_a_wait_that_is_too_long_is_said(api: Api) -> None:
    api.answers += [answer(b"", 503, Retry_After="3600")]
    with pytest.raises(
        TransientError, match=r"asks to wait 3,600 s, and `max_retry_seconds` is 30 s"
    ):
        api.client(max_retry_seconds=30).execute(QUERY)


def test_a_byte_order_mark_is_no_fault(api: Api) -> None:
    api.answers += [answer(b'\xef\xbb\xbf{"data": {"users": []}}')]
    assert api.client().execute(QUERY) == {"users": []}


def test_scopes_may_be_listed_with_commas(api: Api) -> None:
    api.tokens += [token(scope="users.read,trainings.read")]
    api.answers += [data(users=[])]
    client = api.client({"users.read": ["users"], "trainings.read": ["trainings"]})
    client.authenticator.require(["users.read", "trainings.read"])
    assert client.execute(QUERY) == {"users": []}
