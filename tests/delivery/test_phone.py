"""The pages in a real browser of the size of a phone: everything fits, nothing is blocked, and a tap decides."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn

from api.app import create_app
from domain.approvals import Approval
from tests.agent.desk import Desk
from tests.delivery.browser import WIDTH, Browser
from tests.delivery.post_room import PostRoom

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the program `chromium`, to look at the pages as a phone does"),
]

FITS = "document.documentElement.scrollWidth"
SMALL_BUTTONS = "[...document.querySelectorAll('button')].filter(b => b.getBoundingClientRect().height < 44).length"
STYLED = "getComputedStyle(document.querySelector('section')).borderRadius"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    assert CHROMIUM is not None
    opened = Browser(CHROMIUM, tmp_path / "profile")
    yield opened
    opened.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the screenshots go; PHONE_TEST_PICTURES keeps them for people to look at."""
    folder = Path(os.environ.get("PHONE_TEST_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def site(room: PostRoom) -> AsyncIterator[str]:
    """The API on a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(room.resources), log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await running
    listener.close()


LONG = "Rooftop air handling unit with heat recovery, type RLT-4400-X, including vibration dampers and flexible ducts"


async def failed_inspection(desk: Desk) -> Approval:
    await desk.open(
        name="Riverside Tower",
        time_zone="Europe/Berlin",
        items=[
            {"item_id": "hvac", "name": LONG, "vendor_id": "air", "quantity": "4", "unit": "pcs"}
            | {"unit_price": "9800", "lead_time_days": 40, "required_by": "2026-03-01", "category": "23"},
            {"item_id": "steel", "name": "Steel Beams", "required_by": "2026-02-15", "lead_time_days": 33},
        ],
        vendors=[{"vendor_id": "air", "name": "Air Works", "contact": "orders@air.example"}],
        approvers=[{"role": "project_manager", "name": "Site manager", "contact": "pm@office.example"}],
    )
    await desk.post("Submittal_Approved", item="hvac")
    await desk.post("Shipment_Arrived_Site", item="hvac", date_arrived="2026-02-20", location_address="Gate 1")
    await desk.post("Human_Input", text="The crane is booked until 6 March.", item="hvac")
    await desk.post(
        "Inspection_Failed",
        item="hvac",
        inspection_date="2026-02-23",
        document_url="https://docs.example/qa/2026/02/23/riverside-tower/report-rlt-4400-x-of-the-inspection.pdf",
        document_name="Inspection report",
        defects=["casing dented over 40 cm", "<b>fan bearing</b> noisy", "label missing"],
        ncr_number="NCR-017",
    )
    return await desk.question("inspection_failed")


async def test_a_question_is_read_and_answered_on_a_phone(
    room: PostRoom, desk: Desk, site: str, browser: Browser, pictures: Path
) -> None:
    asked = await failed_inspection(desk)
    async with room.client() as client:
        made = (await client.post(f"/approvals/{asked.approval_id}/link")).json()["url"]
    url = site + "/pages/" + made.partition("/pages/")[2]
    await asyncio.to_thread(browser.open, url)
    await asyncio.to_thread(browser.picture, pictures / "question.png")
    await asyncio.to_thread(browser.look, "document.querySelectorAll('details').forEach(d => d.open = true)")
    await asyncio.to_thread(browser.picture, pictures / "question-unfolded.png")
    assert await asyncio.to_thread(browser.look, FITS) == WIDTH
    assert await asyncio.to_thread(browser.look, SMALL_BUTTONS) == 0
    assert await asyncio.to_thread(browser.look, STYLED) != "0px"  # the policy lets our own style pass
    assert (await desk.question()).status == "pending"
    await asyncio.to_thread(browser.press, "button[value=respond]")
    assert "write your answer first" in await asyncio.to_thread(browser.look, "document.body.innerText")
    await asyncio.to_thread(browser.picture, pictures / "question-not-understood.png")
    await asyncio.to_thread(browser.press, "button[value=approve]")
    assert "is being carried out" in await asyncio.to_thread(browser.look, "document.body.innerText")
    await desk.run()
    await asyncio.to_thread(browser.open, url)
    await asyncio.to_thread(browser.picture, pictures / "answered.png")
    assert "Answered and carried out" in await asyncio.to_thread(browser.look, "document.body.innerText")
    # A page that could not be read is a 422, which the browser mentions; nothing else was blocked or missing.
    assert [said for said in browser.complaints if "422" not in said] == []


async def test_the_log_is_read_on_a_phone(
    room: PostRoom, desk: Desk, site: str, browser: Browser, pictures: Path
) -> None:
    await failed_inspection(desk)
    async with room.client() as client:
        made = (await client.post("/buildings/office/log-link")).json()["url"]
    await asyncio.to_thread(browser.open, site + "/pages/" + made.partition("/pages/")[2])
    await asyncio.to_thread(browser.picture, pictures / "log.png")
    assert await asyncio.to_thread(browser.look, FITS) == WIDTH
    assert "Steel Beams" in await asyncio.to_thread(browser.look, "document.body.innerText")
    assert browser.complaints == []
