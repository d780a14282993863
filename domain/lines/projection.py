"""A line's rows as its facts make them: lots, nonconformances, shipments, receipts, inspections, order status, facets.

`project` is the only writer of these rows. It is given the line's whole file and returns it as it should be; what
differs is saved (`changed_rows`). Nothing here looks at the clock: the same file always comes out the same.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from domain.lines.account import Account, Delivery, Verdict
from domain.lines.bookkeeping import BEFORE_ANY_ORDER, keep_account
from domain.lines.coverage import supply_here
from domain.lines.facets import derive_facets
from domain.lines.facts import Arrived, Cancelled, Departed, Fact, Inspected, Ordered, Stated
from domain.lines.lots import COMING, NOTHING, RECEIVED, Lot, LotState
from domain.lines.needs import with_needs
from domain.lines.old_rows import read_facts, tell_at_noon
from domain.lines.quantities import ONE_LOT, share_of
from domain.lines.statements import Expected, expect_arrivals
from domain.lines.stored import fact_row, read_row
from domain.lines.submittals import newest_verdict
from domain.procurement import (
    MILESTONES,
    FactRow,
    Inspection,
    Item,
    LineAccount,
    LineFile,
    LotRow,
    Milestone,
    NonconformanceRow,
    OrderLine,
    PurchaseOrder,
    Receipt,
    Row,
    Shipment,
    Submittal,
    Supply,
)

ORDERS = "longlead.orders"
"""Source of the facts that orders are."""
JOINED = "joined"
"""What becomes of a report of a nonconformance for which a later report speaks."""
_WORD: dict[str, str] = {"repair": "repair", "return": "return", "accept": "use_as_is", "scrap": "scrap"}


_PARTS: dict[str, Callable[[Row], object]] = {
    "orders": attrgetter("number"),
    "order_lines": attrgetter("number", "line"),
    "shipments": attrgetter("shipment_id"),
    "receipts": attrgetter("receipt_id"),
    "inspections": attrgetter("inspection_id"),
    "milestones": attrgetter("round", "kind"),
    "facts": attrgetter("fact_id"),
    "lots": attrgetter("lot_id"),
    "ncrs": attrgetter("ncr_id"),
}
"""The rows of a file, and what names one of them within its line."""


def is_untold(fact: Fact) -> bool:
    """Whether nobody knows when it was said: it is older than everything of which that is known."""
    return fact.said_at.year == date.min.year


def facts_of(file: LineFile) -> list[Fact]:
    """All that was said about a line: the facts on file, and what its orders say. Of a line on which nothing has
    changed since facts are kept, what its rows say."""
    if file.item.account is None and not file.facts:
        return read_facts(file)
    return [*(read_row(row) for row in file.facts), *_order_facts(file)]


def _order_facts(file: LineFile) -> Iterable[Fact]:
    for line in file.order_lines:
        order = next((order for order in file.orders if order.number == line.number), None)
        placed_on = max((order.issued_on if order else None) or _first_day(file), line.ordered_after or date.min)
        seq = order.caused_seq if order else 0
        # By round: the order's own entry changes with its status, and the facts must not be sorted otherwise for that.
        said = tell_at_noon(placed_on, line.round, f"order:{line.number}", ORDERS)
        is_adopted = order is not None and order.placed_outside
        # An order that names no quantity orders all that is needed.
        quantity = file.item.needed_quantity if line.quantity is None else line.quantity
        is_undated = order is not None and order.taken_on is not None and order.issued_on is None
        yield Ordered(**said, order=line.number, quantity=quantity, is_adopted=is_adopted, is_undated=is_undated)
        if line.cancelled_on is not None and line.cancelled_seq is not None:
            day = max(placed_on, line.cancelled_on)
            told = tell_at_noon(day, line.cancelled_seq, f"cancelled:{line.number}", ORDERS)
            yield Cancelled(**told, order=line.number)
        elif order is not None and order.status == "cancelled":
            day = max(placed_on, order.cancelled_on or last_day(file))
            yield Cancelled(**tell_at_noon(day, seq, f"cancelled:{line.number}", ORDERS), order=line.number)


def _first_day(file: LineFile) -> date:
    days = (fact.day for fact in file.facts if fact.is_live and fact.kind in ("departed", "arrived"))
    return min(days, default=date.min)


def last_day(file: LineFile) -> date:
    """The last day on which anything is known to have happened to the goods of a line."""
    happened = ("departed", "arrived", "inspected")
    days = (fact.day for fact in adopt(file).facts if fact.is_live and fact.kind in happened)
    return max(days, default=date.min)


def account_of(file: LineFile, facts: Sequence[Fact] | None = None) -> Account:
    """The line's account from its facts."""
    told = facts_of(file) if facts is None else facts
    return keep_account(file.item.needed_quantity, tolerance_of(file), told)


def tolerance_of(file: LineFile) -> Decimal:
    """The share of the line that may be missing, as the building's policy is now."""
    return share_of(file.item.unit, file.tolerances)


def adopt(file: LineFile) -> LineFile:
    """The file with its facts on record, where it was kept without facts until now. What was released stays so."""
    if file.item.account is not None or file.facts:
        return file
    rows = [
        fact_row(fact, file.item.item_id, f"old-{number}", file.item.caused_seq)
        for number, fact in enumerate(read_facts(file))
        if not isinstance(fact, (Ordered, Cancelled))
    ]
    account = LineAccount(was_released_before=file.item.is_released)
    item = file.item.model_copy(update={"account": account})
    return file.model_copy(update={"facts": rows, "item": item, "on_record": file})


def project(file: LineFile, seq: int, account: Account | None = None) -> LineFile:
    """The file as its facts make it. `seq`: the entry that is being processed; `account`: of its facts, where it is
    computed already."""
    return _Projection(adopt(file), seq, account).make()


def with_account(file: LineFile, seq: int = 0) -> LineFile:
    """The file as its facts make it: of a line that was kept without facts, with its lots and nonconformances."""
    return project(file, seq) if file.item.account is None else file


def with_facts(file: LineFile, rows: Sequence[FactRow], seq: int) -> LineFile:
    """The line with further facts, or with facts changed."""
    known, changed = adopt(file), {row.fact_id for row in rows}
    facts = [*(row for row in known.facts if row.fact_id not in changed), *rows]
    return project(known.model_copy(update={"facts": facts}), seq)


def recount(file: LineFile, item: Item, seq: int) -> LineFile:
    """The file with its line changed, and all that follows from that."""
    known = adopt(file)
    changed = item.model_copy(update={"account": known.item.account})
    return project(known.model_copy(update={"item": changed}), seq)


def changed_rows(before: LineFile, after: LineFile) -> list[Row]:
    """The rows of `after` that `before`, as it is on record, lacks or has otherwise; the line itself first."""
    before = before.on_record or before
    rows: list[Row] = [after.item] if after.item != before.item else []
    for part, name_of in _PARTS.items():
        known = {name_of(row): row for row in getattr(before, part)}
        rows += [row for row in getattr(after, part) if (was := known.get(name_of(row))) is not row and was != row]
    return rows


class _Projection:
    def __init__(self, file: LineFile, seq: int, account: Account | None = None) -> None:
        self.file, self.seq = file, seq
        self.item = file.item
        self.facts = facts_of(file)
        self.account = account or account_of(file, self.facts)
        doubted = {doubt.fact for doubt in self.account.doubts}
        self.believed = [fact for fact in self.facts if fact.key not in doubted]
        self.rounds = {line.number: line.round for line in file.order_lines}
        self.told = {fact.key: fact for fact in self.facts}
        self.rows_by_key = {row.key: row for row in file.facts}
        self.departures = _by_name(self.facts)
        self.lots_of: dict[str | None, list[Lot]] = defaultdict(list)
        for lot in self.account.lots:
            self.lots_of[lot.shipment].append(lot)
        self.stated = expect_arrivals(self.account, self.facts, None)
        self.etas_of: dict[str | None, list[date]] = defaultdict(list)
        for part in self.stated:
            if part.on:
                self.etas_of[part.shipment].append(part.on)
        self.computed = expect_arrivals(self.account, self.facts, self.item.lead_time_days)
        self.acknowledged = self._acknowledged()
        self.failures: dict[str, Verdict] = {}
        """Verdicts that raised a nonconformance, by each of their reports."""
        for verdict in self.account.verdicts:
            for report in verdict.reports if verdict.ncr else ():
                self.failures.setdefault(report, verdict)
        self.ncr_ids: dict[str, str] = {}
        """By nonconformance: the name under which its row is kept."""
        self.plans: list[Inspection] = []
        """Inspections that are planned."""
        self.shown_names: Mapping[str, str] = {}
        """By what the lots of a shipment are named by: its id as it is shown."""

    def make(self) -> LineFile:
        shipments = self._shipments()
        names = {(row.fact or row.shipment_id): row.shipment_id for row in shipments}
        inspections = self._inspections(names)
        ncrs = self._ncrs(inspections)
        inspections = [self._with_disposition(one, ncrs) for one in inspections]
        receipts = self._receipts(names)
        self.plans = [row for row in inspections if row.status == "scheduled" and row.fact is None]
        self.shown_names = names
        lots = self._lots(names)
        orders, order_lines = self._orders()
        made = self.file.model_copy(
            update={
                "shipments": shipments,
                "receipts": receipts,
                "inspections": inspections,
                "ncrs": ncrs,
                "lots": lots,
                "orders": orders,
                "order_lines": order_lines,
                "milestones": self._milestones(),
            }
        )
        item = self._item(made)
        return made.model_copy(update={"item": item})

    # -- orders and statements

    def _acknowledged(self) -> dict[str, date]:
        """By order: the day on which its vendor first promised something."""
        found = {order.number: order.acknowledged_on for order in self.file.orders if order.acknowledged_on}
        newest = self._newest_order()
        for fact in self.facts:
            if isinstance(fact, Stated) and fact.kind == "promise" and not fact.is_voided:
                number = fact.order or newest
                said = (fact.received_at if is_untold(fact) else fact.said_at).date()
                if number is not None:
                    found[number] = min(said, found.get(number, said))
        return found

    def _told_acknowledged(self) -> set[str | None]:
        """Orders of which is known when their vendor confirmed them."""
        newest = self._newest_order()
        told = {fact.order or newest for fact in self._promises() if not is_untold(fact)}
        return told | {order.number for order in self.file.orders if order.acknowledged_on}

    def _newest_order(self) -> str | None:
        live = [order for order in self.account.orders if order.number != BEFORE_ANY_ORDER and not order.is_cancelled]
        return max(live, key=lambda order: self.rounds.get(order.number, 0)).number if live else None

    def _promises(self, number: str | None = None) -> list[Stated]:
        """Promises, the newest saying last."""
        found = [
            fact
            for fact in self.facts
            if isinstance(fact, Stated) and fact.kind == "promise" and not fact.is_voided
            if number is None or fact.order in (None, number)
        ]
        return sorted(found, key=lambda fact: fact.saying)

    def _orders(self) -> tuple[list[PurchaseOrder], list[OrderLine]]:
        orders = [self._order(order) for order in self.file.orders]
        lines = []
        for line in self.file.order_lines:
            promised = self._promises(line.number)
            update: dict[str, date | str | None] = {"promised_date": promised[-1].day if promised else None}
            if line.status is not None or self._others_on(line.number):
                update["status"] = self._line_status(line)
            same = all(getattr(line, name) == value for name, value in update.items())
            lines.append(line if same else line.model_copy(update=update))
        return orders, lines

    def _others_on(self, number: str) -> list[OrderLine]:
        """The lines of other items on an order."""
        return [line for line in self.file.other_order_lines if line.number == number]

    def _line_status(self, line: OrderLine) -> str:
        status = self._order_status(line.number)
        return "cancelled" if line.cancelled_on is not None and status != "received" else status

    def _order(self, order: PurchaseOrder) -> PurchaseOrder:
        """The order with how far this line of it is, and the status that follows from all of its lines."""
        if order.status == "cancelled":
            return order
        status = self._order_status(order.number)
        if others := self._others_on(order.number):
            own = [self._line_status(line) for line in self.file.order_lines if line.number == order.number]
            status = status_of_all([*own, *(line.status or order.status for line in others)])
        return order if order.status == status else order.model_copy(update={"status": status, "caused_seq": self.seq})

    def _order_status(self, number: str) -> str:
        own = [lot for lot in self.account.lots if lot.order == number]
        received = [lot for lot in own if lot.state in RECEIVED or lot.state in (LotState.RETURNED, LotState.SCRAPPED)]
        if received:
            return "partially_received" if self._is_coming(number) else "received"
        return "acknowledged" if number in self.acknowledged else "issued"

    def _is_coming(self, number: str) -> bool:
        """Whether something of an order is still to come, beyond what may be missing of it."""
        own = [lot for lot in self.account.lots if lot.order == number]
        left = sum((lot.quantity for lot in own if lot.state in COMING), NOTHING)
        ordered = next((order.ordered for order in self.account.orders if order.number == number), NOTHING)
        return any(lot.is_unknown for lot in own) or left > ordered * tolerance_of(self.file)

    # -- deliveries

    def _shipments(self) -> list[Shipment]:
        known = {(row.fact or row.shipment_id): row for row in self.file.shipments}
        made: list[Shipment] = []
        for delivery in self.account.deliveries:
            names = [delivery.name, *delivery.reports]
            row = next((known.pop(name) for name in names if name in known), None)
            if row is not None and row.fact is not None:
                row = row.model_copy(update={"fact": delivery.name})
            made.append(self._shipment(delivery, row, made))
        gone = [
            row.model_copy(update={"status": "voided"}) if row.status != "voided" else row for row in known.values()
        ]
        return [*made, *gone]

    def _shipment(self, delivery: Delivery, row: Shipment | None, made: list[Shipment]) -> Shipment:
        round_ = self.rounds.get(delivery.order, 0)
        lots = self.lots_of.get(delivery.name, [])
        departed = self._departure(delivery)
        quantity = sum((lot.quantity for lot in lots), NOTHING) or None
        states = {lot.state for lot in lots if lot.quantity or lot.is_unknown}
        if states == {LotState.RETURNED}:
            status = "returned"
        elif states == {LotState.CANCELLED}:
            status = "cancelled"
        else:
            status = "received" if delivery.arrivals and LotState.IN_TRANSIT not in states else "in_transit"
        if row is None:
            named = delivery.name not in self.told
            others = [*self.file.shipments, *made]
            shipment_id = delivery.name if named else _next_shipment_id(self.item, round_, others)
            fact = None if named else delivery.name
            row = Shipment(
                shipment_id=shipment_id, item_id=self.item.item_id, round=round_, fact=fact, caused_seq=self.seq
            )
        if self.item.quantity is None and quantity == ONE_LOT:
            quantity = None
        etas = self.etas_of.get(delivery.name)
        return row.model_copy(
            update={
                "round": round_,
                "purchase_order": delivery.order or row.purchase_order,
                "quantity": quantity,
                "status": status,
                "departed_on": None if delivery.is_undated else delivery.departed_on,
                "origin": departed.origin if departed else row.origin,
                "eta": max(etas) if etas else (departed.eta if departed else None),
            }
        )

    def _departure(self, delivery: Delivery) -> Departed | None:
        ids = self.account.shipment_ids.get(delivery.name, frozenset()) | {delivery.name}
        found = (fact for name in ids for fact in self.departures.get(name, ()))
        return max(found, key=lambda fact: fact.saying, default=None)

    def _receipts(self, names: Mapping[str, str]) -> list[Receipt]:
        known = {row.receipt_id: row for row in self.file.receipts}
        made: dict[str, Receipt] = {}
        for delivery in self.account.deliveries:
            for number, arrival in enumerate(sorted(delivery.arrivals, key=lambda one: (one.day, one.fact))):
                shipment_id = names[delivery.name]
                receipt_id = f"R-{shipment_id}" + (f"-{number + 1}" if number else "")
                stored = self.rows_by_key.get(arrival.fact)
                quantity = None if self.item.quantity is None and arrival.quantity == ONE_LOT else arrival.quantity
                start = known.get(receipt_id) or Receipt(
                    receipt_id=receipt_id,
                    shipment_id=shipment_id,
                    item_id=self.item.item_id,
                    received_on=arrival.day,
                    location=stored.details.place if stored else None,
                    caused_seq=stored.caused_seq if stored else self.seq,
                )
                is_taken_on = start.is_taken_on or (stored is not None and stored.details.is_adopted)
                update = {"quantity": quantity or None, "received_on": arrival.day, "is_voided": False}
                made[receipt_id] = start.model_copy(update=update | {"is_taken_on": is_taken_on})
        gone = [row.model_copy(update={"is_voided": True}) for name, row in known.items() if name not in made]
        return [*made.values(), *gone]

    # -- inspections

    def _inspections(self, names: Mapping[str, str]) -> list[Inspection]:
        rows = list(self.file.inspections)
        ids = {row.inspection_id for row in rows}
        done = {row.fact: row for row in rows if row.fact is not None}
        made: dict[str, Inspection] = {}
        for verdict in self.account.verdicts:
            known = next((done[key] for key in verdict.reports if key in done), None)
            row = known or self._planned(rows, made, verdict, names) or self._unplanned(rows, verdict)
            if row.inspection_id not in ids:
                rows.append(row)
                ids.add(row.inspection_id)
            made[row.inspection_id] = self._inspection(row, verdict, names)
        result = []
        for row in rows:
            if row.inspection_id in made:
                result.append(made[row.inspection_id])
            elif row.fact is not None and row.status != "voided":
                result.append(_without_report(row))
            else:
                result.append(row)
        return self._closed_plans(result, names)

    def _planned(
        self, rows: Sequence[Inspection], made: dict[str, Inspection], verdict: Verdict, names: Mapping[str, str]
    ) -> Inspection | None:
        """The planned inspection that a verdict is of."""
        mine = {names.get(name, name) for name in verdict.shipments}
        for row in rows:
            is_open = row.status == "scheduled" and row.fact is None and row.inspection_id not in made
            if is_open and (row.shipment_id is None or row.shipment_id in mine):
                return row
        # Rows of earlier versions are known by their document and day.
        fact = self.told.get(verdict.fact)
        if isinstance(fact, Inspected):
            for row in rows:
                same = (row.status, row.inspected_on) == ("passed" if verdict.passed else "failed", verdict.day)
                if row.fact is None and same and row.inspection_id not in made and row.document_name == fact.document:
                    return row
        return None

    def _unplanned(self, rows: Sequence[Inspection], verdict: Verdict) -> Inspection:
        round_ = self.rounds.get(verdict.order, self.item.round)
        return Inspection(
            inspection_id=next_inspection_id(self.item, round_, rows),
            item_id=self.item.item_id,
            round=round_,
            caused_seq=self._seq_of(verdict.fact),
        )

    def _seq_of(self, key: str) -> int:
        stored = self.rows_by_key.get(key)
        return stored.caused_seq if stored else self.seq

    def _inspection(self, row: Inspection, verdict: Verdict, names: Mapping[str, str]) -> Inspection:
        told = [self.told[key] for key in reversed(verdict.reports) if key in self.told]
        reports = [fact for fact in told if isinstance(fact, Inspected)]
        stored = [self.rows_by_key[key] for key in reversed(verdict.reports) if key in self.rows_by_key]
        # The first report's papers stay; a second system's copy of it is no other inspection.
        document = next((one.document for one in reversed(reports) if one.document), row.document_name)
        if verdict.is_on_arrival:
            document = None
        url = next((one.details.document_url for one in reversed(stored) if one.details.document_url), row.document_url)
        defects = next((list(one.defects) for one in reports if one.defects), row.defects)
        rejected = next((one.rejected for one in reports if one.rejected is not None), None)
        if verdict.is_on_arrival:
            defects, rejected = self._noted_on_arrival(verdict), verdict.quantity
        shipment = row.shipment_id
        if shipment is None and len(verdict.shipments) == 1:
            shipment = names.get(verdict.shipments[0], verdict.shipments[0])
        return row.model_copy(
            update={
                "round": self.rounds.get(verdict.order, row.round),
                "shipment_id": shipment,
                "status": "passed" if verdict.passed else "failed",
                "inspected_on": verdict.day,
                "document_name": document,
                "document_url": url,
                "defects": [] if verdict.passed else defects,
                "quantity_rejected": None if verdict.passed else rejected,
                "fact": row.fact if row.fact in verdict.reports else verdict.fact,
                "caused_seq": row.caused_seq if row.fact in verdict.reports else self._seq_of(verdict.fact),
            }
        )

    def _noted_on_arrival(self, verdict: Verdict) -> list[str]:
        fact = self.told.get(verdict.reports[-1])
        is_wrong = isinstance(fact, Arrived) and fact.condition == "wrong"
        return ["not what was ordered"] if is_wrong else ["damaged on arrival"]

    def _closed_plans(self, rows: list[Inspection], names: Mapping[str, str]) -> list[Inspection]:
        """Plans of goods that have all had their verdict, or are not there any more, are done with."""
        waiting = {
            names.get(lot.shipment or "", lot.shipment) for lot in self.account.lots if lot.state == LotState.ON_SITE
        }
        there = {names.get(lot.shipment or "", lot.shipment) for lot in self.account.lots if lot.arrived_on is not None}
        passed = {shipment for one in self.account.verdicts for shipment in one.shipments}
        judged = {names.get(name, name) for name in passed}
        closed = []
        for row in rows:
            is_plan = row.status == "scheduled" and row.fact is None and row.shipment_id is not None
            if is_plan and row.shipment_id in judged and row.shipment_id not in waiting:
                last = max(
                    (
                        one
                        for one in self.account.verdicts
                        if row.shipment_id in {names.get(s, s) for s in one.shipments}
                    ),
                    key=lambda one: one.day,
                )
                row = self._inspection(row, last, names).model_copy(update={"fact": f"plan:{row.inspection_id}"})
            elif is_plan and row.shipment_id not in there:
                row = row.model_copy(update={"status": "voided"})
            closed.append(row)
        return closed

    def _ncrs(self, inspections: Sequence[Inspection]) -> list[NonconformanceRow]:
        known = {row.ncr_id: row for row in self.file.ncrs}
        by_ncr = {one.ncr: one for one in self.account.verdicts if one.ncr}
        made: list[NonconformanceRow] = []
        for ncr in self.account.ncrs:
            verdict = by_ncr.get(ncr.ncr)
            report = next((row for row in inspections if verdict and row.fact in verdict.reports), None)
            row = next((known.pop(name) for name in self._names_of(ncr.ncr) if name in known), None)
            if row is None:
                number = report.ncr_number if report and report.ncr_number else self._ncr_number(ncr.ncr, report, made)
                row = NonconformanceRow(
                    item_id=self.item.item_id,
                    ncr_id=ncr.ncr,
                    ncr_number=number,
                    quantity=NOTHING,
                    undecided=NOTHING,
                    caused_seq=report.caused_seq if report else self.seq,
                )
            handling = ncr.handlings[-1] if ncr.handlings and not ncr.is_open else None
            if row.ncr_id != ncr.ncr and ncr.ncr not in self.told:
                row = row.model_copy(update={"ncr_number": ncr.ncr})  # it got a number after it was noted
            self.ncr_ids[ncr.ncr] = row.ncr_id
            made.append(
                row.model_copy(
                    update={
                        "quantity": ncr.quantity,
                        "undecided": ncr.undecided,
                        "defects": report.defects if report else row.defects,
                        "disposition": self._disposition(ncr.ncr, handling),
                        "inspection_id": report.inspection_id if report else row.inspection_id,
                        "shipment_id": report.shipment_id if report else row.shipment_id,
                        "is_gone": False,
                    }
                )
            )
        gone = [row.model_copy(update={"is_gone": True, "undecided": NOTHING}) for row in known.values()]
        return [*made, *gone]

    def _names_of(self, ncr: str) -> list[str]:
        """The name of a nonconformance, and every other that it has or had."""
        names = [ncr]
        for name in names:
            names += [other for other, meant in self.account.ncr_names.items() if meant == name and other not in names]
        return names

    def _disposition(self, ncr: str, handling: str | None) -> str | None:
        if handling is None:
            return None
        names = self._names_of(ncr)
        replaced = any(
            row.kind == "disposed" and row.is_live and row.details.ncr in names and row.details.then == "replaced"
            for row in self.file.facts
        )
        return "replace" if handling == "return" and replaced else _WORD[handling]

    def _ncr_number(self, ncr: str, report: Inspection | None, made: Sequence[NonconformanceRow]) -> str:
        fact = next((f for f in self.facts if isinstance(f, Inspected) and f.ncr == ncr and f.ncr_number), None)
        if fact is not None and fact.ncr_number:
            return fact.ncr_number
        round_ = report.round if report else self.item.round
        number = len(self.file.ncrs) + len(made) + 1
        return f"NCR-{self.item.item_id}-{round_}-{number}"

    def _with_disposition(self, row: Inspection, ncrs: Sequence[NonconformanceRow]) -> Inspection:
        verdict = self.failures.get(row.fact or "")
        named = self.ncr_ids.get(verdict.ncr or "") if verdict else None
        ncr = next((one for one in ncrs if one.ncr_id == named and not one.is_gone), None)
        if ncr is None:
            return row
        decided = ncr.disposition
        if ncr.inspection_id != row.inspection_id:  # a later report speaks for the nonconformance
            decided = row.disposition or decided or JOINED
        return row.model_copy(update={"ncr_number": ncr.ncr_number, "disposition": decided})

    # -- lots

    def _shown_lots(self) -> list[Lot]:
        """The lots without what is needed and was never ordered."""
        return [lot for lot in self.account.lots if lot.order != BEFORE_ANY_ORDER or lot.state != LotState.ORDERED]

    def _lots(self, names: Mapping[str, str]) -> list[LotRow]:
        counts: dict[str, int] = {}
        made: dict[str, LotRow] = {}
        computed: dict[tuple[str, str | None], list[date]] = defaultdict(list)
        for part in self.computed:
            if part.on:
                computed[part.order, part.shipment].append(part.on)
        for lot in self._shown_lots():
            order = lot.order or self.item.item_id
            counts[order] = counts.get(order, 0) + 1
            lot_id = f"{order}/{counts[order]}"
            coming = lot.state in COMING
            day = max(computed.get((lot.order, lot.shipment), ()), default=None) if coming else None
            usable = lot.since if lot.state == LotState.ACCEPTED else day if coming else self._ready_on(lot)
            made[lot_id] = LotRow(
                item_id=self.item.item_id,
                lot_id=lot_id,
                order=lot.order or None,
                quantity=lot.quantity,
                unit=self.item.unit,
                state=lot.state,
                shipment_id=names.get(lot.shipment or "", lot.shipment),
                ncr_id=self.ncr_ids.get(lot.ncr or "", lot.ncr),
                since=lot.since,
                arrived_on=lot.known_arrival,
                expected_on=day if coming else lot.known_arrival,
                usable_on=usable,
                aliases=sorted(self.account.shipment_ids.get(lot.shipment or "", frozenset())),
                is_over=lot.is_over,
                is_unknown=lot.is_unknown,
                caused_seq=self.seq,
            )
        known = {row.lot_id: row for row in self.file.lots}
        result = []
        for lot_id, row in made.items():
            before = known.pop(lot_id, None)
            same = before is not None and before.model_copy(update={"caused_seq": row.caused_seq}) == row
            result.append(before if before is not None and same else row)
        gone = [
            row
            if row.is_gone
            else row.model_copy(update={"is_gone": True, "quantity": NOTHING, "caused_seq": self.seq})
            for row in known.values()
        ]
        return [*result, *gone]

    # -- milestones

    def _milestones(self) -> list[Milestone]:
        return [self._milestone(milestone) for milestone in self.file.milestones]

    def _milestone(self, milestone: Milestone) -> Milestone:
        number = next((n for n, round_ in self.rounds.items() if round_ == milestone.round), None)
        if number is None:
            return milestone
        reached = self._reached(number)
        later = [reached[kind] for kind in MILESTONES[MILESTONES.index(milestone.kind) :] if reached.get(kind)]
        day = min((on for on in later if on is not None), default=None)
        if (day is None) == (milestone.met_on is None):
            return milestone
        return milestone.model_copy(update={"met_on": day})

    def _reached(self, number: str) -> dict[str, date | None]:
        lots = [lot for lot in self.account.lots if lot.order == number]
        arrived = [lot.arrived_on for lot in lots if lot.arrived_on]
        departed = [one.departed_on for one in self.account.deliveries if one.order == number and one.departed_on]
        coming = self._is_coming(number)
        judged = [one.day for one in self.account.verdicts if one.order == number]
        return {
            "acknowledge": self.acknowledged.get(number),
            "ship": min([*departed, *arrived], default=None),
            "arrive": max(arrived) if arrived and not coming else None,
            # A part that was inspected says nothing of the rest that is still to come.
            "inspect": max(judged, default=None) if not coming else None,
        }

    # -- the line

    def _item(self, file: LineFile) -> Item:
        planned = any(row.status == "scheduled" and row.fact is None for row in file.inspections)
        facets = derive_facets(self.account, self.acknowledged, has_planned_inspection=planned)
        etas = [part.on for part in self._by_eta() if part.on]
        arrived = [lot.known_arrival for lot in self.account.lots if lot.known_arrival and lot.state in RECEIVED]
        promises = self._promises(self._newest_order())
        account = self._line_account()
        eta = max(arrived, default=None) if self.account.is_complete else max(etas, default=None)
        item = self.item.model_copy(
            update={
                "commercial": facets.commercial,
                "logistics": facets.logistics,
                "quality": facets.quality,
                "eta": eta,
                "promised_date": promises[-1].day if promises else None,
                "round": max(self.rounds.values(), default=0),
                "account": account,
                **self._submittal(),
            }
        )
        item = with_needs(item)
        return item if item == self.item else item.model_copy(update={"caused_seq": self.seq})

    def _submittal(self) -> dict[str, Submittal | int | str | None]:
        """The verdict that stands; where none was ever said, or all were taken back, the line waits for one."""
        standing = newest_verdict(self.facts)
        if standing is None:
            was_told = any(row.kind == "submitted" for row in self.file.facts)
            return {"submittal": Submittal.PENDING, "document_url": None} if was_told else {}
        stored = self.rows_by_key.get(standing.key)
        url = stored.details.document_url if stored and standing.is_approved else None
        return {
            "submittal": Submittal.APPROVED if standing.is_approved else Submittal.REJECTED,
            "submittal_revision": standing.revision,
            "document_url": url or self.item.document_url,
        }

    def _by_eta(self) -> list[Expected]:
        """What is to come by an ETA, not by a promise alone."""
        sayings = [
            fact for fact in self.believed if not fact.is_voided and isinstance(fact, Departed) and fact.eta is not None
        ]
        days = {fact.eta for fact in sayings}
        days |= {f.day for f in self.believed if isinstance(f, Stated) and f.kind == "eta" and not f.is_voided}
        promised = {fact.day for fact in self._promises()}
        return [part for part in self.stated if part.on in days and not (part.on in promised and part.shipment is None)]

    def _supply(self) -> list[Supply]:
        parts = supply_here(self.account, self._ready_on)
        here = [Supply(quantity=quantity, on=day, forecast_on=day) for day, quantity in parts]
        coming = [
            Supply(quantity=known.quantity, on=known.on, forecast_on=forecast.on)
            for known, forecast in zip(self.stated, self.computed, strict=True)
            # What was never ordered is no supply, unless somebody has said when it comes.
            if known.order != BEFORE_ANY_ORDER or known.shipment is not None or known.on is not None
        ]
        return [*here, *coming]

    def _ready_on(self, lot: Lot) -> date | None:
        """The day on which goods in repair are inspected again, as it is planned since they are."""
        if lot.state != LotState.IN_REPAIR:
            return None
        shipment = self.shown_names.get(lot.shipment or "", lot.shipment)
        days = [
            row.scheduled_on
            for row in self.plans
            if row.scheduled_on is not None
            and row.shipment_id in (None, shipment)
            and (lot.since is None or row.scheduled_on >= lot.since)
        ]
        return max(days, default=None)

    def _line_account(self) -> LineAccount:
        """All but its needs, which `with_needs` covers."""
        account, before = self.account, self.item.account or LineAccount()
        quantities = {str(state): account.quantity(state) for state in LotState}
        shown = (lot.quantity for lot in self._shown_lots() if lot.state == LotState.ORDERED)
        quantities[str(LotState.ORDERED)] = sum(shown, NOTHING)
        promises = self._promises()
        placed = [one for one in account.orders if one.number != BEFORE_ANY_ORDER and not one.is_undated]
        ordered = [order.placed_on for order in placed if order.placed_on]
        acknowledged = [day for number, day in self.acknowledged.items() if number in self._told_acknowledged()]
        departed = [one.departed_on for one in account.deliveries if one.departed_on and not one.is_undated]
        arrived = [lot.known_arrival for lot in account.lots if lot.known_arrival and lot.state in RECEIVED]
        accepted_on = [lot.since for lot in account.lots if lot.state == LotState.ACCEPTED and lot.since]
        stands = before.was_released_before and not any(ncr.is_open for ncr in account.ncrs)
        is_released = account.is_released or stands
        return LineAccount(
            quantities=quantities,
            tolerance=tolerance_of(self.file),
            supply=self._supply(),
            first_promise=promises[0].day if promises else None,
            latest_promise=promises[-1].day if promises else None,
            ordered_on=min(ordered, default=None),
            acknowledged_on=min(acknowledged, default=None),
            shipped_on=min(departed, default=None),
            received_on=max(arrived, default=None) if account.is_complete else None,
            usable_on=max(accepted_on, default=None) if is_released else None,
            is_released=is_released,
            was_released_before=stands,
        )


def _by_name(facts: Iterable[Fact]) -> dict[str, list[Departed]]:
    """The departures that count, by their shipment and by their key."""
    found: dict[str, list[Departed]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Departed) and not fact.is_voided:
            for name in {fact.key, fact.shipment_id or fact.key}:
                found[name].append(fact)
    return found


_PROGRESS = ("issued", "acknowledged", "partially_received", "received")


def status_of_all(statuses: Iterable[str]) -> str:
    """The status of an order of several lines: what all of them have reached; received in part once any is."""
    live = [status for status in statuses if status in _PROGRESS]
    if not live:
        return "cancelled"
    least, most = min(live, key=_PROGRESS.index), max(live, key=_PROGRESS.index)
    return "partially_received" if most in _PROGRESS[2:] and least != "received" else least


def _without_report(row: Inspection) -> Inspection:
    """An inspection whose report was taken back: planned again, where it was planned."""
    if row.scheduled_on is None:
        return row.model_copy(update={"status": "voided", "disposition": None})
    return Inspection(
        inspection_id=row.inspection_id,
        item_id=row.item_id,
        round=row.round,
        shipment_id=row.shipment_id,
        scheduled_on=row.scheduled_on,
        caused_seq=row.caused_seq,
    )


def next_inspection_id(item: Item, round_: int, others: Sequence[Inspection]) -> str:
    """The next free id of an inspection of that order."""
    number = sum(row.round == round_ for row in others) + 1
    return _free_id(f"{item.item_id}-{round_}-I", number, {row.inspection_id for row in others})


def _next_shipment_id(item: Item, round_: int, others: Sequence[Shipment]) -> str:
    number = sum(row.round == round_ for row in others) + 1
    return _free_id(f"{item.item_id}-{round_}-", number, {row.shipment_id for row in others})


def _free_id(prefix: str, number: int, taken: Collection[str]) -> str:
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"
