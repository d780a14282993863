"""Granting what a person delegates: a row that says what may be decided, where, up to how much and until when."""

from datetime import timedelta

from domain.actions import DelegationArguments
from domain.errors import ForbiddenError
from domain.plain_json import JsonObject
from domain.rules import Delegation, full_id
from tools.context import ActionContext


async def grant_delegation(context: ActionContext, arguments: DelegationArguments) -> JsonObject:
    """Put a person's delegation on file.

    Raises:
        ForbiddenError: it is not a person who grants it.
    """
    if context.responder.type != "human":
        raise ForbiddenError("Only a person delegates; nothing was granted.")
    name = f"d{context.transaction.end_position + 1}"
    context.save(
        Delegation(
            delegation_id=name,
            kind=arguments.kind,
            category=arguments.category,
            vendor_id=arguments.vendor_id,
            item_id=arguments.item,
            about=arguments.about,
            actions=list(arguments.actions),
            amount_limit=arguments.amount_limit,
            granted_by=context.responder.name,
            granted_at=context.now,
            expires_at=None if arguments.days is None else context.now + timedelta(days=arguments.days),
            caused_seq=context.seq,
        )
    )
    return {"delegation_id": full_id(context.building.building_id, name)}
