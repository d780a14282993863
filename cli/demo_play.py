"""Playing a story over HTTP: every step is posted and waited for, and what came of it is read back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from cli import answers
from domain.errors import LongleadError
from domain.plain_json import JsonObject
from evals.scenario import Answer, Scenario, Step

PATIENCE_S = 30
"""How long a step may take until it is processed."""
DECISION_SOURCE = "longlead.decision"


class StoryStoppedError(LongleadError):
    """The service did not take a step of the story. The message says which, and what it answered."""

    title = "The story stopped"


@dataclass
class Played:
    """A step of the story, and what came of it."""

    number: int
    step: Step
    item_id: str | None
    line: answers.ItemJson | None = None
    """The line of the procurement log as it stands afterwards."""
    note: str = ""
    actions: list[answers.ActionJson] = field(default_factory=list)
    """The ledger's entries that it caused, in order."""
    decisions: list[answers.DecisionJson] = field(default_factory=list)
    """What the decision log says of it, with reasons."""
    raised: list[answers.ApprovalJson] = field(default_factory=list)
    """Questions that it raised."""
    answered: answers.ApprovalJson | None = None
    """The question that it answered, as it was asked."""


@dataclass
class Ending:
    """What the building looks like in the end."""

    lines: list[answers.ItemJson]
    orders: list[answers.OrderJson]
    shipments: list[answers.ShipmentJson]
    flags: list[answers.FlagJson]
    events: list[answers.EventJson]
    pending: list[answers.ApprovalJson]


class Player:
    """Plays one story against a service."""

    def __init__(self, client: httpx.Client, story: Scenario) -> None:
        self._client, self._story = client, story
        self._building = f"/buildings/{story.spec.building_id}"
        self._known: set[str] = set()

    def open(self) -> None:
        """Create the building."""
        self._call("POST", "/buildings", self._story.building)

    def play(self) -> Iterator[Played]:
        """Every step in its order, each when it is done with.

        Raises:
            StoryStoppedError: the service refused a step, or did not process it in time.
        """
        for number, step in enumerate(self._story.steps, 1):
            played = self._report(number, step) if step.event else self._decide(number, step)
            pending: list[answers.ApprovalJson] = self._all(
                "/approvals", building_id=self._story.spec.building_id, status="pending"
            )
            played.raised = [approval for approval in pending if approval["approval_id"] not in self._known]
            self._known |= {approval["approval_id"] for approval in pending}
            played.line = _answered(self._client.get(f"{self._building}/items/{played.item_id}"))
            yield played

    def ending(self) -> Ending:
        """The building as it stands."""
        return Ending(
            lines=self._all(f"{self._building}/items"),
            orders=self._all(f"{self._building}/purchase-orders"),
            shipments=self._all(f"{self._building}/shipments"),
            flags=self._all(f"{self._building}/flags"),
            events=self._all(f"{self._building}/events"),
            pending=self._all("/approvals", building_id=self._story.spec.building_id, status="pending"),
        )

    def _report(self, number: int, step: Step) -> Played:
        event: JsonObject = {
            "event_id": f"step-{number:02d}",
            "source": "story",
            "occurred_at": step.moment.isoformat(),
            **step.body,
        }
        done: answers.EventJson = self._call("POST", f"{self._building}/events", event)
        if done["status"] != "done":
            raise StoryStoppedError(f"Step {number} is {done['status']} after {PATIENCE_S} s: {done.get('error')}")
        note = str((done["outcome"] or {})["note"])
        played = Played(number, step, self._story.item_id(str(event["item"])), note=note)
        self._read_records(played, str(event["event_id"]), str(event["source"]))
        return played

    def _decide(self, number: int, step: Step) -> Played:
        answer = _answer(step)
        asked = self._asked(number, answer)
        body = answer.body() | {"version": asked["version"], "occurred_at": step.moment.isoformat()}
        key = {"Idempotency-Key": str(uuid4())}
        done: answers.AcceptedDecisionJson = self._call(
            "POST", f"/approvals/{asked['approval_id']}/decision", body, key
        )
        if done["status"] != "applied":
            raise StoryStoppedError(f"The answer of step {number} is {done['status']} after {PATIENCE_S} s.")
        played = Played(number, step, asked["item_id"], note=f"decision {done['status']}", answered=asked)
        self._read_records(played, done["event_id"], DECISION_SOURCE)
        return played

    def _asked(self, number: int, answer: Answer) -> answers.ApprovalJson:
        pending: list[answers.ApprovalJson] = self._all(
            "/approvals", building_id=self._story.spec.building_id, status="pending"
        )
        found = [one for one in pending if (one["kind"], one["item_id"]) == (answer.kind, answer.item)]
        if len(found) != 1:
            open_ = ", ".join(f"{one['kind']} on {one['item_id']}" for one in pending) or "none"
            raise StoryStoppedError(
                f"Step {number} answers {answer.kind} on {answer.item}, but the open questions are: {open_}."
            )
        return found[0]

    def _read_records(self, played: Played, event_id: str, source: str) -> None:
        played.actions = self._all(f"{self._building}/actions", event_id=event_id, source=source)
        played.decisions = self._all(f"{self._building}/decisions", event_id=event_id, source=source)

    def _call(self, method: str, path: str, body: JsonObject, headers: dict[str, str] | None = None) -> Any:
        wanted = {"Prefer": f"wait={PATIENCE_S}", **(headers or {})}
        return _answered(self._client.request(method, path, json=body, headers=wanted))

    def _all(self, path: str, **parameters: str) -> list[Any]:
        """Every row of a list, page by page."""
        rows: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = _answered(self._client.get(path, params={**parameters, "limit": "500", **cursor}))
            rows += page["data"]
            if page["next_cursor"] is None:
                return rows
            cursor = {"cursor": page["next_cursor"]}


def _answer(step: Step) -> Answer:
    if step.answer is None:
        raise LookupError("the step is an event")
    return step.answer


def _answered(response: httpx.Response) -> Any:
    if not response.is_success:
        request = response.request
        raise StoryStoppedError(f"{request.method} {request.url.path}: {response.status_code} {response.text}")
    return response.json()
