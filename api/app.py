"""The HTTP side of Longlead: events in, approvals out, and everything that people and programs read."""

from importlib.metadata import version

from fastapi import Depends, FastAPI

from api import (
    approvals,
    buildings,
    delegations,
    events,
    forks,
    health,
    history,
    items,
    ledger,
    links,
    metrics,
    openapi,
    outbox,
    rules,
)
from api.auth import Keyring
from api.metrics import Measured, Timing
from api.pages import decision, log
from api.parameters import refuse_nul
from api.problems import LastResort, add_handlers
from runtime.resources import Resources

_ROUTERS = (
    events.router,  # the busiest first: they are tried in this order
    buildings.router,
    approvals.router,
    items.router,
    ledger.router,
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
)


def create_app(resources: Resources) -> FastAPI:
    """The app over resources that the caller opened, and closes after it."""
    app = FastAPI(
        title="Longlead",
        version=version("longlead"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(refuse_nul)],
    )
    app.state.resources = resources
    app.state.keyring = Keyring(resources.settings.api_keys)
    app.state.measured = Measured()
    add_handlers(app)
    app.add_middleware(LastResort)
    app.add_middleware(Timing, measured=app.state.measured)
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    return app
