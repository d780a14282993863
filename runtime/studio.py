"""What LangGraph's dev server loads (langgraph.json): the building's graph, which does not act there, and its saver.

Both are context managers that the server enters in its own event loop: the graph once for each request, the saver
once. Nothing in them may block that loop, so settings are read and an embedded server is joined in threads.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio.to_thread
from langgraph.graph import StateGraph
from langgraph_sdk.runtime import ServerRuntime
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from graph.building import build
from graph.checkpoints import StudioSaver
from nodes.state import BuildingState
from runtime.clock import SystemClock
from runtime.models import budget_of, open_models
from runtime.resources import database
from runtime.settings import Settings, load_settings
from runtime.studio_caller import Caller
from storage.database import connect, open_pool
from tools.context import Toolbox
from tools.prompts import Budgets


@asynccontextmanager
async def building(runtime: ServerRuntime[Any]) -> AsyncIterator[StateGraph[BuildingState]]:
    """The graph, uncompiled: the server adds the saver. On a connection of its own, so that a broken one costs one
    run and two runs cannot get into each other's way; without the building's lock, since nothing here acts. Answers
    are given by the caller whose request this is."""
    settings = await settings_beside_the_loop()
    async with database(settings) as conninfo, open_models(settings) as models:
        conn = await connect(conninfo, application_name="longlead studio")
        try:
            budget = budget_of(settings)
            toolbox = Toolbox(conn=conn, clock=SystemClock(), acts=False, models=models, model_budget=budget)
            toolbox.budgets = Budgets(settings.prompt_tokens)
            if isinstance(runtime.user, Caller):
                toolbox.find_answerer = runtime.user.principal
            yield build(toolbox, for_edits=True)
        finally:
            await conn.close()


@asynccontextmanager
async def saver() -> AsyncIterator[StudioSaver]:
    """The saver over the workers' own threads. The pool replaces a connection that broke."""
    async with _database() as conninfo, open_pool(conninfo, max_size=2, name="longlead studio saver") as pool:
        yield StudioSaver(cast(AsyncConnectionPool[AsyncConnection[DictRow]], pool))  # its connections are such


async def settings_beside_the_loop() -> Settings:
    """The settings, read in a thread, with paths that need no further look at the disk to be resolved."""

    def read() -> Settings:
        settings = load_settings()
        return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})

    return await anyio.to_thread.run_sync(read)


@asynccontextmanager
async def _database() -> AsyncIterator[str]:
    async with database(await settings_beside_the_loop()) as conninfo:
        yield conninfo
