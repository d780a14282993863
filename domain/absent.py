"""What is said of what is not there. What a caller may not see is not there for it either, in the same words."""

from domain.errors import NotFoundError


def no_building(building_id: str) -> NotFoundError:
    return NotFoundError(f"There is no building {building_id!r}. List the buildings with GET /buildings.")


def no_approval(approval_id: str) -> NotFoundError:
    return NotFoundError(f"There is no approval {approval_id!r}. List the open ones with GET /approvals.")


def no_rule(rule_id: str) -> NotFoundError:
    return NotFoundError(f"There is no rule {rule_id!r}. List the rules with GET /rules.")


def no_delegation(delegation_id: str) -> NotFoundError:
    return NotFoundError(f"There is no delegation {delegation_id!r}. List them with GET /delegations.")


def no_message(outbox_id: str) -> NotFoundError:
    return NotFoundError(f"There is no message {outbox_id} in the outbox. List them with GET /outbox.")


def no_vendor(building_id: str, vendor_id: str) -> NotFoundError:
    return NotFoundError(
        f"Building {building_id!r} has no vendor {vendor_id!r}. "
        f"List the vendors with GET /buildings/{building_id}/vendors."
    )
