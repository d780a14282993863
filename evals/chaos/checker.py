"""The verdict on a run: the tables held against what the outside knows, by rules of its own.

Nothing of the code under test is imported here, and no query of it is used: what it gets wrong, this must not get
wrong in the same way.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator

from evals.chaos.line import line_rule
from evals.chaos.record import Connection, Record
from evals.chaos.violation import Violation

Rule = Callable[[Connection, Record], Iterator[Violation]]


def check(conn: Connection, record: Record) -> list[Violation]:
    """Every violation of every rule; none when the run was sound. Only reads."""
    return [violation for rule in RULES for violation in rule(conn, record)]


def accepted_events_end(conn: Connection, record: Record) -> Iterator[Violation]:
    """What a client was told is accepted is in the inbox under the number it was told, and done; or dead, if it is
    poison. Nothing is in the inbox that nobody sent, and nothing is open."""
    rows = conn.execute("SELECT building_id, source, event_id, event_type, seq, status, error FROM events").fetchall()
    stored = {(row["building_id"], row["source"], row["event_id"]): row for row in rows}
    for sent in record.events:
        row = stored.get((sent.building, sent.source, sent.event_id))
        name = f"{sent.building} {sent.source} {sent.event_id} ({sent.event_type})"
        if row is None:
            yield Violation("accepted events end", f"{name} was accepted as {sent.seqs} and is not there")
        elif sent.seqs != {row["seq"]} or row["event_type"] != sent.event_type:
            yield Violation("accepted events end", f"{name} was accepted as {sent.seqs} and is {row}")
        elif row["status"] != ("dead" if sent.poison else "done"):
            yield Violation("accepted events end", f"{name}, number {row['seq']}, is {row['status']}: {row['error']}")
    sent_keys = {(sent.building, sent.source, sent.event_id) for sent in record.events}
    for key, row in stored.items():
        is_own = str(row["source"]).startswith("longlead")
        if not is_own and key not in sent_keys:
            yield Violation("accepted events end", f"nobody sent {key}")
        if is_own and row["status"] not in ("done", "dead"):
            yield Violation("accepted events end", f"{key}, number {row['seq']}, is {row['status']}")


def internal_entries_live(conn: Connection, record: Record) -> Iterator[Violation]:
    """Of the entries that the service writes itself only answers may die, and only those that ask for what may be
    impossible by then."""
    fragile = {event_id for sent in record.answers if sent.fragile for event_id in sent.event_ids}
    for row in conn.execute(
        "SELECT building_id, seq, event_type, event_id, error FROM events "
        "WHERE status = 'dead' AND source LIKE 'longlead%'"
    ):
        if row["event_id"] not in fragile:
            yield Violation("internal entries live", f"{row}")


def no_building_is_stuck(conn: Connection, _: Record) -> Iterator[Violation]:
    """No drain waits or is believed to run when there is nothing to do."""
    for row in conn.execute(
        "SELECT lock, status, worker_id FROM procrastinate_jobs "
        "WHERE queue_name = 'drain' AND status IN ('todo', 'doing')"
    ):
        yield Violation("no building is stuck", f"{row}")


def order_is_kept(conn: Connection, record: Record) -> Iterator[Violation]:
    """Numbers have no gaps and rise as a building's events were sent; an entry begins when the one before has ended;
    effects follow in the entries' order. What was replayed after it had died comes later than its number."""
    last: dict[str, int] = {}
    for sent in sorted(record.events, key=lambda one: (one.building, one.place)):
        seq = min(sent.seqs, default=0)
        if seq <= last.get(sent.building, 0):
            yield Violation("order is kept", f"{sent} was sent after number {last.get(sent.building)}")
        last[sent.building] = seq
    for row in conn.execute(
        "SELECT b.building_id, b.last_seq, count(e.seq) AS n, max(e.seq) AS most FROM buildings b "
        "LEFT JOIN events e USING (building_id) GROUP BY 1, 2 "
        "HAVING count(e.seq) <> b.last_seq OR coalesce(max(e.seq), 0) <> b.last_seq"
    ):
        yield Violation("order is kept", f"numbers have gaps: {row}")
    for row in conn.execute(
        "SELECT * FROM (SELECT building_id, seq, started_at, lag(finished_at) OVER inbox AS before_ended, "
        "generation + lag(generation) OVER inbox AS replayed FROM events "
        "WINDOW inbox AS (PARTITION BY building_id ORDER BY seq)) e WHERE started_at < before_ended AND replayed = 0"
    ):
        yield Violation("order is kept", f"begun before the one before it had ended: {row}")
    for row in conn.execute(
        "SELECT * FROM (SELECT building_id, seq, action, position, lag(seq) OVER ledger AS before FROM actions "
        "WINDOW ledger AS (PARTITION BY building_id ORDER BY position, seq)) a WHERE seq < before AND NOT EXISTS "
        "(SELECT 1 FROM events e WHERE e.building_id = a.building_id AND e.seq = a.seq AND e.generation > 0)"
    ):
        yield Violation("order is kept", f"an effect after those of a later entry: {row}")


def one_order_each(conn: Connection, record: Record) -> Iterator[Violation]:
    """One purchase order for a line and round; each comes of one entry of the ledger, went out in one message, and
    reached the ERP under one key; numbers have no gaps."""
    for row in conn.execute(
        "SELECT building_id, item_id, round, count(*) AS orders FROM purchase_order_lines "
        "GROUP BY 1, 2, 3 HAVING count(*) > 1"
    ):
        yield Violation("one order each", f"ordered more than once: {row}")
    made = """
        SELECT building_id, result ->> 'purchase_order' AS number FROM actions
         WHERE action IN ('issue_purchase_order', 'reorder_item') AND result ? 'purchase_order'
           AND NOT result ? 'already_ordered'"""
    for row in conn.execute(
        f"SELECT building_id, number, o.n AS orders, m.n AS effects FROM "
        f"(SELECT building_id, number, count(*) AS n FROM purchase_orders GROUP BY 1, 2) o FULL JOIN "
        f"(SELECT building_id, number, count(*) AS n FROM ({made}) made GROUP BY 1, 2) m USING (building_id, number) "
        f"WHERE o.n IS DISTINCT FROM 1 OR m.n IS DISTINCT FROM 1"
    ):
        yield Violation("one order each", f"orders and effects do not match: {row}")
    for row in conn.execute(
        "SELECT b.building_id, b.po_counter, count(o.number) AS orders FROM buildings b "
        "LEFT JOIN purchase_orders o USING (building_id) GROUP BY 1, 2 HAVING count(o.number) <> b.po_counter"
    ):
        yield Violation("one order each", f"numbers were lost: {row}")
    keys: dict[tuple[str, str], set[str]] = {}
    for received in record.received:
        if received.order and received.type == "purchase_order.issued":
            keys.setdefault((received.building, received.order), set()).add(received.key)
    ordered = conn.execute("SELECT building_id, number FROM purchase_orders").fetchall()
    for row in ordered:
        found = keys.get((str(row["building_id"]), str(row["number"])), set())
        if len(found) != 1:
            yield Violation("one order each", f"reached the ERP under other than one key: {row} {found}")


def one_effect_each(conn: Connection, _: Record) -> Iterator[Violation]:
    """No entry did the same twice; what an entry says it did is what the ledger has; the audit trail has no gaps and
    ends where the tables stand."""
    for row in conn.execute(
        "SELECT building_id, seq, action, item, arguments, count(*) AS times FROM actions "
        "WHERE kind IN ('fact', 'action') GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1"
    ):
        yield Violation("one effect each", f"done twice: {row}")
    for row in conn.execute(
        "SELECT e.building_id, e.seq, e.outcome -> 'actions' AS said, a.done FROM events e LEFT JOIN LATERAL ("
        "  SELECT coalesce(jsonb_agg(action ORDER BY action), '[]') AS done FROM actions"
        "   WHERE building_id = e.building_id AND seq = e.seq AND kind = 'action') a ON true "
        "WHERE e.status = 'done' AND e.generation = 0 AND a.done IS DISTINCT FROM ("
        "  SELECT coalesce(jsonb_agg(name ORDER BY name), '[]') "
        "    FROM jsonb_array_elements_text(e.outcome -> 'actions') name)"
    ):
        yield Violation("one effect each", f"said and done differ: {row}")
    for row in conn.execute(
        "SELECT b.building_id, b.position, count(c.position) AS n, max(c.position) AS last FROM buildings b "
        "LEFT JOIN changes c USING (building_id) GROUP BY 1, 2 "
        "HAVING count(c.position) <> b.position OR coalesce(max(c.position), 0) <> b.position"
    ):
        yield Violation("one effect each", f"the audit trail has gaps: {row}")
    yield from _trail_ends_where_tables_stand(conn)


TRAILED = {
    "items": ("item_id", ("submittal", "commercial", "logistics", "quality", "round", "caused_seq")),
    "purchase_orders": ("number", ("status", "revision", "caused_seq")),
    "approvals": ("approval_id", ("status", "version", "decision_seq")),
    "messages": ("message_id", ("text", "party")),
}


def _trail_ends_where_tables_stand(conn: Connection) -> Iterator[Violation]:
    for table, (key, columns) in TRAILED.items():
        differs = " OR ".join(f"t.{one}::text IS DISTINCT FROM c.data ->> '{one}'" for one in columns)
        for row in conn.execute(
            f"SELECT building_id, id, t.{key} AS row, c.data FROM "
            f"(SELECT DISTINCT ON (building_id, id) building_id, id, data FROM changes WHERE entity = '{table}' "
            f" ORDER BY building_id, id, position DESC) c "
            f"FULL JOIN (SELECT *, {key} AS id FROM {table}) t USING (building_id, id) "
            f"WHERE t.{key} IS NULL OR c.data IS NULL OR {differs}"
        ):
            yield Violation("one effect each", f"{table} and their audit trail differ: {row}")


def messages_arrive(conn: Connection, record: Record) -> Iterator[Violation]:
    """Every message for outside was delivered at least once, always with its one key; nothing else ever arrived."""
    arrived = Counter((received.key, received.order is not None) for received in record.received)
    rows = conn.execute(
        "SELECT o.building_id, o.key, o.status, o.error, d.channel FROM outbox o "
        "LEFT JOIN deliveries d USING (outbox_id)"
    ).fetchall()
    for row in rows:
        if row["status"] != "delivered" or not arrived[str(row["key"]), row["channel"] == "erp"]:
            yield Violation("messages arrive", f"not delivered: {row}")
    known = {row["key"] for row in rows}
    written: dict[str, set[str]] = {}
    keys: dict[str, set[str]] = {}
    for received in record.received:
        if received.key not in known:
            yield Violation("messages arrive", f"nobody wrote {received}")
        if received.webhook_id != received.key:
            yield Violation("messages arrive", f"two keys at once: {received}")
        if received.order is None:
            written.setdefault(received.key, set()).add(received.written)
            keys.setdefault(f"{received.building} {received.written}", set()).add(received.key)
    for key, texts in written.items():
        if len(texts) > 1:
            yield Violation("messages arrive", f"one key, several messages: {key} {texts}")
    for text, several in keys.items():
        if len(several) > 1:
            yield Violation("messages arrive", f"one message, several keys: {text} {several}")
    for row in conn.execute(
        "SELECT o.building_id, o.key FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM actions a WHERE o.key = "
        "concat_ws(':', a.building_id, a.seq, a.action, a.item, a.ordinal) AND a.building_id = o.building_id)"
    ):
        yield Violation("messages arrive", f"a message of no effect: {row}")


def questions_are_answered_once(conn: Connection, record: Record) -> Iterator[Violation]:
    """An answer that was accepted is in the inbox, once, and ended; one that was refused is nowhere; no version of a
    question has two answers; no question that anybody saw is lost."""
    entries = conn.execute(
        "SELECT building_id, seq, event_id, status, body ->> 'approval_id' AS approval_id, "
        "(body ->> 'version')::int AS version FROM events WHERE event_type = 'Decision'"
    ).fetchall()
    by_id = {(row["building_id"], row["event_id"]): row for row in entries}
    rule = "questions are answered once"
    for sent in record.answers:
        stored = [row for event_id in sent.event_ids if (row := by_id.get((sent.building, event_id)))]
        about = [(row["approval_id"], row["version"], {row["seq"]}) for row in stored]
        if sent.accepted and about != [(sent.approval_id, sent.version, sent.seqs)]:
            yield Violation(rule, f"{sent} was accepted, and the inbox has {stored}")
    accepted = {event_id for sent in record.answers for event_id in sent.event_ids}
    for row in entries:
        if row["event_id"] not in accepted:
            yield Violation(rule, f"an answer that nobody was told is accepted: {row}")
    for (approval_id, version), times in Counter((row["approval_id"], row["version"]) for row in entries).items():
        if times > 1:
            yield Violation(rule, f"version {version} of {approval_id} was answered {times} times")
    questions = "SELECT approval_id, status, version, decision_seq, decision FROM approvals"
    standing = {row["approval_id"]: row for row in conn.execute(questions)}
    for approval_id, version in record.seen.items():
        stands = standing.get(approval_id)
        newest = None if stands is None else stands["version"]
        if not isinstance(newest, int) or newest < version:
            yield Violation(rule, f"version {version} of {approval_id} was seen, and stands as {stands}")
    for row in standing.values():
        decision = row["decision"]
        if row["status"] == "decided" and not (isinstance(decision, dict) and decision.get("status") == "applied"):
            yield Violation(rule, f"decided, and not applied: {row}")
    for row in conn.execute(
        "SELECT a.building_id, a.seq, a.result FROM actions a WHERE a.action LIKE 'ask:%' AND a.result ? 'approval_id' "
        "AND NOT EXISTS (SELECT 1 FROM approvals q WHERE q.approval_id = a.result ->> 'approval_id')"
    ):
        yield Violation(rule, f"asked, and lost: {row}")


def processes_end_when_told(_: Connection, record: Record) -> Iterator[Violation]:
    """SIGTERM ends a process without an error. None ends by itself while the database is there. The API answers as it
    should."""
    for ending in record.endings:
        failed = ending.sent == "SIGTERM" and ending.code not in (0, -signal.SIGTERM)  # uvicorn raises it again
        if ending.database_up and (failed or not ending.sent):
            yield Violation("processes end when told", f"{ending}")
    for complaint in record.complaints:
        yield Violation("the API answers", complaint)


RULES: tuple[Rule, ...] = (
    accepted_events_end,
    internal_entries_live,
    no_building_is_stuck,
    order_is_kept,
    one_order_each,
    one_effect_each,
    messages_arrive,
    questions_are_answered_once,
    line_rule,
    processes_end_when_told,
)
