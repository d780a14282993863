"""Playing a scenario: every step through the API's own door, the agent run over it, and all that came of it seen."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from domain.errors import LongleadError
from domain.plain_json import JsonObject
from domain.procurement import Item
from domain.rules import full_id
from evals.observed import Observed, Watch
from evals.on_file import (
    APPROVALS,
    DELEGATIONS,
    FLAGS,
    ITEMS,
    ORDER_LINES,
    ORDERS,
    RULES,
    ApprovalImage,
    FlagImage,
    Image,
    ImageKind,
    OrderLineImage,
)
from evals.passing import next_due, tick
from evals.recorded_models import lay_out
from evals.scenario import Answer, Overruling, Revoking, Scenario, Step
from evals.site import RESPONDERS, Site
from evals.teaching import teach
from runtime.drain import Ended
from storage import inbox
from storage.connection import Connection

UNCHECKED_SOURCE = "older-version"
BACKING_OFF = "SELECT min(not_before) AS due FROM events WHERE building_id = %s AND status = 'queued'"


class PlayStoppedError(LongleadError):
    """A scenario cannot be played on: what a step needs is not there. The message says what."""

    title = "The scenario stopped"


@dataclass
class Played:
    """A step, and everything that it brought about."""

    step: Step
    number: int | None
    """From 1; None for what was given."""
    observed: Observed = field(default_factory=Observed)


@dataclass
class Ending:
    """What the building looks like in the end."""

    lines: dict[str, str]
    """Status of each line that was not removed."""
    orders: dict[str, list[OrderLineImage]]
    """The lines of every order, by its number."""
    flags: list[FlagImage]


class Player:
    """Plays one scenario on a connection of its own. In a task of its own: the clock is the task's."""

    def __init__(self, site: Site, conn: Connection, scenario: Scenario) -> None:
        self._site, self._conn, self._scenario = site, conn, scenario
        self._building_id, self._zone = scenario.spec.building_id, scenario.zone
        self._agent = site.plain if scenario.models is None else site.reading
        self._watch = Watch(conn, self._building_id)
        self._numbers = 0

    async def open(self) -> None:
        """Create the building, at the moment of the first step.

        Raises:
            PlayStoppedError: the API refuses it.
        """
        self._set((self._scenario.given or self._scenario.steps)[0].moment)
        refusal = await self._send("/buildings", self._scenario.building)
        if refusal is not None:
            raise PlayStoppedError(f"The building is refused with {refusal[0]}: {refusal[1]}")
        await teach(self._conn, self._building_id, self._scenario.rules, self._site.clock.now())
        for delegation in self._scenario.delegations:
            refusal = await self._send("/delegations", {"building_id": self._building_id, **delegation})
            if refusal is not None:
                raise PlayStoppedError(f"A delegation is refused with {refusal[0]}: {refusal[1]}")
        lay_out((self._scenario.models or []) if self._site.recorded else [])
        await self._watch.look()

    async def play(self, step: Step, number: int | None) -> Played:
        """One step to its end.

        Raises:
            PlayStoppedError: it answers a question that was never asked.
        """
        played = Played(step, number)
        self._numbers += 1
        refusal = None
        if step.until is not None:
            await self._pass(step.moment)
        else:
            self._set(step.moment)
            refusal = await self._hand_in(step)
            if not step.queued:
                await self._run()
        if not step.queued:
            played.observed = await self._watch.look()
        played.observed.refusal = refusal
        return played

    def ending(self) -> Ending:
        """The building as it stands."""
        lines = self._watch.rows(ITEMS)
        orders: dict[str, list[OrderLineImage]] = {row["number"]: [] for row in self._watch.rows(ORDERS)}
        for line in self._watch.rows(ORDER_LINES):
            orders[line["number"]].append(line)
        standing = [Item.model_validate(line) for line in lines if not line["removed"]]
        return Ending({item.item_id: item.status for item in standing}, orders, self._watch.rows(FLAGS))

    @property
    def building_id(self) -> str:
        return self._building_id

    @property
    def local_time(self) -> datetime:
        """The scenario's moment on the building's own clock, without an offset."""
        return self._site.clock.now().astimezone(self._zone).replace(tzinfo=None)

    def read_rows(self, kind: ImageKind[Image]) -> list[Image]:
        """The rows of a table of the building, as the last step left them."""
        return self._watch.rows(kind)

    async def look(self) -> Observed:
        """What has happened since the last step or look."""
        return await self._watch.look()

    async def read(self, path: str) -> JsonValue:
        """What the API says to a person at this address; None where there is nothing."""
        headers = {"Authorization": f"Bearer {RESPONDERS['human'].key}"}
        response = await self._agent.client.get(path, headers=headers)
        found: JsonValue = response.json() if response.is_success else None
        return found

    async def decide(self, approval_id: str, body: JsonObject) -> tuple[int, str] | None:
        """Answer a question as a person; status and detail where that is refused. The agent is not run."""
        return await self._send(f"/approvals/{approval_id}/decision", body)

    async def run_agent(self) -> None:
        """Run the agent until nothing is left to do."""
        await self._run()

    def _set(self, local: datetime) -> None:
        """Move the clock; where failing again and again has moved it further, it stays there."""
        moment = local.replace(tzinfo=self._zone).astimezone(UTC)
        self._site.clock.set(max(moment, self._site.clock.now()) if self._numbers > 1 else moment)

    async def _hand_in(self, step: Step) -> tuple[int, str] | None:
        if step.answer is not None:
            return await self._answer(step.answer)
        if step.delegate is not None:
            return await self._send("/delegations", {"building_id": self._building_id, **step.delegate})
        if step.overrule is not None:
            return await self._overrule(step.overrule)
        if step.edit_rule is not None:
            path = f"/rules/{self._rule(step.edit_rule.rule)}"
            return await self._send(path, step.edit_rule.body(), method="PATCH")
        if step.revoke is not None:
            return await self._revoke(step.revoke)
        if step.change is not None:
            return await self._send(f"/buildings/{self._building_id}", step.change, method="PATCH")
        if step.add_vendor is not None:
            added = step.add_vendor.model_dump(mode="json")
            return await self._send(f"/buildings/{self._building_id}/vendors", added)
        if step.change_vendor is not None:
            path = f"/buildings/{self._building_id}/vendors/{step.change_vendor.vendor_id}"
            return await self._send(path, step.change_vendor.body(), method="PATCH")
        event = {"event_id": f"step-{self._numbers}", "source": "scenario", **step.body}
        if step.unchecked:
            await self._store(event)
            return None
        return await self._send(f"/buildings/{self._building_id}/events", event)

    async def _store(self, event: JsonObject) -> None:
        """Past the API's check."""
        event_id, event_type = str(event.pop("event_id")), str(event["event_type"])
        event.pop("source")
        await inbox.accept(
            self._conn,
            self._building_id,
            source=UNCHECKED_SOURCE,
            event_id=event_id,
            event_type=event_type,
            body=event,
            now=self._site.clock.now(),
        )

    async def _answer(self, answer: Answer) -> tuple[int, str] | None:
        asked = self._asked(answer)
        body: JsonObject = {"version": asked["version"], **answer.body()}
        key = RESPONDERS[answer.by].key
        return await self._send(f"/approvals/{asked['approval_id']}/decision", body, key)

    async def _overrule(self, overruling: Overruling) -> tuple[int, str] | None:
        return await self._send(f"/rules/{self._rule(overruling.rule)}/overrule", overruling.body())

    def _rule(self, title: str) -> str:
        """The id of the rule with this title."""
        rule = next((row for row in self._watch.rows(RULES) if row["title"] == title), None)
        if rule is None:
            known = ", ".join(repr(row["title"]) for row in self._watch.rows(RULES)) or "none"
            raise PlayStoppedError(f"There is no rule {title!r} here; there are: {known}.")
        return full_id(self._building_id, rule["rule_id"])

    async def _revoke(self, wanted: Revoking) -> tuple[int, str] | None:
        standing = [row for row in self._watch.rows(DELEGATIONS) if wanted.fits(row)]
        if not standing:
            raise PlayStoppedError(f"There is no delegation for {wanted.kind} that could be revoked.")
        name = full_id(self._building_id, standing[-1]["delegation_id"])
        return await self._send(f"/delegations/{name}", None, method="DELETE")

    def _asked(self, answer: Answer) -> ApprovalImage:
        """The question that is answered: the pending one; else the last, which then takes no further answer."""
        item = None if answer.item is None else self._scenario.line(answer.item)
        rows = [row for row in self._watch.rows(APPROVALS) if row["kind"] == answer.kind]
        rows = [row for row in rows if item is None or row["item_id"] == item]
        rows = [row for row in rows if answer.matter in (None, row["matter"])]
        if not rows:
            about = "".join(f" on {one}" for one in (item, answer.matter) if one)
            raise PlayStoppedError(f"There is no question {answer.kind}{about} that could be answered.")
        return max(rows, key=lambda row: (row["status"] == "pending", row["raised_seq"]))

    async def _send(
        self, path: str, body: JsonObject | None, key: str | None = None, method: str = "POST"
    ) -> tuple[int, str] | None:
        """Send it; status and detail where it is refused."""
        headers = {"Authorization": f"Bearer {key or RESPONDERS['human'].key}"}
        response = await self._agent.client.request(method, path, json=body, headers=headers)
        if response.is_success:
            return None
        return response.status_code, str(response.json().get("detail", response.text))

    async def _run(self) -> None:
        """Run the agent until nothing is left; what fails is tried again when it is due, as the service does."""
        while True:
            ended = await self._agent.drainer.drain(self._building_id)
            if ended is Ended.EMPTY:
                return
            if ended is Ended.BACKING_OFF:
                row = await (await self._conn.execute(BACKING_OFF, (self._building_id,))).fetchone()
                if row is not None and row["due"] is not None:
                    self._site.clock.set(max(row["due"], self._site.clock.now()))

    async def _pass(self, until: datetime) -> None:
        """From one due moment to the next, as a service that never sleeps would notice them."""
        end = until.replace(tzinfo=self._zone).astimezone(UTC)
        while True:
            now = self._site.clock.now()
            if await tick(self._conn, self._building_id, now):
                await self._run()
                continue
            if now >= end:
                return
            due = await next_due(self._conn, self._building_id, self._zone, now)
            self._site.clock.set(end if due is None or due > end else due)
