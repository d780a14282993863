"""Creating and changing buildings, each in one transaction with its first schedule and log."""

import asyncio
from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from domain.buildings import Building, BuildingPatch, BuildingSpec, WatchMode
from domain.changing_lines import Log, Refused, WantedLine
from domain.earlier_digests import earlier_digests_of_building
from domain.errors import ConflictError, InvalidError
from domain.event_content import digest_of_typed
from domain.events import local_day, localised
from domain.lump_sums import in_group
from domain.milestones import spread_chases
from domain.plain_json import JsonObject
from domain.policy import Policy
from domain.principals import Author
from domain.procurement import Item, LineFile, ScheduleVersion, VendorRow
from domain.taking_on import Moment, NotPossibleError, OrderBook, take_on
from storage import by_hand, inbox
from storage.audit import Act, Signature, differences, record_audit
from storage.connection import Connection, Statement
from storage.transaction import LOCK, BuildingTransaction, building_transaction, encoded_statements
from storage.watching import withholding

LONGLEAD_NAMESPACE = UUID("6f0c1f57-5b0c-5a58-9b9e-0d8f3c1f2a11")

INSERT = """
INSERT INTO buildings (building_id, name, thread_id, mode, time_zone, currency, working_week, contacts, approvers,
                       policy, spec_hash, created_at, is_watching)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (building_id) DO NOTHING"""


def thread_id(building_id: str) -> str:
    """The building's LangGraph thread: a UUID, since LangGraph's server accepts nothing else."""
    return str(uuid5(LONGLEAD_NAMESPACE, building_id))


async def create(conn: Connection, spec: BuildingSpec, now: datetime, by: Author | None = None) -> bool:
    """Create the building with its schedule, vendors and lines. False when it was there with the same content. `by`:
    the caller, where one asked for it.

    Raises:
        ConflictError: it is there with other content.
    """
    digest = await asyncio.to_thread(digest_of_typed, spec, ZoneInfo(spec.time_zone))
    plain = spec.model_dump(mode="json", include={"working_week", "contacts", "approvers", "policy"})
    async with conn.transaction():
        inserted = await conn.execute(
            INSERT,
            (spec.building_id, spec.name, thread_id(spec.building_id), "live", spec.time_zone, spec.currency)
            + (Jsonb(plain["working_week"]), Jsonb(plain["contacts"]), Jsonb(plain["approvers"]))
            + (Jsonb(plain["policy"]), digest, now, spec.mode == "watch"),
        )
        row = await (await conn.execute(LOCK, (spec.building_id,))).fetchone()
        if row is None:
            raise ConflictError(f"Building {spec.building_id!r} was deleted at the same time. Send it again.")
        if not inserted.rowcount:
            if await asyncio.to_thread(_is_same, row["spec_hash"], spec, digest):
                return False
            raise ConflictError(_OTHER_CONTENT.format(id=spec.building_id))
        transaction = BuildingTransaction(conn, row, 0)
        signature = None if by is None else Signature(by, now)
        statements = await asyncio.to_thread(_first_statements, transaction, spec, now, signature)
        await conn.together(statements)
        if taken_on := sum(item.state is not None for item in spec.items):
            await _enter_taken_on(transaction, taken_on, now)
    return True


async def _enter_taken_on(transaction: BuildingTransaction, count: int, now: datetime) -> None:
    """Have the agent look at what the building was created with: it asks and tells of all of it at once."""
    await inbox.add(
        transaction,
        source=inbox.INTERNAL,
        event_id=TAKEN_ON,
        event_type="Lines_Taken_On",
        body={"lines": count},
        now=now,
    )


TAKEN_ON = "taken-on"
"""Id of the entry that tells of lines which a building was created with: there is one at most."""


def _first_statements(
    transaction: BuildingTransaction, spec: BuildingSpec, now: datetime, signature: Signature | None
) -> list[Statement]:
    """What writes the building's first rows: made apart from the event loop, they may be thousands."""
    _first_rows(transaction, spec, now)
    if signature is not None:
        record_audit(transaction, signature, Act("building_created", spec.building_id, {"name": spec.name}))
    return encoded_statements(transaction)


def _is_same(stored: str, spec: BuildingSpec, digest: str) -> bool:
    """Whether a building was posted with this body, by this version or by an earlier one."""
    return stored == digest or stored in earlier_digests_of_building(spec)


_OTHER_CONTENT = (
    "Building {id!r} exists with other content. Change it with PATCH /buildings/{id}, "
    "or send a Schedule_Revised or Items_Changed event."
)


def _first_rows(transaction: BuildingTransaction, spec: BuildingSpec, now: datetime) -> None:
    log = log_of(spec)
    transaction.building.schedule_version = 1
    transaction.log_building()
    transaction.save(ScheduleVersion(version=1, body=log.plan.body, caused_seq=0))
    transaction.save(*(VendorRow.model_validate(vendor.model_dump()) for vendor in spec.vendors))
    transaction.save(*log.items.values())
    _take_lines_on(transaction, spec, log, now)


def _take_lines_on(transaction: BuildingTransaction, spec: BuildingSpec, log: Log, now: datetime) -> None:
    """The lines that were posted with what is known of them.

    Raises:
        InvalidError: that cannot be.
    """
    building, book = transaction.building, OrderBook()
    book.note(posted.state for posted in spec.items if posted.state is not None)
    vendors = {vendor.vendor_id for vendor in spec.vendors}
    moment = Moment(now.astimezone(building.zone).date(), now, building.zone, 0)
    files: list[LineFile] = []
    for place, (item_id, posted) in enumerate(zip(spec.item_ids, spec.items, strict=True)):
        if posted.state is None:
            continue
        try:
            file = LineFile(item=log.items[item_id], tolerances=building.policy.tolerances)
            taken = take_on(file, posted.state, building, moment, book=book, vendors=vendors)
        except NotPossibleError as error:
            field = f"items.{place}.state.{error.where}"
            raise InvalidError(f"{field}: {error.why}", field) from error
        transaction.save(*taken.rows)
        files.append(taken.file)
    transaction.save(*spread_chases(files, building, moment.today, 0))


def lines_of(spec: BuildingSpec) -> list[Item]:
    """The procurement log at the start: the posted lines, then a line for each delivery that has none."""
    return list(log_of(spec).items.values())


def log_of(spec: BuildingSpec) -> Log:
    """The log and the schedule at the start. A posted line that the schedule does not name is added to it with its own
    day; where it names the line, it wins.

    Raises:
        InvalidError: a line cannot be as it is posted. The body's own checks come before.
    """
    zone = transaction_zone(spec)
    vendors = {vendor.vendor_id for vendor in spec.vendors}
    log = Log([], {}, currency=spec.currency, vendors=vendors, seq=0)
    for item_id, posted in zip(spec.item_ids, spec.items, strict=True):
        values = posted.model_dump(exclude={"item_id", "name", "required_by", "buffer_days", "lump_sum", "state"})
        values |= in_group(posted.lump_sum)
        outcome = log.create(WantedLine(item_id, posted.name, values))
        if isinstance(outcome, Refused):
            raise InvalidError(f"items: {outcome.reason}", "items")
    log.replace_schedule(localised(spec.schedule.model_dump(mode="json", exclude_none=True), zone))
    for item_id, posted in zip(spec.item_ids, spec.items, strict=True):
        if log.plan.deliveries_of(item_id):
            log.scheduled(log.items[item_id])
        else:
            day = None if posted.required_by is None else local_day(posted.required_by, zone)
            need = {"required_by": day, "buffer_days": posted.buffer_days or 0}
            log.change(WantedLine(item_id, values=need))
    log.add_scheduled()
    return log


def transaction_zone(spec: BuildingSpec) -> ZoneInfo:
    return Building(building_id=spec.building_id, name=spec.name, thread_id="", time_zone=spec.time_zone).zone


async def change(
    conn: Connection,
    building_id: str,
    patch: BuildingPatch,
    by: Author,
    now: datetime,
    seq: int | None = None,
) -> Building:
    """Change policy, contacts, approvers or mode, and log who did it. `seq`: the entry that it came after, where it is
    on record and done again.

    Raises:
        NotFoundError: there is no such building.
        ConflictError: the mode of a fork, or of a closed building that is to go live.
        ValidationError: a policy field is unknown or out of range (pydantic's, for the caller to name).
    """
    async with building_transaction(conn, building_id, seq) as transaction:
        building, before = transaction.building, _changeable(transaction.building)
        if patch.policy is not None:
            building.policy = Policy.model_validate({**building.policy.model_dump(), **patch.policy})
        if patch.contacts is not None:
            building.contacts = dict(patch.contacts)
        if patch.approvers is not None:
            building.approvers = patch.approvers
        if patch.mode is not None:
            await _switch(transaction, patch.mode, Signature(by, now))
        if transaction.end_position > transaction.position:
            act = Act("building_changed", building_id, {"changed": differences(before, _changeable(building))})
            given = patch.model_dump(mode="json", exclude_none=True)
            by_hand.log(transaction, Signature(by, now), act, changed=given)
        if before["policy.tolerances"] != _changeable(building)["policy.tolerances"]:
            await _enter_recount(transaction, Signature(by, now))
        return building


async def _enter_recount(transaction: BuildingTransaction, signature: Signature) -> None:
    """Lines of which something came are counted again in their turn, by an entry. A replay has it on record."""
    if transaction.building.mode == "replay" or transaction.building.status == "closed":
        return
    await inbox.add(
        transaction,
        source=inbox.INTERNAL,
        event_id=f"tolerances:{transaction.position}",
        event_type="Tolerances_Changed",
        body={},
        now=signature.at,
        sent_by=signature.by,
    )


def _changeable(building: Building) -> JsonObject:
    """What people may change of a building, field by field, in JSON's types."""
    plain = building.model_dump(mode="json", include={"policy", "contacts", "approvers"})
    policy = {f"policy.{name}": value for name, value in plain["policy"].items()}
    contacts = {f"contacts.{name}": value for name, value in plain["contacts"].items()}
    return {**policy, **contacts, "approvers": plain["approvers"], "mode": building.chosen_mode}


async def _switch(transaction: BuildingTransaction, mode: WatchMode, signature: Signature) -> None:
    """Watch is in force at once, and withholds what is not yet sent. Live is in force from an entry of the inbox on:
    what came before it is still processed in watch. Where that entry died, switching again enters a new one."""
    building = transaction.building
    if building.mode == "sandbox":
        raise ConflictError(f"{building.building_id!r} is a fork: it sends nothing, and has no mode of its own.")
    watches = building.is_watching and not building.goes_live
    if mode == "watch" and not watches:
        building.is_watching, building.goes_live, building.acts_from = True, False, None
        for statement in withholding(building.building_id):
            transaction.also(*statement)
    elif mode == "live" and watches:
        building.goes_live = True
        if building.mode == "live":  # a replay has the entry on record
            await _enter_going_live(transaction, signature, f"live:{transaction.position}")
    elif mode == "live" and building.going_live:
        entered, waiting = await _entries_to_go_live(transaction)
        if not waiting:
            await _enter_going_live(transaction, signature, f"live:{transaction.position}:{entered}")


async def _entries_to_go_live(transaction: BuildingTransaction) -> tuple[int, int]:
    """How many entries were to make the building live, and how many of them wait or are being processed."""
    query = (
        "SELECT count(*) AS entered, count(*) FILTER (WHERE status IN ('queued', 'running')) AS waiting FROM events "
        "WHERE building_id = %s AND source = %s AND event_type = 'Building_Went_Live'"
    )
    parameters = (transaction.building.building_id, inbox.INTERNAL)
    row = await (await transaction.conn.execute(query, parameters)).fetchone()
    return (0, 0) if row is None else (row["entered"], row["waiting"])


async def _enter_going_live(transaction: BuildingTransaction, signature: Signature, event_id: str) -> None:
    await inbox.add(
        transaction,
        source=inbox.INTERNAL,
        event_id=event_id,
        event_type="Building_Went_Live",
        body={"switched_by": signature.by.name},
        now=signature.at,
        sent_by=signature.by,
    )
