"""A building with years of correspondence, written by SQL: letters, orders, shipments, documents, memories."""

from dataclasses import dataclass, field
from datetime import date

from domain.buildings import BuildingSpec
from domain.events import Entry
from domain.recollections import Episode, team_note
from evals.bench.mix import building
from runtime.clock import SystemClock
from storage import buildings
from storage.connection import Connection
from storage.long_term import LongTermMemory
from tools.models import Completion, ModelRequest, Output

BUILDING, LINES = "letters", 40

# One letter an entry, of some 900 tokens, and the agent's short answer to it.
LETTERS = """
INSERT INTO messages (building_id, message_id, item_id, direction, party, text, urgency, caused_seq)
SELECT %(building_id)s, 'M-' || seq || '-' || way, 'line-' || lpad((seq %% 40)::text, 3, '0'), way, 'Acme Supply',
       CASE way WHEN 'out' THEN 'Please confirm the date of line ' || seq %% 40 || '.'
       ELSE 'Letter ' || seq || ': ' || repeat('the beams of lot ' || seq || ' left the works, ', %(repeats)s) END,
       'normal', seq
  FROM generate_series(1, %(entries)s) AS seq, unnest(ARRAY['in', 'out']) AS way"""

ORDERS = """
INSERT INTO purchase_orders (building_id, number, revision, status, currency, caused_seq)
SELECT %(building_id)s, 'PO-letters-' || lpad(seq::text, 4, '0'), 0, 'issued', 'USD', seq
  FROM generate_series(1, %(entries)s, 10) AS seq"""

DONE = """
INSERT INTO actions (building_id, seq, action, item, ordinal, kind, args_hash, arguments, result, responder, position,
                     at)
SELECT %(building_id)s, seq, 'issue_purchase_order', 'line-' || lpad((seq %% 40)::text, 3, '0'), 0, 'action', '', '{}',
       jsonb_build_object('purchase_order', 'PO-letters-' || lpad(seq::text, 4, '0')), '{}', seq, now()
  FROM generate_series(1, %(entries)s, 10) AS seq"""

DOCUMENTS = """
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, status)
SELECT %(building_id)s, seq, 'bench', 'e' || seq, 'Inspection_Passed',
       jsonb_build_object('document_name', 'Report ' || seq, 'document_url', 'https://docs.example/' || seq || '.pdf'),
       '', now(), 'done'
  FROM generate_series(1, %(entries)s, 5) AS seq"""


async def write(conn: Connection, entries: int, repeats: int) -> None:
    """The building, with everything that is in its tables after so many entries; a letter has `repeats` times some
    eleven tokens."""
    await buildings.create(conn, BuildingSpec.model_validate(building(BUILDING, LINES)), SystemClock().now())
    given = {"building_id": BUILDING, "entries": entries, "repeats": repeats}
    for statement in (LETTERS, ORDERS, DONE, DOCUMENTS):
        await conn.execute(statement, given)


async def remember(memory: LongTermMemory, first: int, last: int) -> None:
    """A settled case and a fact for every fifth entry."""
    seqs = range(first, last, 5)
    cases = [_case(seq) for seq in seqs]
    facts = [team_note(f"The crane of lot {seq} is booked.", "PM", None, date(2026, 2, 1), seq) for seq in seqs]
    await memory.put(BUILDING, "episodes", {case.key: case.stored() for case in cases}, embed=False)
    await memory.put(BUILDING, "facts", {fact.key: fact.stored() for fact in facts}, embed=False)


def _case(seq: int) -> Episode:
    return Episode(
        item_id="line-001",
        vendor_id="acme",
        key=f"{seq}.0",
        kind="inspection_failed",
        question=f"Lot {seq} failed inspection: what is to be done?",
        decision="approve",
        actions=[{"name": "reorder_item", "arguments": {"item": "line-001"}}],
        who="PM",
        why="it cannot wait",
        day="2026-02-01",
        seq=seq,
    )


def entry(seq: int) -> Entry:
    return Entry(
        building_id=BUILDING,
        seq=seq,
        source="bench",
        event_id=f"e{seq}",
        event_type="Human_Input",
        body={"text": "When do the beams of line 1 come?"},
        received_at=SystemClock().now(),
    )


@dataclass
class Shorthand:
    """Stands for a model: answers a summary's request with three lines, and keeps what it was asked."""

    tiers: tuple[str, ...] = ("shorthand",)
    prompts: list[str] = field(default_factory=list)

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        self.prompts.append(request.prompt)
        line = f'"Acme Supply reports that the lots of span {len(self.prompts)} left the works"'
        return Completion(f'{{"lines": [{line}, {line}, {line}]}}', "shorthand", 0, 0)
