"""A building that is posted again is known: however it is written, and whichever version stored it."""

import json
from datetime import UTC
from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, Field, create_model

from domain.buildings import (
    Approver,
    BuildingSpec,
    Contact,
    Delivery,
    ItemSpec,
    Project,
    Schedule,
    Vendor,
)
from domain.earlier_digests import earlier_digests_of_building
from domain.event_content import digest_of_typed
from domain.policy import Policy, QuietHours
from tests.histories.dump import FOLDER, read
from tests.histories.stories import OPENING

BODY: dict[str, Any] = {
    "building_id": "office",
    "name": "Office",
    "time_zone": "Europe/Berlin",
    "schedule": {
        "project": {"name": "Office", "start_date": "2026-02-01"},
        "deliveries": [{"item": "Steel Beams", "required_by": "2026-03-15", "buffer_days": 5}],
    },
    "items": [{"name": "Steel Beams", "vendor_id": "mill", "quantity": "18", "unit_price": "2850.50"}],
    "vendors": [{"vendor_id": "mill", "name": "Mill Road Steel"}],
    "contacts": {"receiving": "gate@office.example", "engineering": {"name": "Ann"}},
    "approvers": [{"role": "project_manager", "name": "Pat", "limit": "100000"}],
    "policy": {"po_limit": "60000", "quiet_hours": {"start": "20:00"}},
}
MODELS = (BuildingSpec, Schedule, Project, Delivery, ItemSpec, Vendor, Contact, Approver, Policy, QuietHours)


def spec(**changes: Any) -> BuildingSpec:
    return BuildingSpec.model_validate({**BODY, **changes})


def digest(**changes: Any) -> str:
    return digest_of_typed(spec(**changes), ZoneInfo("Europe/Berlin"))


NEW_FIELDS: dict[str, Any] = {
    "carrier": (str | None, None),
    "urgent": (bool, False),
    "tags": (list[str], Field(default_factory=list)),
    "window": (QuietHours, Field(default_factory=QuietHours)),
    "retainage": (float, 0.05),
}


def with_new_fields(model: type[BaseModel], target: type[BaseModel]) -> type[BaseModel]:
    """The model of a later version, in which `target`, somewhere within it, has more optional fields."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        later = _later(field.annotation, target)
        if later != field.annotation:
            fields[name] = (later, field)
    more = NEW_FIELDS if model is target else {}
    return create_model(model.__name__, __base__=model, **fields, **more) if fields or more else model


def _later(annotation: Any, target: type[BaseModel]) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return with_new_fields(annotation, target)
    inner = get_args(annotation)
    made = tuple(_later(one, target) for one in inner)
    if made == inner:
        return annotation
    origin = get_origin(annotation)
    return reduce(or_, made) if origin in (Union, UnionType) else origin[made]


@pytest.mark.parametrize("target", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("body", [BODY, {key: BODY[key] for key in ("building_id", "name", "schedule")}])
def test_a_later_version_with_an_optional_field_in_any_part_still_knows_it(
    target: type[BaseModel], body: dict[str, Any]
) -> None:
    later = with_new_fields(BuildingSpec, target)
    assert later is not BuildingSpec
    known = BuildingSpec.model_validate(body)
    assert digest_of_typed(later.model_validate(body), UTC) == digest_of_typed(known, UTC)
    assert earlier_digests_of_building(later.model_validate(body)) == earlier_digests_of_building(known)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [Delivery, ItemSpec, Vendor, Approver, Policy], ids=lambda model: model.__name__)
def test_what_a_later_version_says_in_its_new_fields_makes_another_building(target: type[BaseModel]) -> None:
    later: Any = with_new_fields(BuildingSpec, target)
    place = {Delivery: "deliveries", ItemSpec: "items", Vendor: "vendors", Approver: "approvers", Policy: "policy"}
    told = json.loads(json.dumps(BODY))
    part = told["schedule"]["deliveries"] if target is Delivery else told[place[target]]
    (part[0] if isinstance(part, list) else part)["urgent"] = True
    said = later.model_validate(told)
    assert digest_of_typed(said, UTC) != digest_of_typed(spec(), UTC)
    assert not earlier_digests_of_building(said) & earlier_digests_of_building(spec())


@pytest.mark.parametrize("target", MODELS, ids=lambda model: model.__name__)
def test_what_a_part_keeps_out_of_its_specification_is_not_compared(target: type[BaseModel]) -> None:
    """Whatever the part, and whatever is said of it: `mode` of the building is one of those."""
    kept_out = {
        "tags": (list[str], Field(default_factory=list, exclude=True)),
        "urgent": (bool, Field(False, exclude=True)),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.domain.test_building_digests.NEW_FIELDS", kept_out)
        later = with_new_fields(BuildingSpec, target)
    known, said = spec(), later.model_validate(BODY)
    for part in _parts_of(said, target.__name__):
        object.__setattr__(part, "tags", ["said"])
        object.__setattr__(part, "urgent", True)
    assert digest_of_typed(said, UTC) == digest_of_typed(known, UTC)
    assert earlier_digests_of_building(said) == earlier_digests_of_building(known)  # type: ignore[arg-type]


def _parts_of(value: Any, name: str) -> list[BaseModel]:
    if isinstance(value, BaseModel):
        own = [value] if type(value).__name__ == name else []
        return own + [part for field in type(value).model_fields for part in _parts_of(getattr(value, field), name)]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [part for one in inner for part in _parts_of(one, name)]


@pytest.mark.parametrize("mode", ["watch", "live"])
def test_a_building_is_the_same_in_any_mode(mode: str) -> None:
    assert digest(mode=mode) == digest()
    assert earlier_digests_of_building(spec(mode=mode)) == earlier_digests_of_building(spec())


SAME: list[dict[str, Any]] = [
    dict(reversed(BODY.items())),
    {"items": [{**BODY["items"][0], "quantity": 18, "unit_price": 2850.5, "category": None}]},
    {"items": [{**BODY["items"][0], "quantity": "18.000"}]},
    {"currency": "USD", "working_week": ["mon", "tue", "wed", "thu", "fri"]},
    {"policy": {"po_limit": 60000.0, "quiet_hours": {"start": "20:00", "end": "07:00"}, "escalate_after": "PT24H"}},
    {"approvers": [{**BODY["approvers"][0], "limit": "1e5", "contact": None}]},
    {"contacts": {"engineering": {"name": "Ann", "email": None}, "receiving": "gate@office.example"}},
    {"vendors": [{"vendor_id": "mill", "name": " Mill Road Steel ", "approved": True}]},
    *(
        {"schedule": {**BODY["schedule"], "deliveries": [{**BODY["schedule"]["deliveries"][0], "required_by": day}]}}
        for day in ("2026-03-15T00:00:00", "2026-03-15T09:00:00+01:00", "2026-03-14T23:30:00Z")
    ),
]


@pytest.mark.parametrize("changes", SAME)
def test_a_building_is_the_same_however_its_body_is_written(changes: dict[str, Any]) -> None:
    assert digest(**changes) == digest()


OTHER: list[dict[str, Any]] = [
    {"name": "Offices"},
    {"items": []},
    {"items": [{**BODY["items"][0], "quantity": "19"}]},
    {"policy": {**BODY["policy"], "po_limit": None}},
    {"policy": {**BODY["policy"], "quiet_hours": None}},
    {"approvers": [{**BODY["approvers"][0], "limit": None}]},
    {"contacts": {"receiving": "gate@office.example"}},
]


@pytest.mark.parametrize("changes", OTHER)
def test_a_building_with_other_content_is_another(changes: dict[str, Any]) -> None:
    assert digest(**changes) != digest()
    assert not earlier_digests_of_building(spec(**changes)) & earlier_digests_of_building(spec())


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_what_an_earlier_version_stored_of_a_building_is_known(name: str) -> None:
    row = read(name)["buildings"][0]
    told = BuildingSpec.model_validate({**OPENING, "building_id": row["building_id"], "name": row["name"]})
    ours = digest_of_typed(told, ZoneInfo(told.time_zone))
    assert row["spec_hash"] in {ours, *earlier_digests_of_building(told)}


GOLDEN = {
    "of all defaults, before models had budgets": "1d230aa1b4dc101fa0feeaff5d98e03d6718fe1e3ba65d238b2972feafe40de7",
    "of all defaults": "1b813a4a3b5115fc0e3dae5d07569e7112a332be39a1d76dddd719759337f617",
    "without most defaults": "08b8644c4132eebe394cf1af6e5d3456e68ef7e65c1382d3df991eeb132a82c1",
}
"""Digests of BODY as versions before this one stored them."""


@pytest.mark.parametrize("version", GOLDEN)
def test_the_digest_of_an_earlier_version_is_still_known(version: str) -> None:
    assert GOLDEN[version] in earlier_digests_of_building(spec())


def test_todays_digest_is_the_one_that_the_next_version_must_know() -> None:
    assert digest() == "2:ffbccf395f4d084710c785bd431a49d2d9d2b4d6058c5fde3d0fae84740749f6"
