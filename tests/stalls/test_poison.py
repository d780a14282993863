"""No event that is accepted dies for what it says: extreme days, amounts and texts of every type, and their answers."""

import contextlib
import itertools
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.actions import action
from domain.errors import ConflictError
from domain.events import EVENT_TYPES
from tests.agent.desk import Desk
from tests.api.conftest import building, client, resources  # noqa: F401
from tests.api.office import EVENTS, assert_problem
from tests.stalls.hostile import short_when_folded

DAYS = st.sampled_from(
    ["1900-01-01", "1994-02-28", "2026-02-01", "2076-12-31", "2199-12-31", "2200-12-31", "2200-12-31T23:59:59+14:00"]
    + ["1900-01-01T00:00:00-12:00", "2100-06-01T12:00"]
)
LONG = "long words " * 1_800
TEXTS = st.one_of(
    st.sampled_from(
        ["x", "x" * 19_990, LONG, "\ufdfa" * 6_000, "\u202e\u2066hidden", "'\"\\" * 900, "\U0001f600" * 900]
    ),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
        str.strip
    ),
)
NAMES = TEXTS.map(lambda text: short_when_folded((text[:200].strip() or "x")[:200]))
QUANTITIES = st.sampled_from(["0.000001", "1", "999999999.999999"])
REVISIONS = st.sampled_from([0, 1, 1000])
EXCEPTIONS = st.one_of(
    st.just([{"kind": "price", "detail": "e" * 900}] * 50),
    st.lists(TEXTS.map(lambda text: text[:900]), max_size=3),
)
DELIVERIES = st.lists(
    st.fixed_dictionaries({"item": NAMES, "required_by": DAYS, "buffer_days": st.sampled_from([0, 3650])}),
    max_size=3,
    unique_by=lambda one: "".join(one["item"].casefold().split()),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        ("promised_date", "eta", "date_departed", "date_arrived", "inspection_date", "data_date", "occurred_at"), DAYS
    ),
    **dict.fromkeys(("document_url", "reason", "location_address", "text", "defects"), TEXTS),
    **dict.fromkeys(
        ("document_name", "external_ref", "sender", "purchase_order", "shipment_id", "ncr_number", "source"), NAMES
    ),
    **dict.fromkeys(("quantity", "quantity_rejected"), QUANTITIES),
    "revision": REVISIONS,
    "exceptions": EXCEPTIONS,
    "items": st.just(
        [{"item_id": "doors", "lead_time_days": 3650, "buffer_days": 3650, "unit_price": "99999999999999.9999"}]
    ),
    **dict.fromkeys(("source", "event_id"), st.sampled_from(["test", "e1", "no such event"])),
    "schedule": DELIVERIES.map(lambda deliveries: {"project": {"name": "x"}, "deliveries": deliveries}),
    "item": st.sampled_from(["doors", "doors", "doors", "no such line", LONG[:200].strip()]),
}
NEEDED = {
    "Submittal_Approved": ("item",),
    "Submittal_Rejected": ("item", "reason"),
    "Purchase_Order_Acknowledged": ("item", "promised_date"),
    "Shipment_Departed_Factory": ("item", "eta", "date_departed"),
    "ETA_Changed": ("item", "eta"),
    "Shipment_Arrived_Site": ("item", "date_arrived"),
    "Inspection_Passed": ("item", "inspection_date"),
    "Inspection_Failed": ("item", "inspection_date"),
    "Message_Received": ("text",),
    "Human_Input": ("text",),
    "Schedule_Revised": ("schedule",),
    "Items_Changed": ("items",),
    "Event_Voided": ("source", "event_id", "reason"),
    "Building_Closed": (),
}
OFTEN = {
    "Purchase_Order_Acknowledged": ("exceptions", "external_ref"),
    "Inspection_Failed": ("defects", "quantity_rejected", "ncr_number"),
    "Shipment_Departed_Factory": ("shipment_id", "quantity", "location_address"),
    "Shipment_Arrived_Site": ("shipment_id", "quantity"),
    "Submittal_Approved": ("revision",),
    "ETA_Changed": ("reason",),
    "Message_Received": ("sender",),
}


@st.composite
def bodies(draw: st.DrawFn, event_type: str) -> dict[str, Any]:
    chosen = [name for name in (*OFTEN.get(event_type, ()), "occurred_at") if draw(st.booleans())]
    return {"event_type": event_type, **{name: draw(FIELDS[name]) for name in (*NEEDED[event_type], *chosen)}}


STORY = (
    "Submittal_Approved",
    "Purchase_Order_Acknowledged",
    "ETA_Changed",
    "Shipment_Departed_Factory",
    "Shipment_Arrived_Site",
    "Inspection_Failed",
)
STORIES = st.tuples(*(bodies(event_type) for event_type in STORY), st.sampled_from(EVENT_TYPES[:-1]).flatmap(bodies))
ANSWERS = st.lists(st.tuples(st.sampled_from(["approve", "reject", "edit"]), DAYS), min_size=4, max_size=4)
_numbers = itertools.count()


def test_every_type_of_event_is_tried() -> None:
    assert set(NEEDED) == set(EVENT_TYPES)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(story=STORIES, answers=ANSWERS, required_by=DAYS)
async def test_no_accepted_event_and_no_answer_dies(
    desk: Desk, story: tuple[dict[str, Any], ...], answers: list[tuple[str, str]], required_by: str
) -> None:
    desk.building_id = f"poison-{next(_numbers)}"
    line = {"item_id": "doors", "name": "Doors", "lead_time_days": 3650, "buffer_days": 3650, "unit": "u" * 200}
    await desk.open(items=[{**line, "required_by": required_by}])
    for body in story:
        names = ("source", "event_id") if body["event_type"] == "Event_Voided" else ()
        fields = {name: value for name, value in body.items() if name not in names}
        await desk.post(**fields, named={name: body[name] for name in names})
    for kind, day in answers:
        for approval in (await desk.pending())[:3]:
            later = [action("hold_item", item=approval.item_id, until=day, note=LONG)] if approval.item_id else []
            given_actions = later if kind == "edit" and later else None
            with contextlib.suppress(ConflictError):  # an answer to one question may settle the next
                await desk.decide(approval, "approve" if kind == "edit" and not later else kind, actions=given_actions)
    dead = "SELECT event_type, error, body FROM events WHERE building_id = %s AND status <> 'done'"
    assert await (await desk.conn.execute(dead, (desk.building_id,))).fetchall() == []


@pytest.mark.parametrize("day", ["2200-12-31", "2077-01-01", "2300-01-01", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("field", ["eta", "date_departed", "occurred_at"])
async def test_an_implausible_day_is_refused_with_its_field(
    client: httpx.AsyncClient,  # noqa: F811
    building: dict[str, Any],  # noqa: F811
    field: str,
    day: str,
) -> None:
    now = date(2026, 3, 1).isoformat()
    body = {"event_type": "Shipment_Departed_Factory", "item": "HVAC Units", "location_address": "Factory"}
    body |= {"eta": now, "date_departed": now, field: f"{day}T10:00:00Z" if field == "occurred_at" else day}
    assert_problem(await client.post(EVENTS, json=body), 422, field)
    historic = {**body, "eta": "1994-05-01", "date_departed": "1994-04-01", "occurred_at": "1994-04-01T10:00:00Z"}
    assert (await client.post(EVENTS, json=historic)).status_code == 202


async def test_a_nul_character_is_refused_in_every_parameter_of_every_route(
    client: httpx.AsyncClient,  # noqa: F811
    building: dict[str, Any],  # noqa: F811
) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    tried = 0
    for path, methods in paths.items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] not in ("path", "query"):
                    continue
                name, place = parameter["name"], parameter["in"]
                address = path.replace(f"{{{name}}}", "a%00b") if place == "path" else path
                address = address.replace("{building_id}", "office-renovation").replace("{", "").replace("}", "")
                address += f"?{name}=a%00b" if place == "query" else ""
                answer = await client.request(method, address, json={})
                assert_problem(answer, 422)
                tried += 1
        answer = await client.get(path.replace("{", "").replace("}", "") + "?nobody%00knows=1")
        assert answer.status_code in (405, 422), path
    assert tried > 60
