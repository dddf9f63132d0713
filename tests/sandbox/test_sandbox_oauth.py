from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pluvo_sandbox import Sandbox
from pluvo_sandbox.oauth import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


def test_a_token_echoes_the_scopes_asked_for(api: Api) -> None:
    answer = api.token(scope="users.read events.read")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    assert token.pop("access_token")
    assert token == {
        "token_type": "Bearer",
        "expires_in": 86400,
        "scope": "users.read events.read",
    }


def test_by_default_a_token_has_every_scope(api: Api) -> None:
    assert api.token(scope=None).json()["scope"].split() == list(SCOPES)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"scope": "users.read portfolio.read"}, 400, "invalid_scope"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "someone"}, 401, "invalid_client"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_bad_token_request_is_refused_as_rfc_6749_says(
    api: Api, form: dict[str, str | None], status: int, error: str
) -> None:
    answer = api.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert "access_token" not in answer.json()


def test_credentials_are_read_from_a_form_body_only(api: Api, sandbox: Sandbox) -> None:
    credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    form = {"grant_type": "client_credentials"}
    token = sandbox.url + "/oauth/token/"
    assert api.session.post(token, json=form | credentials, timeout=10).status_code == 400
    assert api.session.post(token, params=credentials, data=form, timeout=10).status_code == 401
    assert api.session.get(token, params=form | credentials, timeout=10).status_code == 405


def test_a_scope_that_the_client_lacks_is_refused(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, scopes=["users.read"]) as sandbox:
        api = connect(sandbox)
        answer = api.token(scope="users.read groups.read")
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_scope"


def test_a_token_without_scopes_named_has_the_default_of_the_client(
    connect: Callable[..., Api],
) -> None:
    with Sandbox(users=3, scopes=["users.read", "events.read"]) as sandbox:
        api = connect(sandbox)
        answer = api.token(scope=None)
        assert answer.status_code == 200
        assert answer.json()["scope"] == "users.read events.read"
        api.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        assert api.data("{ users { id } offers { id } }")
        assert "groups.read" in api.errors("{ paginatedGroups { count } }")[0]


def test_a_root_field_can_need_further_scopes(connect: Callable[..., Api]) -> None:
    report = "{ portfolioReport { count } }"
    required = {"portfolioReport": ["users.read", "groups.read"]}
    with Sandbox(users=3, required_scopes=required) as sandbox:
        for scopes, lacks in (
            ("users.read groups.read", "trainings.read"),
            ("trainings.read groups.read", "users.read"),
            ("trainings.read users.read", "groups.read"),
        ):
            assert connect(sandbox, scopes).errors(report) == [
                f"Insufficient scope: this operation requires {lacks}"
            ]
        assert connect(sandbox, "trainings.read users.read groups.read").data(report)
        assert connect(sandbox, "trainings.read").data("{ certificates { count } }")


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ({"report": ["users.read"]}, "'report' is not a root field of the API; it has addManagers"),
        ({"users": ["users.see"]}, "'users.see' is not a scope of the API; it has events.read"),
    ],
)
def test_scopes_and_root_fields_that_do_not_exist_are_named(
    required: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Sandbox(required_scopes=required)


def test_a_token_expires(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, token_ttl=0) as sandbox:
        api = connect(sandbox)
        assert api.token().json()["expires_in"] == 0
        assert api.post("{ __typename }").status_code == 401


@pytest.mark.parametrize("header", [None, "Bearer unknown", "Bearer", "Basic abc", "Bearer a b"])
def test_a_request_without_a_known_token_is_unauthorized(api: Api, header: str | None) -> None:
    api.session.headers["Authorization"] = header  # type: ignore[assignment]
    answer = api.post("{ __typename }")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["errors"][0]["message"]


def test_client_and_secret_can_be_chosen(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, client_id="me", client_secret="ünïcode & more") as sandbox:
        api = connect(sandbox)
        assert api.data("{ __typename }") == {"__typename": "Query"}
        assert api.token(client_secret="unicode & more").status_code == 401
