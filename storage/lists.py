"""The lists that people and programs read: one query for each, with what belongs to a row gathered in."""

from datetime import datetime

from storage.pages import THEIRS, Listing
from storage.procurement import ROWS_BEFORE_FACTS

# The event that caused a row; none for what the building was posted with.
_CAUSE = "e.event_id, e.source AS event_source, e.event_type"
_BUILDING = {"building_id": "r.building_id = %(building_id)s"}
# What belongs to a fork is listed only where the fork is named.
_LIVE = {"live": "(SELECT b.mode = 'live' FROM buildings b WHERE b.building_id = r.building_id) = %(live)s"}


# How far a message of ours got: it and its place in the outbox are named by the same effect.
# A message's id and its key in the outbox are made of the same parts: `tools/messages.py`. Both spellings are looked up
# by the key's index, since a line may be called `all`.
_SENT = """
       (SELECT jsonb_build_object('status', o.status, 'withheld_because', o.withheld_because) FROM outbox o
         WHERE o.building_id = r.building_id AND r.direction = 'out'
           AND o.key = ANY(ARRAY[
               regexp_replace(r.message_id, '^M-([0-9]+)-([^-]+)-(.*)-([0-9]+)$', r.building_id || ':\\1:\\2:\\3:\\4'),
               regexp_replace(r.message_id, '^M-([0-9]+)-([^-]+)-all-([0-9]+)$', r.building_id || ':\\1:\\2::\\3')])
         LIMIT 1) AS sent"""


def _with_cause(table: str, seq: str, columns: str = "r.*") -> str:
    return (
        f"SELECT {columns}, {_CAUSE} FROM {table} r "
        f"LEFT JOIN events e ON e.building_id = r.building_id AND e.seq = r.{seq}"
    )


BUILDINGS = Listing(
    """
SELECT r.building_id, r.name, r.thread_id::text, r.status,
       CASE WHEN r.mode = 'live' AND r.is_watching THEN 'watch' ELSE r.mode END AS mode,
       r.mode = 'live' AND r.is_watching AND r.goes_live AS going_live,
       r.created_at,
       (SELECT count(*) FROM approvals a WHERE a.building_id = r.building_id AND a.status = 'pending')
           AS pending_approvals,
       (SELECT count(*) FROM events e WHERE e.building_id = r.building_id AND e.status IN ('queued', 'running'))
           AS waiting_events
  FROM buildings r""",
    {"building_id": str},
    {"live": "(r.mode = 'live') = %(live)s", **THEIRS},
)

EVENTS = Listing(
    """
SELECT r.building_id, r.seq, r.source, r.event_id, r.event_type, r.body, r.received_at, r.status, r.generation,
       r.attempts, r.failures, r.not_before, r.started_at, r.finished_at, r.error, r.outcome, r.sent_by
  FROM events r""",
    {"seq": int},
    {
        **_BUILDING,
        "status": "r.status = %(status)s",
        "event_type": "r.event_type = %(event_type)s",
        "source": "r.source = %(source)s",
        "event_id": "r.event_id = %(event_id)s",
        "seq": "r.seq = %(seq)s",
    },
)

# What a line amounts to is computed from its rows where nothing has changed on it since facts are kept. A line that was
# never ordered has none.
ITEMS = Listing(
    f"""
SELECT r.*, l.number AS purchase_order_number,
       CASE WHEN r.account IS NULL AND r.round > 0 THEN {ROWS_BEFORE_FACTS} END AS rows_before_facts,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('flag_id', f.flag_id, 'band', f.band, 'detail', f.detail)
                                  ORDER BY f.raised_seq, f.flag_id), '[]')
          FROM flags f
         WHERE f.building_id = r.building_id AND f.item_id = r.item_id AND f.status = 'open') AS flags,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'ncr_number', n.ncr_number, 'quantity', n.quantity::text, 'undecided', n.undecided::text,
                   'defects', n.defects) ORDER BY n.caused_seq, n.ncr_id), '[]')
          FROM nonconformances n
         WHERE n.building_id = r.building_id AND n.item_id = r.item_id AND n.undecided > 0 AND NOT n.is_gone)
           AS open_ncrs,
       (SELECT a.approval_id FROM approvals a
         WHERE a.building_id = r.building_id AND a.item_id = r.item_id AND a.holds_item
           AND (a.status = 'pending' OR a.decision ->> 'status' = 'accepted')
         ORDER BY a.status = 'pending' DESC, a.raised_seq, a.approval_id LIMIT 1) AS held_by
  FROM items r
  LEFT JOIN purchase_order_lines l
         ON l.building_id = r.building_id AND l.item_id = r.item_id AND l.round = r.round""",
    {"item_id": str},
    {**_BUILDING, "item_id": "r.item_id = %(item_id)s", "removed": "r.removed = %(removed)s"},
)

PURCHASE_ORDERS = Listing(
    _with_cause(
        "purchase_orders",
        "caused_seq",
        """r.*,
       (SELECT v.name FROM vendors v WHERE v.building_id = r.building_id AND v.vendor_id = r.vendor_id) AS vendor,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'line', l.line, 'item', l.item_id, 'item_name', i.name, 'round', l.round,
                   'quantity', l.quantity::text, 'unit', l.unit, 'unit_price', l.unit_price::text,
                   'group', l."group", 'group_total', l.group_total::text,
                   'status', coalesce(l.status, r.status), 'cancelled_on', coalesce(l.cancelled_on, r.cancelled_on),
                   'promised_date', l.promised_date, 'required_by', l.required_by) ORDER BY l.line), '[]')
          FROM purchase_order_lines l LEFT JOIN items i USING (building_id, item_id)
         WHERE l.building_id = r.building_id AND l.number = r.number) AS lines""",
    ),
    {"number": str},
    _BUILDING,
)

VENDORS = Listing(
    "SELECT r.vendor_id, r.name, r.contact, r.contacts, r.approved FROM vendors r",
    {"vendor_id": str},
    {**_BUILDING, "vendor_id": "r.vendor_id = %(vendor_id)s"},
)

SHIPMENTS = Listing(
    _with_cause(
        "shipments",
        "caused_seq",
        """r.*,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'receipt_id', c.receipt_id, 'quantity', c.quantity::text, 'received_on', c.received_on,
                   'location', c.location) ORDER BY c.received_on, c.receipt_id), '[]')
          FROM receipts c
         WHERE c.building_id = r.building_id AND c.item_id = r.item_id AND c.shipment_id = r.shipment_id)
           AS receipts""",
    ),
    {"caused_seq": int, "item_id": str, "shipment_id": str},
    _BUILDING,
)

INSPECTIONS = Listing(
    _with_cause("inspections", "caused_seq"),
    {"caused_seq": int, "item_id": str, "inspection_id": str},
    _BUILDING,
)

FLAGS = Listing(
    _with_cause("flags", "raised_seq"),
    {"raised_seq": int, "flag_id": str},
    {**_BUILDING, "status": "r.status = %(status)s"},
)

MESSAGES = Listing(
    _with_cause("messages", "caused_seq", f"r.*, {_SENT}"), {"caused_seq": int, "message_id": str}, _BUILDING
)

APPROVALS = Listing(
    _with_cause("approvals", "raised_seq"),
    {"raised_at": datetime, "approval_id": str},
    {
        **_BUILDING,
        "status": "r.status = %(status)s",
        "approval_id": "r.approval_id = %(approval_id)s",
        **_LIVE,
        **THEIRS,
    },
)

ACTIONS = Listing(
    _with_cause(
        "actions",
        "seq",
        "r.building_id, r.seq, r.action, r.item, r.ordinal, r.arguments, r.result, r.responder, r.position, r.at",
    ),
    {"position": int, "seq": int, "action": str, "item": str, "ordinal": int},
    {
        **_BUILDING,
        "event_id": "e.event_id = %(event_id)s",
        "source": "e.source = %(source)s",
    },
    always="r.kind = 'action'",
)

DECISIONS = Listing(
    _with_cause(
        "decisions",
        "seq",
        """r.*,
       CASE WHEN e.event_type = 'Decision' AND r.responder = e.body #> '{decision,responder}'
            THEN nullif(e.body #>> '{decision,why}', '') END AS message,
       r.basis -> 'reading' AS reading""",
    ),
    {"seq": int, "generation": int, "step": int},
    {**_BUILDING, "event_id": "e.event_id = %(event_id)s", "source": "e.source = %(source)s"},
)

FORKS = Listing(
    """
SELECT r.fork_id, r.parent_id AS building_id, r.last_seq, r.in_hand, r.position, r.checkpoint_id, r.state_seq, r.exact,
       r.note, r.created_by, r.created_at, r.number, b.mode,
       (SELECT count(*) FROM events e WHERE e.building_id = r.fork_id AND e.seq > r.last_seq) AS events_since,
       (SELECT count(*) FROM approvals a WHERE a.building_id = r.fork_id AND a.status = 'pending') AS pending_approvals
  FROM forks r JOIN buildings b ON b.building_id = r.fork_id""",
    {"number": int},
    {"building_id": "r.parent_id = %(building_id)s", "fork_id": "r.fork_id = %(fork_id)s"},
)

# Its place counts down, so that the newest comes first.
AUDIT = Listing(
    "SELECT r.*, -r.number AS place FROM audit r",
    {"place": int},
    {**_BUILDING, "what": "r.what = %(what)s"},
)

RULES = Listing(
    """
SELECT r.*, r.building_id || '-' || r.rule_id AS id,
       r.building_id || '-' || replace(r.source, '.', '-') AS source_approval,
       coalesce((b.policy ->> 'rule_autonomy_after')::integer, 3) AS autonomy_after
  FROM rules r JOIN buildings b USING (building_id)""",
    {"learned_at": datetime, "building_id": str, "rule_id": str},
    {
        **_BUILDING,
        "kind": "r.kind = %(kind)s",
        "status": "r.status = %(status)s",
        "rule_id": "r.rule_id = %(rule_id)s",
        **_LIVE,
        **THEIRS,
    },
)

DELEGATIONS = Listing(
    "SELECT r.*, r.building_id || '-' || r.delegation_id AS id FROM delegations r",
    {"granted_at": datetime, "building_id": str, "delegation_id": str},
    {
        **_BUILDING,
        "kind": "r.kind = %(kind)s",
        "status": "r.status = %(status)s",
        "delegation_id": "r.delegation_id = %(delegation_id)s",
        **_LIVE,
        **THEIRS,
    },
)
