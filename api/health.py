"""Whether the service is alive, and whether it can do its work."""

from typing import Literal

import psycopg
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.held import Held, health_connection
from api.problems import documented
from domain.errors import UnavailableError
from storage.health import live_workers

router = APIRouter(tags=["service"])

_TIMEOUT_S = 2.0


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field("ok", description="Always ok: it answers.")


class Readiness(BaseModel):
    """Everything that is needed is there."""

    status: Literal["ready"] = Field("ready", description="Always ready: otherwise the answer is 503.")
    workers: int = Field(description="Workers that gave a sign of life lately.")


@router.get("/healthz", summary="Is it alive?")
async def healthz() -> Health:
    """Whether the process answers. Needs no key."""
    return Health()


@router.get("/readyz", summary="Is it ready?", responses=documented(503))
async def readyz(resources: Held) -> Readiness:
    """Whether the database can be reached and a worker is alive; 503 says which of them is missing. Needs no key."""
    try:
        async with health_connection(resources, _TIMEOUT_S) as conn:
            workers = await live_workers(conn, resources.settings.stalled_after)
    except psycopg.Error as error:
        raise UnavailableError("The database cannot be reached.", missing=["database"]) from error
    if not workers:
        raise UnavailableError(
            "No worker gave a sign of life lately: events are stored, and wait. Start one with `longlead worker`.",
            missing=["worker"],
        )
    return Readiness(workers=workers)
