"""Who a party is, by role, name or address; and whether a way out merely tells the party that is asked."""

from collections.abc import Sequence
from typing import Any

from domain.buildings import Building, Contact
from domain.procurement import VendorRow
from domain.text import folded

_TOLD = {"notify_team": "team", "request_information": "to"}
"""Actions that do nothing but write to somebody, and the argument that says to whom."""


def merely_tells(
    actions: Sequence[dict[str, Any]], party: str, building: Building, vendor: VendorRow | None = None
) -> bool:
    """Whether all that the actions do is to write to this party, under whatever name."""
    asked = _names_of(party, building)
    return bool(actions) and all(
        action["name"] in _TOLD
        and not asked.isdisjoint(_names_of(str(action["arguments"][_TOLD[action["name"]]]), building, vendor))
        for action in actions
    )


def _names_of(party: str, building: Building, vendor: VendorRow | None = None) -> set[str]:
    """Everything that a party may be called by, folded."""
    names = {party, building.address_of(party)}
    if party == "vendor" and vendor is not None:
        names |= {vendor.name, *filter(None, vendor.contacts_by_role.values()), *vendor.addresses}
    for role, contact in building.contacts.items():
        known = _called(contact) | {role, role.removesuffix("_team")}
        if not names.isdisjoint(known):
            names |= known
    for approver in building.approvers:
        known = {approver.role, approver.name, *([approver.contact] if approver.contact else [])}
        if not names.isdisjoint(known):
            names |= known
    return {folded(name) for name in names}


def _called(contact: Contact | str) -> set[str]:
    if isinstance(contact, str):
        return {contact}
    return {name for name in (contact.name, contact.contact, contact.email, contact.phone) if name}
