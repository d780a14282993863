"""Reading rules and delegations: a building's own, what other buildings let it use, and whether there are any."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.approvals import Question
from domain.procurement import Row
from domain.rules import Delegation, Rule, split_id
from storage.connection import Connection
from storage.rows import select

MAY_ANSWER = """
SELECT EXISTS (SELECT 1 FROM rules WHERE building_id = %(building_id)s AND kind = ANY(%(kinds)s) AND status = 'active')
    OR EXISTS (SELECT 1 FROM rules r JOIN buildings b USING (building_id)
                WHERE r.kind = ANY(%(kinds)s) AND b.mode = 'live' AND r.building_id <> %(building_id)s
                  AND (r.status = 'active' AND r.shared OR r.edited_by IS NOT NULL AND EXISTS (
                       SELECT 1 FROM buildings WHERE building_id = %(building_id)s AND mode = 'replay'))) AS yes"""

# A sandbox teaches nobody.
SHARED = """
SELECT r.* FROM rules r JOIN buildings b USING (building_id)
 WHERE r.kind = %s AND r.status = 'active' AND r.shared AND b.mode = 'live' AND r.building_id <> %s
 ORDER BY r.learned_at DESC, r.building_id, r.rule_id LIMIT 50"""

# Those that people have ever changed, and so may have shared, as they were at a moment: up to what their building had
# done and what people had changed there by then.
SHARED_AT = """
SELECT r.building_id, was.data FROM rules r JOIN buildings b USING (building_id)
 CROSS JOIN LATERAL (
       SELECT GREATEST((SELECT max(position) FROM actions WHERE building_id = r.building_id AND at <= %(at)s),
                       (SELECT max(position + (data ->> 'rows')::bigint) FROM changes
                         WHERE building_id = r.building_id AND entity = 'building_change'
                           AND (data ->> 'at')::timestamptz <= %(at)s)) AS position) by_then
 CROSS JOIN LATERAL (
       SELECT data FROM changes WHERE building_id = r.building_id AND entity = 'rules' AND id = r.rule_id
          AND position <= by_then.position ORDER BY position DESC LIMIT 1) was
 WHERE r.kind = %(kind)s AND r.edited_by IS NOT NULL AND b.mode = 'live' AND r.building_id <> %(building_id)s
   AND (was.data ->> 'shared')::boolean AND was.data ->> 'status' = 'active'
 ORDER BY r.learned_at DESC, r.building_id, r.rule_id LIMIT 50"""

# A decision of the agent's own on the very same facts, other than an earlier attempt at the entry in hand.
DECIDED_ALONE = """
SELECT seq, responder, basis FROM decisions
 WHERE building_id = %(building_id)s AND kind = %(kind)s AND item_id IS NOT DISTINCT FROM %(item_id)s
   AND fingerprint = ANY(%(fingerprints)s) AND type = 'act' AND responder ->> 'type' <> 'human'
   AND (seq <> %(seq)s OR generation = %(generation)s)
 ORDER BY seq DESC LIMIT 1"""

LAST_OF_RULE = """
SELECT seq, generation, step, kind, item_id, actions, why, basis FROM decisions
 WHERE building_id = %(building_id)s AND type = 'act' AND basis ->> 'rule_id' = %(rule_id)s
   AND (%(seq)s::bigint IS NULL OR seq = %(seq)s)
 ORDER BY seq DESC, generation DESC, step DESC LIMIT 1"""


async def may_answer(conn: Connection, building_id: str, kinds: Sequence[str]) -> bool:
    """Whether there is any rule that could answer a question of one of these kinds."""
    row = await (await conn.execute(MAY_ANSWER, {"building_id": building_id, "kinds": list(kinds)})).fetchone()
    return bool(row and row["yes"])


async def own_rules(conn: Connection, building_id: str, kind: str) -> list[Rule]:
    """The building's rules for a kind of question, whatever their status."""
    return await select(conn, Rule, "building_id = %s AND kind = %s", (building_id, kind))


async def shared_rules(conn: Connection, building_id: str, kind: str) -> list[tuple[str, Rule]]:
    """(building, rule) of what other buildings let this one use."""
    rows = await (await conn.execute(SHARED, (kind, building_id))).fetchall()
    return [(row["building_id"], Rule.model_validate(row)) for row in rows]


async def delegations(conn: Connection, building_id: str, kind: str) -> list[Delegation]:
    """What is delegated for a kind of question, the narrowest first."""
    where = "building_id = %s AND kind = %s AND status = 'active'"
    found = await select(conn, Delegation, where, (building_id, kind), "caused_seq, delegation_id")
    return sorted(found, key=lambda one: -one.specificity)


async def shared_rules_at(conn: Connection, building_id: str, kind: str, at: datetime) -> list[tuple[str, Rule]]:
    """The same as they were then: for a past that is run again."""
    rows = await (await conn.execute(SHARED_AT, {"building_id": building_id, "kind": kind, "at": at})).fetchall()
    return [(row["building_id"], Rule.model_validate(row["data"])) for row in rows]


async def rule(conn: Connection, building_id: str, rule_id: str) -> Rule | None:
    found = await select(conn, Rule, "building_id = %s AND rule_id = %s", (building_id, rule_id))
    return found[0] if found else None


async def delegation(conn: Connection, building_id: str, delegation_id: str) -> Delegation | None:
    where = "building_id = %s AND delegation_id = %s"
    found = await select(conn, Delegation, where, (building_id, delegation_id))
    return found[0] if found else None


async def exists(conn: Connection, full_id: str, kind: type[Row]) -> bool:
    """Whether a rule's or a delegation's id names one."""
    building_id, name = split_id(full_id)
    found = rule(conn, building_id, name) if kind is Rule else delegation(conn, building_id, name)
    return await found is not None


async def decided_alone(
    conn: Connection, building_id: str, question: Question, seq: int, generation: int
) -> dict[str, Any] | None:
    """What the agent decided before on the very same facts: {seq, responder, basis}."""
    parameters = {
        "building_id": building_id,
        "kind": question.kind,
        "item_id": question.item_id,
        "fingerprints": [question.fingerprint, *question.earlier_fingerprints],
        "seq": seq,
        "generation": generation,
    }
    return await (await conn.execute(DECIDED_ALONE, parameters)).fetchone()


async def last_decision(conn: Connection, building_id: str, rule_id: str, seq: int | None) -> dict[str, Any] | None:
    """The last decision that a rule took alone; with `seq` the one on that entry."""
    parameters = {"building_id": building_id, "rule_id": rule_id, "seq": seq}
    return await (await conn.execute(LAST_OF_RULE, parameters)).fetchone()
