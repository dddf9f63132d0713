"""GraphQL documents: parsed, looked through and validated before they are executed."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    REMOVE,
    ArgumentNode,
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    ValidationRule,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    value_from_ast,
    visit,
)
from graphql.execution import get_variable_values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Rules = Collection[type[ASTValidationRule]] | None


# A client sends few different queries, each of them many times.
@lru_cache(maxsize=256)
def parsed(query: str) -> DocumentNode:
    """Return the document that a query is the text of.

    Raises:
        GraphQLError: the text has a syntax error.
    """
    return parse(query)


@lru_cache(maxsize=256)
def field_names(query: str | None) -> frozenset[str]:
    """Return the names of all fields that a query selects, at any depth."""
    names: set[str] = set()

    class Collector(Visitor):
        def enter_field(self, node: FieldNode, *_args: Any) -> None:
            names.add(node.name.value)

    with suppress(GraphQLError):
        visit(parsed(query or ""), Collector())
    return frozenset(names)


def is_mutation(query: Any) -> bool:
    """Tell whether a query may change data."""
    with suppress(GraphQLError):
        return isinstance(query, str) and any(
            isinstance(part, OperationDefinitionNode) and part.operation is OperationType.MUTATION
            for part in parsed(query).definitions
        )
    return False


# ---------- validation ----------


def at_most(limit: int) -> type[ASTValidationRule]:
    """Return a rule that refuses operations with more than `limit` root fields."""

    class AtMost(ValidationRule):
        def enter_operation_definition(self, node: OperationDefinitionNode, *_args: Any) -> None:
            number = self._fields(node.selection_set)
            if number > limit:
                message = f"This operation asks for {number} root fields; {limit} are allowed."
                self.report_error(GraphQLError(message, node))

        def _fields(self, selections: SelectionSetNode) -> int:
            number = 0
            for selection in selections.selections:
                if isinstance(selection, FragmentSpreadNode):
                    fragment = self.context.get_fragment(selection.name.value)
                    number += self._fields(fragment.selection_set) if fragment else 0
                elif isinstance(selection, InlineFragmentNode):
                    number += self._fields(selection.selection_set)
                else:
                    number += 1
            return number

    return AtMost


@lru_cache(maxsize=256)
def _errors(
    schema: GraphQLSchema, document: DocumentNode, rules: tuple[type[ASTValidationRule], ...]
) -> list[GraphQLError]:
    # All of them in one answer: graphql-core stops at 100 unless it is told otherwise.
    return validate(schema, document, rules, max_errors=sys.maxsize)


def broken_rules(
    schema: GraphQLSchema,
    document_ast: DocumentNode,
    rules: Rules = None,
    *_args: Any,
    **_more: Any,
) -> list[GraphQLError]:
    """Return the errors of a document, in the form that Ariadne calls a validator."""
    return _errors(schema, document_ast, tuple(rules or ()))


def broken_own_rules(
    schema: GraphQLSchema,
    document_ast: DocumentNode,
    rules: Rules = None,
    *_args: Any,
    **_more: Any,
) -> list[GraphQLError]:
    """Return only the errors by rules that are not part of GraphQL.

    Like a Django project that gives graphene-django's view validation rules of its own, for example
    to disable introspection: they take the place of the standard ones.
    """
    own = tuple(rule for rule in rules or () if rule not in specified_rules)
    return _errors(schema, document_ast, own) if own else []


# ---------- without validation ----------


def without_unreadable(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
) -> DocumentNode:
    """Leave out the variables and arguments whose values the schema cannot read.

    graphql-core by itself ignores unknown fields, types of fragments and arguments when it executes
    a document that was not validated. It refuses values of unknown types and enum values that the
    schema lacks, which are left out here.
    """
    readable: dict[str, Any] = {}

    class Variables(Visitor):
        def enter_variable_definition(self, node: VariableDefinitionNode, *_args: Any) -> Any:
            values = get_variable_values(schema, [node], dict(variables))
            if isinstance(values, list):  # of errors
                return REMOVE
            readable.update(values)
            return None

    class Arguments(Visitor):
        def enter_argument(self, node: ArgumentNode, *_args: Any) -> Any:
            argument = types.get_argument()
            if argument is None or isinstance(node.value, VariableNode):
                return None
            value = value_from_ast(node.value, argument.type, readable)
            return REMOVE if value is Undefined else None

    document = visit(document, Variables())
    types = TypeInfo(schema)
    pruned: DocumentNode = visit(document, TypeInfoVisitor(types, Arguments()))
    return pruned
