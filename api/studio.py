"""The API beside LangGraph's dev server (langgraph.json): under a path of its own, so that neither hides the other's
/docs and /metrics, and neither answers in the other's manner. The door around both is here too, since the server takes
the outermost middleware from this app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.studio_door import API_PREFIX, Door, Gate
from runtime.resources import open_resources
from runtime.studio import settings_beside_the_loop
from runtime.studio_secret import read_registrar_secret


class Beside:
    """The API, made when the server it is mounted in starts: only then is there an event loop to open things in."""

    def __init__(self) -> None:
        self._api: FastAPI | None = None
        self._registrar_secret: str | None = None

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Open what the API needs while the server runs."""
        settings = await settings_beside_the_loop()
        self._registrar_secret = await anyio.to_thread.run_sync(read_registrar_secret, settings)
        async with open_resources(settings, name="longlead api in studio", migrated=False) as resources:
            self._api = create_app(resources)
            yield

    async def find_gate(self) -> Gate:
        """The keys of the API as they are now, which are those of Studio."""
        assert self._api is not None, "the server answers only after its lifespan began"
        await self._api.state.keyring.refresh()
        return Gate(self._api.state.keyring, self._registrar_secret)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._api is not None, "the server answers only after its lifespan began"
        await self._api(scope, receive, send)


_beside = Beside()
app = Starlette(
    routes=[Mount(API_PREFIX, app=_beside)],
    lifespan=_beside.lifespan,
    middleware=[Middleware(Door, find_gate=_beside.find_gate)],
)
