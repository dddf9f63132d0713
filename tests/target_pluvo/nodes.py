"""What a made-up Pluvo shows of what it holds, with the names of the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts import CUSTOM_FIELDS, FIELD_IDS, MANAGER, OPTIONS, PARTICIPANT

if TYPE_CHECKING:
    from accounts import Account, State

Node = dict[str, Any]


def nodes(state: State, field: str, given: dict[str, Any]) -> list[Node]:
    """Return all objects of a root field."""
    match field:
        case "paginatedUsers":
            return [
                user_node(state, account)
                for account in state.accounts
                if "trainingIds" not in given or _participates(state, account, given["trainingIds"])
            ]
        case "paginatedGroups":
            return [
                {"id": found, "ref": ref, "name": ref, "trainings": _trainings_of(state, ref)}
                for ref, found in state.groups.items()
            ]
        case "paginatedTrainings":
            return [
                {"id": found, "ref": ref, "title": ref, "archived": False}
                for ref, found in state.trainings.items()
            ]
        case "extraCategories":
            return [_field_node(title, kind) for title, kind in CUSTOM_FIELDS.items()]
    msg = f"nobody should read {field}"
    raise AssertionError(msg)


def user_node(state: State, account: Account) -> Node:
    """Return an account."""
    groups = {
        name: [
            {"id": found}
            for ref, found in state.groups.items()
            if ("group_members", ref, role, account.id) in state.members
        ]
        for name, role in (("participantGroups", PARTICIPANT), ("managerGroups", MANAGER))
    }
    return groups | {
        "id": account.id,
        "ref": account.ref,
        "email": account.email,
        "name": account.name,
        "archived": account.archived,
        "isActive": not account.archived,
        "roles": list(account.roles),
        "language": "NL",
        "afasEmployeeId": None,
        "extraCategoryValues": [value_node(*item) for item in account.values.items()],
    }


def value_node(title: str, value: Any) -> Node:
    """Return the value of a custom field."""
    match CUSTOM_FIELDS[title]:
        case "SELECT":
            kind, content = "Choice", {"choiceValue": {"stringValue": value}}
        case "DATE":
            kind, content = "Datetime", {"datetimeValue": value}
        case "BOOLEAN":
            kind, content = "Boolean", {"booleanValue": value}
        case _:
            kind, content = "String", {"stringValue": value}
    return {
        "__typename": f"ExtraCategory{kind}Value",
        "category": {"id": FIELD_IDS[title]},
        **content,
    }


def _field_node(title: str, kind: str) -> Node:
    options = [{"stringValue": text} for text in OPTIONS] if kind == "SELECT" else []
    node = {"id": FIELD_IDS[title], "title": title, "categoryType": kind}
    return node | {"choiceOptions": options}


def _trainings_of(state: State, group: str) -> list[Node]:
    """Return the trainings that a group is assigned to."""
    return [{"id": state.trainings[ref]} for ref, other in state.linked.items() if other == group]


def _participates(state: State, account: Account, ids: list[str]) -> bool:
    return any(
        ("training_participants", ref, PARTICIPANT, account.id) in state.members
        or state.is_linked(account.id, ref)
        for ref, found in state.trainings.items()
        if found in ids
    )
