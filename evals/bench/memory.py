"""What an event costs in tokens: nothing where it is typed; where a model is needed, no more at the end of a building's
life than at its beginning; and each message summarised at most once."""

import asyncio
import re
from collections import Counter

from domain.buildings import BuildingSpec
from domain.events import EVENT, body_of
from domain.tokens import count_tokens
from evals.bench.correspondence import Shorthand, entry, remember, write
from evals.bench.mix import building, story
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench
from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import Slot, SlotPool, open_slot
from storage import buildings, inbox
from storage.database import connect
from tools.memory import memory_layers
from tools.prompts import assemble
from tools.summaries import compact, is_due

YOUNG = 50
EVERY = 10
"""Of so many letters one makes the agent look at how much there is."""


_LETTER = re.compile(r"Letter \d+:")


async def run(bench: Bench, tell: Tell, *, age: int = 5000, lines: int = 5) -> Result:
    """Give a building the correspondence of `age` entries, and send a young one the typed events of `lines` lines."""
    result = Result("memory")
    async with bench.database() as conninfo:
        events, calls = await typed_events(conninfo, lines)
        result.add(f"calls of models for {events} typed events", calls, "", Aim("<=", 0))
        model = Shorthand()
        slot = await open_slot(conninfo, SystemClock(), "bench slot", model)
        try:
            lengths, late = await grow(slot, age, tell)
        finally:
            await slot.conn.close()
    seen = Counter(letter for prompt in model.prompts for letter in _LETTER.findall(prompt))
    young, old = max(lengths[:20]), max(lengths[20:])
    result.add(f"tokens of a prompt at event {YOUNG}, longest of 20", young, "tokens")
    result.add(f"tokens of a prompt at event {age:,}, longest of 20", old, "tokens")
    result.add(f"event {age:,} / event {YOUNG}", old / young, "x", Aim("<=", 1.01))
    result.add("compactions", late, "")
    result.add("calls of the summariser", len(model.prompts), "", Aim("<=", late))
    result.add("most often that a message was summarised", max(seen.values(), default=0), "", Aim("<=", 1))
    result.details.update(lengths=lengths, summarised=len(seen))
    return result


async def grow(slot: Slot, age: int, tell: Tell, repeats: int = 85) -> tuple[list[int], int]:
    """Let the correspondence come in. The lengths of the prompts at the last 20 entries up to event 50 and up to the
    end, and how many compactions there were."""
    await write(slot.conn, age, repeats)
    await remember(slot.toolbox.memory, 1, YOUNG)
    lengths, compactions = [], 0
    for seq in range(1, age + 1):
        if seq in (*range(YOUNG - 19, YOUNG + 1), *range(age - 19, age + 1)):
            lengths.append(await prompt_tokens(slot, seq))
        if seq % EVERY == 0 and await is_due(slot.toolbox, entry(seq)):
            compactions += await compact(slot.toolbox, entry(seq)) is not None
        if seq == YOUNG:
            await remember(slot.toolbox.memory, YOUNG, age)
        if seq % 500 == 0:
            tell(f"memory: letter {seq} of {age}")
    return lengths, compactions


async def prompt_tokens(slot: Slot, seq: int) -> int:
    """The tokens of what the adviser is shown about a line of the building: all layers of memory."""
    toolbox = slot.toolbox
    sought = "Line 001 failed inspection. Is the crane booked?"
    layers = await memory_layers(toolbox, entry(seq), "line-001", sought=sought, but="schedule_conflict")
    return count_tokens(assemble(layers, toolbox.budgets.total))


async def typed_events(conninfo: str, lines: int) -> tuple[int, int]:
    """Send the typed events of some lines to an agent that has a model; how many there were, and how often it asked."""
    model, clock = Shorthand(), SystemClock()
    slots = SlotPool(conninfo, clock, 1, "bench slot", model)
    drainer = Drainer(Settings(), clock, slots, asyncio.Event())
    events = [event for event in story(lines) if event["event_type"] != "Human_Input"]
    async with await connect(conninfo, application_name="bench") as conn:
        await buildings.create(conn, BuildingSpec.model_validate(building("typed", lines)), clock.now())
        for event in events:
            await inbox.accept(
                conn,
                "typed",
                source="bench",
                event_id=str(event["event_id"]),
                event_type=str(event["event_type"]),
                body=body_of(EVENT.validate_python(event)),
                now=clock.now(),
            )
            await drainer.drain("typed")
    await slots.close()
    return len(events), len(model.prompts)
