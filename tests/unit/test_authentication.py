from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from fake_http import answer, token

from pluvo_client.errors import AuthenticationError, ProtocolError, ScopeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_http import Api

    from pluvo_client.transport.authentication import Authenticator

SCOPE_USERS = {"users.read": ["users", "custom_fields"], "groups.read": ["groups"]}


def authenticator(api: Api, **config: Any) -> Authenticator:
    return api.client(SCOPE_USERS, **config).authenticator


def test_the_request_is_a_form_with_id_secret_and_scopes(api: Api) -> None:
    assert authenticator(api).token() == "token-1"
    (sent,) = api.sent
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent.form == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": "never-shown",
        "scope": "groups.read users.read",
    }


def test_values_are_encoded(api: Api) -> None:
    authenticator(api, client_secret="a&b=c %+ü").token()
    assert api.sent[0].form["client_secret"] == "a&b=c %+ü"


def test_the_setting_decides_on_scopes(api: Api) -> None:
    found = authenticator(api, scopes=["users.write", "users.read"])
    found.token()
    assert found.requested == ("users.write", "users.read")
    assert api.sent[0].form["scope"] == "users.write users.read"


def test_without_needs_no_scope_is_named(api: Api) -> None:
    api.client({}).authenticator.token()
    assert "scope" not in api.sent[0].form


# ---------- how long a token lasts ----------


@pytest.mark.parametrize(
    ("lifetime", "used_for"),
    [
        (86400, 86100),  # five minutes less
        (3600, 3300),
        (3000, 2700),
        (100, 90),  # a tenth less
        (10, 9),
        (None, 86100),
        ("soon", 86100),
    ],
)
def test_a_token_is_renewed_before_its_end(lifetime: Any, used_for: float, api: Api) -> None:
    api.tokens += [token("first", expires_in=lifetime), token("second")]
    auth = authenticator(api)
    assert auth.token() == "first"
    api.clock.now = used_for - 1
    assert auth.token() == "first"
    assert api.asked == 1
    api.clock.now = used_for + 1
    assert auth.token() == "second"
    assert auth.token() == "second"
    assert api.asked == 2


def test_a_token_that_says_nothing_of_its_end_lasts_a_day(api: Api) -> None:
    api.tokens += [answer({"access_token": "first"}), token("second")]
    auth = authenticator(api)
    assert auth.token() == "first"
    api.clock.now = 86000
    assert auth.token() == "first"
    api.clock.now = 86400
    assert auth.token() == "second"


def test_a_token_that_is_refused_is_forgotten_once(api: Api) -> None:
    auth = authenticator(api)
    first = auth.token()
    auth.reject(first)
    second = auth.token()
    assert second != first
    auth.reject(first)  # by a worker that was late to hear
    assert auth.token() == second
    assert api.asked == 2


def together(work: Callable[[], str], start: Callable[[], object] = lambda: None) -> list[str]:
    """Return what sixteen threads find that begin at once; `start` is called then."""
    everyone = threading.Barrier(17)
    found: list[str] = []

    def wait_and_work() -> None:
        everyone.wait(30)
        found.append(work())

    threads = [threading.Thread(target=wait_and_work) for _ in range(16)]
    for thread in threads:
        thread.start()
    everyone.wait(30)
    start()
    for thread in threads:
        thread.join(60)
    return found


def test_sixteen_first_calls_make_one_request(api: Api) -> None:
    auth = authenticator(api)
    started = threading.Event()
    api.before_sending = lambda: started.wait(30)
    assert together(auth.token, started.set) == ["token-1"] * 16
    assert api.asked == 1


def test_sixteen_workers_whose_token_is_refused_make_one_request(api: Api) -> None:
    auth = authenticator(api)
    refused = auth.token()

    def work() -> str:
        auth.reject(refused)
        return auth.token()

    assert together(work) == ["token-2"] * 16
    assert api.asked == 2


# ---------- scopes that were granted ----------


def test_a_scope_that_was_not_granted_is_missed_before_the_stream_asks(api: Api) -> None:
    api.tokens += [token(scope="groups.read other.read")]
    auth = authenticator(api)
    auth.require(["groups.read"])
    with pytest.raises(ScopeError, match=r"did not grant the scope users\.read .*deselect"):
        auth.require(["groups.read", "users.read"])
    assert api.asked == 1


@pytest.mark.parametrize("said", [{}, {"scope": None}, {"scope": ["users.read"]}])
def test_an_organization_that_does_not_say_what_it_granted_is_believed(said: Any, api: Api) -> None:
    api.tokens += [token(**said)]
    authenticator(api).require(["users.read", "groups.read"])
    assert api.asked == 1


def test_nothing_granted_is_nothing(api: Api) -> None:
    api.tokens += [token(scope="")]
    with pytest.raises(ScopeError):
        authenticator(api).require(["users.read"])


def test_with_scopes_of_the_user_the_api_judges(api: Api) -> None:
    api.tokens += [token(scope="groups.read")]
    authenticator(api, scopes=["groups.read"]).require(["users.read"])
    assert api.asked == 1
    assert api.sent[0].form["scope"] == "groups.read"


# ---------- refusals ----------


@pytest.mark.parametrize(
    ("status", "body", "phrase"),
    [
        (401, {"error": "invalid_client"}, "rejects the client (HTTP 401 invalid_client)"),
        (
            400,
            {"error": "unauthorized_client"},
            "rejects the client (HTTP 400 unauthorized_client)",
        ),
        (200, {"error": "invalid_client"}, "rejects the client (HTTP 200 invalid_client)"),
        (401, {}, "rejects the client (HTTP 401)"),
        (400, {"error": "unsupported_grant_type"}, "'unsupported_grant_type' (HTTP 400)"),
        (400, {"error": "x" * 500}, "'…' (HTTP 400)"),
        (400, {"error": "invalid never-shown"}, "'…' (HTTP 400)"),
    ],
)
def test_refusals_are_final_and_say_what_to_do(
    status: int, body: Any, phrase: str, api: Api
) -> None:
    api.tokens += [answer(body, status)]
    with pytest.raises(AuthenticationError) as raised:
        authenticator(api).token()
    assert phrase in str(raised.value)
    assert "never-shown" not in str(raised.value)
    assert api.asked == 1


INVALID = {"error": "invalid_scope"}


def test_scopes_that_are_all_refused_are_named_with_what_needs_them(api: Api) -> None:
    api.tokens += [answer(INVALID, 400) for _ in range(3)]  # both, and each alone
    with pytest.raises(AuthenticationError) as raised:
        authenticator(api).token()
    assert "users.read (for users, custom_fields)" in str(raised.value)
    assert "groups.read (for groups)" in str(raised.value)
    assert [sent.form["scope"] for sent in api.sent] == [
        "groups.read users.read",
        "groups.read",
        "users.read",
    ]


def test_a_scope_that_is_refused_is_found_and_done_without(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.tokens += [answer(INVALID, 400), token("one"), answer(INVALID, 400), token("good")]
    auth = authenticator(api)
    assert auth.token() == "good"
    assert api.sent[-1].form["scope"] == "groups.read"
    assert auth.requested == ("groups.read",)
    auth.require(["groups.read"])
    with pytest.raises(ScopeError, match=r"did not grant the scope users\.read"):
        auth.require(["groups.read", "users.read"])
    (record,) = caplog.records
    assert "does not grant users.read (for users, custom_fields)" in record.message
    api.clock.now = 100_000
    assert auth.token() == f"token-{api.asked}"  # a later token is requested without it at once
    assert api.asked == 5


def test_a_single_scope_that_is_refused_is_not_asked_for_again(api: Api) -> None:
    api.tokens += [answer(INVALID, 400), answer(INVALID, 400)]
    client = api.client({"users.read": ["users"]})
    with pytest.raises(AuthenticationError, match=r"users\.read \(for users\)"):
        client.authenticator.token()


def test_scopes_of_the_user_that_are_refused_are_said_to_be_so(api: Api) -> None:
    api.tokens += [answer({"error": "invalid_scope"}, 400)]
    with pytest.raises(AuthenticationError, match=r"events\.write \(for setting `scopes`\)"):
        authenticator(api, scopes=["events.write"]).token()


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        (b"<html>", "did not return a token (no JSON"),
        ([], "did not return a token (no JSON"),
        ({}, "did not return a token (no `access_token`)"),
        ({"access_token": ""}, "did not return a token (no `access_token`)"),
        ({"access_token": None}, "did not return a token (no `access_token`)"),
        ({"access_token": 5}, "did not return a token (no `access_token`)"),
    ],
)
def test_answers_that_are_no_tokens_are_tried_again(body: Any, phrase: str, api: Api) -> None:
    api.tokens += [answer(body), token("good")]
    assert authenticator(api).token() == "good"
    api.tokens += [answer(body) for _ in range(4)]
    with pytest.raises(ProtocolError, match=re.escape(phrase)):
        authenticator(api).token()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_page_in_place_of_a_token_is_not_believed_at_once(status: int, api: Api) -> None:
    api.tokens += [answer(b"<html>Blocked</html>", status, "text/html"), token("good")]
    assert authenticator(api).token() == "good"
    api.tokens += [answer(b"<html>Blocked</html>", status, "text/html") for _ in range(9)]
    with pytest.raises(AuthenticationError) as raised:
        authenticator(api).token()
    assert f"did not return a token (HTTP {status}, no JSON object)" in str(raised.value)
    assert "`client_secret`" in str(raised.value)
    assert "gave up after 4 tries" in str(raised.value)


CANNOT_BE_SENT = ["never-shown\n", "never-shown\r\nX: y", "never shown", "nëver-shown", "\x00", " "]


@pytest.mark.parametrize("name", ["access_token", "token_type"])
@pytest.mark.parametrize("value", CANNOT_BE_SENT)
def test_a_token_that_cannot_be_sent_is_refused_without_it(
    name: str, value: str, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.tokens += [token(**{name: value}) for _ in range(4)]
    with pytest.raises(ProtocolError, match=rf"cannot be sent: `{name}` has a space") as raised:
        authenticator(api).token()
    assert "shown" not in str(raised.value) + caplog.text
    assert authenticator(api).token() == "token-5"


@pytest.mark.parametrize("delay", [0.5, 0.9])
def test_a_token_that_is_valid_a_moment_later_is_waited_for(delay: float, api: Api) -> None:
    issued: dict[str, float] = {}
    client = api.client()
    urlopen = api.urlopen

    def strict(method: str, url: str, body: bytes, **options: Any) -> Any:
        given = options["headers"].get("Authorization")
        if given is None:
            issued[f"Bearer token-{api.asked + 1}"] = api.clock.now
        else:
            valid = api.clock.now >= issued[given] + delay
            api.answers.append(answer({"data": {"a": 1}}) if valid else answer({}, 401))
        return urlopen(method, url, body, **options)

    api.urlopen = strict  # type: ignore[method-assign]  # an organization with a memory
    assert client.execute("{ a }") == {"a": 1}
    assert api.asked == 2


def test_an_old_token_that_is_refused_is_replaced_without_a_wait(api: Api) -> None:
    auth = authenticator(api)
    first = auth.token()
    api.clock.now = 60
    auth.reject(first)
    assert auth.token() != first
    assert api.clock.waits == []


def test_a_token_address_that_is_busy_is_waited_for(api: Api) -> None:
    api.tokens += [answer({}, 429, Retry_After="4"), answer(b"", 500), token("good")]
    assert authenticator(api).token() == "good"
    assert api.clock.now >= 4
