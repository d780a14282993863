"""Doing again on a fork what people changed beside the inbox: policy and people of the building, vendors, rules,
delegations."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.buildings import BuildingPatch, Vendor
from domain.errors import NotFoundError
from domain.plain_json import JsonObject
from domain.principals import Author
from domain.rules import Delegation, Rule, full_id
from domain.text import ON_FILE
from runtime.clock import Clock
from storage import buildings, rules, teaching, vendors
from storage.connection import Connection
from storage.replayed_changes import Change
from storage.rows import select
from storage.transaction import building_transaction


@dataclass
class ByHand:
    """The changes of one record, done again one by one."""

    clock: Clock
    parent_id: str
    fork_id: str
    policy: JsonObject
    """Fields under trial: they stand whatever people changed."""
    remarks: list[str] = field(default_factory=list)
    """What could not be done again."""
    _granted: dict[str, Delegation] = field(default_factory=dict)
    """What was granted here, by its name on record."""

    async def again(self, conn: Connection, change: Change) -> None:
        """Do it; what it is about may not be there on the fork, which is remarked."""
        try:
            await self._again(conn, change)
        except NotFoundError:
            what = next(
                str(change.data[name]) for name in ("rule_id", "revoked", "granted", "vendor_id") if name in change.data
            )
            who = change.data["by"].get("name") or "somebody"
            self.remarks.append(
                f"What {who} changed of {what} after event {change.seq} was left out: it does not come about here."
            )

    async def _again(self, conn: Connection, change: Change) -> None:
        data, fork_id = change.data, self.fork_id
        done = _author(data["by"]), change.at or self.clock.now(), change.seq
        if "rule_id" in data:
            await teaching.change_rule(conn, full_id(fork_id, data["rule_id"]), data["changed"], *done)
        elif "vendor_added" in data:
            await vendors.add(conn, fork_id, Vendor.model_validate(data["vendor_added"], context=ON_FILE), *done)
        elif "vendor_id" in data:
            await vendors.change(conn, fork_id, data["vendor_id"], data["changed"], *done)
        elif "granted" in data:
            await self._grant(conn, Delegation.model_validate(data["granted"]), done)
        elif "revoked" in data:
            await self._revoke(conn, data["revoked"], done)
        elif "taught" in data:
            async with building_transaction(conn, fork_id, change.seq) as transaction:
                transaction.save(Rule.model_validate(data["taught"]))
        else:
            patch = BuildingPatch.model_validate(data["changed"], context=ON_FILE)
            if self.policy:
                patch.policy = {**(patch.policy or {}), **self.policy}
            await buildings.change(conn, fork_id, patch, *done)

    async def _grant(self, conn: Connection, granted: Delegation, done: tuple[Author, datetime, int]) -> None:
        """Under the next name that is free here: the one on record may be taken by another."""

        def made(name: str, _: str | None) -> Delegation:
            self._granted[granted.delegation_id] = granted.model_copy(update={"delegation_id": name})
            return self._granted[granted.delegation_id]

        await teaching.grant(conn, self.fork_id, granted.item_id, made, *done)

    async def _revoke(self, conn: Connection, name: str, done: tuple[Author, datetime, int]) -> None:
        here = self._granted.get(name) or await self._alike(conn, name)
        await teaching.revoke(conn, full_id(self.fork_id, here.delegation_id), *done)

    async def _alike(self, conn: Connection, name: str) -> Delegation:
        """What an answer granted is named after its place in the log, so not always the same here."""
        on_record = await rules.delegation(conn, self.parent_id, name)
        here = await select(conn, Delegation, "building_id = %s AND status <> 'revoked'", (self.fork_id,))
        same = [one for one in here if on_record is not None and _says_the_same(one, on_record)]
        if not same:
            raise NotFoundError(f"There is no delegation like {name!r} here.")
        return next((one for one in same if one.delegation_id == name), same[-1])


def _author(by: JsonObject) -> Author:
    """Who it was, as far as it is on record: older versions kept a name, or nothing."""
    name = by.get("name") or by.get("id") or "unknown"
    return Author.model_validate({"type": by.get("type", "human"), "id": by.get("id", name), "name": name})


def _says_the_same(one: Delegation, other: Delegation) -> bool:
    return (one.scope, one.actions, one.granted_to) == (other.scope, other.actions, other.granted_to)
