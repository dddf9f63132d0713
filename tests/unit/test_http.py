from __future__ import annotations

from collections import deque
from email.utils import formatdate
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import certifi
import pytest
from fake_http import CONFIG, NOW, URL, answer, data
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    ProtocolError,
    ReadTimeoutError,
)

from pluvo_client.errors import (
    ConfigurationError,
    PluvoError,
    ThrottledError,
    TransientError,
)
from pluvo_client.settings import ClientSettings
from pluvo_client.transport.connection_pool import connection_pool

if TYPE_CHECKING:
    from fake_http import Api

QUERY = "{ users { id } }"


def busy(status: int = 429, **headers: str) -> Any:
    return answer({"errors": [{"message": "Too many requests."}]}, status, **headers)


def certificates(**config: Any) -> tuple[Any, Any]:
    """Return how the connections that some settings lead to check certificates."""
    pool: Any = connection_pool(ClientSettings.from_config(CONFIG | config))
    return pool.cert_reqs, pool.ca_certs


def down(status: int = 500) -> Any:
    return answer(b"Internal Server Error", status, "text/plain")


# ---------- what is sent ----------


def test_a_request_says_who_asks_and_for_what(api: Api) -> None:
    api.answers += [data(users=[])]
    assert api.client(user_agent="me (data@example.com)").execute(QUERY) == {"users": []}
    (sent,) = api.operations
    assert sent.query == QUERY
    assert sent.headers["User-Agent"] == "me (data@example.com)"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Accept"] == "application/json"
    assert sent.headers["Authorization"] == "Bearer token-1"
    assert api.sent[0].headers["User-Agent"] == "me (data@example.com)"
    assert "Authorization" not in api.sent[0].headers


def test_the_tap_names_itself(api: Api) -> None:
    api.answers += [data()]
    api.client().execute(QUERY)
    assert {sent.headers["User-Agent"] for sent in api.sent} == {
        f"tap-pluvo/{version('tap-pluvo')}"
    }


def test_each_request_has_its_own_body(api: Api) -> None:
    api.answers += [data(), data()]
    client = api.client()
    for query in ("{ users { id } }", "{ groups { id ref name } }"):
        client.execute(query)
        assert api.operations[-1].query == query


def test_the_timeout_is_that_of_the_settings(api: Api) -> None:
    api.answers += [data()]
    api.client(request_timeout=7).execute(QUERY)
    assert api.timeouts == {7}


def test_certificates_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    bundle = certifi.where()
    assert certificates(ca_bundle=bundle) == ("CERT_REQUIRED", bundle)
    assert certificates() == ("CERT_REQUIRED", bundle)


def test_certificates_of_the_environment_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    assert certificates() == ("CERT_REQUIRED", str(bundle))


def test_credentials_of_netrc_are_not_sent(
    api: Api, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine academy.pluvo.com login me password never-shown\n")
    monkeypatch.setenv("NETRC", str(netrc))
    api.answers += [data()]
    api.client().execute(QUERY)
    assert "Authorization" not in api.sent[0].headers
    assert api.operations[0].headers["Authorization"] == "Bearer token-1"


# ---------- what is tried again ----------


@pytest.mark.parametrize(
    "failure",
    [
        down(500),
        down(502),
        down(504),
        down(408),
        ProtocolError("reset"),
        ReadTimeoutError(ANY, "/", "slow"),
        ConnectTimeoutError("slow"),
        DecodeError("broken"),
    ],
    ids=lambda failure: getattr(failure, "status", None) or type(failure).__name__,
)
def test_what_may_pass_is_tried_again(failure: Any, api: Api) -> None:
    api.answers += [failure, data(users=[])]
    client = api.client()
    assert client.execute(QUERY) == {"users": []}
    assert len(api.operations) == 2
    assert client.transport.retries == 1
    (wait,) = api.clock.waits
    assert 0 <= wait <= 0.5


def test_waits_double_with_jitter_up_to_a_minute(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    api.answers += [*(ProtocolError() for _ in range(10)), data()]
    api.client(max_retry_seconds=1000).execute(QUERY)
    assert api.clock.waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_patience_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    reset = ProtocolError("Connection aborted.", ConnectionResetError(104, "by peer"))
    api.answers += [reset for _ in range(9)]
    with pytest.raises(TransientError, match=r"gave up after 5 tries in 8 s") as raised:
        api.client(max_retry_seconds=10).execute(QUERY)
    assert f"the connection to {URL} failed (ConnectionResetError)" in str(raised.value)
    assert api.clock.waits == [0.5, 1, 2, 4]  # and 8 would be too much
    assert len(api.operations) == 5


def test_an_outage_is_waited_for_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down in mid-run does not hold up each of the streams that follow."""
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    client = api.client()
    for gave_up in (r"1\d tries in 2\d\d s", "4 tries in 4 s", "4 tries in 4 s"):
        api.answers = deque(down() for _ in range(99))
        with pytest.raises(TransientError, match=f"gave up after {gave_up}"):
            client.execute(QUERY)
    api.answers = deque([down(), down(), data(), *(down() for _ in range(9)), data()])
    for _ in range(2):  # it is back, and the next outage is waited for as the first one was
        assert client.execute(QUERY) == {}


def test_without_patience_there_is_one_try(api: Api) -> None:
    api.answers += [down()]
    with pytest.raises(TransientError, match="gave up after 1 try in 0 s"):
        api.client(max_retry_seconds=0).execute(QUERY)
    assert api.clock.waits == []


def test_a_timeout_says_how_long_it_was(api: Api) -> None:
    api.answers += [ReadTimeoutError(ANY, "/", "slow")]
    with pytest.raises(TransientError, match=f"{URL} did not answer within 1.5 s"):
        api.client(max_retry_seconds=0, request_timeout=1.5).execute(QUERY)


# ---------- what asks for patience ----------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "wait"), [("3", 3), ("0", 0), ("0.5", 0.5), ("-5", 0)])
def test_retry_after_in_seconds(status: int, header: str, wait: float, api: Api) -> None:
    api.answers += [busy(status, Retry_After=header), data(users=[])]
    assert api.client().execute(QUERY) == {"users": []}
    assert api.clock.now == wait


@pytest.mark.parametrize("seconds", [30, 0, -30])
def test_retry_after_as_a_date(seconds: int, api: Api) -> None:
    date = formatdate(NOW + seconds, usegmt=True)
    api.answers += [busy(Retry_After=date), data()]
    api.client().execute(QUERY)
    assert api.clock.now == max(0, seconds)


@pytest.mark.parametrize("header", ["soon", "", "Mon, 99 Foo 2024"])
def test_retry_after_that_cannot_be_read_is_as_if_absent(header: str, api: Api) -> None:
    api.answers += [busy(Retry_After=header), data()]
    api.client().execute(QUERY)
    assert 0 <= api.clock.now <= 0.5


def test_without_retry_after_waits_double(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    api.answers += [busy(), busy(), busy(), data()]
    api.client().execute(QUERY)
    assert api.clock.now == 0.5 + 1 + 2


def test_a_wait_beyond_patience_is_not_begun(api: Api) -> None:
    api.answers += [busy(Retry_After="3600")]
    with pytest.raises(
        ThrottledError, match=r"throttling requests \(HTTP 429\) \(gave up after 1 t"
    ):
        api.client(max_retry_seconds=60).execute(QUERY)
    assert api.clock.now == 0


def test_a_refusal_slows_what_follows(api: Api) -> None:
    api.answers += [
        *(data() for _ in range(20)),
        busy(Retry_After="1"),
        *(data() for _ in range(4)),
    ]
    client = api.client()
    for _ in range(20):
        client.execute(QUERY)
    assert api.clock.waits == []  # no limit is known
    for _ in range(4):
        client.execute(QUERY)
    assert api.clock.waits[0] == 1
    assert len(api.clock.waits) == 4
    assert all(wait > 0 for wait in api.clock.waits)


class Outage:
    """Requests take 50 ms; those that begin between two moments are answered with 503."""

    def __init__(self, api: Api, start: float, end: float, **headers: str) -> None:
        self._api, self._start, self._end, self._headers = api, start, end, headers
        api.before_sending = self._answer

    def _answer(self) -> None:
        clock = self._api.clock
        down_now = self._start <= clock.now < self._end
        self._api.answers.append(busy(503, **self._headers) if down_now else data())
        clock.now += 0.05


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "1"}, {"Retry_After": "20"}])
@pytest.mark.parametrize("config", [{}, {"requests_per_second": 15}])
def test_after_an_outage_the_pace_is_the_old_one(
    headers: dict[str, str],
    config: dict[str, Any],
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    client = api.client(**config)
    client.authenticator.token()
    Outage(api, 10, 55, **headers)
    took = []
    for _ in range(400):
        before = api.clock.now
        client.execute(QUERY)
        took.append(round(api.clock.now - before, 3))
    usual, hit = max(took[:100]), max(took)
    assert hit >= 45
    assert took.count(hit) == 1
    others = [seconds for seconds in took if seconds != hit]
    assert len(others) == 399
    assert max(others) <= usual
    assert hit <= 45 + 32  # the outage, and the last wait, at most


# ---------- what is not tried again ----------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int, api: Api) -> None:
    api.answers += [answer(b"", status, "text/html", Location="https://example.com/graphql/")]
    with pytest.raises(ConfigurationError, match=rf"redirects \(HTTP {status}\).*not followed"):
        api.client().execute(QUERY)
    assert {sent.url for sent in api.sent} == {f"{URL}/oauth/token/", f"{URL}/graphql/"}


@pytest.mark.parametrize("status", [404, 405, 410, 418])
def test_an_address_without_an_api(status: int, api: Api) -> None:
    api.answers += [answer(b"<html>", status, "text/html")]
    with pytest.raises(PluvoError, match=rf"{URL}/graphql/ answered HTTP {status}.*names a Pluvo"):
        api.client().execute(QUERY)
    assert len(api.operations) == 1


def test_closing_twice_is_fine(api: Api) -> None:
    api.answers += [data()]
    client = api.client()
    client.execute(QUERY)
    client.transport.close()
    client.transport.close()
