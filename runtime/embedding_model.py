"""Vectors of texts by an embedding model behind any OpenAI-compatible server. Whatever it does, a call ends in time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from langchain_openai import OpenAIEmbeddings
from openai import OpenAIError
from pydantic import SecretStr

from runtime.settings import Settings
from storage.seldom import Seldom

log = structlog.get_logger()

TIME_S = 5.0
"""Most seconds for one call; what was meant to be found is found by words instead."""
PAUSE_S = 60.0
"""Seconds for which a server that failed is left alone: a hung one must not cost every event its time."""
MOST_CHARACTERS = 4_000
NONSENSE = (ValueError, TypeError, LookupError, AttributeError)
"""What LangChain's client raises on an answer of another shape."""


@dataclass
class EmbeddingModel:
    """The model that the settings name: `storage.long_term.Embedder` over LangChain's client."""

    client: OpenAIEmbeddings
    name: str
    dims: int
    _failures: Seldom = field(default_factory=lambda: Seldom(PAUSE_S))

    async def embed(self, texts: Sequence[str]) -> list[list[float]] | None:
        """One vector for each text; None where the server has none of the right length in time."""
        if self._failures.is_quiet():
            return None
        try:
            async with asyncio.timeout(TIME_S):
                vectors = await self.client.aembed_documents([text[:MOST_CHARACTERS] for text in texts])
        except (OpenAIError, TimeoutError, *NONSENSE) as error:
            self._failed(type(error).__name__)
            return None
        if [len(vector) for vector in vectors] != [self.dims] * len(texts):
            self._failed(f"not {self.dims} dimensions: LONGLEAD_EMBEDDING_DIMS must be the model's")
            return None
        return vectors

    def _failed(self, why: str) -> None:
        """Never the library's own words: they may quote addresses and keys."""
        log.warning("no embeddings: memory is searched by words", model=self.name, why=why)
        self._failures.keep_quiet()


def embedding_model(settings: Settings) -> EmbeddingModel:
    client = OpenAIEmbeddings(
        model=settings.embedding_model,
        openai_api_key=SecretStr(settings.openai_api_key.get_secret_value() or "none"),
        openai_api_base=settings.openai_base_url or None,
        request_timeout=TIME_S,
        max_retries=0,
        check_embedding_ctx_length=False,  # it would download a tokenizer
    )
    return EmbeddingModel(client, settings.embedding_model, settings.embedding_dims)
