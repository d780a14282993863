"""The procurement log, and what stands behind it: orders, shipments, inspections, flags, messages, the schedule."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Response

from api.auth import AnyCaller
from api.buildings import must_exist, page_of_building
from api.held import Held, connection
from api.line_view import FactView, LotView, NcrView, StatementView
from api.paging import Page, page_of_rows
from api.parameters import BuildingId, Cursor, ItemId, Limit
from api.problems import documented
from api.procurement_view import (
    FlagView,
    InspectionView,
    ItemView,
    MessageView,
    PurchaseOrderView,
    ScheduleView,
    ShipmentView,
    show_items,
)
from domain.absent import no_building
from domain.errors import NotFoundError
from domain.lines.shown import list_facts, list_lots, list_ncrs, list_statements, lot_number
from domain.procurement import LineFile
from runtime.resources import Resources
from storage import pages, procurement
from storage.connection import Connection
from storage.lists import FLAGS, INSPECTIONS, ITEMS, MESSAGES, PURCHASE_ORDERS, SHIPMENTS

router = APIRouter(tags=["procurement log"])

R = TypeVar("R")


@router.get("/buildings/{building_id}/items", summary="Read the procurement log", responses=documented(404, 422))
async def list_items(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    removed: Annotated[bool, Query(description="Lines that were taken out, instead of those that stand.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ItemView]:
    """The lines of the procurement log, by id."""
    return await page_of_building(
        resources, building_id, ITEMS, ItemView, limit=limit, cursor=cursor, show=show_items, removed=removed
    )


@router.get("/buildings/{building_id}/items/{item_id}", summary="Read a line", responses=documented(404, 422))
async def get_item(building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller) -> ItemView:
    """One line, also one that was taken out."""
    async with connection(resources) as conn:
        row = await pages.one(conn, ITEMS, building_id=building_id, item_id=item_id)
        if row is None:
            raise await _no_line(conn, building_id, item_id)
    return (await show_items([row]))[0]


async def _no_line(conn: Connection, building_id: str, item_id: str) -> NotFoundError:
    await must_exist(conn, building_id)
    return NotFoundError(
        f"Building {building_id!r} has no line {item_id!r}. List the lines with GET /buildings/{building_id}/items."
    )


async def _read(resources: Resources, building_id: str, item_id: str, read: Callable[[LineFile], list[R]]) -> list[R]:
    """Something of a line's file. It is made in a thread where there is much to read.

    Raises:
        NotFoundError: there is no such building, or no such line in it.
    """
    async with connection(resources) as conn:
        file = await procurement.line_file(conn, building_id, item_id)
        if file is None:
            raise await _no_line(conn, building_id, item_id)
    return read(file) if len(file.facts) <= MANY_FACTS else await asyncio.to_thread(read, file)


MANY_FACTS = 20
"""Facts of a line that are read on the event loop; those of more, in a thread."""


@router.get(
    "/buildings/{building_id}/items/{item_id}/lots", summary="List a line's lots", responses=documented(404, 422)
)
async def list_item_lots(
    building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[LotView]:
    """The quantities of a line that move together, with where they are; by order and number."""
    lots = await _read(resources, building_id, item_id, list_lots)
    return page_of_rows(lots, LotView, lambda lot: lot_number(lot.lot_id), (str, int), limit=limit, cursor=cursor)


@router.get(
    "/buildings/{building_id}/items/{item_id}/ncrs", summary="List a line's NCRs", responses=documented(404, 422)
)
async def list_item_ncrs(
    building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[NcrView]:
    """Rejected goods of a line, and what was decided about them; the oldest first."""
    ncrs = await _read(resources, building_id, item_id, list_ncrs)
    return page_of_rows(ncrs, NcrView, lambda ncr: (ncr.raised_seq, ncr.ncr_id), (int, str), limit=limit, cursor=cursor)


@router.get(
    "/buildings/{building_id}/items/{item_id}/statements",
    summary="List promises and ETAs of a line",
    responses=documented(404, 422),
)
async def list_item_statements(
    building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[StatementView]:
    """Who said which day, and when: every promise and every ETA, also that of a departure; the newest saying first."""
    statements = await _read(resources, building_id, item_id, list_statements)
    return page_of_rows(
        statements,
        StatementView,
        lambda statement: (*statement.sorted_by, statement.fact_id),
        (datetime, datetime, str),
        limit=limit,
        cursor=cursor,
        newest_first=True,
    )


@router.get(
    "/buildings/{building_id}/items/{item_id}/facts",
    summary="List what was said about a line",
    responses=documented(404, 422),
)
async def list_item_facts(
    building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[FactView]:
    """Everything that was said about a line, with what it does or why it does nothing; the newest saying first."""
    facts = await _read(resources, building_id, item_id, list_facts)
    return page_of_rows(
        facts,
        FactView,
        lambda fact: (*fact.sorted_by, fact.fact_id),
        (datetime, datetime, str),
        limit=limit,
        cursor=cursor,
        newest_first=True,
    )


@router.get("/buildings/{building_id}/purchase-orders", summary="List purchase orders", responses=documented(404, 422))
async def list_purchase_orders(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[PurchaseOrderView]:
    """The building's orders with their lines, by number."""
    return await page_of_building(
        resources, building_id, PURCHASE_ORDERS, PurchaseOrderView, limit=limit, cursor=cursor
    )


@router.get("/buildings/{building_id}/shipments", summary="List shipments", responses=documented(404, 422))
async def list_shipments(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[ShipmentView]:
    """Deliveries under way and received, as they were reported."""
    return await page_of_building(resources, building_id, SHIPMENTS, ShipmentView, limit=limit, cursor=cursor)


@router.get("/buildings/{building_id}/inspections", summary="List inspections", responses=documented(404, 422))
async def list_inspections(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[InspectionView]:
    """Inspections planned, passed and failed, as they came about."""
    return await page_of_building(resources, building_id, INSPECTIONS, InspectionView, limit=limit, cursor=cursor)


@router.get("/buildings/{building_id}/flags", summary="List flags", responses=documented(404, 422))
async def list_flags(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    status: Annotated[Literal["open", "cleared"] | None, Query(description="Only open or cleared ones.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[FlagView]:
    """What people should look at, as it was raised."""
    return await page_of_building(resources, building_id, FLAGS, FlagView, limit=limit, cursor=cursor, status=status)


@router.get("/buildings/{building_id}/messages", summary="List messages", responses=documented(404, 422))
async def list_messages(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[MessageView]:
    """What the agent said, and what it was told, in order."""
    return await page_of_building(resources, building_id, MESSAGES, MessageView, limit=limit, cursor=cursor)


@router.get("/buildings/{building_id}/schedule", summary="Read the schedule", responses=documented(404, 422))
async def get_schedule(building_id: BuildingId, resources: Held, _: AnyCaller, response: Response) -> ScheduleView:
    """The schedule that stands, in the form it was posted, with the agent's changes. Its version is in `ETag`."""
    async with connection(resources) as conn:
        schedule = await procurement.current_schedule(conn, building_id)
    if schedule is None:
        raise no_building(building_id)
    response.headers["ETag"] = f'"{schedule.version}"'
    return ScheduleView.model_validate(schedule.body)
