"""Whether the service is alive, and whether it can do its work."""

from typing import Literal

import psycopg
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.held import Held, health_connection
from api.problems import documented
from domain.errors import UnavailableError
from runtime.database_state import Fault, WriteProbe, describe_fault, warn_of_low_disk
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
    """Whether the database takes writes and a worker is alive; 503 says what is missing: `database`, `disk` (it is
    full) or `worker`. Needs no key."""
    probe: WriteProbe = request.app.state.write_probe
    fault = await probe.find_fault(_TIMEOUT_S)
    if fault is not None:
        raise _not_ready(fault)
    try:
        async with health_connection(resources, _TIMEOUT_S) as conn:
            workers = await live_workers(conn, resources.settings.stalled_after)
    except psycopg.Error as error:
        raise _not_ready(describe_fault(resources, error)) from error
    if not workers:
        raise UnavailableError(
            "No worker gave a sign of life lately: events are stored, and wait. Start one with `longlead worker`.",
            missing=["worker"],
        )
    keyring: Keyring = request.app.state.keyring
    await keyring.refresh()
    warnings = [STALE_KEYS if keyring.problem else None, warn_of_low_disk(resources)]
    return Readiness(workers=workers, warning=" ".join(filter(None, warnings)) or None)


def _not_ready(fault: Fault) -> UnavailableError:
    return UnavailableError(fault.detail, missing=[fault.missing])
