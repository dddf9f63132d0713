from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from graphql import (
    BREAK,
    REMOVE,
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    NamedTypeNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    build_schema,
    parse,
    validate_schema,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = Path(__file__).parent / "../../schemas/pluvo.graphql"
TEXT = PATH.read_text(encoding="utf-8")
DOCUMENT = parse(TEXT)

SOURCE = re.compile(
    r"\[(?P<pages>[^\];]+); (?P<certainty>documented|inferred|older pages only|assumed)\]$"
)
OLDER = "older pages only"
OTHER_CURRENT_PAGES = {
    "certificate",
    "common-recipes",
    "file-uploads",
    "introduction-yn8qm",
    "pagination",
    "training-participants",
}

Described = (
    TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode
)


class Item(NamedTuple):
    path: str
    node: Described


def members(
    definition: DefinitionNode,
) -> tuple[FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode, ...]:
    if isinstance(definition, EnumTypeDefinitionNode):
        return tuple(definition.values or ())
    if isinstance(definition, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode):
        return tuple(definition.fields or ())
    return ()


def items(document: DocumentNode) -> Iterator[Item]:
    for definition in document.definitions:
        assert isinstance(definition, TypeDefinitionNode)
        yield Item(definition.name.value, definition)
        for member in members(definition):
            path = f"{definition.name.value}.{member.name.value}"
            yield Item(path, member)
            if isinstance(member, FieldDefinitionNode):
                for argument in member.arguments:
                    yield Item(f"{path}({argument.name.value}:)", argument)


ITEMS = {item.path: item.node for item in items(DOCUMENT)}


def source(node: Described) -> re.Match[str]:
    assert node.description is not None
    match = SOURCE.search(node.description.value)
    assert match is not None, node.description.value
    return match


def certainty(node: Described) -> str:
    return source(node)["certainty"]


def is_current(page: str) -> bool:
    return page.endswith("-2") or page in OTHER_CURRENT_PAGES


class DropOlder(Visitor):
    """Takes out what only older pages give."""

    def enter(self, node: object, *_: object) -> object:
        if isinstance(node, Described) and certainty(node) == OLDER:
            return REMOVE
        return None


class FindType(Visitor):
    """Finds the named type within a wrapped one."""

    name = ""

    def enter_named_type(self, node: NamedTypeNode, *_: object) -> object:
        self.name = node.name.value
        return BREAK


def named_type(node: FieldDefinitionNode | InputValueDefinitionNode) -> str:
    finder = FindType()
    visit(node.type, finder)
    return finder.name


def lean() -> DocumentNode:
    document = visit(DOCUMENT, DropOlder())
    assert isinstance(document, DocumentNode)
    return document


def test_builds_and_validates() -> None:
    assert validate_schema(build_schema(TEXT)) == []


def test_no_item_is_listed_twice() -> None:
    assert len(ITEMS) == len(list(items(DOCUMENT)))


@pytest.mark.parametrize("path", ITEMS)
def test_description_is_a_sentence_with_its_source(path: str) -> None:
    node = ITEMS[path]
    match = source(node)
    assert node.description is not None
    sentence = node.description.value[: match.start()]
    assert re.fullmatch(r"[A-Z][^\n]*\. ", sentence)
    pages = match["pages"].split(", ")
    assert all(re.fullmatch(r"[A-Za-z0-9./-]+", page) for page in pages)
    assert len(pages) == len(set(pages))
    if match["certainty"] == "assumed":
        assert re.search(r"\b(Name|Type) assumed: ", sentence)
    elif match["certainty"] == OLDER:
        assert not any(map(is_current, pages))
    else:
        assert any(map(is_current, pages))


def test_key_types_and_fields_are_present() -> None:
    schema = build_schema(TEXT)
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert set(schema.query_type.fields) == {
        "certificates",
        "enrollment",
        "enrollments",
        "extraCategories",
        "extraCategory",
        "group",
        "groups",
        "offer",
        "offerEvent",
        "offers",
        "paginatedGroups",
        "paginatedTrainings",
        "paginatedUsers",
        "portfolioItem",
        "portfolioItems",
        "portfolioReport",
        "training",
        "trainings",
        "user",
        "users",
    }
    assert {
        "addUsersToTraining",
        "createOfferEventEnrollments",
        "generateCertificate",
        "updateExtraCategoryValues",
        "updateOrCreateUser",
        "uploadFile",
    } <= set(schema.mutation_type.fields)
    assert set(schema.query_type.fields["paginatedTrainings"].args) == {
        "q",
        "active",
        "archived",
        "userId",
        "trainingUserRoles",
        "first",
        "after",
        "offset",
    }
    expected = {
        "User": {"id", "ref", "archived", "modelId", "extraCategoryValues"},
        "Group": {"id", "users", "managers", "trainings"},
        "Training": {"id", "participants", "trainers", "userData"},
        "PortfolioReportNode": {"user", "title", "progress", "completionDate", "timeSpent"},
        "OfferEvent": {"dates", "maxSubscriptions", "maxParticipants"},
        "OfferEventDate": {"startDate", "endDate", "start", "end", "offerEventId"},
        "Enrollment": {"status", "enrolledAt"},
        "PortfolioItem": {"user", "files"},
        "ExtraCategory": {"categoryType", "forModelTypes", "choiceOptions", "extraFields"},
    }
    for name, fields in expected.items():
        kind = schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert fields <= set(kind.fields)


def test_every_named_type_but_the_roots_is_used() -> None:
    used = {
        named_type(node)
        for node in ITEMS.values()
        if isinstance(node, FieldDefinitionNode | InputValueDefinitionNode)
    }
    union = build_schema(TEXT).type_map["ExtraCategoryValue"]
    used |= {member.name for member in getattr(union, "types", ())}
    defined = {path for path, node in ITEMS.items() if isinstance(node, TypeDefinitionNode)}
    assert defined - used == {"Query", "Mutation"}


def test_what_is_deprecated_says_so() -> None:
    query = build_schema(TEXT).query_type
    assert query is not None
    assert query.fields["trainings"].deprecation_reason == "Use paginatedTrainings."


def test_lean_schema_validates() -> None:
    assert validate_schema(build_ast_schema(lean())) == []


def test_nothing_current_leans_on_something_older() -> None:
    document = lean()
    kept = {definition.name.value for definition in document.definitions}  # type: ignore[attr-defined]
    builtin = {"ID", "String", "Int", "Float", "Boolean"}
    dangling = [
        item.path
        for item in items(document)
        if isinstance(item.node, FieldDefinitionNode | InputValueDefinitionNode)
        and named_type(item.node) not in kept | builtin
    ]
    assert dangling == []


def test_lean_schema_drops_what_is_older() -> None:
    left = {item.path for item in items(lean())}
    assert not {
        "Enrollment",
        "Offer",
        "PortfolioItem",
        "Query.enrollments",
        "Query.offers",
        "Query.paginatedTrainings(active:)",
        "Query.users",
        "TrainingUserData",
        "User.modelId",
    } & {*left}
    assert {
        "EnrollmentStatus.ENROLLED",
        "ExtraCategoryType.MULTISELECT",
        "OfferEvent",
        "OfferEventDate.startDate",
        "Query.offerEvent",
        "Query.paginatedUsers(lastLogin_Gt:)",
        "Query.portfolioReport(completionDateFrom:)",
    } <= left


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Certificate.id", "documented"),
        ("Group.maxUsers", "documented"),
        ("Group.users(first:)", "inferred"),
        ("User.name", "documented"),
        ("User.lastLogin", "documented"),
        ("User.archived", "inferred"),
        ("User.extraCategoryValues", "inferred"),
        *(
            (f"User.{name}", OLDER)
            for name in (
                "modelId",
                "archivedAt",
                "isActive",
                "extraFields",
                "extraFieldsProfile",
                "hasPassword",
                "afasPersonId",
                "afasEmployeeId",
                "afasContactId",
                "afasConnectionId",
                "groupCount",
                "invitedOn",
                "userVia",
            )
        ),
        ("EnrollmentStatus", "inferred"),
        ("EnrollmentStatus.ENROLLED", "inferred"),
        ("EnrollmentStatus.DECLINED", OLDER),
        ("ExtraCategory.extraFields", OLDER),
        ("ExtraCategoryType.MULTISELECT", "inferred"),
        ("ExtraCategoryType.TEXT", OLDER),
        ("OfferEvent.type", "documented"),
        ("OfferEvent.maxParticipants", OLDER),
        ("PortfolioReportConnection", "assumed"),
        ("PortfolioReportNode.progress", "assumed"),
        ("PortfolioReportNode.user", "inferred"),
        ("Query.offers", OLDER),
        ("Query.paginatedUsers", "documented"),
        ("Query.portfolioReport(completionDateTo:)", "inferred"),
        ("TrainingRole.MENTOR", OLDER),
        ("TrainingUser", "assumed"),
        ("UserSortField", "assumed"),
    ],
)
def test_certainty(path: str, expected: str) -> None:
    assert certainty(ITEMS[path]) == expected
