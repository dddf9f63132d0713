"""The target for Thought Industries: each certificate once, and the truth about it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import pytest
from killing import kill
from support import config as tap_config
from support import discover, selecting, sync
from thought_industries_support import (
    SCHEMA,
    STATE,
    TITLES,
    config,
    granted,
    load,
    messages,
    people,
    rejects,
    resources,
    row,
    unfinished,
)

from pluvo_sandbox import Sandbox
from pluvo_sandbox.thought_industries import ThoughtIndustries
from pluvo_sandbox.thought_industries.answers import EventShape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tenant() -> Iterator[ThoughtIndustries]:
    with ThoughtIndustries(users=130) as running:
        yield running


def places(tenant: ThoughtIndustries) -> list[str]:
    return [request.place for request in tenant.requests]


def test_certificates_are_issued_once_and_a_second_run_asks_for_nothing_but_users(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    mapped = resources(tenant)
    mapped[TITLES[0]]["recertify_days"] = 365
    settings = config(tenant, tmp_path, resources=mapped, send_email=True)
    first, second = people(tenant, 2)
    rows = [row(first), row(second, TITLES[1]) | {"end_date": None}]
    result = load(settings, tmp_path, messages(rows))
    assert result.stdout.splitlines() == [f"{STATE}".replace("'", '"')]
    one, other = sorted(tenant.certificates(), key=lambda item: item["userId"] != first["id"])
    assert (one["userId"], other["userId"]) == (first["id"], second["id"])
    assert one["issuedAt"] == "2025-03-01T00:00:00Z"
    assert one["expirationDate"] == "2027-03-01T23:59:59Z"
    assert one["recertificationDate"] == "2026-03-01T00:00:00Z"
    assert one["sendEmail"] == 1
    assert (other["expirationDate"], other["recertificationDate"]) == (None, None)
    tenant.requests.clear()
    again = load(settings, tmp_path, messages(rows))
    assert set(places(tenant)) == {"users"}
    assert len(tenant.certificates()) == 2
    assert again.stdout == result.stdout
    for text in (result.stderr, again.stderr):
        assert first["email"] not in text
        assert tenant.api_key not in text
    assert rejects(tmp_path) == []


def test_a_renewal_is_another_certificate_and_no_course_is_started_anew(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    """W22: recertify takes no dates, and resets the learner's progress."""
    (user,) = people(tenant, 1)
    resource = resources(tenant)[TITLES[0]]["resource_id"]
    tenant.store.rows("INSERT INTO progress VALUES (?, ?, 80, 2)", (user["id"], resource))
    settings = config(tenant, tmp_path, match_users_by="external_customer_id")
    rows = [row(user, day="2025-03-01"), row(user, day="2024-03-01"), row(user, day="2025-03-01")]
    load(settings, tmp_path, messages(rows))
    found = [(item["issuedAt"], item["expirationDate"]) for item in tenant.certificates()]
    assert found == [
        ("2024-03-01T00:00:00Z", "2027-03-01T23:59:59Z"),
        ("2025-03-01T00:00:00Z", "2027-03-01T23:59:59Z"),
    ]
    assert "recertify" not in places(tenant)
    assert tenant.store.rows("SELECT percent, attempts FROM progress") == [
        {"percent": 80, "attempts": 2}
    ]


def test_what_cannot_be_issued_is_rejected_and_the_others_go_on(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    tenant.store.add_user("twice@example.com", "One Twin", None)
    tenant.store.add_user("TWICE@example.com", "Other Twin", None)
    nowhere = {"resource_type": "course", "resource_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}
    mapped = resources(tenant) | {"Nowhere": nowhere}
    settings = config(tenant, tmp_path, resources=mapped)
    user, other = people(tenant, 2)
    stranger = user | {"email": "secret.person@example.com"}
    rows = [
        *(row(user, "Unmapped"), row(other, "Unmapped"), row(stranger), row(stranger, TITLES[1])),
        row(user | {"email": None}),
        row(user | {"email": "twice@example.com"}),
        row(user) | {"completion_date": "soon"},
        row(user) | {"end_date": "never"},
        *(row(user, "Nowhere"), row(other) | {"user_email": str(other["email"]).upper()}),
    ]
    result = load(settings, tmp_path, messages(rows), code=1)
    assert granted(tenant) == [(other["id"], mapped[TITLES[0]]["resource_id"], "2025-03-01")]
    assert result.stdout == ""  # a state would say that all is done
    reasons = sorted(line["reason"] for line in rejects(tmp_path))
    assert len(reasons) == 9
    for said in (
        "no user of",
        "several users",
        "`user_email` is empty",
        "`completion_date`",
        "404",
    ):
        assert any(said in reason for reason in reasons), said
    assert (tmp_path / "rejects.jsonl").stat().st_mode & 0o777 == 0o600
    assert result.stderr.count("'Unmapped'") == 1
    assert result.stderr.count("no user of Thought Industries") == 1
    assert "secret.person" not in result.stderr
    assert "twice@" not in result.stderr
    assert unfinished(settings) == []


AFTER = ["late-502", "reset", "truncated", "reset-body"]
BEFORE = ["500", "502", "503", "html"]


@pytest.mark.parametrize("shape", get_args(EventShape))
def test_whatever_fails_each_certificate_is_there_once(shape: EventShape, tmp_path: Path) -> None:
    """W24: with faults before and after the effect, whatever the events name."""
    with ThoughtIndustries(event_shape=shape) as tenant:
        mapped = resources(tenant)
        settings = config(tenant, tmp_path)
        users = people(tenant, 9)
        for user in users[:4]:  # who hold an earlier one
            resource = mapped[TITLES[0]]["resource_id"]
            tenant.store.grant(user["id"], resource, issuedAt="2023-01-01T00:00:00Z")
        tenant.set_faults(
            *(f"{kind}:certify@{n + 1}" for n, kind in enumerate([*AFTER, *BEFORE])),
            *("429=0:certify@9", "429=0:users@1", "500:events@3"),
        )
        first = load(settings, tmp_path, messages(map(row, users)), code=1)
        assert "undecided" in first.stderr
        assert first.stdout == ""
        tenant.set_faults()
        load(settings, tmp_path, messages(map(row, users)))
        days = [item["issuedAt"][:10] for item in tenant.certificates()]
        assert (days.count("2025-03-01"), len(days)) == (len(users), len(users) + 4)
        assert len(set(granted(tenant))) == len(days)
        assert unfinished(settings) == []


@pytest.mark.parametrize("fault", ["late-502", "502", "truncated"])
@pytest.mark.parametrize("options", [{"grants_show": None}, {"grants_show": 3600.0}])
def test_silence_proves_nothing_until_the_tenant_has_shown_a_grant_of_ours(
    fault: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """W23: a manual grant may show late, or never."""
    with ThoughtIndustries(**options) as tenant:
        settings = config(tenant, tmp_path)
        users = people(tenant, 4)
        tenant.set_faults(f"{fault}:certify@2")
        load(settings, tmp_path, messages(map(row, users)), code=1)
        number = len(tenant.certificates())
        assert places(tenant).count("certify") == 4  # an undecided one blocks nobody else
        for _ in range(2):
            result = load(settings, tmp_path, messages(map(row, users)), code=1)
            assert "has not shown a grant of ours yet" in result.stderr
            assert result.stdout == ""
        assert len(tenant.certificates()) == number
        assert unfinished(settings) == ["undecided"]


def test_what_was_not_issued_is_sent_again_when_the_tenant_had_its_time(tmp_path: Path) -> None:
    with ThoughtIndustries() as tenant:
        settings = config(tenant, tmp_path, settle_seconds=600)
        users = people(tenant, 3)
        tenant.set_faults("502:certify@2")
        said = messages(map(row, users))
        load(settings, tmp_path, said, code=1)
        early = load(settings, tmp_path, said, code=1)
        assert "the events may not show it yet; run again after" in early.stderr
        assert len(tenant.certificates()) == 2
        load(settings | {"settle_seconds": 0}, tmp_path, said)
        assert len(set(granted(tenant))) == len(tenant.certificates()) == 3


def test_events_of_others_prove_nothing_where_filters_are_ignored(tmp_path: Path) -> None:
    with ThoughtIndustries(ignore_filters=True, event_shape="anonymous") as tenant:
        settings = config(tenant, tmp_path)
        one, other = people(tenant, 2)
        tenant.store.grant(other["id"], resources(tenant)[TITLES[0]]["resource_id"], issuedAt="x")
        tenant.set_faults("502:certify@1")
        load(settings, tmp_path, messages([row(one)]), code=1)
        tenant.store.grant(other["id"], resources(tenant)[TITLES[1]]["resource_id"], issuedAt="x")
        load(settings, tmp_path, messages([row(one)]), code=1)
        assert unfinished(settings) == ["undecided"]


def test_a_row_that_is_marked_as_deleted_is_not_issued(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    """W26."""
    (user,) = people(tenant, 1)
    gone = row(user) | {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    load(config(tenant, tmp_path), tmp_path, messages([gone]))
    assert tenant.certificates() == []


def test_a_file_of_something_else_is_not_taken_for_that_of_rejected_rows(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    """W25."""
    other = tmp_path / "people.csv"
    other.write_text("number,name\n", encoding="utf-8")
    settings = config(tenant, tmp_path, rejects=str(other))
    result = load(settings, tmp_path, messages(map(row, people(tenant, 1))), code=1)
    assert "holds something else: name another file" in result.stderr
    assert other.read_text("utf-8") == "number,name\n"
    assert tenant.certificates() == []


def test_a_course_can_be_recorded_as_done_elsewhere(tmp_path: Path) -> None:
    with ThoughtIndustries(external_activity=True) as tenant:
        settings = config(tenant, tmp_path, via="external_activity")
        users = people(tenant, 3)
        tenant.set_faults("late-502:activity@2")
        said = messages(map(row, users))
        load(settings, tmp_path, said, code=1)
        again = load(settings, tmp_path, said, code=1)
        assert "undecided" in again.stderr
        found = [(item["userId"], item["completionDate"]) for item in tenant.activities()]
        assert sorted(found) == sorted((user["id"], "2025-03-01T00:00:00Z") for user in users)
        assert set(places(tenant)) == {"users", "activity"}
    with ThoughtIndustries() as tenant:
        result = load(
            config(tenant, tmp_path, via="external_activity"),
            tmp_path,
            messages([row(users[0])]),
            1,
        )
        assert "what the key may do" in result.stderr


def test_days_are_read_as_they_are_written(tenant: ThoughtIndustries, tmp_path: Path) -> None:
    users = people(tenant, 3)
    days = ["2025-03-01T00:00:00+01:00", "2025-03-01T12:00:00Z", "2999-01-01"]
    rows = [row(user, day=day) for user, day in zip(users, days, strict=True)]
    load(config(tenant, tmp_path), tmp_path, messages(rows), code=1)
    assert [day for _, _, day in granted(tenant)] == ["2025-03-01"] * 2
    assert "is too far ahead" in rejects(tmp_path)[0]["reason"]


def test_a_conflict_counts_as_done_only_if_the_events_show_it(tmp_path: Path) -> None:
    with ThoughtIndustries(refuse_duplicates=True) as tenant:
        first, second = people(tenant, 2)
        settings = config(tenant, tmp_path)
        # Issued, but not answered, and then refused as a duplicate: after an answer that lies.
        tenant.set_faults("409:certify@1")
        result = load(settings, tmp_path, messages([row(first), row(second)]), code=1)
        assert [item["userId"] for item in tenant.certificates()] == [second["id"]]
        (line,) = rejects(tmp_path)
        assert "events do not show" in line["reason"]
        assert result.stdout == ""
        assert unfinished(settings) == []
        load(settings, tmp_path, messages([row(first), row(second)]))
        assert len(tenant.certificates()) == 2


def test_what_cannot_be_read_back_is_kept_as_undecided_and_not_repeated(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    (user,) = people(tenant, 1)
    settings = config(tenant, tmp_path, max_retry_seconds=0)
    tenant.set_faults("late-502:certify", "500:events@2")
    result = load(settings, tmp_path, messages([row(user)]), code=1)
    assert "whether it was issued cannot be read" in result.stderr
    assert unfinished(settings) == ["undecided"]
    assert places(tenant).count("certify") == 1
    tenant.set_faults()
    load(settings, tmp_path, messages([row(user)]))
    assert places(tenant).count("certify") == 1
    assert unfinished(settings) == []


def test_a_certificate_is_recognised_without_its_ledger(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    tenant.event_shape = "flat"  # the one that says the day of issue
    (user,) = people(tenant, 1)
    load(config(tenant, tmp_path), tmp_path, messages([row(user)]))
    other = config(tenant, tmp_path, ledger=f"sqlite:///{tmp_path}/other.db")
    load(other, tmp_path, messages([row(user)]))
    assert len(tenant.certificates()) == 1


def test_the_limits_of_the_tenant_are_kept(tmp_path: Path) -> None:
    with ThoughtIndustries(per_minute=3000, burst=5) as tenant:
        settings = config(tenant, tmp_path, requests_per_minute=3000, burst=1)
        load(settings, tmp_path, messages(map(row, people(tenant, 2))))
        assert len(tenant.certificates()) == 2
        assert None not in {request.status for request in tenant.requests}
        assert 429 not in {request.status for request in tenant.requests}
        # More at once than the tenant allows: it says so, and nothing is lost.
        rushed = config(tenant, tmp_path)
        tenant.set_faults("429=0:certify@1", "429-date=0:certify@3")
        rows = [row(user, TITLES[1]) for user in people(tenant, 4)]
        load(rushed | {"max_retry_seconds": 30}, tmp_path, messages(rows))
        assert 429 in {request.status for request in tenant.requests}
        assert len(tenant.certificates()) == 6


UNKNOWN = {"type": "SCHEMA", "stream": "courses", "key_properties": [], "schema": SCHEMA["schema"]}


@pytest.mark.parametrize(
    ("settings", "first", "said"),
    [
        ({}, UNKNOWN, "unsupported stream courses; supported: issued_certificates"),
        ({"api_key": "wrong"}, None, "check the setting `api_key`"),
        ({"api_url": "http://example.com"}, None, "must begin with https"),
        ({"tenant": "x"}, None, "both set"),
        ({"only_host": "my-academy.thoughtindustries.com"}, None, "setting `only_host`"),
        ({"resources": {"A": {"resource_type": "course"}}}, None, "lacks `resource_id`"),
        ({"resources": {}}, None, "setting `resources` is missing"),
        ({"api_kee": "x"}, None, "did you mean `api_key`"),
        ({"ledger": "mysql://u:hidden@h/x"}, None, "'mysql' are not supported"),
        ({}, {"no": "message"}, "is not a Singer message: it lacks type"),
    ],
)
def test_wrong_input_is_refused_in_words_before_anything_is_written(
    tenant: ThoughtIndustries,
    tmp_path: Path,
    settings: dict[str, Any],
    first: dict[str, Any] | None,
    said: str,
) -> None:
    wrong = config(tenant, tmp_path, **settings)
    rows = messages([row(people(tenant, 1)[0])])
    result = load(wrong, tmp_path, [*([first] if first else []), *rows], code=1)
    assert said in result.stderr
    assert "hidden" not in result.stderr
    assert (result.stdout, tenant.certificates()) == ("", [])


def test_a_missing_column_is_named(tenant: ThoughtIndustries, tmp_path: Path) -> None:
    columns = {"id": {"type": "string"}, "title": {"type": "string"}}
    schema = SCHEMA | {"schema": {"properties": columns}}
    result = load(config(tenant, tmp_path), tmp_path, [schema], code=1)
    assert "lacks the column `completion_date` and `user_email`" in result.stderr


def test_what_the_tap_emits_is_issued(tenant: ThoughtIndustries, tmp_path: Path) -> None:
    with Sandbox(users=130, trainings=0, groups=0, portfolio=0, seed=1) as pluvo:
        (user_id, email), (nobody, _) = (
            pluvo.database.execute(
                "SELECT id, email FROM users ORDER BY email IS NULL LIMIT 1"
            ).fetchall()
            + pluvo.database.execute(
                "SELECT id, email FROM users WHERE email IS NULL LIMIT 1"
            ).fetchall()
        )
        for holder in (user_id, nobody):
            columns = {"relatedObjectType": "CERTIFICATE", "completionDate": "2025-03-01"}
            pluvo.insert_report_row(holder, TITLES[0], **columns)
        only = ["issued_certificates"]
        tapped = sync(tap_config(pluvo), catalog=selecting(discover(tap_config(pluvo)), only))
    result = load(config(tenant, tmp_path), tmp_path, tapped.messages, code=1)
    ((owner, _, day),) = granted(tenant)
    assert tenant.store.rows("SELECT email FROM users WHERE id = ?", (owner,)) == [{"email": email}]
    assert day == "2025-03-01"
    assert [line["record"]["user_id"] for line in rejects(tmp_path)] == [nobody]
    assert result.stdout == ""


def test_killed_and_started_again_it_issues_each_certificate_once(tmp_path: Path) -> None:
    kill(4, tmp_path, f"sqlite:///{tmp_path}/ledger.db", 7)


def test_two_runs_at_once_issue_each_certificate_once(
    tenant: ThoughtIndustries, tmp_path: Path
) -> None:
    settings = config(tenant, tmp_path)
    said = messages(map(row, people(tenant, 12)))
    with ThreadPoolExecutor() as pool:
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
        runs = [
            pool.submit(load, settings | {"rejects": f"{tmp_path}/{name}.jsonl"}, folder, said)
            for name in ("one", "other")
            for folder in [tmp_path / name]
        ]
    assert all(run.result().stdout for run in runs)
    assert len(tenant.certificates()) == 12
