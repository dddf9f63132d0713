"""Mutations of custom fields and their values (page `extracategory-2`)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pluvo_sandbox.mutations.writer import bulk, check, filled, new_ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_OWNERS = {"USER": "users", "GROUP": "groups", "TRAINING": "trainings"}
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def create_extra_category(write: Writer, given: Given) -> Payload:
    """Make a custom field."""
    values = given.get("extraCategoryInput") or {}
    check(filled(values, "name"))
    kind = values.get("categoryType") or (
        "MULTISELECT" if values.get("multipleChoices") else "TEXT"
    )
    ((position,),) = write.database.execute("SELECT count(*) FROM extra_categories")
    field = [{"key": f"field{position}", "label": values["name"], "type": kind}]
    category_id = write.insert(
        "extra_categories",
        title=values["name"],
        categoryType=kind,
        forModelTypes=values.get("forModelTypes") or ["USER"],
        extraFields=field,
        position=position,
        ref=new_ref(),
    )
    for option in values.get("choiceOptions") or ():
        check(filled(option, "stringValue"))
        write.insert("choice_options", categoryId=category_id, stringValue=option["stringValue"])
    return {"extraCategory": write.find("extra_categories", id=category_id)}


def update_extra_category(write: Writer, given: Given) -> Payload:
    """Give a custom field another title."""
    category, values = write.find("extra_categories", id=given.get("id")), given.get("category")
    check(filled(values or {}, "title"))
    write.change("extra_categories", category["id"], title=(values or {})["title"])
    return {"extraCategory": write.find("extra_categories", id=category["id"])}


def archive_extra_categories(write: Writer, given: Given) -> Payload:
    """Move custom fields to the archive, or back."""
    ids = given.get("ids") or []
    found = [row["id"] for row in write.find_all("extra_categories", "id", ids)]
    for category_id in found:
        write.change("extra_categories", category_id, archived=given.get("archive") is not False)
    return {"response": bulk(found, (item for item in ids if item not in found))}


def update_extra_category_values(write: Writer, given: Given) -> Payload:
    """Set the values of custom fields on one object; a field given without a value is emptied."""
    kind = given.get("contentType") or ""
    if kind not in _OWNERS:
        check({"contentType": f"Give one of {', '.join(_OWNERS)}."})
    owner = write.find(_OWNERS[kind], id=given.get("modelId"), ref=given.get("modelRef"))
    for value in given.get("values") or ():
        category = write.find(
            "extra_categories", id=value.get("categoryId"), ref=value.get("categoryRef")
        )
        if kind not in category["forModelTypes"]:
            check({"categoryId": f"The category is not for {kind}."})
        write.run(
            "DELETE FROM extra_category_values WHERE ownerId = ? AND categoryId = ?",
            *(owner["id"], category["id"]),
        )
        for name, content in _contents(write, category, value):
            write.run(
                "INSERT INTO extra_category_values (ownerId, categoryId, __typename, "  # noqa: S608
                f"{name[0].lower()}{name[1:]}{'Id' if name == 'choice' else 'Value'})"
                " VALUES (?, ?, ?, ?)",
                *(owner["id"], category["id"], f"ExtraCategory{name.title()}Value", content),
            )
    values = write.find_all("extra_category_values", "ownerId", [owner["id"]])
    return {"extraCategoryValues": values}


def _contents(write: Writer, category: Node, value: Given) -> Iterator[tuple[str, Any]]:
    """Give the values to store, each with the kind of its column."""
    kind = category["extraFields"][0]["type"]
    text = value.get("stringValue")
    if kind in {"SELECT", "MULTISELECT"}:
        wanted = [choice.get("stringValue") for choice in value.get("choiceValues") or ()]
        wanted += [text] if text else []
        if kind == "SELECT" and len(wanted) > 1:
            check({"choiceValues": "Only one choice is allowed."})
        options = write.find_all("choice_options", "categoryId", [category["id"]])
        ids = {option["stringValue"]: option["id"] for option in options}
        check({} if set(wanted) <= set(ids) else {"choiceValues": "This is not a valid choice."})
        for choice in wanted:
            yield "choice", ids[choice]
    elif kind == "DATE":
        moment = value.get("datetimeValue") or text
        if moment:
            yield "datetime", _moment(moment)
    elif text:
        if kind == "NUMBER":
            check({} if _is_number(text) else {"stringValue": "Enter a number."})
        if kind == "BOOLEAN":
            check({} if text.lower() in _TRUTH else {"stringValue": "Enter true or false."})
            yield "boolean", _TRUTH[text.lower()]
        else:
            yield "string", text


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        check({"datetimeValue": "Enter a valid date/time."})
        raise


def _is_number(text: str) -> bool:
    try:
        return isinstance(json.loads(text), int | float)
    except ValueError:
        return False
