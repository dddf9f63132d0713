from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fake_http import answer, data, errors
from graphql import build_schema

from pluvo_client.errors import (
    AuthenticationError,
    Difference,
    IntrospectionRefusedError,
    NotFoundError,
    ProtocolError,
    QueryError,
    SchemaDifferenceError,
    ScopeError,
    TokenRejectedError,
    TooLargeError,
    TransientError,
)
from pluvo_client.graphql_client import PATIENCE
from pluvo_client.schema.contract import documented_schema

if TYPE_CHECKING:
    from fake_http import Api

QUERY = '{ group(id: "a1") { users { edges { node { id lastLogin } } } } }'


def test_data_is_returned_as_it_is(api: Api) -> None:
    api.answers += [data(group={"users": None})]
    assert api.client().execute(QUERY) == {"group": {"users": None}}


def test_empty_errors_are_none(api: Api) -> None:
    api.answers += [answer({"data": {"a": 1}, "errors": []}), answer({"data": {}, "errors": None})]
    client = api.client()
    assert client.execute(QUERY) == {"a": 1}
    assert client.execute(QUERY) == {}


@pytest.mark.parametrize(
    ("body", "status", "phrase"),
    [
        (b"<html>Maintenance</html>", 200, "did not return GraphQL (application/json, not val"),
        (b"", 200, "did not return GraphQL"),
        (b'{"data": {"a": ', 200, "did not return GraphQL"),
        (b'{"data": "\xff"}', 200, "did not return GraphQL"),
        ([], 200, "JSON that is not a GraphQL answer"),
        ("text", 200, "JSON that is not a GraphQL answer"),
        (None, 200, "JSON that is not a GraphQL answer"),
        ({}, 200, "HTTP 200 without data and without errors"),
        ({"data": None}, 200, "HTTP 200 without data and without errors"),
        ({"data": []}, 200, "HTTP 200 without data and without errors"),
        ({"data": {"a": 1}}, 400, "HTTP 400 without data and without errors"),
        ({"data": {"a": 1}}, 403, "HTTP 403 without data and without errors"),
    ],
)
def test_what_is_no_graphql_is_tried_four_times(
    body: Any, status: int, phrase: str, api: Api
) -> None:
    api.answers += [answer(body, status) for _ in range(5)]
    with pytest.raises(ProtocolError) as raised:
        api.client().execute(QUERY)
    assert phrase in str(raised.value)
    assert "gave up after 4 tries" in str(raised.value)
    assert len(api.operations) == 4


@pytest.mark.parametrize("status", [200, 400])
def test_errors_are_never_taken_for_no_data(status: int, api: Api) -> None:
    body = {"data": {"users": []}, "errors": [{"message": "Internal error"}]}
    api.answers += [answer(body, status) for _ in range(4)]
    with pytest.raises(QueryError, match="the API answered with errors: 'Internal error'"):
        api.client().execute(QUERY)


def test_errors_that_pass_leave_no_trace(api: Api) -> None:
    api.answers += [errors("Deadlock"), answer(b"<html>"), data(a=1)]
    assert api.client().execute(QUERY) == {"a": 1}


@pytest.mark.parametrize(
    ("errors_found", "shown"),
    [
        ([{"message": "one"}, {"message": "none"}, {"message": "one"}], "'one; none'"),
        (["failed"], "'failed'"),
        ("failed", "'failed'"),
        ({"message": "broken"}, "'broken'"),
        ([{}], "''"),
        ([None], "'None'"),
        ([{"message": None}], "'None'"),
        ([{"message": "x" * 1000}], "'…'"),
        ([{"message": "broken " * 1000}], "'" + ("broken " * 50)[:300] + "'"),
    ],
)
def test_errors_of_any_shape_are_shown(errors_found: Any, shown: str, api: Api) -> None:
    api.answers += [answer({"errors": errors_found}) for _ in range(4)]
    with pytest.raises(QueryError) as raised:
        api.client().execute(QUERY)
    assert str(raised.value).startswith(f"the API answered with errors: {shown}")


@pytest.mark.parametrize(
    "personal",
    ["jan.de-vries+x@example.com", "0f8fad5b-d9cb-469f-a165-70867728950e", "Jan de Vries"],
)
def test_personal_values_are_not_shown(personal: str, api: Api) -> None:
    api.answers += [errors(f"Cannot read {personal} now") for _ in range(4)]
    with pytest.raises(QueryError) as raised:
        api.client().execute(QUERY)
    assert "Cannot read … now" in str(raised.value)


def test_quotes_of_what_was_asked_for_are_shown(api: Api) -> None:
    api.answers += [errors('Failed at \'lastLogin\' of "Jan" and "a1"') for _ in range(4)]
    with pytest.raises(QueryError, match=r"Failed at .+lastLogin.+ of \"…\" and \"…\""):
        api.client().execute(QUERY)


# ---------- kinds of errors ----------


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("Insufficient scope: this operation requires users.read", "users.read"),
        ("You need groups.read and users.read", "groups.read, users.read"),
    ],
)
def test_a_scope_that_was_requested_and_is_missing_ends_at_once(
    message: str, named: str, api: Api
) -> None:
    api.answers += [errors(message)]
    client = api.client({"groups.read": ["groups"], "users.read": ["users"]})
    with pytest.raises(ScopeError, match=f"the token lacks {named} .*ask Pluvo to grant it"):
        client.execute(QUERY)
    assert api.asked == 1


def test_a_scope_that_the_api_names_is_requested(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    message = "Insufficient scope: this operation requires groups.read"
    api.answers += [errors(message), data(a=1), data(a=2)]
    client = api.client({"users.read": ["users"]})
    assert client.execute(QUERY) == {"a": 1}
    assert client.execute(QUERY) == {"a": 2}
    scopes = [sent.form["scope"] for sent in api.sent if "scope" in sent.form]
    assert scopes == ["users.read", "groups.read users.read"]
    assert caplog.text.count("the API says that the scope groups.read is needed") == 1


def test_scopes_that_nobody_documented_are_learned_too(api: Api) -> None:
    api.answers += [errors("requires portfolio.read"), errors("requires reports.read"), data(a=1)]
    client = api.client({})
    assert client.execute(QUERY) == {"a": 1}
    assert client.authenticator.requested == ("portfolio.read", "reports.read")


def test_a_scope_is_asked_for_once(api: Api) -> None:
    api.answers += [errors("this operation requires groups.read") for _ in range(3)]
    client = api.client({"users.read": ["users"]})
    for _ in range(2):
        with pytest.raises(ScopeError, match=r"the token lacks groups\.read"):
            client.execute(QUERY)
    assert api.asked == 2


def test_with_scopes_of_the_user_none_is_learned(api: Api) -> None:
    api.answers += [errors("this operation requires groups.read")]
    with pytest.raises(ScopeError, match=r"the token lacks groups\.read"):
        api.client(scopes=["users.read"]).execute(QUERY)
    assert api.asked == 1


def test_a_worker_that_hears_late_of_a_scope_uses_the_new_token(api: Api) -> None:
    client = api.client({"users.read": ["users"]})
    old = client.authenticator.token()
    assert client.authenticator.learn(["groups.read"], old)
    assert client.authenticator.token() != old
    assert client.authenticator.learn(["groups.read"], old)
    assert api.asked == 2


def gone(message: str, *path: str | int) -> Any:
    """Return the answer that an object is not there; the path leads to it."""
    entry = {"message": message, "path": list(path or ("group",))}
    return answer({"data": None, "errors": [entry]})


@pytest.mark.parametrize(
    "message",
    [
        "Group not found",
        "Group does not exist",
        "Group matching query does not exist.",
        "Group with id 5 was not found.",
        "Group cannot be found",
        "No Group matches the given query.",
    ],
)
def test_an_object_that_two_answers_call_gone_is_gone(message: str, api: Api) -> None:
    api.answers += [gone(message), gone(message)]
    with pytest.raises(NotFoundError) as raised:
        api.client().execute(QUERY, about="group")
    assert raised.value.kind == "group"
    assert api.clock.now == PATIENCE


def test_an_object_that_one_answer_calls_gone_is_there(api: Api) -> None:
    api.answers += [gone("Group not found"), data(group={"users": None})]
    assert api.client().execute(QUERY, about="group") == {"group": {"users": None}}


@pytest.mark.parametrize(
    "other",
    [
        errors("Group not found"),  # of what?
        errors("Group not found", "Internal error"),
        gone("Group not found", "group", "users", "edges", 3),
        gone("Training not found"),
        gone("Template group.html not found"),
        gone("Group not found in cache, recomputing failed"),
        gone("not found"),
    ],
)
def test_errors_about_something_else_pass(other: Any, api: Api) -> None:
    api.answers += [other, data(group=None)]
    assert api.client().execute(QUERY, about="group") == {"group": None}
    assert len(api.operations) == 2


@pytest.mark.parametrize(
    "message",
    [
        "Variable out of scope",
        "Transaction scope ended",
        "cache.read failed",
        "introspection of the table failed",
        "Cannot resolve '__schema' in the database",
        "certificate template not found on storage",
    ],
)
def test_words_make_no_error_another_one(message: str, api: Api) -> None:
    api.answers += [*(errors(message) for _ in range(3)), data(a=1)]
    assert api.client().execute(QUERY) == {"a": 1}
    assert api.asked == 1


@pytest.mark.parametrize(
    "message",
    [
        "Cannot query '__schema': introspection is disabled.",
        "GraphQL introspection has been disabled, but the query contained the field '__schema'.",
        "Introspection is not allowed",
    ],
)
def test_introspection_that_is_refused_ends_at_once(message: str, api: Api) -> None:
    api.answers += [errors(message)]
    with pytest.raises(IntrospectionRefusedError):
        api.client().execute("{ __schema { types { name } } }")


def test_differences_of_the_schema_are_found_once_there_is_a_contract(api: Api) -> None:
    message = "Cannot query field 'lastLogin' on type 'User'."
    api.answers += [errors(message) for _ in range(6)]
    client = api.client()
    with pytest.raises(QueryError):
        client.execute(QUERY)
    schema = documented_schema()
    with pytest.raises(SchemaDifferenceError, match=r"lacks field User\.lastLogin") as raised:
        client.execute(QUERY, schema=schema)
    assert raised.value.differences == (Difference("field", "User", "lastLogin"),)
    assert len(api.operations) == 6


def refusing(name: str) -> Any:
    return errors(f"Cannot query field '{name}' on type 'User'.")


def test_a_difference_counts_when_a_later_answer_has_it_too(api: Api) -> None:
    api.answers += [refusing("lastLogin"), data(a=1)]
    client = api.client()
    assert client.execute(QUERY, schema=documented_schema()) == {"a": 1}
    assert api.clock.now == PATIENCE
    names = ["id", "lastLogin", "node", "edges"]
    api.answers += [refusing(name) for name in names]
    with pytest.raises(QueryError, match="contradict each other"):
        api.client().execute(QUERY, schema=documented_schema())


@pytest.mark.parametrize("difference", ["lastLogin", "users", "id"])
def test_what_was_answered_with_is_not_believed_to_be_missing(difference: str, api: Api) -> None:
    at = {"line": 1, "column": QUERY.index(difference) + 1}
    refusal = {"message": f"Cannot query field '{difference}' on type 'X'.", "locations": [at]}
    client = api.client()
    api.answers += [data(a=1), *(answer({"errors": [refusal]}) for _ in range(5)), data(a=2)]
    schema = documented_schema()
    assert client.execute(QUERY, schema=schema) == {"a": 1}
    assert client.execute(QUERY.replace("a1", "b2"), schema=schema) == {"a": 2}
    api.answers += [answer({"errors": [refusal]}) for _ in range(99)]
    with pytest.raises(TransientError, match="which it had before in this run"):
        client.execute(QUERY, schema=schema)


def test_differences_are_in_the_names_of_the_live_schema(api: Api) -> None:
    live = build_schema("type Query { group(id: ID): Team } type Team { id: ID }")
    entry = {"message": "Cannot query field 'users' on type 'X'.", "locations": [_place("users")]}
    api.answers += [answer({"errors": [entry]}) for _ in range(2)]
    with pytest.raises(SchemaDifferenceError) as raised:
        api.client().execute(QUERY, schema=live)
    assert raised.value.differences == (Difference("field", "Team", "users"),)


def _place(text: str) -> dict[str, int]:
    return {"line": 1, "column": QUERY.index(text) + 1}


# ---------- tokens that are refused ----------


def test_a_token_that_is_refused_is_renewed(api: Api) -> None:
    api.answers += [answer({"errors": []}, 401), data(a=1), data(a=2)]
    client = api.client()
    assert client.execute(QUERY) == {"a": 1}
    assert client.execute(QUERY) == {"a": 2}
    used = [sent.headers["Authorization"] for sent in api.operations]
    assert used == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    assert api.asked == 2


@pytest.mark.parametrize("code", ["AuthenticationError", "AuthError"])
def test_a_token_may_be_refused_in_an_error(code: str, api: Api) -> None:
    api.answers += [errors("The token has expired", code=code), data(a=1)]
    assert api.client().execute(QUERY) == {"a": 1}
    assert api.asked == 2


@pytest.mark.parametrize(("times", "tokens"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_a_token_that_only_a_code_refuses_is_used_again(times: int, tokens: int, api: Api) -> None:
    api.answers += [*(errors("no", code="UNAUTHENTICATED") for _ in range(times)), data(a=1)]
    assert api.client().execute(QUERY) == {"a": 1}
    assert api.asked == tokens


def test_codes_that_stay_end_in_a_rejection(api: Api) -> None:
    api.answers += [errors("no", code="AuthError") for _ in range(5)]
    with pytest.raises(TokenRejectedError, match="gave up after 5 tries"):
        api.client().execute(QUERY)


@pytest.mark.parametrize("code", ["INTERNAL", 5, None, ["Auth"], "author_missing", "AuthorMissing"])
def test_other_codes_are_other_errors(code: Any, api: Api) -> None:
    api.answers += [errors("no", code=code) for _ in range(4)]
    with pytest.raises(QueryError):
        api.client().execute(QUERY)
    assert api.asked == 1


def test_a_client_whose_tokens_are_all_refused_gives_up(api: Api) -> None:
    api.answers += [answer({}, 401) for _ in range(9)]
    with pytest.raises(TokenRejectedError, match=r"rejects the token \(HTTP 401\)") as raised:
        api.client().execute(QUERY)
    assert isinstance(raised.value, AuthenticationError)
    assert len(api.operations) == 3
    assert api.clock.now == 2  # a second for each new token to become valid
    for number in range(9):
        assert f"token-{number}" not in str(raised.value)


# ---------- what the caller finds wrong ----------


def test_an_answer_that_the_caller_refuses_is_asked_for_again(api: Api) -> None:
    seen = []

    def parse(found: Any) -> Any:
        seen.append(found)
        if len(seen) < 3:
            message = "half a page"
            raise ProtocolError(message)
        return found["n"]

    api.answers += [data(n=1), data(n=2), data(n=3)]
    assert api.client().execute(QUERY, parse) == 3
    assert seen == [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([errors("too many fields")], QueryError),
        ([answer(b"<html>")], ProtocolError),
        ([answer(b" " * 1_000_001)], TooLargeError),
    ],
)
def test_what_can_be_divided_is_not_asked_for_again_as_it_is(
    answers: list[Any], kind: type[Exception], api: Api
) -> None:
    api.answers += answers
    with pytest.raises(kind):
        api.client(max_response_mb=1).execute(QUERY, divisible=True)
    assert len(api.operations) == 1


def test_what_can_be_divided_is_asked_for_again_where_the_server_is_at_fault(api: Api) -> None:
    api.answers += [answer(b"", 500), answer({}, 429, Retry_After="1"), data(a=1)]
    assert api.client().execute(QUERY, divisible=True) == {"a": 1}


def test_the_document_is_sent_as_it_is(api: Api) -> None:
    text = '{ a(b: "Ελένη \\" \\\\ # 🚀") }'
    api.answers += [data()]
    api.client().execute(text)
    assert json.loads(api.operations[0].body) == {"query": text}
