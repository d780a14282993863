"""The vendors of a building: who may be ordered from, where orders go, and who needs no question first."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field, model_validator

from api.auth import AnyCaller, require_person
from api.bodies import body
from api.buildings import page_of_building
from api.held import Held, connection
from api.paging import Page
from api.parameters import BuildingId, Cursor, Limit
from api.problems import documented
from domain.absent import no_vendor
from domain.buildings import Vendor, VendorPatch
from domain.principals import Principal
from domain.text import Name
from storage import pages, vendors
from storage.connection import Connection, Found
from storage.lists import VENDORS

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""

router = APIRouter(tags=["buildings"])

Adder = Annotated[Principal, Depends(require_person("admin", "add a vendor"))]
Changer = Annotated[Principal, Depends(require_person("admin", "change a vendor"))]
VendorId = Annotated[Name, Path(description="The vendor.", examples=["steel-mill"])]


class VendorContactsView(BaseModel):
    """Whom to write to at a vendor. A role without an address falls back to `orders`."""

    orders: str | None = Field(None, description="Purchase orders, changes of them, cancellations.")
    logistics: str | None = Field(None, description="Chasing, expected arrivals, questions about a delivery.")
    escalation: str | None = Field(None, description="What stays overdue after chasing, and expediting.")


class VendorView(BaseModel):
    """A vendor of a building."""

    vendor_id: str = Field(description="Stable id of the vendor.")
    name: str = Field(description="Name of the company.")
    contact: str | None = Field(None, description="Where orders go, the same as contacts.orders.")
    contacts: VendorContactsView = Field(description="Whom to write to, by what it is about.")
    approved: bool = Field(description="False: an order to this vendor always needs a person.")

    @model_validator(mode="before")
    @classmethod
    def _with_all_contacts(cls, row: T) -> T | Found:
        return {**row, "contacts": {**row["contacts"], "orders": row["contact"]}} if isinstance(row, dict) else row


@router.get("/buildings/{building_id}/vendors", summary="List vendors", responses=documented(404, 422))
async def list_vendors(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[VendorView]:
    """Who may be ordered from, by id."""
    return await page_of_building(resources, building_id, VENDORS, VendorView, limit=limit, cursor=cursor)


@router.post(
    "/buildings/{building_id}/vendors",
    status_code=201,
    summary="Add a vendor",
    responses={
        200: {"model": VendorView, "description": "It was there with the same content."},
        **documented(404, 409, 413, 422),
    },
)
async def add_vendor(
    building_id: BuildingId, request: Request, response: Response, resources: Held, caller: Adder
) -> VendorView:
    """Add a vendor that may be ordered from. 409 if it exists with other content. Only people may: it decides where
    orders go."""
    vendor = await body(request, Vendor)
    async with connection(resources) as conn:
        added = await vendors.add(conn, building_id, vendor, caller.author, resources.clock.now())
        response.status_code = 201 if added else 200
        return await _view(conn, building_id, vendor.vendor_id)


@router.patch(
    "/buildings/{building_id}/vendors/{vendor_id}", summary="Change a vendor", responses=documented(404, 413, 422)
)
async def change_vendor(
    building_id: BuildingId, vendor_id: VendorId, request: Request, resources: Held, caller: Changer
) -> VendorView:
    """Change a vendor's name, address or standing. The change is logged with who made it. Only people may."""
    patch = await body(request, VendorPatch)
    async with connection(resources) as conn:
        await vendors.change(conn, building_id, vendor_id, patch.changed, caller.author, resources.clock.now())
        return await _view(conn, building_id, vendor_id)


async def _view(conn: Connection, building_id: str, vendor_id: str) -> VendorView:
    row = await pages.one(conn, VENDORS, building_id=building_id, vendor_id=vendor_id)
    if row is None:
        raise no_vendor(building_id, vendor_id)
    return VendorView.model_validate(row)
