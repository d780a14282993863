"""A question about a failed inspection whose message went out, and its page as a browser uses it."""

import json
import re
from typing import Any

import httpx

from tests.delivery.receiver import Receiver

SITE = "https://longlead.example"
EVIL = "<script>alert(1)</script>"
SPEC: dict[str, Any] = {
    "name": f"Office {EVIL}",
    "items": [
        {"item_id": "hvac", "name": "HVAC Units", "vendor_id": "air", "quantity": "4", "unit": "pcs"}
        | {"unit_price": "9800", "lead_time_days": 40, "required_by": "2026-03-01"}
    ],
    "vendors": [{"vendor_id": "air", "name": f"Air {EVIL}", "contact": "orders@air.example"}],
    "approvers": [
        {"role": "project_manager", "name": "Site manager", "contact": "pm@office.example", "limit": "100000"},
        {"role": "project_director", "name": "Director", "contact": "director@office.example"},
    ],
}


def link_in(receiver: Receiver, path: str = "/pm") -> str:
    """The path of the link in the newest message that came in there."""
    bodies = [json.loads(request.body) for request in receiver.received if request.path == path]
    link: str = [body["data"]["link"] for body in bodies if "link" in body["data"]][-1]
    assert link.startswith(SITE + "/pages/approval/")
    return link.removeprefix(SITE)


def form_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


async def press(client: httpx.AsyncClient, link: str, answer: str, message: str = "", **changed: str) -> httpx.Response:
    """Open the page and press a button on it, as a browser does."""
    form = form_in((await client.get(link)).text)
    return await client.post(
        link, data={**form, "answer": answer, "message": message, **changed}, headers={"Origin": "http://127.0.0.1"}
    )
