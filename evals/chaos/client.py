"""Clients of the service: they send until they are answered, some of it twice, and note what they are told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NotRequired, TypedDict
from urllib.parse import quote

import httpx

from evals.chaos.record import Body, Record, SentAnswer, SentEvent

TWICE = 0.1
"""Share of posts that are sent twice at the same time, maybe to two APIs."""
RIVALS = 0.15
"""Share of questions that two people answer at the same moment."""
PAUSE_S = 0.1


class Taken(TypedDict):
    """What the service says of an event or an answer that it takes."""

    seq: int
    event_id: str


class ShownQuestion(TypedDict):
    """A question as the service lists it."""

    approval_id: str
    building_id: str
    version: int
    item_id: NotRequired[str | None]
    recommended: NotRequired[Body | None]


class Dead(TypedDict):
    """An event that was given up."""

    event_id: str
    source: str


@dataclass
class Client:
    """Sends to any of the APIs, and again until there is an answer."""

    ports: Sequence[int]
    record: Record
    chance: Random
    http: httpx.AsyncClient

    async def create(self, spec: Body) -> None:
        """Create a building: 201, or the same content again."""
        status, answer = await self._until_answered("POST", "/buildings", spec)
        if status not in (200, 201):
            raise RuntimeError(f"the building was answered {status}: {answer}")

    async def post(self, sent: SentEvent, event: Body) -> None:
        """Send an event until it is answered; sometimes twice at once."""
        self.record.events.append(sent)
        copies = 2 if self.chance.random() < TWICE else 1
        await asyncio.gather(*(self._post(sent, event) for _ in range(copies)))
        if len(sent.seqs) != 1 or sent.created > 1:
            self.record.complaints.append(f"{sent}: one event, and it was told these numbers")

    async def _post(self, sent: SentEvent, event: Body) -> None:
        status, answer = await self._until_answered("POST", f"/buildings/{sent.building}/events", event)
        sent.posts += 1
        if status not in (200, 202):
            self.record.complaints.append(f"{sent.building} {event} was answered {status}: {answer}")
            return
        taken: Taken = answer
        sent.seqs.add(taken["seq"])
        sent.created += status == 202

    async def pending(self) -> list[ShownQuestion]:
        """A page of open questions."""
        status, answer = await self._until_answered("GET", "/approvals?status=pending&limit=200")
        if status != 200:
            self.record.complaints.append(f"GET /approvals was answered {status}: {answer}")
            return []
        found: list[ShownQuestion] = answer["data"]
        for asked in found:
            known = self.record.seen.get(asked["approval_id"], 0)
            self.record.seen[asked["approval_id"]] = max(known, asked["version"])
        return found

    async def answer(self, asked: ShownQuestion, number: int) -> None:
        """Answer a question as a person would; sometimes two do at the same moment, and one of them is first."""
        rivals = 2 if self.chance.random() < RIVALS else 1
        await asyncio.gather(*(self._answer(asked, f"{number}-{rival}") for rival in range(rivals)))

    async def _answer(self, asked: ShownQuestion, key: str) -> None:
        body, fragile = self._decision(asked)
        sent = SentAnswer(key, asked["building_id"], asked["approval_id"], asked["version"], str(body["type"]), fragile)
        self.record.answers.append(sent)
        path = f"/approvals/{asked['approval_id']}/decision"
        copies = 2 if self.chance.random() < TWICE else 1
        headers = {"Idempotency-Key": key}
        told = await asyncio.gather(*(self._until_answered("POST", path, body, headers) for _ in range(copies)))
        impossible = False
        for status, answer in told:
            if status in (200, 202):
                taken: Taken = answer
                sent.seqs.add(taken["seq"])
                sent.event_ids.add(taken["event_id"])
            elif status == 409:
                sent.refused = True
            elif status == 422 and fragile:
                impossible = True  # nothing was stored; a copy that came later may have been possible
            else:
                self.record.complaints.append(f"{sent}: {body} was answered {status}: {answer}")
        sent.refused = sent.refused or (impossible and not sent.seqs)
        if len(sent.seqs) > 1 or (sent.accepted and sent.refused):
            self.record.complaints.append(f"{sent}: one answer, and it was told both")

    def _decision(self, asked: ShownQuestion) -> tuple[Body, bool]:
        """Mostly what is recommended, sometimes no, sometimes what may be impossible by then."""
        kind, item = self.chance.random(), asked.get("item_id")
        said: Body = {"version": asked["version"]}
        if kind < 0.1 and item:
            cancel: Body = {"name": "cancel_purchase_order", "arguments": {"item": item, "reason": "not needed"}}
            return {**said, "type": "edit", "actions": [cancel]}, True
        if kind < 0.3 or not asked.get("recommended"):
            return {**said, "type": "reject", "message": "Another way, please."}, False
        if kind < 0.4:
            return {**said, "type": "respond", "message": self.chance.choice(("Yes, please!", "No."))}, False
        return {**said, "type": "approve"}, False

    async def retry_dead(self, building: str) -> None:
        """Replay the dead events of a building, as an operator who believes that they are mended."""
        status, answer = await self._until_answered("GET", f"/buildings/{building}/events?status=dead")
        dead: list[Dead] = answer["data"] if status == 200 else []
        for event in dead:
            path = f"/buildings/{building}/events/{quote(event['event_id'], safe='')}/retry"
            status, told = await self._until_answered("POST", f"{path}?source={quote(event['source'])}")
            if status not in (202, 409):
                self.record.complaints.append(f"POST {path} was answered {status}: {told}")

    async def _until_answered(
        self, method: str, path: str, body: Body | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send the same again until there is an answer that is not "not now"."""
        while True:
            url = f"http://127.0.0.1:{self.chance.choice(self.ports)}{path}"
            try:
                response = await self.http.request(method, url, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_S * self.chance.uniform(0.5, 2))
                continue
            if response.status_code == 503:
                if "retry-after" not in response.headers:
                    self.record.complaints.append(f"{method} {path}: 503 without Retry-After")
                await asyncio.sleep(PAUSE_S * self.chance.uniform(1, 4))
                continue
            return response.status_code, response.json()
