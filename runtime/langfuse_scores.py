"""Scores for Langfuse, sent in the background: what people made of what was recommended."""

import queue
import threading
from base64 import b64encode
from typing import TypedDict

import httpx

from runtime.otlp import Complaints
from runtime.redaction import Redaction
from runtime.settings import Settings

TIMEOUT_S = 5.0
MAX_SCORES = 1_000
"""Scores that wait for the server; what does not fit is dropped."""


class Score(TypedDict):
    """A score as Langfuse's `POST /api/public/scores` takes it."""

    id: str
    traceId: str
    name: str
    value: float
    dataType: str
    comment: str | None
    metadata: dict[str, str]


class ScoreSender:
    """A bounded queue, and a daemon thread that empties it."""

    def __init__(self, settings: Settings, hide: Redaction) -> None:
        base = settings.langfuse_base_url.rstrip("/")
        pair = f"{settings.langfuse_public_key}:{settings.langfuse_secret_key.get_secret_value()}"
        self._url = f"{base}/api/public/scores"
        self._headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        self._complaints = Complaints(f"Langfuse's scores at {base}", hide)
        self._waiting: queue.Queue[Score | None] = queue.Queue(MAX_SCORES)
        self._thread = threading.Thread(target=self._send_all, name="langfuse scores", daemon=True)
        self._thread.start()

    def add(self, score: Score) -> None:
        """Queue a score, or drop it where the queue is full; it never waits."""
        try:
            self._waiting.put_nowait(score)
        except queue.Full:
            self._complaints.say("the queue is full")

    def close(self) -> None:
        """Wait until what is queued was tried once. Only for a thread that may wait."""
        self._waiting.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        with httpx.Client(timeout=TIMEOUT_S, headers=self._headers) as client:
            while (score := self._waiting.get()) is not None:
                self._send(client, score)

    def _send(self, client: httpx.Client, score: Score) -> None:
        try:
            client.post(self._url, json=[score]).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._complaints.say(f"{type(error).__name__}: {error}")
