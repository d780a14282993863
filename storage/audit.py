"""The audit: who created, changed, retried or deleted what. Only ever added to, and kept for good.

Each row is written in the transaction of what it records: the one is never there without the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from domain.plain_json import JsonObject
from domain.principals import Author
from storage.connection import Statement
from storage.transaction import BuildingTransaction

What = Literal[
    "building_created",
    "building_changed",
    "vendor_added",
    "vendor_changed",
    "event_retried",
    "fork_made",
    "fork_deleted",
    "rule_changed",
    "delegation_granted",
    "delegation_revoked",
    "decision_given",
    "message_retried",
    "link_made",
    "links_revoked",
]

INSERT = "INSERT INTO audit (building_id, at, by, what, subject, detail) VALUES (%s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Signature:
    """Who does something, and when."""

    by: Author
    at: datetime


@dataclass(frozen=True)
class Act:
    """What is done."""

    what: What
    subject: str
    """Id of what it is done to."""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    """In JSON's types. Never a secret."""


def differences(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> JsonObject:
    """Of each field that is not what it was: {before, after}."""
    names = dict.fromkeys([*before, *after])
    changed = [name for name in names if before.get(name) != after.get(name)]
    return {name: {"before": before.get(name), "after": after.get(name)} for name in changed}


def audit_row(building_id: str, signature: Signature, act: Act) -> Statement:
    """The statement that records what is done, for the transaction that does it."""
    by, detail = Jsonb(signature.by.model_dump()), Jsonb(act.detail)
    return INSERT, (building_id, signature.at, by, act.what, act.subject, detail)


def record_audit(transaction: BuildingTransaction, signature: Signature, act: Act) -> None:
    """Record what is done, in the transaction that does it. In a replay what is on record is done again: nobody does
    it there, so nothing is recorded."""
    if transaction.building.mode != "replay":
        transaction.also(*audit_row(transaction.building.building_id, signature, act))
