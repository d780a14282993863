"""What people do with rules and delegations over REST: each change in one transaction, with its after-image on file."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.absent import no_delegation, no_rule
from domain.approvals import Approval
from domain.errors import ConflictError, NotFoundError
from domain.line_names import LineNames
from domain.plain_json import JsonObject
from domain.principals import Author
from domain.rules import Delegation, Rule, full_id, split_id
from storage import by_hand, procurement, rules
from storage.audit import Act, Signature, differences
from storage.connection import Connection
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction


async def change_rule(
    conn: Connection,
    named: str,
    change: JsonObject,
    by: Author,
    now: datetime,
    seq: int | None = None,
) -> None:
    """Change a rule's text, standing or whether it is shared. Switched on again, it starts over. `seq`: the entry
    that it came after, where it is on record and done again.

    Raises:
        NotFoundError: there is no such rule.
    """
    building_id, rule_id = split_id(named)
    await _must_be(conn, named, Rule)
    async with building_transaction(conn, building_id, seq) as transaction:
        rule = await rules.rule(conn, building_id, rule_id)
        if rule is None:
            raise no_rule(named)
        changed = rule.model_copy(update={**change, "edited_by": by.name, "caused_seq": transaction.seq})
        if change.get("status") == "active" and rule.status != "active":
            changed = changed.model_copy(update={"streak": 0, "refusals": 0})
        transaction.save(changed)
        if changed.status == "disabled":
            await _withdraw_requests(transaction, rule_id)
        before, after = (one.model_dump(mode="json", include=set(change)) for one in (rule, changed))
        act = Act("rule_changed", full_id(building_id, rule_id), {"changed": differences(before, after)})
        by_hand.log(transaction, Signature(by, now), act, rule_id=rule_id, changed=change)


async def _withdraw_requests(transaction: BuildingTransaction, rule_id: str) -> None:
    """A rule that is switched off asks for nothing."""
    where = "building_id = %s AND kind = 'delegation_request' AND status = 'pending' AND subject ->> 'rule_id' = %s"
    for approval in await select(transaction.conn, Approval, where, (transaction.building.building_id, rule_id)):
        transaction.save(approval.withdraw())


async def grant(
    conn: Connection,
    building_id: str,
    item: str | None,
    make: Callable[[str, str | None], Delegation],
    by: Author,
    now: datetime,
    seq: int | None = None,
) -> str:
    """Put a delegation on file; `make` gets its name and the id of the line that is named. Returns its name. `seq` as
    with a rule.

    Raises:
        NotFoundError: there is no such building, or no such line.
    """
    async with building_transaction(conn, building_id, seq) as transaction:
        item_id = None if item is None else LineNames(await procurement.item_names(conn, building_id)).find(item)
        if item is not None and item_id is None:
            raise NotFoundError(f"Building {building_id!r} has no line {item!r}.")
        name = f"d{transaction.end_position + 1}"
        made = make(name, item_id).model_copy(update={"caused_seq": transaction.seq})
        transaction.save(made)
        image = made.model_dump(mode="json")
        act = Act("delegation_granted", full_id(building_id, name), {"granted": image})
        by_hand.log(transaction, Signature(by, now), act, granted=image)
    return name


async def revoke(conn: Connection, named: str, by: Author, now: datetime, seq: int | None = None) -> None:
    """Take a delegation back. Twice is once. `seq` as with a rule.

    Raises:
        NotFoundError: there is no such delegation.
    """
    building_id, name = split_id(named)
    await _must_be(conn, named, Delegation)
    async with building_transaction(conn, building_id, seq) as transaction:
        delegation = await rules.delegation(conn, building_id, name)
        if delegation is None:
            raise no_delegation(named)
        if delegation.status != "revoked":
            revoked = {"status": "revoked", "note": f"revoked by {by.name}", "caused_seq": transaction.seq}
            transaction.save(delegation.model_copy(update=revoked))
            act = Act("delegation_revoked", full_id(building_id, name))
            by_hand.log(transaction, Signature(by, now), act, revoked=name)


async def decision_to_overrule(conn: Connection, named: str, seq: int | None) -> dict[str, Any]:
    """The decision that a rule took alone: its last one, or the one on an entry.

    Raises:
        NotFoundError: there is no such rule.
        ConflictError: it has decided nothing alone, or nothing on that entry.
    """
    building_id, rule_id = split_id(named)
    await _must_be(conn, named, Rule)
    decided = await rules.last_decision(conn, building_id, rule_id, seq)
    if decided is None:
        where = "" if seq is None else f" on entry {seq}"
        raise ConflictError(f"Rule {named!r} has decided nothing alone{where}, so there is nothing to overrule.")
    return decided


async def _must_be(conn: Connection, named: str, kind: type[Rule] | type[Delegation]) -> None:
    """Before the building is locked: an id that names nothing may not even name a building."""
    if not await rules.exists(conn, named, kind):
        raise no_rule(named) if kind is Rule else no_delegation(named)
