"""What people change beside the inbox, over REST: kept with who, when and what, so that it can be done again."""

from typing import TypedDict

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from domain.plain_json import JsonObject
from storage.audit import Act, Signature, record_audit
from storage.transaction import BuildingTransaction

LOG = """
INSERT INTO changes (building_id, position, seq, entity, id, data) VALUES (%s, %s, %s, 'building_change', %s, %s)"""


class Logged(TypedDict, total=False):
    """What `log` keeps; `taught`: the image of a rule that was put on file as it is."""

    by: JsonObject
    at: str
    rows: int
    changed: JsonObject
    vendor_added: JsonObject
    vendor_id: str
    rule_id: str
    granted: JsonObject
    revoked: str
    taught: JsonObject


def log(transaction: BuildingTransaction, signature: Signature, act: Act, **what: JsonValue) -> None:
    """Keep what somebody changed: in the audit as `act`, for people to read; and as an entry of `changes` before the
    images of what was changed, for replays. Called after all rows are saved. `what` is one of

    - `changed`: fields of the building (policy, contacts, approvers);
    - `vendor_added`: the image of a vendor;
    - `vendor_id` and `changed`: fields of the vendor (name, contact, contacts, approved);
    - `rule_id` and `changed`: fields of the rule (text, status, autonomy, shared);
    - `granted`: the image of a delegation;
    - `revoked`: the name of a delegation.
    """
    rows = transaction.end_position - transaction.position
    transaction.position += 1
    who = signature.by.model_dump(exclude={"via"})
    at, kept = transaction.position, {"by": who, "at": signature.at.isoformat(), "rows": rows, **what}
    transaction.also(LOG, (transaction.building.building_id, at, transaction.seq, str(at), Jsonb(kept)))
    record_audit(transaction, signature, act)
