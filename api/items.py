"""The procurement log, and what stands behind it: orders, shipments, inspections, flags, messages, the schedule."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.auth import AnyCaller
from api.buildings import must_exist, page_of_building
from api.held import Held, connection
from api.paging import Page
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
)
from domain.absent import no_building
from domain.errors import NotFoundError
from storage import pages, procurement
from storage.lists import FLAGS, INSPECTIONS, ITEMS, MESSAGES, PURCHASE_ORDERS, SHIPMENTS

router = APIRouter(tags=["procurement log"])


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
    return await page_of_building(resources, building_id, ITEMS, ItemView, limit=limit, cursor=cursor, removed=removed)


@router.get("/buildings/{building_id}/items/{item_id}", summary="Read a line", responses=documented(404, 422))
async def get_item(building_id: BuildingId, item_id: ItemId, resources: Held, _: AnyCaller) -> ItemView:
    """One line, also one that was taken out."""
    async with connection(resources) as conn:
        row = await pages.one(conn, ITEMS, building_id=building_id, item_id=item_id)
        if row is None:
            await must_exist(conn, building_id)
            raise NotFoundError(
                f"Building {building_id!r} has no line {item_id!r}. "
                f"List the lines with GET /buildings/{building_id}/items."
            )
    return ItemView.model_validate(row)


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
