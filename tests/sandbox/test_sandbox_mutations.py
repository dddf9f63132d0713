"""What mutations answer, and what they do to the data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from graphql import build_schema

from pluvo_sandbox import Sandbox
from pluvo_sandbox.contract import read_contract
from pluvo_sandbox.mutations import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

UUID = "00000000-0000-4000-a000-000000000000"


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    with Sandbox(users=12, groups=4, trainings=6, portfolio=0) as running:
        running.database.execute("DELETE FROM group_users")
        running.database.execute("DELETE FROM training_users")
        yield running


@pytest.fixture
def write(fresh: Sandbox, connect: Callable[..., Api]) -> Api:
    return connect(fresh)


def test_every_mutation_of_the_contract_is_there() -> None:
    mutations = build_schema(read_contract()).mutation_type
    assert mutations is not None
    assert set(MUTATIONS) == set(mutations.fields)


# ---------- users ----------


def test_a_user_is_made_changed_and_archived(write: Api, fresh: Sandbox) -> None:
    change = (
        'mutation { a: updateOrCreateUser(ref: "E1", sendInvite: false, user: {%s}) '
        "{ created user { ref name email language roles archived isActive invitedOn } } }"
    )
    made = write.data(change % 'name: "Ann", email: "ann@example.com", language: NL')["a"]
    assert made == {
        "created": True,
        "user": {
            "ref": "E1",
            "name": "Ann",
            "email": "ann@example.com",
            "language": "NL",
            "roles": ["PARTICIPANT"],
            "archived": False,
            "isActive": True,
            "invitedOn": None,
        },
    }
    changed = write.data(change % 'name: "Anna", roles: [MANAGER], archived: true')["a"]
    assert changed["created"] is False
    expected = {"name": "Anna", "roles": ["MANAGER"], "archived": True, "isActive": False}
    assert changed["user"] == made["user"] | expected
    assert fresh.database.execute("SELECT count(*) FROM users").fetchone() == (13,)


def test_an_invitation_is_sent_unless_it_is_not_to_be(write: Api) -> None:
    query = "mutation { createUser(%suser: {name: %s}) { user { invitedOn ref } } }"
    invited = write.data(query % ("", '"A"'))["createUser"]["user"]
    silent = write.data(query % ("sendInvite: false, ", '"B"'))["createUser"]["user"]
    assert invited["invitedOn"]
    assert silent["invitedOn"] is None
    assert len({invited["ref"], silent["ref"]}) == 2  # made up where none is given


def test_what_is_wrong_is_said_for_each_field_and_nothing_is_changed(
    write: Api, fresh: Sandbox
) -> None:
    fresh.insert_user("Ann", ref="E1", email="ann@example.com")
    before = list(fresh.database.execute("SELECT * FROM users ORDER BY id"))
    answer = write.post(
        'mutation { createUser(user: {name: "", ref: "E1", email: "ann@example.com"}) { created } }'
    ).json()
    (error,) = answer["errors"]
    assert answer["data"] == {"createUser": None}
    assert error["extensions"]["fields"] == {
        "name": "This field is required.",
        "ref": "User with this ref already exists.",
        "email": "User with this email already exists.",
    }
    assert list(fresh.database.execute("SELECT * FROM users ORDER BY id")) == before


def test_a_mutation_that_fails_leaves_the_others_of_its_request_alone(
    write: Api, fresh: Sandbox
) -> None:
    answer = write.post(
        'mutation { a: createGroup(group: {name: "A", ref: "A"}) { group { ref } }'
        ' b: createGroup(group: {name: "B", ref: "A"}) { group { ref } }'
        ' c: updateUser(ref: "nobody", user: {name: "X"}) { user { id } } }'
    ).json()
    assert answer["data"] == {"a": {"group": {"ref": "A"}}, "b": None, "c": None}
    assert [error["path"] for error in answer["errors"]] == [["b"], ["c"]]
    assert answer["errors"][1]["message"] == "User not found"
    rows = fresh.database.execute("SELECT name FROM groups WHERE ref = 'A'").fetchall()
    assert rows == [("A",)]


def test_users_are_archived_in_bulk(write: Api, fresh: Sandbox) -> None:
    user = fresh.insert_user("Ann")
    query = 'mutation { archiveUsers(archive: true, ids: ["%s", "%s"]) '
    query += "{ response { succeededIds failedIds } } }"
    assert write.data(query % (user, UUID))["archiveUsers"]["response"] == {
        "succeededIds": [user],
        "failedIds": [UUID],
    }
    assert write.data(f'{{ user(id: "{user}") {{ archived }} }}')["user"]["archived"] is True


# ---------- groups and trainings ----------

MEMBERS = (
    "mutation { a: %s(%s, userRefs: %s) { %sIds %sRefs %sIds %sRefs failedIds failedRefs%s } }"
)


def members(name: str, owner: str, refs: list[str]) -> str:
    verb = "added" if name.startswith("add") else "removed"
    already = f"already{verb.title()}"
    via = " refsLinkedViaObject" if name == "removeUsersFromTraining" else ""
    return MEMBERS % (name, owner, json.dumps(refs), verb, verb, already, already, via)


def test_members_come_and_go(write: Api, fresh: Sandbox) -> None:
    ann, bob = (fresh.insert_user(name, ref=name) for name in ("Ann", "Bob"))
    group = fresh.insert_group("Sales", ref="G")
    fresh.insert_group_member(group, ann)
    found = write.data(members("addUsersToGroup", 'groupRef: "G"', ["Ann", "Bob", "Eve"]))["a"]
    assert (found["addedIds"], found["addedRefs"]) == ([bob], ["Bob"])
    assert (found["alreadyAddedIds"], found["alreadyAddedRefs"]) == ([ann], ["Ann"])
    assert (found["failedIds"], found["failedRefs"]) == ([], ["Eve"])
    gone = write.data(members("removeUsersFromGroup", 'groupRef: "G"', ["Bob"]))["a"]
    assert gone["removedRefs"] == ["Bob"]
    again = write.data(members("removeUsersFromGroup", 'groupRef: "G"', ["Bob"]))["a"]
    assert (again["removedRefs"], again["alreadyRemovedRefs"]) == ([], ["Bob"])
    query = '{ group(ref: "G") { userCount users { edges { node { ref } } } } }'
    assert write.data(query)["group"] == {
        "userCount": 1,
        "users": {"edges": [{"node": {"ref": "Ann"}}]},
    }


def test_managers_are_told_by_id(write: Api, fresh: Sandbox) -> None:
    ann, group = fresh.insert_user("Ann"), fresh.insert_group("Sales", ref="G")
    query = 'mutation { a: %s(groupRef: "G", userIds: ["%s", "%s"]) '
    query += "{ response { succeededIds failedIds } } }"
    expected = {"response": {"succeededIds": [ann], "failedIds": [UUID]}}
    assert write.data(query % ("addManagersToGroup", ann, UUID))["a"] == expected
    managers = "SELECT groupId, userId FROM group_managers WHERE groupId = ?"
    assert fresh.database.execute(managers, (group,)).fetchall() == [(group, ann)]
    assert write.data(query % ("removeManagersFromGroup", ann, UUID))["a"] == expected
    assert fresh.database.execute(managers, (group,)).fetchall() == []


def test_a_group_takes_no_more_than_it_may_have(write: Api) -> None:
    write.data(
        'mutation { createGroup(group: {name: "Two", ref: "G", maxUsers: 2}) { group { id } } }'
    )
    refs = ["EMP-000000", "EMP-000001", "EMP-000002"]
    errors = write.errors(members("addUsersToGroup", 'groupRef: "G"', refs))
    assert errors == ["maxUsers: The group has the maximum of 2 users."]
    assert write.data('{ group(ref: "G") { userCount } }')["group"]["userCount"] == 0


def test_groups_are_made_changed_and_deleted(write: Api, fresh: Sandbox) -> None:
    made = write.data(
        'mutation { createGroup(group: {name: "A", ref: "G", enableChat: true}) '
        "{ group { id name enableChat maxUsers isEditable } } }"
    )["createGroup"]["group"]
    group_id = made.pop("id")
    assert made == {"name": "A", "enableChat": True, "maxUsers": 1000, "isEditable": True}
    changed = write.data(
        'mutation { updateGroup(ref: "G", group: {name: "B", maxUsers: 5}) '
        "{ group { id name maxUsers } } }"
    )["updateGroup"]["group"]
    assert changed == {"id": group_id, "name": "B", "maxUsers": 5}
    query = f'mutation {{ deleteGroups(ids: ["{group_id}", "{UUID}"]) '
    query += "{ bulkDelete { succeededIds failedIds } } }"
    expected = {"succeededIds": [group_id], "failedIds": [UUID]}
    assert write.data(query)["deleteGroups"]["bulkDelete"] == expected
    assert not fresh.database.execute("SELECT 1 FROM groups WHERE ref = 'G'").fetchall()


def test_a_training_is_made_and_changed(write: Api) -> None:
    made = write.data(
        'mutation { createTraining(training: {title: "T", ref: "T1", isActive: false, '
        'subtitle: "s", startDate: "2026-01-31T00:00:00Z", showParticipants: true}) '
        "{ training { title subtitle isActive archived startDate endDate showParticipants } } }"
    )["createTraining"]["training"]
    assert made == {
        "title": "T",
        "subtitle": "s",
        "isActive": False,
        "archived": False,
        "startDate": "2026-01-31",
        "endDate": None,
        "showParticipants": True,
    }
    changed = write.data(
        'mutation { updateTraining(ref: "T1", training: {title: "U", archived: true}) '
        "{ training { title archived } } }"
    )["updateTraining"]["training"]
    assert changed == {"title": "U", "archived": True}


def test_who_is_in_a_training_through_a_group_is_not_removed_from_it(
    write: Api, fresh: Sandbox
) -> None:
    training = fresh.insert_training("T", ref="T")
    group = fresh.insert_group("G", ref="G")
    fresh.database.execute("INSERT INTO group_trainings VALUES (?, ?)", (group, training))
    ann, bob = (fresh.insert_user(name, ref=name) for name in ("Ann", "Bob"))
    write.data(members("addUsersToTraining", 'trainingRef: "T"', ["Bob"]))
    write.data(members("addUsersToGroup", 'groupRef: "G"', ["Ann"]))
    query = f'{{ training(id: "{training}") {{ participants {{ edges {{ node {{ user {{ ref }} }}'
    assert len(write.data(query + " } } } }")["training"]["participants"]["edges"]) == 2

    removed = write.data(members("removeUsersFromTraining", 'trainingRef: "T"', ["Ann", "Bob"]))
    assert removed["a"]["refsLinkedViaObject"] == ["Ann"]
    assert removed["a"]["removedIds"] == [bob]
    write.data(members("removeUsersFromGroup", 'groupRef: "G"', ["Ann"]))
    left = fresh.database.execute("SELECT * FROM training_users WHERE userId = ?", (ann,))
    assert not left.fetchall()


def test_roles_in_a_training_are_apart(write: Api, fresh: Sandbox) -> None:
    fresh.insert_training("T", ref="T")
    fresh.insert_user("Ann", ref="Ann")
    trainer = 'trainingRef: "T", role: TRAINER'
    for owner in ('trainingRef: "T"', trainer):
        assert write.data(members("addUsersToTraining", owner, ["Ann"]))["a"]["addedRefs"]
    assert write.data(members("removeUsersFromTraining", trainer, ["Ann"]))["a"]["removedRefs"]
    (left,) = fresh.database.execute("SELECT role FROM training_users")
    assert left == ("PARTICIPANT",)


# ---------- events ----------


def test_an_event_is_made_and_users_enroll_until_it_is_full(write: Api, fresh: Sandbox) -> None:
    training = fresh.insert_training("T")
    refs = ["Ann", "Bob"]
    ann, _ = (fresh.insert_user(name, ref=name) for name in refs)
    offer = write.data('mutation { createOffer(offer: {title: "O"}) { offer { id ref } } }')
    offer = offer["createOffer"]["offer"]
    event = write.data(
        f'mutation {{ createOfferEvent(offerRef: "{offer["ref"]}", offerEvent: {{ref: "EV", '
        f'type: MEETING, maxSubscriptions: 1, accessTrainings: ["{training}"], '
        'dates: [{startDate: "2026-02-01T09:00:00Z"}]}) '
        "{ offerEvent { id dates { startDate } spotsAvailable } } }"
    )["createOfferEvent"]["offerEvent"]
    assert event["dates"] == [{"startDate": "2026-02-01T09:00:00+00:00"}]
    enroll = 'mutation { createOfferEventEnrollments(offerEventRef: "EV", userRefs: ["%s"]) '
    enroll += "{ id status user { ref } } }"
    first = write.data(enroll % "Ann")["createOfferEventEnrollments"]
    assert first[0]["status"] == "ENROLLED"
    assert write.data(enroll % "Ann")["createOfferEventEnrollments"] == first  # not once more
    assert write.errors(enroll % "Bob") == ["offerEventRef: The event is full."]
    assert write.errors(enroll % "Eve") == ["userRefs: User not found"]
    in_training = "SELECT userId, direct FROM training_users WHERE trainingId = ?"
    assert fresh.database.execute(in_training, (training,)).fetchall() == [(ann, False)]
    write.data(
        f'mutation {{ unenrollUserFromOfferEvent(userId: "{ann}", '
        f'offerEventId: "{event["id"]}") {{ success }} }}'
    )
    assert fresh.database.execute(in_training, (training,)).fetchall() == []
    assert write.data(enroll % "Bob")["createOfferEventEnrollments"][0]["user"] == {"ref": "Bob"}


def test_offers_and_events_are_changed_and_archived(write: Api, fresh: Sandbox) -> None:
    ((offer, event),) = fresh.database.execute("SELECT offerId, id FROM offer_events LIMIT 1")
    found = write.data(
        f'mutation {{ a: updateOffer(id: "{offer}", offer: {{title: "N"}}) {{ offer {{ title }} }}'
        f' b: archiveOffers(archive: true, ids: ["{offer}"]) {{ response {{ succeededIds }} }}'
        f' c: updateOfferEvent(id: "{event}", offerEvent: {{title: "E"}})'
        " { offerEvent { title } }"
        f' d: archiveOfferEvents(archive: true, ids: ["{event}", "{UUID}"])'
        " { response { succeededIds failedIds } }"
        f' e: createOfferEventDate(offerEventDate: {{offerEventId: "{event}", '
        'start: "2026-01-01T09:00:00Z"}) { offerEventDate { startDate start } }'
        f' f: deleteOfferEvent(id: "{event}") {{ ok }} }}'
    )
    moment = "2026-01-01T09:00:00+00:00"
    assert found == {
        "a": {"offer": {"title": "N"}},
        "b": {"response": {"succeededIds": [offer]}},
        "c": {"offerEvent": {"title": "E"}},
        "d": {"response": {"succeededIds": [event], "failedIds": [UUID]}},
        "e": {"offerEventDate": {"startDate": moment, "start": moment}},
        "f": {"ok": True},
    }
    assert not fresh.database.execute(
        "SELECT 1 FROM offer_events WHERE id = ?", (event,)
    ).fetchall()


# ---------- portfolio ----------


def test_a_certificate_appears_in_the_portfolio_and_in_the_report(
    write: Api, fresh: Sandbox
) -> None:
    ann = fresh.insert_user("Ann")
    certificate = fresh.insert_certificate("First aid")
    query = f'mutation {{ generateCertificate(id: "{certificate}", userIds: ["{ann}", "{UUID}"], '
    query += 'issueDate: "2026-01-31T23:30:00-02:00") { bulkGenerate { succeededIds failedIds } } }'
    for _ in range(2):  # nothing keeps it from being issued twice
        done = write.data(query)["generateCertificate"]["bulkGenerate"]
        assert done == {"succeededIds": [ann], "failedIds": [UUID]}
    items = write.data(f'{{ portfolioItems(userId: "{ann}") {{ title startDate }} }}')
    item = {"title": "First aid", "startDate": "2026-02-01T01:30:00+00:00"}
    assert items["portfolioItems"] == [item, item]
    rows = write.nodes(
        "portfolioReport", "title completionDate user { id }", relatedObjectTypes="[CERTIFICATE]"
    )
    row = {"title": "First aid", "completionDate": "2026-02-01", "user": {"id": ann}}
    assert rows == [row, row]


def test_portfolio_items_are_made_changed_and_deleted(write: Api, fresh: Sandbox) -> None:
    ann = fresh.insert_user("Ann")
    made = write.data(
        f'mutation {{ createPortfolioItem(input: {{userId: "{ann}", title: "Diploma", '
        'startDate: "2023-08-05"}) { portfolioItem { id title startDate } } }'
    )["createPortfolioItem"]["portfolioItem"]
    assert made["startDate"] == "2023-08-05T00:00:00+00:00"
    changed = write.data(
        f'mutation {{ updatePortfolioItem(id: "{made["id"]}", input: {{description: "d"}}) '
        "{ portfolioItem { description } } }"
    )["updatePortfolioItem"]
    assert changed == {"portfolioItem": {"description": "d"}}
    delete = f'mutation {{ deletePortfolioItem(id: "{made["id"]}") {{ success }} }}'
    assert write.data(delete)["deletePortfolioItem"] == {"success": True}
    assert write.errors(delete) == ["Portfolio item not found"]


# ---------- custom fields and files ----------

VALUES = (
    "{ extraCategoryValues { __typename ... on ExtraCategoryStringValue { stringValue } "
    "... on ExtraCategoryChoiceValue { choiceValue { stringValue } } "
    "... on ExtraCategoryBooleanValue { booleanValue } "
    "... on ExtraCategoryDatetimeValue { datetimeValue } } }"
)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("CF-00", 'stringValue: "Delft"', [{"stringValue": "Delft"}]),
        ("CF-01", 'stringValue: "36.5"', [{"stringValue": "36.5"}]),
        (
            "CF-02",
            'datetimeValue: "1990-01-01T00:00:00Z"',
            [{"datetimeValue": "1990-01-01T00:00:00+00:00"}],
        ),
        ("CF-03", 'stringValue: "Vast"', [{"choiceValue": {"stringValue": "Vast"}}]),
        (
            "CF-04",
            'choiceValues: [{stringValue: "English"}, {stringValue: "Nederlands"}]',
            [{"choiceValue": {"stringValue": name}} for name in ("English", "Nederlands")],
        ),
        ("CF-05", 'stringValue: "true"', [{"booleanValue": True}]),
        ("CF-00", 'stringValue: ""', []),
    ],
)
def test_values_of_custom_fields_replace_those_that_were_there(
    write: Api, fresh: Sandbox, field: str, value: str, expected: list[dict[str, Any]]
) -> None:
    fresh.insert_user("Ann", ref="Ann")
    query = 'mutation { a: updateExtraCategoryValues(contentType: USER, modelRef: "Ann", '
    query += f'values: [{{categoryRef: "{field}", {value}}}]) {VALUES} }}'
    for _ in range(2):
        found = write.data(query)["a"]["extraCategoryValues"]
        assert [{k: v for k, v in row.items() if k != "__typename"} for row in found] == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("CF-01", 'stringValue: "many"', "stringValue: Enter a number."),
        ("CF-03", 'stringValue: "Nul"', "choiceValues: This is not a valid choice."),
        ("CF-05", 'stringValue: "maybe"', "stringValue: Enter true or false."),
        ("CF-06", 'stringValue: "Noord"', "categoryId: The category is not for USER."),
        ("none", 'stringValue: "x"', "Extra category not found"),
    ],
)
def test_values_that_do_not_fit_their_custom_field_are_refused(
    write: Api, fresh: Sandbox, field: str, value: str, message: str
) -> None:
    fresh.insert_user("Ann", ref="Ann")
    query = 'mutation { a: updateExtraCategoryValues(contentType: USER, modelRef: "Ann", '
    query += f'values: [{{categoryRef: "{field}", {value}}}]) {VALUES} }}'
    assert write.errors(query) == [message]


def test_custom_fields_are_made_renamed_and_archived(write: Api) -> None:
    made = write.data(
        'mutation { createExtraCategory(extraCategoryInput: {name: "Size", categoryType: SELECT, '
        'forModelTypes: [USER], choiceOptions: [{stringValue: "S"}, {stringValue: "M"}]}) '
        "{ extraCategory { id title categoryType choiceOptions { stringValue } } } }"
    )["createExtraCategory"]["extraCategory"]
    options = [option["stringValue"] for option in made["choiceOptions"]]
    assert (made["title"], made["categoryType"], options) == ("Size", "SELECT", ["M", "S"])
    write.data(
        f'mutation {{ a: updateExtraCategory(id: "{made["id"]}", category: {{title: "Fit"}}) '
        "{ extraCategory { id } } }"
    )
    titles = "{ extraCategories(contentType: USER) { title } }"
    assert {"title": "Fit"} in write.data(titles)["extraCategories"]
    write.data(
        f'mutation {{ archiveExtraCategories(archive: true, ids: ["{made["id"]}"]) '
        "{ response { succeededIds } } }"
    )
    assert {"title": "Fit"} not in write.data(titles)["extraCategories"]


def test_a_picture_that_was_uploaded_becomes_that_of_a_user(write: Api, fresh: Sandbox) -> None:
    fresh.insert_user("Ann", ref="Ann")
    query = "mutation($f: Upload!) { uploadFile(file: $f) { ok file { id url } } }"
    parts: Any = {
        "operations": (None, json.dumps({"query": query, "variables": {"f": None}})),
        "map": (None, json.dumps({"0": ["variables.f"]})),
        "0": ("ann.jpg", b"\x00\x01", "image/jpeg"),
    }
    answer = write.session.post(fresh.url + "/graphql/", files=parts, timeout=10).json()
    file = answer["data"]["uploadFile"]["file"]
    assert file["url"].endswith("/ann.jpg")
    changed = write.data(
        f'mutation {{ updateUser(ref: "Ann", user: {{profileImage: "{file["id"]}"}}) '
        "{ user { profileImage { id url } } } }"
    )
    assert changed["updateUser"]["user"]["profileImage"] == file
    made = write.data(
        'mutation { createFile(file: {name: "film.mp4"}) { file { id } s3Url s3Data } }'
    )["createFile"]
    assert json.loads(made["s3Data"]) == {"key": made["file"]["id"]}


# ---------- scopes and faults ----------


@pytest.mark.parametrize(
    ("mutation", "scope"),
    [
        ('updateUser(ref: "x", user: {name: "y"}) { user { id } }', "users.write"),
        ('createGroup(group: {name: "y"}) { group { id } }', "groups.write"),
        ('createTraining(training: {title: "y"}) { training { id } }', "trainings.write"),
        ('createOffer(offer: {title: "y"}) { offer { id } }', "events.write"),
        (
            'createExtraCategory(extraCategoryInput: {name: "y"}) { extraCategory { id } }',
            "extra_categories.write",
        ),
    ],
)
def test_writing_needs_a_scope(
    fresh: Sandbox, connect: Callable[..., Api], mutation: str, scope: str
) -> None:
    reader = connect(fresh, "users.read groups.read trainings.read events.read")
    tables = ("users", "groups", "trainings", "offers", "extra_categories")
    counts = [fresh.database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables]
    message = f"Insufficient scope: this operation requires {scope}"
    assert reader.errors(f"mutation {{ {mutation} }}") == [message]
    assert counts == [
        fresh.database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables
    ]


@pytest.mark.parametrize("kind", ["late-502", "late-no-data", "truncated"])
def test_faults_that_hit_after_the_effect(write: Api, fresh: Sandbox, kind: str) -> None:
    fresh.set_faults(kind)
    answer = write.post('mutation { createGroup(group: {name: "A", ref: "A"}) { group { id } } }')
    with pytest.raises((KeyError, TypeError, ValueError)):
        answer.json()["data"]["createGroup"]["group"]["id"]
    assert fresh.database.execute("SELECT name FROM groups WHERE ref = 'A'").fetchall() == [("A",)]
    fresh.set_faults("500")
    write.post('mutation { createGroup(group: {name: "B", ref: "B"}) { group { id } } }')
    assert not fresh.database.execute("SELECT 1 FROM groups WHERE ref = 'B'").fetchall()
