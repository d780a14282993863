"""Long-term memory: LangGraph's store on the slot's own connection, and searches over its table.

A building's recollections are under ("buildings", thread id, "episodes" or "facts"): a thread id has no dots, which a
namespace may not have and a building's id may.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from langchain_core.embeddings import Embeddings
from langgraph.store.base import PutOp
from langgraph.store.postgres.aio import AsyncPostgresStore
from langgraph.store.postgres.base import ANNIndexConfig, PostgresIndexConfig

from domain.plain_json import JsonObject
from storage.buildings import thread_id as thread_id_of
from storage.connection import Connection, select

Kind = Literal["episodes", "facts"]
MOST_MISSING = 16
"""Recollections without a vector that are given one along with others."""
CANDIDATES = 40

# Rank by likeness of the words, and by what the situations have in common: a query of common words alone says little.
WORDS = """
WITH wanted AS (
    SELECT replace(plainto_tsquery('english', %(query)s)::text, ' & ', ' | ')::tsquery AS words),
candidates AS MATERIALIZED (
    (SELECT s.prefix, s.key, s.value FROM store s, wanted
      WHERE s.prefix = ANY (%(prefixes)s) AND s.prefix LIKE 'buildings.%%'
        AND to_tsvector('english', s.value ->> 'text') @@ wanted.words
      ORDER BY ts_rank(to_tsvector('english', s.value ->> 'text'), wanted.words) DESC LIMIT %(most)s)
    UNION
    (SELECT s.prefix, s.key, s.value FROM store s
      WHERE s.prefix = ANY (%(prefixes)s)
        AND (s.value ->> 'kind' = %(kind)s OR s.value ->> 'item_id' = %(item_id)s
             OR s.value ->> 'vendor_id' = %(vendor_id)s)
      ORDER BY (s.value ->> 'seq')::bigint DESC LIMIT %(most)s))
SELECT c.prefix, c.key, c.value,
       ts_rank(to_tsvector('english', c.value ->> 'text'), wanted.words)
       + CASE WHEN c.value ->> 'kind' = %(kind)s THEN 2 ELSE 0 END
       + CASE WHEN c.value ->> 'item_id' = %(item_id)s THEN 1 ELSE 0 END
       + CASE WHEN c.value ->> 'vendor_id' = %(vendor_id)s THEN 1 ELSE 0 END
       + CASE WHEN c.value ->> 'category' = %(category)s THEN 0.5 ELSE 0 END AS score
  FROM candidates c, wanted
 WHERE c.value ->> 'superseded_seq' IS NULL AND (%(only)s::text IS NULL OR c.value ->> 'kind' = %(only)s)
 ORDER BY score DESC, (c.value ->> 'seq')::bigint DESC, c.prefix, c.key LIMIT %(limit)s"""

# Exact: an index would be asked for the nearest of all buildings, and hold none of this one's.
VECTORS = """
WITH own AS MATERIALIZED (
    SELECT s.prefix, s.key, s.value, v.embedding FROM store s JOIN store_vectors v USING (prefix, key)
     WHERE s.prefix = ANY (%(prefixes)s) AND s.value ->> 'superseded_seq' IS NULL
       AND (%(only)s::text IS NULL OR s.value ->> 'kind' = %(only)s))
SELECT prefix, key, value FROM own ORDER BY embedding <=> %(vector)s::{type}, prefix, key LIMIT %(limit)s"""

WITHOUT_VECTOR = """
SELECT s.key, s.value FROM store s LEFT JOIN store_vectors v USING (prefix, key)
 WHERE s.prefix = %s AND v.key IS NULL LIMIT %s"""
FORGET_VECTOR = "DELETE FROM store_vectors WHERE prefix = %s AND key = ANY (%s)"

SHARED = """
SELECT thread_id::text AS thread_id FROM buildings
 WHERE mode = 'live' AND (policy ->> 'share_memory')::boolean AND building_id <> %(building_id)s
   AND EXISTS (SELECT 1 FROM buildings own WHERE own.building_id = %(building_id)s AND own.mode = 'live'
                  AND (own.policy ->> 'share_memory')::boolean)
 ORDER BY created_at DESC LIMIT 200"""

# The store's own way also counts a recollection's remaining life anew, which ours have no end of.
BY_KEY = "SELECT key, value FROM store WHERE prefix = %s AND key = ANY (%s)"

OPEN_CASES = """
SELECT value FROM store
 WHERE prefix = %s AND value ->> 'item_id' = %s AND value ->> 'outcome' IS NULL AND (value ->> 'seq')::bigint < %s"""

# As of an entry: what was learned later is left out, and what that replaced holds again, under its subject's key.
COPY = """
INSERT INTO store (prefix, key, value)
SELECT replace(prefix, %(source)s, %(target)s),
       CASE WHEN (value ->> 'superseded_seq')::bigint <= %(upto)s THEN key ELSE split_part(key, '@', 1) END,
       value
       || CASE WHEN (value ->> 'superseded_seq')::bigint > %(upto)s THEN '{"superseded_seq": null}' ELSE '{}' END::jsonb
       || CASE WHEN (value ->> 'outcome_seq')::bigint > %(upto)s
               THEN jsonb_build_object('outcome', NULL, 'outcome_seq', NULL, 'text', value ->> 'decided')
               ELSE '{}' END
       || CASE WHEN value ? 'sources' THEN jsonb_build_object('sources', (
               SELECT coalesce(jsonb_agg(s), '[]') FROM jsonb_array_elements(value -> 'sources') AS s
                WHERE s::bigint <= %(upto)s)) ELSE '{}' END
  FROM store WHERE prefix LIKE 'buildings.' || %(source)s || '.%%' AND (value ->> 'seq')::bigint <= %(upto)s
ON CONFLICT DO NOTHING"""


@dataclass(frozen=True)
class _Recalled:
    prefix: str
    key: str
    value: JsonObject
    score: float | None = None


class Embedder(Protocol):
    """What makes vectors of texts."""

    dims: int

    async def embed(self, texts: Sequence[str]) -> list[list[float]] | None:
        """One vector for each text; None where none can be had now. Never raises for what a server does."""
        ...


@dataclass(frozen=True)
class Sought:
    """What is looked for: words, and what the recollection should have in common with the situation."""

    query: str
    kind: str | None = None
    item_id: str | None = None
    vendor_id: str | None = None
    category: str | None = None
    only: str | None = None
    """Recollections of this kind alone."""
    limit: int = 5


class Prepared(Embeddings):
    """Vectors that were made before the store was asked: a slow server must not hold the connection."""

    def __init__(self) -> None:
        self.vectors: dict[str, list[float]] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.vectors[text]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embed_documents(texts)


def index_of(dims: int, embed: Embeddings) -> PostgresIndexConfig:
    """How the store keeps vectors. pgvector's index takes floats up to 2,000 dimensions, half ones up to 4,000."""
    vector: Literal["vector", "halfvec"] = "vector" if dims <= 2_000 else "halfvec"
    ann = ANNIndexConfig(kind="hnsw", vector_type=vector)
    return {"dims": dims, "embed": embed, "fields": ["text"], "ann_index_config": ann, "distance_type": "cosine"}


class DirectStore(AsyncPostgresStore):
    """The store without its task that gathers calls into batches: ours are batches already, and the task would wait
    for more until the process ends."""

    def _ensure_task(self) -> None:
        pass


@dataclass
class LongTermMemory:
    """The store as a building's agent uses it. `lock` is the connection's; it is not held while texts are embedded."""

    conn: Connection
    lock: asyncio.Lock
    embedder: Embedder | None = None
    _prepared: Prepared = field(default_factory=Prepared)

    def __post_init__(self) -> None:
        index = None if self.embedder is None else index_of(self.embedder.dims, self._prepared)
        self._store = DirectStore(self.conn, index=index)
        self._store.lock = self.lock

    async def get(self, building_id: str, kind: Kind, keys: Sequence[str]) -> list[JsonObject | None]:
        """The recollections of these keys, in their order."""
        prefix = ".".join(_namespace(building_id, kind))
        async with self.lock:
            rows = await (await self.conn.execute(BY_KEY, (prefix, list(keys)))).fetchall()
        found = {row["key"]: row["value"] for row in rows}
        return [found.get(key) for key in keys]

    async def put(self, building_id: str, kind: Kind, recollections: dict[str, JsonObject], *, embed: bool) -> None:
        """Store recollections by key; a repeat overwrites. With `embed`, vectors are made of them and of some that
        have none yet; where they cannot be had, words still find everything."""
        if not recollections:
            return
        namespace = _namespace(building_id, kind)
        missing = await self._without_vector(namespace) if embed and self.embedder else {}
        texts = {**missing, **recollections}
        vectors = await self._embed([str(value["text"]) for value in texts.values()]) if embed else None
        if vectors is None:
            await self._store.abatch(
                [PutOp(namespace, key, value, index=False) for key, value in recollections.items()]
            )
            await self._forget_vectors(namespace, list(recollections))
            return
        self._prepared.vectors = dict(zip((str(value["text"]) for value in texts.values()), vectors, strict=True))
        await self._store.abatch([PutOp(namespace, key, value) for key, value in texts.items()])
        self._prepared.vectors = {}

    async def recall(self, building_id: str, kind: Kind, sought: Sought) -> list[dict[str, Any]]:
        """The recollections that fit best, best first: by words, and by vectors where texts can be embedded. Those of
        other buildings, which are looked at only where both share their memory, have `elsewhere`."""
        vectors = await self._embed([sought.query]) if self.embedder else None
        async with self.lock:
            prefixes = await _prefixes(self.conn, building_id, kind)
            found = [await by_words(self.conn, prefixes, sought)]
            if vectors:
                found.append(await self._by_vector(prefixes, sought, vectors[0]))
        return fused(found, prefixes[0], sought.limit)

    async def open_cases(self, building_id: str, item_id: str, before_seq: int) -> list[JsonObject]:
        """Episodes of a line whose outcome is not known."""
        prefix = ".".join(_namespace(building_id, "episodes"))
        async with self.lock:
            rows = await (await self.conn.execute(OPEN_CASES, (prefix, item_id, before_seq))).fetchall()
        return [row["value"] for row in rows]

    async def _embed(self, texts: list[str]) -> list[list[float]] | None:
        return None if self.embedder is None else await self.embedder.embed(texts)

    async def _without_vector(self, namespace: tuple[str, ...]) -> dict[str, JsonObject]:
        async with self.lock:
            cursor = await self.conn.execute(WITHOUT_VECTOR, (".".join(namespace), MOST_MISSING))
            return {row["key"]: row["value"] for row in await cursor.fetchall()}

    async def _forget_vectors(self, namespace: tuple[str, ...], keys: list[str]) -> None:
        """A vector of what the text was before would find it for what it no longer says."""
        if self.embedder is not None:
            async with self.lock:
                await self.conn.execute(FORGET_VECTOR, (".".join(namespace), keys))

    async def _by_vector(self, prefixes: list[str], sought: Sought, vector: list[float]) -> list[_Recalled]:
        query = VECTORS.format(type="vector" if len(vector) <= 2_000 else "halfvec")
        parameters = {"prefixes": prefixes, "vector": str(vector), "only": sought.only, "limit": CANDIDATES}
        return await select(self.conn, _Recalled, query.encode(), parameters)


async def similar_cases(conn: Connection, building_id: str, sought: Sought) -> list[dict[str, Any]]:
    """Settled cases that fit best, by words and what they have in common alone: for use within a transaction."""
    prefixes = await _prefixes(conn, building_id, "episodes")
    return fused([await by_words(conn, prefixes, sought)], prefixes[0], sought.limit)


async def by_words(conn: Connection, prefixes: list[str], sought: Sought) -> list[_Recalled]:
    parameters = {**vars(sought), "prefixes": prefixes, "most": CANDIDATES, "limit": CANDIDATES}
    return await select(conn, _Recalled, WORDS, parameters)


async def _prefixes(conn: Connection, building_id: str, kind: Kind) -> list[str]:
    """Where to look: in the building's own memory first, for episodes also in those that are shared with it."""
    own = [".".join(_namespace(building_id, kind))]
    if kind == "facts":
        return own
    rows = await (await conn.execute(SHARED, {"building_id": building_id})).fetchall()
    return own + [f"buildings.{row['thread_id']}.{kind}" for row in rows]


def fused(found: Sequence[Sequence[_Recalled]], own: str, limit: int) -> list[dict[str, Any]]:
    """One order out of several, by reciprocal ranks: being high in one counts more than being low in both."""
    scores: dict[tuple[str, str], float] = {}
    values: dict[tuple[str, str], dict[str, Any]] = {}
    for rows in found:
        for rank, row in enumerate(rows):
            name = (row.prefix, row.key)
            scores[name] = scores.get(name, 0) + 1 / (60 + rank)
            elsewhere: JsonObject = {"elsewhere": True} if row.prefix != own else {}
            values[name] = {**row.value, **elsewhere}
    return [values[name] for name in sorted(scores, key=lambda name: (-scores[name], name))[:limit]]


async def copy_memory(conn: Connection, source_id: str, target_id: str, upto_seq: int) -> None:
    """Give a building the long-term memory that another one had after an entry: for a fork, in its transaction."""
    names = {"source": str(thread_id_of(source_id)), "target": str(thread_id_of(target_id)), "upto": upto_seq}
    await conn.execute(COPY, names)


def _namespace(building_id: str, kind: Kind) -> tuple[str, ...]:
    return ("buildings", str(thread_id_of(building_id)), kind)
