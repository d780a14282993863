"""Every field of every event is known to what must treat its kind: days, words, numbers. Quantities are sane."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.events import DAY_FIELDS, EVENT, EVENT_MODELS, CloudEvent, EventVoided, body_of
from domain.field_markers import MarkedField, fields_of
from domain.text import ON_FILE, at_the_door, shipment_key
from evals import anonymising

FIELDS = {(field.model.__name__, field.name): field for model in EVENT_MODELS for field in fields_of(model)}
NAMES = {"name", "item", "item_id"}
"""Replaced by the names of lines, one by one."""
DOOR = at_the_door(datetime(2026, 3, 1, tzinfo=UTC))
ARRIVAL = {
    "event_type": "Shipment_Arrived_Site",
    "item": "Doors",
    "date_arrived": "2026-03-01",
    "location_address": "A",
}


def _is_text(field: MarkedField) -> bool:
    if anonymising.is_one_of_few(field) or field.marker is not None:
        return False
    try:
        TypeAdapter(field.info.annotation).validate_python("some words", strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", FIELDS, ids=".".join)
def test_a_field_of_an_event_says_what_it_holds_or_is_plainly_counted(name: tuple[str, str]) -> None:
    field = FIELDS[name]
    known = anonymising.KEPT | anonymising.TEXTS | anonymising.COMPOSED | anonymising.NAMED | NAMES
    assert not _is_text(field) or field.name in known | set(anonymising.COUNTED), f"{name} needs a marker"


def test_the_days_of_events_are_the_days_that_are_made_local() -> None:
    assert {"date_arrived", "date_departed", "eta", "inspection_date", "promised_date", "data_date"} <= DAY_FIELDS
    assert {"required_by", "start_date", "end_date"} <= DAY_FIELDS


QUANTITIES = ("quantity", "quantity_damaged")


@pytest.mark.parametrize("field", QUANTITIES)
@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        ("-4", "Event_Voided"),
        (-0.5, "Event_Voided"),
        ("0", "greater than 0"),
        ("-0", "greater than 0"),
        ("1000000001", "at most 1,000,000,000"),
        ("1.0000001", "decimal"),
        ("NaN", "finite"),
        ("Infinity", "finite"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused_and_a_negative_one_names_the_way_to_take_back(
    field: str, quantity: Any, told: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        EVENT.validate_python({**ARRIVAL, field: quantity}, context=DOOR)
    assert told in str(refused.value)
    assert field in str(refused.value)


@pytest.mark.parametrize("quantity", ["0.000001", "1000000000", 12, "3.333"])
def test_any_other_quantity_is_taken(quantity: Any) -> None:
    EVENT.validate_python({**ARRIVAL, "quantity": quantity}, context=DOOR)


def test_a_larger_quantity_that_was_accepted_before_is_still_read() -> None:
    EVENT.validate_python({**ARRIVAL, "quantity": "5000000000"}, context=ON_FILE)


def test_a_shipment_is_the_same_in_any_case_and_spacing_and_another_with_other_dashes() -> None:
    event: Any = EVENT.validate_python({**ARRIVAL, "shipment_id": "  MSKU  123456 7 "}, context=DOOR)
    assert event.shipment_id == "MSKU 123456 7"
    assert shipment_key(event.shipment_id) == shipment_key("msku1234567")
    assert shipment_key("1-11") != shipment_key("11-1")


VOID = {"event_type": "Event_Voided", "source": "erp", "event_id": "e-1", "reason": "Typed twice."}


def test_an_event_that_takes_another_back_keeps_which_one() -> None:
    event = EVENT.validate_python({**VOID, "instead": {**ARRIVAL, "quantity": "4"}}, context=DOOR)
    assert isinstance(event, EventVoided)
    assert event.own_id == "void:e-1"
    assert EVENT.validate_python(body_of(event), context=ON_FILE) == event


def test_as_a_cloud_event_it_has_an_id_of_its_own() -> None:
    cloud = {"specversion": "1.0", "id": "v-1", "source": "erp", "type": "Event_Voided"}
    body = CloudEvent.model_validate({**cloud, "data": {"event_id": "e-1", "reason": "Typed twice."}}).body()
    assert body == VOID


@pytest.mark.parametrize("instead", [VOID, {**ARRIVAL, "quantity": "-4"}, {"event_type": "Decision"}])
def test_what_is_true_instead_is_an_event_as_it_could_be_sent(instead: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EVENT.validate_python({**VOID, "instead": instead}, context=DOOR)


def test_two_long_ids_are_taken_back_under_two_ids() -> None:
    ids = {EVENT.validate_python({**VOID, "event_id": "x" * 199 + end}).own_id for end in "ab"}
    assert len(ids) == 2
    assert max(map(len, ids)) <= 200
