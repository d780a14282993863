"""The HTTP side of Longlead: events in, approvals out, and everything that people and programs read."""

from importlib.metadata import version

from fastapi import Depends, FastAPI

from api import (
    approvals,
    audit,
    buildings,
    delegations,
    docs,
    events,
    forks,
    health,
    history,
    home,
    items,
    ledger,
    links,
    metrics,
    openapi,
    outbox,
    rules,
    vendors,
)
from api.auth import open_keyring
from api.headers import SafeHeaders
from api.metrics import Measured, Timing
from api.pages import decision, log
from api.parameters import refuse_nul
from api.problems import LastResort, add_handlers
from api.strict_query import check_query
from api.waiting import WaitingRoom
from runtime.database_state import WriteProbe
from runtime.resources import Resources

_ROUTERS = (
    events.router,  # the busiest first: they are tried in this order
    buildings.router,
    vendors.router,
    approvals.router,
    items.router,
    ledger.router,
    audit.router,
    rules.router,
    delegations.router,
    history.router,
    forks.router,
    outbox.router,
    links.router,
    decision.router,
    log.router,
    health.router,
    metrics.router,
    openapi.router,
    docs.router,
    home.router,
)


def create_app(resources: Resources) -> FastAPI:
    """The app over resources that the caller opened, and closes after it."""
    app = FastAPI(
        title="Longlead",
        version=version("longlead"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_nul), Depends(check_query)],
    )
    app.state.resources = resources
    app.state.keyring = open_keyring(resources)
    app.state.write_probe = WriteProbe(resources)
    app.state.measured = Measured()
    app.state.waiting_room = WaitingRoom(resources.settings.max_waiting, resources.pool.max_size)
    add_handlers(app)
    app.add_middleware(LastResort)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Timing, measured=app.state.measured)
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    return app
