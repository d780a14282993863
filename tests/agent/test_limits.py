"""What people, programs and links may commit: refused at the door with who may, and looked at again when applied."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.actions import ACTIONS
from domain.approvals import Answer, Approval, Responder
from domain.errors import ForbiddenError
from domain.principals import LOCAL_PRINCIPAL, Principal
from domain.procurement import PurchaseOrder
from domain.rules import Delegation
from storage.transaction import building_transaction
from tests.agent.desk import Desk
from tools.answers import submit

BOT = Principal(Responder(type="ai_agent", id="bot", name="Bot"), "key", frozenset({"approver", "admin"}))


def person(approver: str | None = None, *, via: Any = "key", admin: bool = False) -> Principal:
    roles = frozenset({"approver", "admin"} if admin else {"approver"})
    return Principal(Responder(type="human", id="anna", name="Anna"), via, roles, approver=approver)  # type: ignore[arg-type]


PM, DIRECTOR, UNBOUND = person("project_manager"), person("director"), person()
ADMIN = person(admin=True)

PRICES = {"Chillers": 40_000, "Panels": 744_000, "Screws": 40}


async def open_site(desk: Desk, **spec: Any) -> None:
    await desk.open(
        **{
            "vendors": [{"vendor_id": "air", "name": "Air Ltd", "contact": "orders@air.example"}],
            "items": [
                {"name": name, "category": "26" if name == "Panels" else "23", "vendor_id": "air", "quantity": "1"}
                | ({"unit_price": str(price)} if price else {})
                for name, price in PRICES.items()
            ],
            "contacts": {"project_manager": "pm@site.example", "receiving": "yard@site.example"},
            "approvers": [
                {"role": "project_manager", "name": "Paul", "limit": "10000"},
                {"role": "director", "name": "Dora", "limit": "100000"},
            ],
            "policy": {"po_limit": "5000"},
            **spec,
        }
    )


async def answer(desk: Desk, who: Principal, asked: Approval, *actions: dict[str, Any], run: bool = True) -> int:
    """Hand an answer in and run the agent; approve what is recommended where no actions are given."""
    made = ACTIONS.validate_python(list(actions)) if actions else None
    accepted = await submit(
        desk.conn,
        who,
        Answer(approval_id=asked.approval_id, type="edit" if made else "approve", actions=made),
        event_id=f"{asked.approval_id}:{desk.clock.now()}:{len(desk.answered)}:{who.responder.id}",
        reads_free_text=False,
        now=desk.clock.now(),
    )
    desk.answered.append(accepted)
    if run:
        await desk.run()
    return accepted.seq


async def unknown_item(desk: Desk, name: str) -> Approval:
    await desk.post("ETA_Changed", item=name, eta="2026-06-01")
    return next(one for one in await desk.pending() if one.subject.get("named") == name)


async def delegate(desk: Desk, **fields: Any) -> None:
    async with building_transaction(desk.conn, desk.building_id) as transaction:
        transaction.save(
            Delegation(
                **{
                    "delegation_id": f"d{transaction.position + 1}",
                    "kind": "item_unknown",
                    "actions": ["reorder_item"],
                    "granted_to": "bot",
                    "granted_by": "Dora",
                    "granted_at": desk.clock.now(),
                    **fields,
                }
            )
        )


def reorder(item: str) -> dict[str, Any]:
    return {"name": "reorder_item", "arguments": {"item": item}}


async def orders(desk: Desk) -> int:
    return len(await desk.rows(PurchaseOrder))


@pytest.mark.parametrize("item", ["Chillers", "Panels", "Screws"])
@pytest.mark.parametrize("name", ["issue_purchase_order", "reorder_item", "cancel_purchase_order", "accept_as_is"])
async def test_a_program_orders_nothing_by_explaining_a_report(desk: Desk, item: str, name: str) -> None:
    await open_site(desk)
    asked = await unknown_item(desk, "Chilers x")
    with pytest.raises(ForbiddenError):
        await answer(desk, BOT, asked, {"name": name, "arguments": {"item": item}})
    assert await orders(desk) == 0
    assert (await desk.question("item_unknown")).status == "pending"


async def test_two_reorders_of_forty_thousand_do_not_pass_a_limit_of_fifty_thousand(desk: Desk) -> None:
    await open_site(desk)
    await delegate(desk, amount_limit=50_000)
    first, second = await unknown_item(desk, "Kooler"), await unknown_item(desk, "Kuehler")
    with pytest.raises(ForbiddenError, match="amount_limit"):
        await answer(desk, BOT, first, reorder("Chillers"), reorder("Chillers"))
    await answer(desk, BOT, first, reorder("Chillers"))
    assert await orders(desk) == 1
    with pytest.raises(ForbiddenError, match=r"40000\.00 USD before it"):
        await answer(desk, BOT, second, reorder("Chillers"))
    assert await orders(desk) == 1


async def test_answers_that_are_handed_in_at_the_same_time_are_held_against_each_other_when_applied(desk: Desk) -> None:
    await open_site(desk)
    await delegate(desk, amount_limit=50_000)
    for asked in [await unknown_item(desk, name) for name in ("Kooler", "Kuehler")]:
        await answer(desk, BOT, asked, reorder("Chillers"), run=False)
    await desk.run()
    assert await orders(desk) == 1
    assert (await desk.question("item_unknown")).version == 2, "the second is asked again"


async def test_a_persons_answer_about_the_line_makes_room_again(desk: Desk) -> None:
    await open_site(desk)
    await delegate(desk, amount_limit=50_000)
    await answer(desk, BOT, await unknown_item(desk, "Kooler"), reorder("Chillers"))
    note = {"name": "hold_item", "arguments": {"item": "Chillers", "until": "2026-02-02"}}
    await answer(desk, DIRECTOR, await unknown_item(desk, "Kuehler"), note)
    await desk.conn.execute("UPDATE items SET held_until = NULL")
    await answer(desk, BOT, await unknown_item(desk, "Cooler"), reorder("Chillers"))
    assert await orders(desk) == 2


async def test_a_delegation_in_one_category_orders_nothing_of_another(desk: Desk) -> None:
    await open_site(desk)
    await delegate(desk, category="23", amount_limit=1_000_000)
    asked = await unknown_item(desk, "Schaltschrank")
    with pytest.raises(ForbiddenError):
        await answer(desk, BOT, asked, reorder("Panels"))
    await answer(desk, BOT, asked, reorder("Chillers"))
    assert await orders(desk) == 1


async def beyond(desk: Desk, item: str) -> Approval:
    await desk.post("Submittal_Approved", item=item)
    return await desk.question("order_beyond_authority")


@pytest.mark.parametrize("door", ["key", "link", "studio", "session"])
async def test_an_approvers_limit_binds_at_every_door_and_who_may_is_named(desk: Desk, door: Any) -> None:
    await open_site(desk)
    asked = await beyond(desk, "Chillers")
    assert asked.asked_of == "director", "10,000 does not cover 40,000"
    with pytest.raises(ForbiddenError, match=r"Dora \(director\) may decide it"):
        await answer(desk, person("project_manager", via=door), asked)
    await answer(desk, person("director", via=door), asked)
    assert await orders(desk) == 1


async def test_whoever_is_bound_to_nobody_decides_within_po_limit_and_what_commits_nothing(desk: Desk) -> None:
    await open_site(desk)
    asked = await beyond(desk, "Chillers")
    with pytest.raises(ForbiddenError, match="no approver is named, so po_limit"):
        await answer(desk, UNBOUND, asked)
    hold = {"name": "hold_item", "arguments": {"item": "Chillers", "note": "budget"}}
    await answer(desk, UNBOUND, asked, hold)
    assert (await desk.item("chillers")).is_held


async def test_what_no_limit_covers_goes_to_the_last_and_needs_an_admins_key(desk: Desk) -> None:
    await open_site(desk)
    asked = await beyond(desk, "Panels")
    assert asked.asked_of == "director"
    assert "a person's key with the role admin" in asked.summary
    for who in (PM, DIRECTOR, UNBOUND, replace(ADMIN, via="link"), BOT):
        with pytest.raises(ForbiddenError):
            await answer(desk, who, asked)
    await answer(desk, ADMIN, asked)
    assert await orders(desk) == 1


async def test_the_person_at_this_machine_has_no_limit(desk: Desk) -> None:
    await open_site(desk)
    await answer(desk, LOCAL_PRINCIPAL, await beyond(desk, "Panels"))
    assert await orders(desk) == 1


async def test_a_price_that_is_not_known_is_covered_by_no_limit(desk: Desk) -> None:
    await open_site(desk, items=[{"name": "Lift", "vendor_id": "air", "quantity": "1"}])
    await desk.post("Submittal_Approved", item="Lift")
    asked = await desk.question("order_incomplete")
    assert asked.asked_of == "director"
    assert "price is not known" in asked.summary
    order = {"name": "issue_purchase_order", "arguments": {"item": "Lift"}}
    for who in (PM, DIRECTOR, UNBOUND):
        with pytest.raises(ForbiddenError):
            await answer(desk, who, asked, order)
    await answer(desk, ADMIN, asked, order)
    assert await orders(desk) == 1


async def test_a_price_that_rises_moves_the_question_up(desk: Desk) -> None:
    await open_site(desk, policy={"po_limit": "10"})
    asked = await beyond(desk, "Screws")
    assert (asked.asked_of, asked.amount) == ("project_manager", "40.00")
    await desk.post("Items_Changed", items=[{"item_id": "screws", "unit_price": "20000"}])
    renewed = await desk.question("order_beyond_authority")
    assert (renewed.approval_id, renewed.version, renewed.asked_of) == (asked.approval_id, 2, "director")
    with pytest.raises(ForbiddenError):
        await answer(desk, PM, renewed)
    await answer(desk, DIRECTOR, renewed)
    assert await orders(desk) == 1


async def test_a_limit_that_is_lowered_before_the_answer_is_applied_still_binds(desk: Desk) -> None:
    await open_site(desk)
    await answer(desk, DIRECTOR, await beyond(desk, "Chillers"), run=False)
    async with building_transaction(desk.conn, desk.building_id) as transaction:
        chain = [one.model_copy(update={"limit": Decimal(1)}) for one in transaction.building.approvers]
        transaction.building.approvers = chain
    await desk.run()
    assert await orders(desk) == 0
    assert (await desk.question("order_beyond_authority")).version == 2


async def test_nobody_delegates_more_than_they_may_decide(desk: Desk) -> None:
    await open_site(desk)
    asked = await unknown_item(desk, "Kooler")
    grant = {"kind": "inspection_failed", "actions": ["reorder_item"], "amount_limit": "40000"}
    with pytest.raises(ForbiddenError, match="Dora"):
        await answer(desk, PM, asked, {"name": "grant_delegation", "arguments": grant})
    await answer(desk, DIRECTOR, asked, {"name": "grant_delegation", "arguments": grant})
    assert len(await desk.rows(Delegation)) == 1


async def test_a_key_of_another_building_finds_no_question_here(desk: Desk) -> None:
    await open_site(desk)
    asked = await beyond(desk, "Chillers")
    with pytest.raises(Exception, match="There is no approval"):
        await answer(desk, replace(DIRECTOR, buildings=frozenset({"elsewhere"})), asked)
