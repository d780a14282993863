"""A contact is a list of mail addresses, each with or without a display name, or no mail address at all."""

import pytest
from pydantic import ValidationError

from domain.addresses import recipients
from domain.buildings import Approver, BuildingPatch, Contact, Vendor, VendorPatch
from domain.procurement import OtherContacts, VendorRow
from domain.text import ON_FILE

ONE = ("orders@mill.example",)
TWO = ("orders@mill.example", "desk@mill.example")
READ: dict[str, tuple[str, ...]] = {
    "orders@mill.example": ONE,
    "<orders@mill.example>": ONE,
    "Mill Road <orders@mill.example>": ONE,
    '"Mill Road" <orders@mill.example>': ONE,
    '"Mill, Road; @ Ltd" <orders@mill.example>': ONE,
    "mailto:orders@mill.example": ONE,
    "Bestellung Müller <orders@mill.example>": ONE,
    "orders@mill.example, desk@mill.example": TWO,
    "orders@mill.example; Desk <desk@mill.example>;": TWO,
    '"Mill" <orders@mill.example>,\n"Desk" <desk@mill.example>': TWO,
    "orders@mill.example, ORDERS@mill.example": ONE,
    "+49 30 1234567": ("+49 30 1234567",),
    "Mill Road, ask for Jo": ("Mill Road, ask for Jo",),
    "@mill-road": ("@mill-road",),
}


@pytest.mark.parametrize(("contact", "meant"), READ.items())
def test_a_contact_names_its_recipients(contact: str, meant: tuple[str, ...]) -> None:
    assert recipients(contact) == meant
    assert Vendor(vendor_id="mill", name="Mill", contact=contact).contact == contact.strip()


@pytest.mark.parametrize(
    "contact",
    [
        "Mill Road orders@mill.example",
        "orders@mill.example or desk@mill.example",
        "orders@mill@example",
        '"Mill Road <orders@mill.example>',
        "Mill <orders@mill.example> (sales)",
        "orders @mill.example",
        "Mill <orders>, @",
        "<a@b.example> <c@d.example>",
        ", ".join(f"a{number}@mill.example" for number in range(11)),
        "a" * 260 + "@mill.example",
    ],
)
def test_what_no_message_could_be_sent_to_is_refused_at_every_door_and_still_loads(contact: str) -> None:
    bodies = [
        lambda: Vendor(vendor_id="mill", name="Mill", contact=contact),
        lambda: Vendor.model_validate({"vendor_id": "m", "name": "M", "contacts": {"logistics": contact}}),
        lambda: VendorPatch(contact=contact),
        lambda: VendorPatch.model_validate({"contacts": {"escalation": contact}}),
        lambda: BuildingPatch(contacts={"site_team": contact}),
        lambda: BuildingPatch(contacts={"site_team": Contact(email=contact)}),
        lambda: BuildingPatch(approvers=[Approver(role="manager", name="M", contact=contact)]),
    ]
    for body in bodies:
        with pytest.raises(ValidationError, match=r"no mail address|quotation mark|may name 10|at most 200"):
            body()
    given = {"vendor_id": "mill", "name": "Mill", "contact": contact}
    assert Vendor.model_validate(given, context=ON_FILE).contact == contact
    assert VendorRow.model_validate(given).addresses


def test_a_role_without_an_address_falls_back_to_orders() -> None:
    vendor = VendorRow(vendor_id="m", name="M", contact="o@m.example", contacts=OtherContacts(logistics="l@m.example"))
    assert [vendor.contact_for(role) for role in ("orders", "logistics", "escalation")] == [
        "o@m.example",
        "l@m.example",
        "o@m.example",
    ]
    assert VendorRow.model_validate({"vendor_id": "m", "name": "M"}).contact_for("logistics") is None


def test_a_mail_from_any_address_on_file_is_the_vendors() -> None:
    vendor = VendorRow(
        vendor_id="m",
        name="M",
        contact='"M" <o@m.example>, p@m.example',
        contacts=OtherContacts(logistics="l@m.example"),
    )
    assert all(vendor.is_address_of(sender) for sender in ("o@m.example", "P@m.example", "l@m.example"))
    assert not any(vendor.is_address_of(sender) for sender in ("x@m.example", '"M" <o@m.example>', None))
