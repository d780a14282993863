"""Backtests: what would have come out differently, had these settings stood from the beginning?

The recorded history of each building is run again on a sandbox of its own (runtime/replay.py), in parallel lanes with
a connection and a clock each. A sandbox without a difference is deleted at the end; the others stay, to be looked at.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic

from pydantic import JsonValue

from domain.buildings import BuildingPatch
from domain.comparison import in_words
from domain.errors import ConflictError, LongleadError
from domain.own_ids import without_owner
from domain.plain_json import JsonObject, PlainAction
from domain.rules import Delegation, Rule
from graph.forking import fork
from runtime.clock import Clock
from runtime.drain import Drainer
from runtime.models import budget_of
from runtime.recorded_models import RecordedModels
from runtime.replay import WHO, AskedDifferently, RecordedClock, Replay
from runtime.settings import Settings
from runtime.slots import Slot, SlotPool
from storage import buildings, forks, replays
from storage.audit import Signature
from storage.connection import Connection
from storage.forks import Fork
from storage.outcomes import Outcome, outcomes
from storage.replays import Record
from storage.transaction import building_transaction
from tools.models import ModelAccess
from tools.prompts import Budgets

LIVE = "SELECT building_id FROM buildings WHERE mode = 'live' ORDER BY building_id"
COUNT = "SELECT count(*) AS entries FROM events WHERE building_id = ANY(%s) AND status IN ('done', 'dead')"

# Whatever of a sandbox a crash of the server would take away is run again with the backtest. The commit that keeps one
# waits for the disk, for itself and for all before it.
UNHURRIED = "SET synchronous_commit = off"
SURE = "RESET synchronous_commit"

Tell = Callable[[int, int], None]
"""Hears how many entries and how many buildings are done since it last heard."""


@dataclass(frozen=True)
class Trial:
    """What is tried."""

    policy: JsonObject = field(default_factory=dict)
    """Fields of the policy that stand from the beginning, whatever people changed later."""
    rules: Sequence[Rule] = ()
    delegations: Sequence[Delegation] = ()
    models: ModelAccess | None = None
    """Models that are asked anew; None: what they said then is said again."""


@dataclass(frozen=True)
class Different:
    """An entry of which something else comes."""

    seq: int
    event_type: str
    event_id: str
    item: str | None
    was: list[str]
    now: list[str]


@dataclass
class Backtested:
    """One building, run again."""

    building_id: str
    entries: int = 0
    differences: list[Different] = field(default_factory=list)
    fork_id: str | None = None
    """The sandbox with the differences."""
    error: str | None = None
    remarks: list[str] = field(default_factory=list)
    """What of its past could not be done again, and why."""


@dataclass
class Report:
    """All buildings, run again."""

    buildings: list[Backtested]
    seconds: float

    @property
    def entries(self) -> int:
        return sum(building.entries for building in self.buildings)

    @property
    def differences(self) -> int:
        return sum(len(building.differences) for building in self.buildings)

    @property
    def per_second(self) -> float:
        return self.entries / self.seconds if self.seconds else 0.0


@dataclass
class Backtest:
    """A trial over many buildings."""

    conninfo: str
    settings: Settings
    clock: Clock
    """Wall time: when the sandboxes were made."""
    trial: Trial
    lanes: int = 8
    tell: Tell = lambda entries, buildings: None

    async def run(self, building_ids: Sequence[str]) -> Report:
        """Run all of them again, several at a time. One that cannot be run is reported, and the others go on."""
        started, waiting = monotonic(), list(reversed(building_ids))
        done: list[Backtested] = []
        async with asyncio.TaskGroup() as tasks:
            for number in range(min(self.lanes, len(waiting))):
                tasks.create_task(self._lane(number, waiting, done))
        places = {building_id: place for place, building_id in enumerate(building_ids)}
        return Report(sorted(done, key=lambda one: places[one.building_id]), monotonic() - started)

    async def _lane(self, number: int, waiting: list[str], done: list[Backtested]) -> None:
        clock = RecordedClock(datetime(2000, 1, 1, tzinfo=UTC))
        # Prompts are cut to the same length as the service's: else nothing that is asked was asked before.
        budgets = Budgets(self.settings.prompt_tokens)
        name = f"longlead backtest {number}"
        slots = SlotPool(self.conninfo, clock, 1, name, None, budget_of(self.settings), budgets)
        # What died on record dies at the first attempt: nothing is gained by trying it again at once.
        once = self.settings.model_copy(update={"event_attempts": 1, "event_outage_attempts": 1})
        drainer = Drainer(once, clock, slots, asyncio.Event())
        try:
            while waiting:
                result = Backtested(waiting.pop())
                try:
                    async with slots.slot() as slot:
                        await self._building(slot, drainer, clock, result)
                except LongleadError as error:
                    result.error = error.detail
                done.append(result)
                self.tell(0, 1)
        finally:
            await slots.close()

    async def _building(self, slot: Slot, drainer: Drainer, clock: RecordedClock, result: Backtested) -> None:
        conn, building_id = slot.conn, result.building_id
        await conn.execute(UNHURRIED)
        made = await fork(conn, building_id, before_event=1, signature=Signature(WHO, self.clock.now()), mode="replay")
        try:
            await self._set_up(conn, made)
            record = await replays.read(conn, building_id, made.moment.last_seq, made.moment.position)
            recorded = RecordedModels(record.answers)
            slot.toolbox.models = self.trial.models or (recorded if record.answers else None)
            policy = self.trial.policy
            replay = Replay(
                drainer, clock, record, made.fork_id, policy, lambda n: self.tell(n, 0), begin=recorded.begin
            )
            await replay.run(slot)
            result.entries, result.remarks = len(record.entries), replay.remarks + _missed(recorded)
            if self.trial.models is not None:
                result.remarks += await _asked_anew(conn, made.fork_id)
            result.differences = await _differences(
                conn, record, made, replay.differently, any_model=self.trial.models is not None
            )
        finally:
            await self._tidy(conn, made, keep=bool(result.differences))
        result.fork_id = made.fork_id if result.differences else None

    async def _set_up(self, conn: Connection, made: Fork) -> None:
        trial = self.trial
        if trial.policy:
            await buildings.change(conn, made.fork_id, BuildingPatch(policy=dict(trial.policy)), WHO, self.clock.now())
        if trial.rules or trial.delegations:
            async with building_transaction(conn, made.fork_id, 0) as transaction:
                transaction.save(*trial.rules, *trial.delegations)

    async def _tidy(self, conn: Connection, made: Fork, *, keep: bool) -> None:
        if keep:
            await conn.execute(SURE)
            await forks.set_mode(conn, [made.fork_id], "sandbox")
        elif not conn.closed and not await forks.delete(conn, made.parent_id, made.fork_id):
            raise ConflictError(f"Sandbox {made.fork_id!r} is held by another process; delete it later.")


def _missed(models: RecordedModels) -> list[str]:
    if not models.missed:
        return []
    return [
        f"{models.missed} questions to models were not asked so when the record was made, and nobody answered them "
        "now; --model asks a model anew."
    ]


async def _asked_anew(conn: Connection, fork_id: str) -> list[str]:
    """How often the model under trial was asked, and what came of it: an unreachable one changes much."""
    rows = await (await conn.execute(CALLS, (fork_id,))).fetchall()
    came = ", ".join(f"{row['calls']} {row['outcome'].replace('_', ' ')}" for row in rows)
    return [f"The model was asked {sum(row['calls'] for row in rows)} times: {came}." if rows else NOT_ASKED]


CALLS = """
SELECT outcome, count(*) AS calls FROM model_calls WHERE building_id = %s GROUP BY outcome ORDER BY outcome"""
NOT_ASKED = "Nothing in its history asks a model."


async def live_buildings(conn: Connection) -> list[str]:
    """All of them, by id."""
    return [row["building_id"] for row in await (await conn.execute(LIVE)).fetchall()]


async def count_entries(conn: Connection, building_ids: Sequence[str]) -> int:
    """How many entries are on record of these buildings."""
    row = await (await conn.execute(COUNT, (list(building_ids),))).fetchone()
    return 0 if row is None else int(row["entries"])


async def _differences(
    conn: Connection, record: Record, made: Fork, differently: list[AskedDifferently], *, any_model: bool
) -> list[Different]:
    """The entries of which something else came, in order."""
    point = (made.moment.last_seq, made.moment.position)
    was, now = [
        _by_entry(await outcomes(conn, one, *point), one, any_model=any_model)
        for one in (record.building_id, made.fork_id)
    ]
    asked = {one.seq: one for one in differently}
    found = []
    entries = {entry.seq: entry for entry in record.entries}
    for seq in sorted({*was, *now}):
        gone, new = was.get(seq, Counter()) - now.get(seq, Counter()), now.get(seq, Counter()) - was.get(seq, Counter())
        if not gone and not new:
            continue
        entry = entries.get(seq)
        instead = [_asked_differently(asked[seq])] if seq in asked else []
        found.append(
            Different(
                seq,
                entry.event_type if entry else "entered by the sandbox",
                entry.event_id if entry else "",
                _item(entry.body if entry else {}),
                sorted(gone.elements()),
                instead + sorted(new.elements()),
            )
        )
    return found


def _item(body: JsonObject) -> str | None:
    item = body.get("item")
    return item if isinstance(item, str) else None


def _by_entry(found: Sequence[Outcome], building_id: str, *, any_model: bool) -> dict[int, Counter[str]]:
    """In words, whichever building's ids they name; with `any_model` also whichever model says so."""
    neutral = without_owner(building_id)
    by_entry: dict[int, Counter[str]] = {}
    for one in found:
        by_entry.setdefault(one.seq, Counter())[
            neutral(_in_words(replace(one, by="a model") if any_model and one.by_model else one))
        ] += 1
    return by_entry


def _in_words(one: Outcome) -> str:
    """All of an outcome in one line: what is not in it is not compared."""
    about = f"{one.kind}" + (f" ({one.item_id})" if one.item_id else "")
    actions = "; ".join(_whole(action) for action in one.actions) or "nothing"
    if one.how == "asked":
        return f"asks {one.by or 'the project manager'} {about}: recommends {actions}"
    if one.how == "died":
        return "could not be processed"
    return f"{one.by} {'acts on' if one.type == 'act' else one.type} {about}: {actions}"


def _whole(action: PlainAction) -> str:
    given = ", ".join(f"{name}={_short(value)}" for name, value in sorted(action.get("arguments", {}).items()))
    return f"{action['name']}({given})"


def _short(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _asked_differently(one: AskedDifferently) -> str:
    """Why an answer on record was not given."""
    about = f"{one.asked.kind}" + (f" ({one.asked.item_id})" if one.asked.item_id else "")
    if one.standing is not None and one.standing.fingerprint == one.asked.fingerprint:
        instead = in_words(one.standing.recommended) or "nothing"
        return f"asked differently: {about} recommends {instead}, which nobody has refused on record"
    if one.standing is None:
        return f"asked differently: {about} is not asked, so the answer on record was not given"
    instead = in_words(one.standing.recommended) or "nothing"
    return f"asked differently: {about} rests on other facts (recommends {instead}): the answer on record was not given"
