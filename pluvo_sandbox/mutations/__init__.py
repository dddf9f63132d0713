"""The mutations of the API: what each does, and the scope that it needs.

No page gives a table of scopes by operation; these follow the wording of the list of scopes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_sandbox.mutations import (
    custom_fields,
    files,
    groups,
    offers,
    portfolio,
    trainings,
    users,
)
from pluvo_sandbox.mutations.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLResolveInfo

    Mutation = Callable[[Writer, dict[str, Any]], Any]

_BY_SCOPE: dict[str, dict[str, Mutation]] = {
    "users.write": {
        "createUser": users.create_user,
        "updateUser": users.update_user,
        "updateOrCreateUser": users.update_or_create_user,
        "archiveUsers": users.archive_users,
        "updateExtraCategoryValues": custom_fields.update_extra_category_values,
        "uploadFile": files.upload_file,
        "createFile": files.create_file,
    },
    "groups.write": {
        "createGroup": groups.create_group,
        "updateGroup": groups.update_group,
        "deleteGroup": groups.delete_group,
        "deleteGroups": groups.delete_groups,
        "addUsersToGroup": groups.add_users_to_group,
        "removeUsersFromGroup": groups.remove_users_from_group,
        "addManagersToGroup": groups.add_managers_to_group,
        "removeManagersFromGroup": groups.remove_managers_from_group,
    },
    "trainings.write": {
        "createTraining": trainings.create_training,
        "updateTraining": trainings.update_training,
        "addUsersToTraining": trainings.add_users_to_training,
        "removeUsersFromTraining": trainings.remove_users_from_training,
        "createPortfolioItem": portfolio.create_portfolio_item,
        "updatePortfolioItem": portfolio.update_portfolio_item,
        "deletePortfolioItem": portfolio.delete_portfolio_item,
        "generateCertificate": portfolio.generate_certificate,
    },
    "events.write": {
        "createOffer": offers.create_offer,
        "updateOffer": offers.update_offer,
        "archiveOffers": offers.archive_offers,
        "createOfferEvent": offers.create_offer_event,
        "updateOfferEvent": offers.update_offer_event,
        "deleteOfferEvent": offers.delete_offer_event,
        "createOfferEventDate": offers.create_offer_event_date,
        "archiveOfferEvents": offers.archive_offer_events,
        "createOfferEventEnrollments": offers.create_offer_event_enrollments,
        "enrollUserInOfferEvent": offers.enroll_user_in_offer_event,
        "unenrollUserFromOfferEvent": offers.unenroll_user_from_offer_event,
    },
    "extra_categories.write": {
        "createExtraCategory": custom_fields.create_extra_category,
        "updateExtraCategory": custom_fields.update_extra_category,
        "archiveExtraCategories": custom_fields.archive_extra_categories,
    },
}

SILENT = "generateCertificate"  # what the faults `silent` and `silent-refusal` are about
WRITE_SCOPES = {name: scope for scope, found in _BY_SCOPE.items() for name in found}


def _resolver(name: str, mutation: Mutation) -> Callable[..., Any]:
    def resolve(_root: object, info: GraphQLResolveInfo, **given: Any) -> Any:
        info.context.check_scopes(name)
        # Each for itself, as in Django: one that fails leaves the others of the request alone.
        kinds = {fault.kind for fault in info.context.faults} if name == SILENT else set()
        if "silent-refusal" in kinds:
            return portfolio.no_word()
        with info.context.database.change():
            found = mutation(
                Writer(info.context.database, info.context.behaviour.portfolio_lag), given
            )
        return portfolio.no_word() if "silent" in kinds else found

    return resolve


MUTATIONS = {
    name: _resolver(name, mutation)
    for found in _BY_SCOPE.values()
    for name, mutation in found.items()
}
