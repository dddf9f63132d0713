"""Answers of a server that was not updated yet, as in a rolling deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pluvo_sandbox import Sandbox
from pluvo_sandbox.schema import yesterday

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api


def test_a_server_that_was_not_updated_yet(connect: Callable[..., Api]) -> None:
    faults = ["yesterday:paginatedUsers@2", "yesterday:paginatedGroups/3"]
    query = "{ paginatedUsers { edges { node { id jobTitle roles } } } }"
    with Sandbox(users=20, schema="rich", faults=faults) as sandbox:
        api = connect(sandbox)
        whole = api.data(query)
        assert api.errors(query) == ["Cannot query field 'jobTitle' on type 'User'."]
        assert api.data(query) == whole
        group = "{ paginatedGroups { edges { node { description } } } }"
        answers = [api.post(group).json() for _ in range(6)]
        assert ["errors" in answer for answer in answers] == [False, False, True] * 2


def test_a_server_of_yesterday_serves_the_rows_of_today(connect: Callable[..., Api]) -> None:
    query = "{ paginatedUsers { edges { node { id roles language } } } trainings { id } }"
    with Sandbox(users=20, faults=["yesterday@2-3"]) as sandbox:
        api = connect(sandbox)
        whole = api.data(query)
        assert "PLANNER" in str(whole)
        assert api.data(query) == whole
        assert "Cannot query field 'offers'" in api.errors("{ offers { id } }")[0]
        assert api.data("{ offers { id } }")


def test_what_the_server_of_yesterday_lacks_can_be_chosen(connect: Callable[..., Api]) -> None:
    lacks = ["User.name", "Query.paginatedUsers.archived", "UserSortByInput.direction"]
    with Sandbox(users=20, faults=["yesterday"], yesterday_lacks=lacks) as sandbox:
        api = connect(sandbox)
        query = """{ paginatedUsers(archived: true, sortBy: {field: NAME, direction: ASC}) {
            edges { node { id name invitedOn } }
        } }"""
        errors = " ".join(api.errors(query))
        assert len(api.errors(query)) == 3
        for name in ("'name'", "'archived'", "'direction'"):
            assert name in errors


def test_a_field_that_nobody_has_cannot_be_lacking() -> None:
    for path in ("User.nick", "Nobody.name", "User", "User.name.first"):
        with pytest.raises(ValueError, match=f"no field or argument '{path}'"):
            yesterday("documented", (path,))
        with pytest.raises(ValueError, match=path), Sandbox(users=3, yesterday_lacks=[path]):
            pass
