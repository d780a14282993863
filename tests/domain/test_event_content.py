"""Two bodies say the same when they mean the same: however they are written, and whichever version reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, create_model

from domain.earlier_digests import earlier_digests_of_body
from domain.event_content import digest_of_body, digest_of_typed
from domain.events import CLEARABLE, EVENT, EVENT_TYPES, body_of

LINE = {"item": "Doors", "document_url": "https://docs.example/1", "document_name": "1"}
BODIES: dict[str, dict[str, Any]] = {
    "Submittal_Approved": LINE,
    "Submittal_Rejected": {"item": "Doors", "reason": "wrong finish"},
    "Purchase_Order_Acknowledged": {
        "item": "Doors",
        "promised_date": "2026-03-01",
        "exceptions": [{"detail": "5 % dearer"}, "later"],
    },
    "Shipment_Departed_Factory": {
        "item": "Doors",
        "eta": "2026-03-01",
        "date_departed": "2026-02-01",
        "location_address": "Mill Road",
        "quantity": "10.0",
    },
    "ETA_Changed": {"item": "Doors", "eta": "2026-03-01T10:00:00+01:00"},
    "Shipment_Arrived_Site": {"item": "Doors", "date_arrived": "2026-03-01", "location_address": "Gate 1"},
    "Inspection_Passed": {**LINE, "inspection_date": "2026-03-02"},
    "Inspection_Failed": {**LINE, "inspection_date": "2026-03-02", "defects": ["dent"], "quantity_rejected": "2"},
    "Message_Received": {"text": "Hello."},
    "Human_Input": {"text": "Hello."},
    "Schedule_Revised": {
        "schedule": {"project": {"name": "Office"}, "deliveries": [{"item": "Doors", "required_by": "2026-04-01"}]}
    },
    "Items_Changed": {"items": [{"item_id": "doors", "unit": "m2"}, {"item_id": "glass", "removed": True}]},
    "Building_Closed": {},
    "Event_Voided": {
        "source": "erp",
        "event_id": "e-1",
        "reason": "Typed twice.",
        "instead": {"event_type": "ETA_Changed", "item": "Doors", "eta": "2026-03-01"},
    },
}


def digest(event_type: str, **fields: Any) -> str:
    return digest_of_body({"event_type": event_type, **BODIES[event_type], **fields})


def test_every_type_of_event_is_tried() -> None:
    assert set(BODIES) == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_body_is_the_same_as_sent_as_stored_and_in_any_order(event_type: str) -> None:
    event = EVENT.validate_python({"event_type": event_type, "event_id": "1", "source": "s", **BODIES[event_type]})
    stored = body_of(event)
    assert digest_of_typed(event) == digest_of_body(stored) == digest(event_type)
    assert digest_of_body(dict(reversed(stored.items()))) == digest(event_type)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_later_version_with_more_fields_still_knows_it(event_type: str) -> None:
    event = EVENT.validate_python({"event_type": event_type, **BODIES[event_type]})
    more: dict[str, Any] = {
        "carrier": (str | None, None),
        "urgent": (bool, False),
        "serials": (list[str], Field(default_factory=list)),
        "place": (str, "site"),
    }
    later = create_model("Later", __base__=type(event), **more)
    body = {"event_type": event_type, **BODIES[event_type]}
    assert digest_of_typed(later.model_validate(body)) == digest_of_typed(event)
    assert digest_of_typed(later.model_validate({**body, "place": "site", "serials": []})) == digest_of_typed(event)
    assert digest_of_typed(later.model_validate({**body, "place": "storage"})) != digest_of_typed(event)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_body_with_another_value_in_any_field_is_another(event_type: str) -> None:
    found = {digest(event_type), digest(event_type, occurred_at="2026-02-01T09:00:00Z")}
    others: list[dict[str, Any]] = []
    for name, value in BODIES[event_type].items():
        if name in ("schedule", "items", "instead"):
            continue
        is_day = name.endswith("date") or name in ("eta", "date_departed", "date_arrived")
        is_count = name in ("quantity", "quantity_rejected")
        others.append({name: "2026-09-09" if is_day else "77" if is_count else [] if isinstance(value, list) else "x"})
    found |= {digest(event_type, **other) for other in others}
    assert len(found) == 2 + len(others)


@given(st.decimals("0.001", "1000000", places=3), st.integers(0, 6))
def test_how_many_zeros_a_quantity_is_written_with_does_not_count(quantity: Any, zeros: int) -> None:
    plain = format(quantity, "f")
    assert digest("ETA_Changed", quantity=plain) == digest("ETA_Changed", quantity=plain + "0" * zeros)


def test_an_exception_in_words_is_not_the_same_as_one_of_a_kind() -> None:
    acknowledged = "Purchase_Order_Acknowledged"
    worded, dated = digest(acknowledged, exceptions=["late"]), [{"kind": "date", "detail": "late"}]
    assert worded != digest(acknowledged, exceptions=dated)
    other = [{"kind": "other", "detail": "late"}]
    assert digest(acknowledged, exceptions=[{"detail": "late"}]) == digest(acknowledged, exceptions=other)


def test_what_is_no_event_is_compared_as_it_is_written() -> None:
    assert digest_of_body({"a": 1, "b": 2}) == digest_of_body({"b": 2, "a": 1}) != digest_of_body({"a": 1})


@pytest.mark.parametrize("field", CLEARABLE)
def test_a_field_that_is_cleared_is_another_change_than_one_that_is_absent(field: str) -> None:
    def of(**line: Any) -> str:
        return digest("Items_Changed", items=[{"item_id": "doors", **line}])

    assert of(**{field: None}) == of(clear=[field]) == of(clear=[field, field]) != of()


@pytest.mark.parametrize(
    ("one", "other"),
    [("2026-03-01", "2026-03-01T07:30:00"), ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z")],
)
def test_a_day_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert digest("ETA_Changed", eta=one) == digest("ETA_Changed", eta=other)


STORED_BEFORE = {
    "Submittal_Approved": "564acc42f0b66c9d8d3842c9c81b3175bdb23181a0c3726b5c7cb3e9387c1915",
    "Submittal_Rejected": "0377d95fb32291fcf58c0c5d738a3225d41c1d6aa6d73aa7cc5b861b01488c71",
    "Purchase_Order_Acknowledged": "b283fcee9676b152d5d317e3977b60c2d85ec4eb7bc3ca04c81ca3f22713f4f3",
    "Shipment_Departed_Factory": "afae9e502f660995bdb8fa81f207b08f1a4b9630f10780a8f524b0043887f1eb",
    "ETA_Changed": "9c30b51de3cb2291b5a02c2e28a1dce6891ecc2a23a4c3335d62893525aabd1e",
    "Shipment_Arrived_Site": "c8c9058c67f2d982d1b2f4425b6c7857afde3f5db205757acee11de5a70ca684",
    "Inspection_Passed": "5bd1998757f2d5b5076dd1a318d53308ed31e7a1e1afea353a95e350a9fe0287",
    "Inspection_Failed": "60e1309eb50791c2d73ac7b5597881662f3357878859667a8d8931f05d0d403f",
    "Message_Received": "94a6da74ff3eee211307fda44b9657e4f7c522a655c11563763c17ba940143c3",
    "Human_Input": "ade36f3aca539ec9b3ba07b84189bffdf9321ac5f55ac7150f86e97164174900",
    "Schedule_Revised": "65cd1d77953335ad59d14665af1bcdf136cd4f06fd0a81248edf23728bcdd024",
    "Items_Changed": "1b36739132369efac4bcd3ddb22d2545de6f2aa655a98d026cc834469547f4ed",
    "Building_Closed": "c9c314273a2b9a8784f11ab31439ec486fd11112608d1c7b52428beaa187f475",
}
"""Digests of these bodies as the version before marks stored them."""


@pytest.mark.parametrize("event_type", STORED_BEFORE)
def test_the_digest_that_an_earlier_version_stored_is_known(event_type: str) -> None:
    assert STORED_BEFORE[event_type] in earlier_digests_of_body({"event_type": event_type, **BODIES[event_type]})
