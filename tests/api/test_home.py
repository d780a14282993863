"""The address `/` tells a person and a program what this is and where to go on, and shows nothing of any building."""

import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.resources import Resources
from runtime.settings import Settings
from tests.api.office import SPEC, client_of
from tests.api.served import Served
from tests.delivery.browser import Browser

CHROMIUM = shutil.which("chromium")

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5", "nonsense"])
async def test_a_program_is_told_in_json(client: httpx.AsyncClient, accept: str | None) -> None:
    told = await client.get("/", headers={"Accept": accept} if accept else {})
    assert told.status_code == 200
    assert told.headers["content-type"] == "application/json"
    body = told.json()
    assert (body["name"], body["ready"]) == ("Longlead", False)
    assert "longlead worker" in body["status"]
    assert body["next"].startswith("longlead building create")
    for address in body["links"].values():
        assert (await client.get(f"/{address}")).status_code in (200, 503)


async def test_a_browser_gets_a_page_whose_links_lead_somewhere(client: httpx.AsyncClient) -> None:
    shown = await client.get("/", headers=BROWSER)
    assert shown.headers["content-type"].startswith("text/html")
    assert "longlead building create" in shown.text
    for address in re.findall(r'href="([^"]+)"', shown.text.replace('href="data:,"', "")):
        assert "//" not in address
        assert (await client.get(f"/{address}")).status_code in (200, 503)


@pytest.mark.parametrize("accept", ["application/json", BROWSER["Accept"]])
async def test_its_command_finds_the_service_on_another_port_and_by_its_public_address(
    client: httpx.AsyncClient, resources: Resources, accept: str
) -> None:
    async def shown(**changed: object) -> str:
        resources.settings = Settings(**changed)  # type: ignore[arg-type]
        return (await client.get("/", headers={"Accept": accept})).text

    assert "--url" not in await shown(port=8000)
    assert "building.json --url http://127.0.0.1:8123" in await shown(port=8123)
    assert "building.json --url https://longlead.example" in await shown(public_url="https://longlead.example")


async def test_the_document_that_it_names_is_in_the_repository(client: httpx.AsyncClient) -> None:
    guide = (await client.get("/")).json()["guide"]
    assert (Path(__file__).parent.parent.parent / guide).exists()
    assert guide in (await client.get("/", headers=BROWSER)).text


async def test_it_needs_no_key_and_shows_nothing_of_any_building(
    client: httpx.AsyncClient, keyed: httpx.AsyncClient, resources: Resources
) -> None:
    resources.settings.api_keys = []
    async with client_of(resources) as local:
        assert (await local.post("/buildings", json=SPEC)).status_code == 201
    for headers in ({}, BROWSER):
        shown = await keyed.get("/", headers=headers)
        assert shown.status_code == 200
        assert SPEC["name"] not in shown.text
        assert SPEC["building_id"] not in shown.text


async def test_its_page_runs_no_script_and_cannot_be_framed_or_kept(client: httpx.AsyncClient) -> None:
    shown = await client.get("/", headers=BROWSER)
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in shown.text
    assert shown.headers["cache-control"] == "no-store"


async def test_it_only_reads_and_takes_no_query(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await client.request(method, "/")).status_code == 405


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs the program `chromium`")
def test_a_phone_shows_it_without_scrolling_sideways(served: Served, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    browser = Browser(CHROMIUM, tmp_path / "profile")
    try:
        browser.open(f"{served.url}/")
        seen: Any = browser.look("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert seen is True
        assert browser.look("document.querySelector('h1').textContent") == "Longlead"
        assert browser.complaints == []
    finally:
        browser.close()
