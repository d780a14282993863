"""The page of the API works without the rest of the internet, and no answer can be framed, guessed at or kept."""

import hashlib
import re
import shutil
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import api.docs
from tests.api.served import Served
from tests.delivery.browser import Browser

ASSETS = Path(api.docs.__file__).parent / "swagger_ui"
CHROMIUM = shutil.which("chromium")
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY"}


async def test_the_page_lists_every_address_even_without_scripts(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    described = (await client.get("/openapi.json")).json()
    for path, operations in described["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in page


async def test_the_page_loads_only_from_this_service_and_everything_that_it_loads_is_there(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', response.text.replace('href="data:,"', ""))
    assert len(loaded) == 4
    for address in loaded:
        assert "//" not in address
        assert (await client.get(f"/{address}")).status_code == 200
    assert not re.search(r"<script[^>]*>[^<]|<style|\son\w+=|style=", response.text)  # nothing inline to be allowed
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_no_other_file_is_served_beside_the_page(client: httpx.AsyncClient) -> None:
    for name in ("vendor.toml", "..%2Fapp.py", "LICENSE", "..%2F..%2Fpyproject.toml"):
        assert (await client.get(f"/docs/{name}")).status_code == 404


def test_the_files_are_those_of_the_package_that_is_named() -> None:
    vendor = tomllib.loads((ASSETS / "vendor.toml").read_text(encoding="utf-8"))
    present = {path.name for path in ASSETS.iterdir()} - {"vendor.toml", "start.js"}
    assert present == vendor["files"].keys()
    for name, digest in vendor["files"].items():
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest, name
    assert "LICENSE" in present


@pytest.mark.parametrize(
    "address",
    ["/docs", "/docs/swagger-ui.css", "/openapi.json", "/healthz", "/buildings", "/metrics", "/no/such"]
    + ["/pages/approval/no-such-link", "/pages/log/no-such-link", "/buildings/none", "/approvals?limit=0"],
)
async def test_every_answer_tells_browsers_not_to_guess_frame_or_run_it(
    client: httpx.AsyncClient, address: str
) -> None:
    response = await client.get(address)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    kept = response.headers["cache-control"]
    assert kept == ("private, max-age=86400" if address.endswith(".css") else "no-store")
    assert len(response.headers.get_list("cache-control")) == 1


def eventually(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 15
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs the program `chromium`")
def test_a_browser_shows_the_addresses_and_blocks_nothing(served: Served, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    browser = Browser(CHROMIUM, tmp_path / "profile")
    try:
        browser.open(f"{served.url}/docs")
        assert eventually(lambda: browser.look("document.querySelectorAll('.opblock').length > 20"))
        browser.look("document.querySelector('.opblock-summary-control').click()")
        assert eventually(lambda: browser.look("document.querySelectorAll('.opblock-body').length > 0"))
        assert browser.complaints == []
    finally:
        browser.close()
