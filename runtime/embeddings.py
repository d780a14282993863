"""The embedding model of a process: opened once where one is configured, and nothing loaded where none is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import structlog

from runtime.settings import Settings
from storage.long_term import Embedder
from storage.vectors import prepare_vectors

log = structlog.get_logger()


@asynccontextmanager
async def open_embedder(settings: Settings, conninfo: str) -> AsyncIterator[Embedder | None]:
    """The configured embedding model; None where none is, or where the database cannot hold vectors."""
    if not settings.embedding_model:
        yield None
        return
    if not await prepare_vectors(conninfo, settings.embedding_model, settings.embedding_dims):
        log.warning("memory is searched by words", why="the database has no pgvector", model=settings.embedding_model)
        yield None
        return
    yield await anyio.to_thread.run_sync(_made, settings)


def _made(settings: Settings) -> Embedder:
    from runtime.embedding_model import embedding_model  # LangChain's client takes a second to load

    return embedding_model(settings)
