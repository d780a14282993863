"""Memory searched by vectors where an embedding model is configured, and by words whenever it gives none."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runtime.embeddings import open_embedder
from runtime.settings import Settings
from storage.database import connect
from storage.long_term import LongTermMemory, Sought
from tests.memory.embedding_server import DIMS, Server, embedding


@pytest.fixture
def embeddings() -> Iterator[Server]:
    with embedding() as running:
        yield running


@pytest.fixture
async def vectors(database: str) -> str:
    """A database that has pgvector."""
    async with await connect(database, application_name="test") as conn:
        await conn.execute("CREATE EXTENSION vector")
    return database


@asynccontextmanager
async def memory(conninfo: str, embeddings: Server, dims: int = DIMS) -> AsyncIterator[LongTermMemory]:
    given: dict[str, Any] = {"OPENAI_BASE_URL": f"http://127.0.0.1:{embeddings.port}", "OPENAI_API_KEY": "none"}
    settings = Settings(embedding_model="meanings", embedding_dims=dims, **given)
    async with (
        open_embedder(settings, conninfo) as embedder,
        await connect(conninfo, application_name="test memory") as conn,
    ):
        yield LongTermMemory(conn, asyncio.Lock(), embedder)


def fact(text: str, seq: int) -> dict[str, Any]:
    return {"text": text, "kind": "note", "seq": seq}


FACTS = {
    "a": fact("The hoist is only there on Tuesdays.", 1),
    "b": fact("Use the entrance in Mill Road.", 2),
    "c": fact("Invoices go to the office.", 3),
}


async def test_what_means_the_same_is_found_though_it_shares_no_word(vectors: str, embeddings: Server) -> None:
    async with memory(vectors, embeddings) as store:
        await store.put("office", "facts", FACTS, embed=True)
        found = await store.recall("office", "facts", Sought("is there a crane?", limit=1))
        assert found == [FACTS["a"]]
        assert (await store.recall("office", "facts", Sought("which door?", limit=1))) == [FACTS["b"]]
        assert await store.recall("elsewhere", "facts", Sought("which door?")) == []


async def test_words_find_it_while_the_server_gives_no_vectors_which_are_made_up_for_later(
    vectors: str, embeddings: Server
) -> None:
    async with memory(vectors, embeddings) as store:
        embeddings.works = False
        await store.put("office", "facts", {"a": FACTS["a"]}, embed=True)
        assert await store.recall("office", "facts", Sought("the hoist")) == [FACTS["a"]]
        assert embeddings.asked == 1  # a server that failed is left alone for a while
    async with memory(vectors, embeddings) as store:
        embeddings.works = True
        await store.put("office", "facts", {"b": FACTS["b"]}, embed=True)
        assert (await store.recall("office", "facts", Sought("a crane?", limit=1))) == [FACTS["a"]]


async def test_what_typed_events_teach_asks_no_model_and_loses_the_vector_of_its_older_text(
    vectors: str, embeddings: Server
) -> None:
    async with memory(vectors, embeddings) as store:
        await store.put("office", "facts", FACTS, embed=True)
        asked = embeddings.asked
        await store.put("office", "facts", {"a": fact("Nothing is known.", 4)}, embed=False)
        assert embeddings.asked == asked
        found = await store.recall("office", "facts", Sought("a crane?", limit=3))
        assert "Nothing is known." not in [one["text"] for one in found]


async def test_another_model_gets_a_table_of_its_own_and_nothing_else_is_lost(vectors: str, embeddings: Server) -> None:
    async with memory(vectors, embeddings) as store:
        await store.put("office", "facts", FACTS, embed=True)
    embeddings.dims = 6
    async with memory(vectors, embeddings, dims=6) as store:
        assert await store.recall("office", "facts", Sought("hoist", limit=1)) == [FACTS["a"]]
        await store.put("office", "facts", {"c": FACTS["c"]}, embed=True)
        assert (await store.recall("office", "facts", Sought("a crane?", limit=1))) == [FACTS["a"]]


async def test_vectors_of_another_length_than_configured_are_not_used(vectors: str, embeddings: Server) -> None:
    embeddings.dims = 3
    async with memory(vectors, embeddings) as store:
        await store.put("office", "facts", FACTS, embed=True)
        assert await store.recall("office", "facts", Sought("hoist", limit=1)) == [FACTS["a"]]


async def test_a_database_without_pgvector_is_searched_by_words(database: str, embeddings: Server) -> None:
    async with memory(database, embeddings) as store:
        await store.put("office", "facts", FACTS, embed=True)
        assert await store.recall("office", "facts", Sought("hoist", limit=1)) == [FACTS["a"]]
        assert embeddings.asked == 0
