"""What people do with rules and delegations over REST: each change in one transaction, with its after-image on file."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.approvals import Approval
from domain.errors import ConflictError, NotFoundError
from domain.procurement import find_item
from domain.rules import Delegation, Rule, split_id
from storage import by_hand, procurement, rules
from storage.connection import Connection
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction


async def change_rule(
    conn: Connection,
    full_id: str,
    change: dict[str, Any],
    who: dict[str, Any],
    now: datetime,
    seq: int | None = None,
) -> None:
    """Change a rule's text, standing or whether it is shared. Switched on again, it starts over. `seq`: the entry
    that it came after, where it is on record and done again.

    Raises:
        NotFoundError: there is no such rule.
    """
    building_id, rule_id = split_id(full_id)
    await _must_be(conn, full_id, Rule)
    async with building_transaction(conn, building_id, seq) as transaction:
        rule = await rules.rule(conn, building_id, rule_id)
        if rule is None:
            raise _no_rule(full_id)
        changed = rule.model_copy(update={**change, "edited_by": who["name"], "caused_seq": transaction.seq})
        if change.get("status") == "active" and rule.status != "active":
            changed = changed.model_copy(update={"streak": 0, "refusals": 0})
        transaction.save(changed)
        if changed.status == "disabled":
            await _withdraw_requests(transaction, rule_id)
        by_hand.log(transaction, who, now, rule_id=rule_id, changed=change)


async def _withdraw_requests(transaction: BuildingTransaction, rule_id: str) -> None:
    """A rule that is switched off asks for nothing."""
    where = "building_id = %s AND kind = 'delegation_request' AND status = 'pending' AND subject ->> 'rule_id' = %s"
    for approval in await select(transaction.conn, Approval, where, (transaction.building.building_id, rule_id)):
        transaction.save(approval.model_copy(update={"status": "withdrawn"}))


async def grant(
    conn: Connection,
    building_id: str,
    item: str | None,
    make: Callable[[str, str | None], Delegation],
    who: dict[str, Any],
    now: datetime,
    seq: int | None = None,
) -> str:
    """Put a delegation on file; `make` gets its name and the id of the line that is named. Returns its name. `seq` as
    with a rule.

    Raises:
        NotFoundError: there is no such building, or no such line.
    """
    async with building_transaction(conn, building_id, seq) as transaction:
        item_id = None if item is None else find_item(item, await procurement.item_names(conn, building_id))
        if item is not None and item_id is None:
            raise NotFoundError(f"Building {building_id!r} has no line {item!r}.")
        name = f"d{transaction.end_position + 1}"
        made = make(name, item_id).model_copy(update={"caused_seq": transaction.seq})
        transaction.save(made)
        by_hand.log(transaction, who, now, granted=made.model_dump(mode="json"))
    return name


async def revoke(conn: Connection, full_id: str, who: dict[str, Any], now: datetime, seq: int | None = None) -> None:
    """Take a delegation back. Twice is once. `seq` as with a rule.

    Raises:
        NotFoundError: there is no such delegation.
    """
    building_id, name = split_id(full_id)
    await _must_be(conn, full_id, Delegation)
    async with building_transaction(conn, building_id, seq) as transaction:
        delegation = await rules.delegation(conn, building_id, name)
        if delegation is None:
            raise _no_delegation(full_id)
        if delegation.status != "revoked":
            revoked = {"status": "revoked", "note": f"revoked by {who['name']}", "caused_seq": transaction.seq}
            transaction.save(delegation.model_copy(update=revoked))
            by_hand.log(transaction, who, now, revoked=name)


async def decision_to_overrule(conn: Connection, full_id: str, seq: int | None) -> dict[str, Any]:
    """The decision that a rule took alone: its last one, or the one on an entry.

    Raises:
        NotFoundError: there is no such rule.
        ConflictError: it has decided nothing alone, or nothing on that entry.
    """
    building_id, rule_id = split_id(full_id)
    await _must_be(conn, full_id, Rule)
    decided = await rules.last_decision(conn, building_id, rule_id, seq)
    if decided is None:
        where = "" if seq is None else f" on entry {seq}"
        raise ConflictError(f"Rule {full_id!r} has decided nothing alone{where}, so there is nothing to overrule.")
    return decided


async def _must_be(conn: Connection, full_id: str, kind: type[Rule] | type[Delegation]) -> None:
    """Before the building is locked: an id that names nothing may not even name a building."""
    if not await rules.exists(conn, full_id, kind):
        raise _no_rule(full_id) if kind is Rule else _no_delegation(full_id)


def _no_rule(full_id: str) -> NotFoundError:
    return NotFoundError(f"There is no rule {full_id!r}. List the rules with GET /rules.")


def _no_delegation(full_id: str) -> NotFoundError:
    return NotFoundError(f"There is no delegation {full_id!r}. List them with GET /delegations.")
