"""The service survives the chaos; and the checker that says so finds whatever is wrong in the tables."""

import ast
import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from evals.chaos.checker import check
from evals.chaos.havoc import Amount
from evals.chaos.run import Outcome, Plan, chaos

SMALL = Plan(seed=1, events=350, amount=Amount(kills=8, freezes=1, seconds=20, frozen_s=6), apis=1)


@pytest.fixture(scope="module")
def ended(open_session_path: Path) -> Iterator[Outcome]:
    """A small run that is over; its database is still there."""
    folder = open_session_path / "chaos"
    folder.mkdir(mode=0o755)
    with asyncio.Runner() as runner:
        run = chaos(SMALL, folder, lambda _: None)
        yield runner.run(run.__aenter__())  # type: ignore[arg-type]
        runner.run(run.__aexit__(None, None, None))  # type: ignore[arg-type]


@pytest.fixture
def conn(ended: Outcome) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection on which whatever is done to the tables is taken back."""
    with psycopg.connect(ended.conninfo, row_factory=dict_row) as opened:
        yield opened
        opened.rollback()


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_happens_twice_while_processes_are_killed_and_postgres_goes(ended: Outcome) -> None:
    assert ended.violations == []
    acts = ended.havoc
    assert acts["restart fast"] == acts["restart immediate"] == acts["freeze"] == 1
    assert sum(times for act, times in acts.items() if act.startswith("SIG")) == SMALL.amount.kills
    assert len(ended.record.events) == SMALL.events
    assert ended.restarted > 0, "nothing was interrupted"
    assert any(sent.poison for sent in ended.record.events)
    assert any(sent.posts > 1 for sent in ended.record.events)
    assert sum(sent.accepted for sent in ended.record.answers) > 10


DONE = "(SELECT building_id, seq FROM events WHERE status = 'done' AND source = 'qa' LIMIT 1)"
LOOP = "(SELECT ctid FROM checkpoints WHERE metadata ->> 'source' = 'loop' AND metadata ->> 'step' = '2' LIMIT 1)"
PLANTED = {
    "an event is lost": (f"DELETE FROM events WHERE (building_id, seq) IN {DONE}", "accepted events end"),
    "an event waits for ever": (
        f"UPDATE events SET status = 'running' WHERE (building_id, seq) IN {DONE}",
        "accepted events end",
    ),
    "an event died": (f"UPDATE events SET status = 'dead' WHERE (building_id, seq) IN {DONE}", "accepted events end"),
    "a building is held by the dead": (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status) "
        "VALUES ('drain', 'drain', 'site-001', '{}', 'doing')",
        "no building is stuck",
    ),
    "an event overtook another": (
        "UPDATE events e SET started_at = (SELECT received_at - interval '1 h' FROM events f WHERE f.building_id = "
        "e.building_id AND f.seq = 1) WHERE seq = 3 AND building_id = 'site-001'",
        "order is kept",
    ),
    "a line was ordered twice": (
        "INSERT INTO purchase_order_lines SELECT building_id, number, line + 1, item_id, round FROM "
        "purchase_order_lines LIMIT 1",
        "one order each",
    ),
    "an order of no effect": (
        "INSERT INTO purchase_orders SELECT building_id, number || 'x', revision, status, vendor_id, currency, total, "
        "external_ref, issued_on, caused_seq FROM purchase_orders LIMIT 1",
        "one order each",
    ),
    "an effect under a second key": (
        "INSERT INTO actions SELECT building_id, seq, action, item, ordinal + 7, kind, args_hash, arguments, result, "
        "responder, position, at FROM actions WHERE kind = 'fact' LIMIT 1",
        "one effect each",
    ),
    "a half-written effect": ("UPDATE items SET round = 7 WHERE item_id = 'line-1'", "one effect each"),
    "a gap in the audit trail": ("DELETE FROM changes WHERE position = 9", "one effect each"),
    "a message that nobody got": (
        "UPDATE outbox SET status = 'dead' WHERE outbox_id = (SELECT min(outbox_id) FROM outbox)",
        "messages arrive",
    ),
    "a message under another key": (
        "UPDATE outbox SET key = key || '0' WHERE outbox_id = (SELECT min(outbox_id) FROM outbox)",
        "messages arrive",
    ),
    "a question that is lost": (
        "DELETE FROM approvals WHERE approval_id = (SELECT min(approval_id) FROM approvals)",
        "questions are answered once",
    ),
    "a question that is answered twice": (
        "INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, status) "
        "SELECT building_id, 9999, source, 'again', event_type, body, body_hash, received_at, 'done' FROM events "
        "WHERE event_type = 'Decision' LIMIT 1",
        "questions are answered once",
    ),
    "an answer that is lost": ("DELETE FROM events WHERE event_type = 'Decision'", "questions are answered once"),
    "an entry that went on from another's middle": (
        f"UPDATE checkpoints SET metadata = metadata || '{{\"seq\": 2}}' WHERE ctid = {LOOP}",
        "the line is whole",
    ),
    "two runs of one thread": (
        "INSERT INTO checkpoints SELECT thread_id, checkpoint_ns, checkpoint_id || 'x', parent_checkpoint_id, type, "
        f"checkpoint, metadata FROM checkpoints WHERE ctid = {LOOP}",
        "the line is whole",
    ),
    "a thread that forgot its question": (
        "DELETE FROM checkpoint_writes WHERE channel = '__interrupt__'",
        "the line is whole",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("wrong", PLANTED)
def test_what_is_wrong_in_the_tables_is_found(
    ended: Outcome, conn: psycopg.Connection[dict[str, Any]], wrong: str
) -> None:
    statement, rule = PLANTED[wrong]
    for part in statement.split("; "):
        assert conn.execute(part).rowcount != 0  # type: ignore[arg-type]
    assert rule in {violation.rule for violation in check(conn, ended.record)}


@pytest.mark.slow
def test_what_clients_and_the_receiver_saw_counts_as_well(
    ended: Outcome, conn: psycopg.Connection[dict[str, Any]]
) -> None:
    record = ended.record
    message = next(received for received in record.received if received.order)
    twice = replace(record, received=[*record.received, replace(message, key="another")])
    unheard = replace(record, received=[one for one in record.received if one.key != message.key])
    shouted = replace(record, complaints=["GET / was answered 500"])
    found = [{violation.rule for violation in check(conn, seen)} for seen in (twice, unheard, shouted)]
    assert found[0] >= {"one order each", "messages arrive"}
    assert found[1] >= {"messages arrive"}
    assert found[2] == {"the API answers"}


def test_the_checker_knows_none_of_the_code_that_it_checks() -> None:
    allowed = {"evals.chaos.line", "evals.chaos.record", "evals.chaos.violation"}
    allowed |= {"psycopg", "langgraph.checkpoint.serde.jsonplus", "collections", "collections.abc", "dataclasses"}
    allowed |= {"itertools", "signal", "typing", "datetime", "decimal", "psycopg.rows", "pydantic"}
    for name in ("checker", "line", "record", "violation"):
        source = (Path(__file__).parents[2] / "evals" / "chaos" / f"{name}.py").read_text(encoding="utf-8")
        imported = {
            node.module if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert imported <= allowed
