"""Rows that come, go and change their names while the tap reads: none that stays is lost.

Each case has a twin that reads the same moving list page after page, as plain paging does, and
loses rows. It shows that the case is a hard one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
from support import config, discover, run_tap, selecting

from pluvo_sandbox import Sandbox
from pluvo_sandbox.movement import Churn

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_sandbox.editor import Editor

PAGE = 10
SIZES: dict[str, Any] = {"users": 90, "trainings": 40, "groups": 45, "portfolio": 200}
CONCURRENCIES = (1, 4, 16)
DOCUMENTED = discover({})

# What a stream is read from in the sandbox's tables, and what names a row.
KEYS = {
    "users": "SELECT id FROM users",
    "groups": "SELECT id FROM groups",
    "trainings": "SELECT id FROM trainings",
    "certificates": "SELECT id FROM certificates",
    "group_members": "SELECT groupId, userId, 'PARTICIPANT' FROM group_users"
    " UNION SELECT groupId, userId, 'MANAGER' FROM group_managers",
    "portfolio_report": "SELECT userId, title, completionDate FROM report",
}
COLUMNS = {
    "group_members": ("group_id", "user_id", "role"),
    "portfolio_report": ("user_id", "title", "completion_date"),
}
ROOTS = {
    "users": "paginatedUsers(archived: false, %s) { %s edges { node { id } } }",
    "groups": "paginatedGroups(%s) { %s edges { node { id } } }",
    "trainings": "paginatedTrainings(archived: false, %s) { %s edges { node { id } } }",
    "certificates": "certificates(%s) { %s edges { node { id } } }",
    "portfolio_report": "portfolioReport(relatedObjectTypes: [TRAINING], %s)"
    " { %s edges { node { user { id } title completionDate } } }",
}
ORDERS = {
    "users": "SELECT id FROM users WHERE NOT archived ORDER BY name, id",
    "groups": "SELECT id FROM groups ORDER BY name, id",
    "trainings": "SELECT id FROM trainings WHERE NOT archived ORDER BY title, id",
    "certificates": "SELECT id FROM certificates ORDER BY title, id",
}


def rows_of(sandbox: Sandbox, stream: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in sandbox.database.execute(KEYS[stream]))


def given_by(result: Any, stream: str) -> Counter[tuple[Any, ...]]:
    return Counter(result.keys(stream, *COLUMNS.get(stream, ("id",))))


def plain_paging(sandbox: Sandbox, stream: str) -> set[tuple[Any, ...]]:
    """Read a connection as its documentation says: first, after, until there is no next page."""
    form = {"grant_type": "client_credentials", "scope": "users.read groups.read trainings.read"}
    form |= {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    token = requests.post(f"{sandbox.url}/oauth/token/", data=form, timeout=30).json()
    found: set[tuple[Any, ...]] = set()
    after = ""
    while True:
        query = ROOTS[stream] % (f"first: {PAGE}{after}", "pageInfo { hasNextPage endCursor }")
        answer = requests.post(
            f"{sandbox.url}/graphql/",
            json={"query": "{ page: " + query + " }"},
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=30,
        ).json()
        page = answer["data"]["page"]
        for edge in page["edges"]:
            node = edge["node"]
            found.add(
                (node["user"]["id"], node["title"], node["completionDate"])
                if "user" in node
                else (node["id"],)
            )
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = f', after: "{page["pageInfo"]["endCursor"]}"'


def in_order(stream: str, editor: Editor, place: int) -> str:
    """Return the id of the row at a place of the list (-1: the last)."""
    rows = editor.database.execute(ORDERS[stream]).fetchall()
    return str(rows[place][0])


DELETE: dict[str, Callable[[Editor], None]] = {
    "users": lambda editor: editor.delete_user(in_order("users", editor, 0)),
    "groups": lambda editor: editor.delete_group(in_order("groups", editor, 0)),
    "trainings": lambda editor: editor.delete_training(in_order("trainings", editor, 0)),
    "certificates": lambda editor: editor.delete_certificate(in_order("certificates", editor, 0)),
}
RENAME: dict[str, Callable[[Editor], None]] = {
    "users": lambda editor: editor.rename_user(in_order("users", editor, -1), "!"),
    "groups": lambda editor: editor.rename_group(in_order("groups", editor, -1), "!"),
    "trainings": lambda editor: editor.rename_training(in_order("trainings", editor, -1), "!"),
    "certificates": lambda editor: editor.rename_certificate(
        in_order("certificates", editor, -1), "!"
    ),
}
INSERT: dict[str, Callable[[Editor], Any]] = {
    "users": lambda editor: editor.insert_user("!"),
    "groups": lambda editor: editor.insert_group("!"),
    "trainings": lambda editor: editor.insert_training("!"),
    "certificates": lambda editor: editor.insert_certificate("!"),
}


def first_report_row(editor: Editor) -> str:
    # The report comes in the order of its ids.
    query = "SELECT id FROM report WHERE relatedObjectType = 'TRAINING' ORDER BY id LIMIT 1"
    ((row,),) = editor.database.execute(query)
    return str(row)


DELETE["portfolio_report"] = lambda editor: editor.delete_report_row(first_report_row(editor))


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
@pytest.mark.parametrize(
    ("stream", "change"),
    [(stream, change) for change in (DELETE, RENAME, INSERT) for stream in change],
)
def test_rows_that_stay_are_given(
    stream: str, change: Callable[[Editor], Any], concurrency: int
) -> None:
    change = change[stream]  # type: ignore[index]
    with Sandbox(**SIZES) as sandbox:
        for number in range(40 if stream == "certificates" else 0):
            sandbox.insert_certificate(f"Certificate {number:02}")
        settings = config(sandbox, page_size=PAGE, max_concurrency=concurrency)
        catalog = selecting(DOCUMENTED, [stream])
        sandbox.reset_log()
        before = rows_of(sandbox, stream)
        # The first request asks for the schema; the next ones bring the first pages.
        sandbox.before_request.update({3: change, 4: change, 5: change})
        result = run_tap(settings, catalog=catalog)
        assert result.returncode == 0, result.stderr
        after = rows_of(sandbox, stream)
        assert before != after or change is RENAME.get(stream)
        stayed = before & after
        assert stayed <= given_by(result, stream)


@pytest.mark.parametrize(
    ("stream", "change"), [(stream, change) for change in (DELETE, RENAME) for stream in change]
)
def test_plain_paging_loses_them(stream: str, change: Callable[[Editor], Any]) -> None:
    change = change[stream]  # type: ignore[index]
    with Sandbox(**SIZES, before_request={2: change}) as sandbox:
        for number in range(40 if stream == "certificates" else 0):
            sandbox.insert_certificate(f"Certificate {number:02}")
        before = rows_of(sandbox, stream)
        if stream in ORDERS:
            query = ORDERS[stream]
            before = Counter(tuple(row) for row in sandbox.database.execute(query))
        elif stream == "portfolio_report":
            where = " WHERE relatedObjectType = 'TRAINING'"
            rows = sandbox.database.execute(KEYS[stream] + where)
            before = Counter(tuple(row) for row in rows)
        found = plain_paging(sandbox, stream)
        stayed = before & rows_of(sandbox, stream)
        assert set(stayed) - found


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
@pytest.mark.parametrize("stream", KEYS)
def test_rows_that_stay_are_given_while_the_data_never_hold_still(
    stream: str, concurrency: int
) -> None:
    with Sandbox(**SIZES) as sandbox:
        delete_equal_results(sandbox)
        settings = config(sandbox, page_size=PAGE, max_concurrency=concurrency)
        before = rows_of(sandbox, stream)
        # Users take their results with them: more would leave too few to tell by.
        many_at_once = stream == "portfolio_report" and concurrency == 16
        sandbox.movement = Churn(every=8 if many_at_once else 2)
        result = run_tap(settings, catalog=selecting(DOCUMENTED, [stream]))
        after = rows_of(sandbox, stream)
    assert result.returncode == 0, result.stderr
    assert before != after
    stayed = before & after
    assert stayed
    assert stayed <= given_by(result, stream)


def delete_equal_results(sandbox: Sandbox) -> None:
    """Leave one of results that are alike: their number needs a moment of rest to be known."""
    kept = "SELECT min(id) FROM report GROUP BY relatedObjectType, userId, title, completionDate"
    for (row,) in sandbox.database.execute(
        f"SELECT id FROM report WHERE id NOT IN ({kept})"
    ).fetchall():
        sandbox.delete_report_row(row)


@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_equal_results_that_never_hold_still_are_right_or_fail_by_name(concurrency: int) -> None:
    with Sandbox(**SIZES) as sandbox:
        before = rows_of(sandbox, "portfolio_report")
        sandbox.movement = Churn(every=2)
        settings = config(sandbox, page_size=PAGE, max_concurrency=concurrency)
        result = run_tap(settings, catalog=selecting(DOCUMENTED, ["portfolio_report"]))
        after = rows_of(sandbox, "portfolio_report")
    if result.returncode:
        assert "`portfolioReport` kept changing while it was read" in result.stderr
    else:
        assert before & after <= given_by(result, "portfolio_report")


def test_a_user_who_is_archived_or_brought_back_meanwhile_is_given() -> None:
    """A row that moves from one half to the other, before and behind the reader's place."""
    moved: list[str] = []

    def bring_back(editor: Editor) -> None:
        query = "SELECT id FROM users WHERE archived ORDER BY name DESC, id DESC LIMIT 1"
        ((user,),) = editor.database.execute(query)
        moved.append(str(user))
        editor.archive_user(user, archived=False)

    with Sandbox(**SIZES) as sandbox:
        settings = config(sandbox, page_size=PAGE, max_concurrency=1)
        catalog = selecting(DOCUMENTED, ["users"])
        before = rows_of(sandbox, "users")
        sandbox.reset_log()
        for number in range(4, 12):
            sandbox.before_request[number] = bring_back
        result = run_tap(settings, catalog=catalog)
    assert result.returncode == 0, result.stderr
    assert moved
    assert before <= given_by(result, "users")


def test_members_of_a_big_group_that_loses_members_meanwhile() -> None:
    """Nested connections have cursors only; the overlap works there as well."""

    def leave(editor: Editor) -> None:
        query = (
            "SELECT groupId, min(userId) FROM group_users GROUP BY groupId"
            " ORDER BY count(*) DESC LIMIT 1"
        )
        ((group, user),) = editor.database.execute(query)
        editor.delete_group_member(group, user)

    with Sandbox(**SIZES | {"groups": 3}) as sandbox:
        settings = config(sandbox, page_size=PAGE)
        catalog = selecting(DOCUMENTED, ["group_members"])
        before = rows_of(sandbox, "group_members")
        sandbox.reset_log()
        sandbox.before_request.update({3: leave, 4: leave, 5: leave})
        result = run_tap(settings, catalog=catalog)
        stayed = before & rows_of(sandbox, "group_members")
    assert result.returncode == 0, result.stderr
    assert stayed < before
    assert stayed <= given_by(result, "group_members")


def test_what_completeness_costs_when_nothing_moves() -> None:
    """At most 1/(page size - 1) more requests than pages, and one that counts the halves again."""
    with Sandbox(users=600, trainings=1, groups=1, portfolio=1) as sandbox:
        settings = config(sandbox, introspection="off")
        catalog = selecting(DOCUMENTED, ["users"])
        sandbox.reset_log()
        result = run_tap(settings, catalog=catalog)
        ((active,), (archived,)) = sandbox.database.execute(
            "SELECT count(*) FROM users GROUP BY archived ORDER BY archived"
        )
        asked = sum(request.query is not None for request in sandbox.requests)
    assert len(result.records["users"]) == active + archived == 600
    pages = -(-active // 50) + -(-archived // 50)
    assert asked <= pages * (1 + 1 / 49) + 1


def test_members_of_a_thousand_groups_cost_few_requests() -> None:
    with Sandbox(users=40, trainings=1, groups=1, portfolio=1) as sandbox:
        users = [row[0] for row in sandbox.database.execute("SELECT id FROM users LIMIT 30")]
        for number in range(999):
            group = sandbox.insert_group(f"Group {number:03}")
            sandbox.database.executemany(
                "INSERT INTO group_users (groupId, userId) VALUES (?, ?)",
                [(group, user) for user in users],
            )
        sandbox.database.commit()
        settings = config(sandbox, introspection="off")
        catalog = selecting(DOCUMENTED, ["group_members"])
        sandbox.reset_log()
        result = run_tap(settings, catalog=catalog)
        asked = sum(request.query is not None for request in sandbox.requests)
        assert given_by(result, "group_members") == rows_of(sandbox, "group_members")
    assert len(result.records["group_members"]) >= 999 * 30
    assert asked <= 25


@pytest.mark.parametrize("fields", [1, 2])
def test_a_server_that_refuses_several_operations_gets_one_each(fields: int) -> None:
    with Sandbox(users=60, trainings=4, groups=3, portfolio=20) as free:
        expected = run_tap(config(free))
    with Sandbox(users=60, trainings=4, groups=3, portfolio=20, max_root_fields=fields) as sandbox:
        result = run_tap(config(sandbox, max_retry_seconds=30))
    assert result.returncode == 0, result.stderr
    assert result.records == expected.records
