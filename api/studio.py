"""The API beside LangGraph's dev server (langgraph.json): under a path of its own, so that neither hides the other's
/docs and /metrics, and neither answers in the other's manner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from api.app import create_app
from runtime.resources import open_resources
from runtime.studio import settings_beside_the_loop

PREFIX = "/longlead"


class Beside:
    """The API, made when the server it is mounted in starts: only then is there an event loop to open things in."""

    def __init__(self) -> None:
        self._api: FastAPI | None = None

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Open what the API needs while the server runs."""
        settings = await settings_beside_the_loop()
        async with open_resources(settings, name="longlead api in studio", migrated=False) as resources:
            self._api = create_app(resources)
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._api is not None, "the server answers only after its lifespan began"
        await self._api(scope, receive, send)


_beside = Beside()
app = Starlette(routes=[Mount(PREFIX, app=_beside)], lifespan=_beside.lifespan)
