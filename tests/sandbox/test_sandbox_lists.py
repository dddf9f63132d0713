"""Lists of servers that order, filter and count otherwise than the sandbox does by default."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from test_sandbox_cli import ask, serving

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

    from pluvo_sandbox.behaviour import Archived, ReportOrder, Ties
    from pluvo_sandbox.contract import Variant

SIZES: dict[str, Any] = {"users": 130, "groups": 14, "portfolio": 400, "names": 12, "days": 9}

# Connection -> what its rows are ordered by.
ORDERS = {
    "paginatedUsers": "name",
    "paginatedGroups": "name",
    "paginatedTrainings": "title",
    "certificates": "title",
    "portfolioReport": "completionDate",
}


@pytest.fixture(scope="module")
def plain() -> Iterator[Sandbox]:
    """A sandbox whose options tests may set, and set back."""
    with Sandbox(schema="rich", trainings=60, report_order="completion-date", **SIZES) as running:
        yield running


@pytest.fixture
def serve(
    plain: Sandbox, connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Api]:
    """Give a client of the sandbox with some of its options set."""

    def set_options(**options: Any) -> Api:
        for name, value in options.items():
            monkeypatch.setattr(plain, name, value)
        return connect(plain)

    return set_options


def page(api: Api, field: str, arguments: str, fields: str = "id") -> list[Any]:
    query = f"{{ page: {field}({arguments}) {{ edges {{ node {{ {fields} }} }} }} }}"
    return [edge["node"] for edge in api.data(query)["page"]["edges"]]


def ids(api: Api, field: str, **arguments: Any) -> list[str]:
    return [node["id"] for node in api.nodes(field, "id", **arguments)]


# ---------- ties ----------


@pytest.mark.parametrize("ties", ["by-page", "random"])
@pytest.mark.parametrize("field", ORDERS)
def test_rows_that_tie_come_in_any_order_and_others_in_theirs(
    serve: Callable[..., Api], field: str, ties: Ties
) -> None:
    api = serve()
    by_id = page(api, field, "first: 50", f"id {ORDERS[field]}")
    assert by_id == page(api, field, "first: 50", f"id {ORDERS[field]}")
    shuffled = page(serve(ties=ties), field, "first: 50", f"id {ORDERS[field]}")
    assert [node[ORDERS[field]] for node in shuffled] == [node[ORDERS[field]] for node in by_id]
    assert [node["id"] for node in shuffled] != [node["id"] for node in by_id]
    assert len({node["id"] for node in shuffled}) == len(shuffled)


def test_the_same_page_has_the_same_rows_but_other_pages_do_not_fit(
    serve: Callable[..., Api],
) -> None:
    api = serve(ties="by-page")
    once = page(api, "paginatedUsers", "first: 20, offset: 20")
    assert page(api, "paginatedUsers", "first: 20, offset: 20") == once
    parts = [page(api, "paginatedUsers", f"first: 10, offset: {start}") for start in (20, 30)]
    assert parts[0] + parts[1] != once


def test_at_random_no_two_requests_agree(serve: Callable[..., Api]) -> None:
    api = serve(ties="random")
    pages = [page(api, "paginatedUsers", "first: 20") for _ in range(4)]
    assert len({str(found) for found in pages}) == 4


@pytest.mark.parametrize("ties", ["by-page", "random"])
def test_who_reads_page_by_page_misses_rows_and_repeats_others(
    serve: Callable[..., Api], ties: Ties
) -> None:
    everyone = ids(serve(), "paginatedUsers")
    api = serve(ties=ties)
    found = [
        node["id"]
        for start in range(0, len(everyone), 10)
        for node in page(api, "paginatedUsers", f"first: 10, offset: {start}")
    ]
    assert len(found) == len(everyone)
    assert set(found) < set(everyone)


@pytest.mark.parametrize("ties", ["by-page", "random"])
def test_members_of_a_group_tie_too(plain: Sandbox, serve: Callable[..., Api], ties: Ties) -> None:
    (group,) = plain.database.execute(
        "SELECT groupId FROM group_users GROUP BY 1 HAVING count(*) > 60"
    ).fetchone()
    query = f'{{ group(id: "{group}") {{ users {{ edges {{ node {{ id name }} }} }} }} }}'

    def members(api: Api) -> list[dict[str, str]]:
        return [edge["node"] for edge in api.data(query)["group"]["users"]["edges"]]

    by_id, shuffled = members(serve()), members(serve(ties=ties))
    assert [node["name"] for node in shuffled] == [node["name"] for node in by_id]
    assert [node["id"] for node in shuffled] != [node["id"] for node in by_id]


def test_the_same_seed_gives_the_same_order(connect: Callable[..., Api]) -> None:
    def pages(seed: int) -> list[Any]:
        with Sandbox(users=40, names=2, seed=seed, ties="random") as sandbox:
            api = connect(sandbox)
            return [page(api, "paginatedUsers", "first: 9") for _ in range(3)]

    assert pages(1) == pages(1)
    assert pages(1) != pages(2)


def test_names_titles_and_days_are_shared(plain: Sandbox) -> None:
    for table, column, most in (
        ("users", "name", 12),
        ("groups", "name", 12),
        ("trainings", "title", 12),
        ("certificates", "title", 12),
        ("report", "completionDate", 9),
    ):
        ((different,),) = plain.database.execute(
            f"SELECT count(DISTINCT {column}) FROM {table}"
        ).fetchall()
        assert 2 <= different <= most, table


@pytest.mark.parametrize(
    ("order", "columns"),
    [
        ("id", ["id"]),
        ("completion-date", ["completionDate"]),
        ("title", ["title", "user.name"]),
    ],
)
def test_the_report_can_be_ordered(
    serve: Callable[..., Api], order: ReportOrder, columns: list[str]
) -> None:
    fields = "id completionDate title user { name }"
    nodes = serve(report_order=order).nodes("portfolioReport", fields)
    rows = [node | {"user.name": node["user"]["name"]} for node in nodes]
    keys = [[row[name] or "no date" for name in columns] for row in rows]
    assert keys == sorted(keys)


def test_rows_that_come_as_they_were_inserted_can_change_places(
    plain: Sandbox, serve: Callable[..., Api]
) -> None:
    api = serve(report_order="insertion")
    fields = "id title completionDate progress"
    before = api.nodes("portfolioReport", fields)
    assert [node["id"] for node in before] != sorted(node["id"] for node in before)
    plain.swap("report", before[3]["id"], before[70]["id"], "rowid")
    after = api.nodes("portfolioReport", fields)
    plain.swap("report", before[3]["id"], before[70]["id"], "rowid")
    assert (after[3], after[70]) == (before[70], before[3])
    assert api.nodes("portfolioReport", fields) == before


# ---------- archived ----------


@pytest.mark.parametrize("field", ["paginatedUsers", "paginatedTrainings"])
@pytest.mark.parametrize(
    ("meaning", "expected"),
    [
        ("only", {"": "active", "false": "active", "true": "archived"}),
        ("too", {"": "active", "false": "active", "true": "all"}),
        ("ignored", {"": "all", "false": "all", "true": "all"}),
    ],
)
def test_archived_has_several_meanings(
    plain: Sandbox,
    serve: Callable[..., Api],
    field: str,
    meaning: Archived,
    expected: dict[str, str],
) -> None:
    table = {"paginatedUsers": "users", "paginatedTrainings": "trainings"}[field]
    rows: dict[str, set[str]] = {"active": set(), "archived": set(), "all": set()}
    for row_id, archived in plain.database.execute(f"SELECT id, archived FROM {table}"):
        rows["archived" if archived else "active"].add(row_id)
        rows["all"].add(row_id)
    api = serve(archived=meaning)
    for value, which in expected.items():
        assert set(ids(api, field, **{"archived": value} if value else {})) == rows[which]


# ---------- several matches ----------


def test_a_member_of_two_groups_can_count_twice(plain: Sandbox, serve: Callable[..., Api]) -> None:
    members = Counter(
        user
        for (user,) in plain.database.execute(
            "SELECT userId FROM group_users JOIN users ON id = userId WHERE NOT archived"
        )
    )
    groups = [row_id for (row_id,) in plain.database.execute("SELECT id FROM groups")]
    given = str(groups).replace("'", '"')
    once = ids(serve(), "paginatedUsers", groupIds=given)
    twice = ids(serve(distinct=False), "paginatedUsers", groupIds=given)
    assert set(once) == set(twice) == set(members)
    assert Counter(once) != members
    assert Counter(twice) == members

    results = Counter(ids(serve(distinct=True), "portfolioReport", userGroupIds=given))
    assert set(results.values()) == {1}
    counted = Counter(ids(serve(distinct=False), "portfolioReport", userGroupIds=given))
    assert set(counted) == set(results)
    assert counted.total() > len(results)


def test_a_participant_who_is_in_a_training_twice_can_count_twice(
    connect: Callable[..., Api],
) -> None:
    with Sandbox(users=20, trainings=3, portfolio=60, repeats=4) as sandbox:
        (training, user), *others = sandbox.database.execute(
            "SELECT trainingId, userId FROM training_users t JOIN users u ON u.id = userId"
            " WHERE role = 'PARTICIPANT' AND NOT archived GROUP BY 1, 2 HAVING count(*) = 2"
        ).fetchall()
        assert len(others) < 4
        api = connect(sandbox)
        given = {"trainingIds": f'["{training}"]'}
        assert Counter(ids(api, "paginatedUsers", **given))[user] == 1
        sandbox.distinct = False
        assert Counter(ids(api, "paginatedUsers", **given))[user] == 2
        fields = "participants { count edges { node { user { id } } } }"
        found = api.data(f'{{ training(id: "{training}") {{ {fields} }} }}')["training"]
        edges = found["participants"]["edges"]
        assert Counter(edge["node"]["user"]["id"] for edge in edges)[user] == 2
        assert found["participants"]["count"] == len(edges)


# ---------- rows without a type ----------


@pytest.mark.parametrize("schema", ["documented", "rich"])
def test_rows_of_unnamed_types_come_without_a_filter_only(
    connect: Callable[..., Api], schema: Variant
) -> None:
    types = "TRAINING, CERTIFICATE" + (", COURSE, SCORM" if schema == "rich" else "")
    count = "{{ portfolioReport{} {{ count }} }}"
    with Sandbox(users=20, portfolio=90, untyped=7, schema=schema) as sandbox:
        api = connect(sandbox)
        typed = api.data(count.format(f"(relatedObjectTypes: [{types}])"))
        assert typed == {"portfolioReport": {"count": 90}}
        assert api.data(count.format("")) == {"portfolioReport": {"count": 97}}
        titles = [node["title"] for node in api.nodes("portfolioReport", "title")]
        assert sum(title.startswith("Upload") for title in titles) == 7
        if schema == "rich":
            nodes = api.nodes("portfolioReport", "relatedObjectType")
            assert sum(node["relatedObjectType"] is None for node in nodes) == 7


# ---------- days that are moments ----------


def test_the_last_day_of_the_filter_may_end_as_it_begins(serve: Callable[..., Api]) -> None:
    api = serve(day_filter="midnight")
    fields = "id completionDate"
    rows = api.nodes("portfolioReport", fields)
    days = Counter(row["completionDate"] for row in rows if row["completionDate"])
    day = days.most_common(1)[0][0]
    later = sorted(days)[sorted(days).index(day) + 1]
    to_that_day = api.nodes("portfolioReport", fields, completionDateTo=f'"{day}"')
    found = Counter(row["completionDate"] for row in to_that_day)
    assert 0 < found[day] < days[day]  # those at midnight, and none of later that day
    assert found == {some: days[some] for some in days if some < day} | {day: found[day]}
    both = {"completionDateFrom": f'"{day}"', "completionDateTo": f'"{later}"'}
    between = Counter(row["completionDate"] for row in api.nodes("portfolioReport", fields, **both))
    assert between[day] == days[day]


# ---------- counts ----------


def counted(api: Api, **arguments: Any) -> int:
    given = "".join(f", {name}: {value}" for name, value in arguments.items())
    query = f"{{ page: portfolioReport(first: 3{given}) {{ count pageInfo {{ hasNextPage }} }} }}"
    found = api.data(query)["page"]
    assert found["pageInfo"]["hasNextPage"]
    count: int = found["count"]
    return count


def test_counts_may_be_of_some_requests_ago(connect: Callable[..., Api]) -> None:
    with Sandbox(users=9, portfolio=20, counts="cached") as sandbox:
        api = connect(sandbox)
        assert counted(api) == 20
        sandbox.insert_report_row(api.data("{ users { id } }")["users"][0]["id"], "New")
        assert counted(api, relatedObjectTypes="[TRAINING, CERTIFICATE]") == 21  # another list
        counts = [counted(api, offset=place % 4) for place in range(30)]
        assert counts == [20] * 17 + [21] * 13


def test_counts_may_be_estimates(serve: Callable[..., Api]) -> None:
    exact, estimate = counted(serve()), counted(serve(counts="estimated"))
    assert estimate != exact
    assert abs(estimate - exact) <= exact / 20
    assert counted(serve(counts="estimated")) == estimate


def test_counts_may_be_capped(serve: Callable[..., Api]) -> None:
    assert counted(serve()) > 100
    api = serve(counts="capped")
    assert counted(api) == 100
    assert page(api, "portfolioReport", "first: 5, offset: 200")


def test_the_options_of_lists_reach_the_server() -> None:
    with serving("--counts", "capped", "--portfolio", "300", "--day-filter", "midnight") as (
        _,
        ready,
        _,
    ):
        answer = ask(ready, "{ portfolioReport { count } }")
    assert answer["data"] == {"portfolioReport": {"count": 100}}
