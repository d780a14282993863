"""What answers at `/`: what this is, whether it is ready, where to go from here. No data, so no key."""

import shlex
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.health import STALE_KEYS, readyz
from api.held import Held
from api.pages.rendering import page
from domain.errors import UnavailableError
from runtime.settings import Settings

router = APIRouter(include_in_schema=False)

WHAT = "A procurement agent for construction: one agent per building, events in, questions out."
LINKS = {
    "docs": "docs",
    "openapi": "openapi.json",
    "health": "healthz",
    "readiness": "readyz",
}
FIRST_STEP = "longlead building create building.json"
"""The command that does what the next step is, on the address where the command line looks by itself."""
GUIDE = "docs/your-own-project.md"
"""The document that leads from here to a building of one's own; it is in the repository, not in the service."""


@dataclass(frozen=True)
class Home:
    """What is told of the service to anybody who asks."""

    name: str
    version: str
    what: str
    ready: bool
    status: str
    links: dict[str, str]
    next: str
    guide: str


@router.get("/")
async def home(request: Request, resources: Held) -> Response:
    """A page for browsers, JSON for programs: by what the caller accepts."""
    ready, status = await _readiness(request, resources)
    told = Home(
        request.app.title, request.app.version, WHAT, ready, status, LINKS, _first_step(resources.settings), GUIDE
    )
    if _wants_page(request.headers.get("accept", "")):
        return page("home.html", title=told.name, home=told)
    return JSONResponse(asdict(told), headers={"Cache-Control": "no-store", "Vary": "Accept"})


def _first_step(settings: Settings) -> str:
    """The command as it finds this service from where it runs: with its address where that is not the usual one."""
    usual = Settings.model_fields["url"].default
    return FIRST_STEP if settings.link_base == usual else f"{FIRST_STEP} --url {shlex.quote(settings.link_base)}"


async def _readiness(request: Request, resources: Held) -> tuple[bool, str]:
    try:
        readiness = await readyz(request, resources)
    except UnavailableError as error:
        return False, str(error)
    return True, STALE_KEYS if readiness.warning else "Ready: the database answers, and a worker is alive."


def _wants_page(accept: str) -> bool:
    """Whether the caller names HTML before JSON; one that takes anything gets JSON."""
    named = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    html = [place for place, name in enumerate(named) if name in ("text/html", "application/xhtml+xml")]
    json = [place for place, name in enumerate(named) if name == "application/json"]
    return bool(html) and (not json or html[0] < json[0])
