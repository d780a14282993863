"""Whether the service is alive, and whether it can do its work."""

from typing import Literal

import psycopg
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.held import Held, health_connection
from api.problems import documented
from domain.errors import UnavailableError
from runtime.keyring import Keyring
from storage.health import live_workers

router = APIRouter(tags=["service"])

_TIMEOUT_S = 2.0
STALE_KEYS = "The file of keys cannot be read: the keys that it held before still count. The log has the reason."


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field("ok", description="Always ok: it answers.")


class Readiness(BaseModel):
    """Everything that is needed is there."""

    status: Literal["ready"] = Field("ready", description="Always ready: otherwise the answer is 503.")
    workers: int = Field(description="Workers that gave a sign of life lately.")
    warning: str | None = Field(None, description="What does not work though the service does; absent: all does.")


@router.get("/healthz", summary="Is it alive?")
async def healthz() -> Health:
    """Whether the process answers. Needs no key."""
    return Health()


@router.get("/readyz", summary="Is it ready?", responses=documented(503), response_model_exclude_none=True)
async def readyz(request: Request, resources: Held) -> Readiness:
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
    keyring: Keyring = request.app.state.keyring
    await keyring.refresh()
    return Readiness(workers=workers, warning=STALE_KEYS if keyring.problem else None)
