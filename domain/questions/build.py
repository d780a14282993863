"""Questions to people, built from the facts: so that the same facts always ask the same, and others are noticed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeVar

from domain.approvals import Approval, Option, Question, fingerprint
from domain.buildings import MANAGER, Building
from domain.commitments import NEEDS_AN_ADMIN, NOTHING, Amount, covering_approver, stake_of
from domain.feasibility import find_obstacle
from domain.lines.projection import with_account
from domain.options import for_party
from domain.plain_json import JsonObject, PlainObject
from domain.procurement import LineFile, money
from domain.questions.kinds import FreeKind, LineKind, Subject
from domain.questions.line_facts import plain
from domain.questions.registry import KINDS
from domain.situation import Situation

S = TypeVar("S", bound=Subject)


@dataclass
class Background:
    """What else a reader should know: the events behind the facts, notes of the team, similar past cases."""

    facts: list[JsonObject] = field(default_factory=list)
    notes: list[JsonObject] = field(default_factory=list)
    past_cases: list[JsonObject] = field(default_factory=list)
    rules: list[JsonObject] = field(default_factory=list)


def build_question(
    kind: str,
    file: LineFile | None,
    building: Building,
    today: date,
    subject: PlainObject,
    background: Background | None = None,
) -> Question | None:
    """The question of this kind as the facts now stand; None when they no longer ask it.

    `today` is the business day in the building's zone; `subject` is what the question is about beside the line.
    """
    declared = KINDS[kind]
    if isinstance(declared, FreeKind):
        return _build_free(declared, Situation(None, building, today), subject, background or Background())
    if file is None or not still_stands(kind, file, building, subject):
        return None
    return _build(declared, Situation(file, building, today), subject, background or Background())


def _build(kind: LineKind[S], s: Situation, told: PlainObject, background: Background) -> Question:
    file, building = s.file, s.building
    as_of_now = {**told, **kind.told_again(file, building, kind.read(told))}
    subject = kind.read(as_of_now)
    facts, matter = kind.facts(file, building, subject), subject.matter or kind.matter(file, subject)
    options = _those_possible(s, kind.options(s, subject), ncrs_asked_about(kind.name, matter, file))
    stake = _at_stake(options, file, building)
    return Question(
        kind=kind.name,
        item_id=s.item_id,
        summary=kind.summary(s, subject) + _needs_an_admin(stake, building),
        options=for_party(options, party_asked(building, stake), building, file.vendor),
        evidence=_evidence(kind, s, subject, background),
        matter=matter,
        fingerprint=fingerprint([kind.name, matter, facts] if matter else [kind.name, facts]),
        earlier_fingerprints=_earlier_fingerprints(kind, s, subject) if matter else [],
        amount=None if stake.value is None else str(stake.value),
        amount_unknown=stake.value is None,
        subject=as_of_now,
        holds_item=kind.holds_line,
    )


def _earlier_fingerprints(kind: LineKind[S], s: Situation, subject: S) -> list[str]:
    return [fingerprint([kind.name, facts]) for facts in kind.earlier_facts(s.file, s.building, subject)]


def _build_free(kind: FreeKind[S], s: Situation, told: PlainObject, background: Background) -> Question:
    subject, building = kind.read(told), s.building
    options = _those_possible(s, kind.options(s, subject))
    stake = _largest([stake_of(option.actions, {}, building) for option in options])
    return Question(
        kind=kind.name,
        summary=kind.summary(subject) + ("" if stake is None else _needs_an_admin(stake, building)),
        options=for_party(options, party_asked(building, stake), building),
        amount=None if stake is None or stake.value is None else str(stake.value),
        amount_unknown=stake is not None and stake.value is None,
        evidence={**_shared(background), "subject": dict(told), "policy": kind.policy(subject)},
        fingerprint=fingerprint([kind.name, dict(told)]),
        subject=dict(told),
        holds_item=False,
    )


def _those_possible(
    situation: Situation, options: list[Option], asked_about: Collection[str] | None = None
) -> list[Option]:
    """The options without those that cannot be done now."""
    files = {file.item.item_id: file for file in [situation.file_if_any] if file is not None}
    possible = [option for option in options if find_obstacle(files, option.actions, asked_about=asked_about) is None]
    return possible or options


def ncrs_asked_about(kind: str, matter: str, file: LineFile | None) -> list[str] | None:
    """Numbers of the NCRs that a question on this matter is about; None where it is about none."""
    declared = KINDS[kind]
    if isinstance(declared, FreeKind) or declared.decides_on == "nothing" or file is None:
        return None
    every = [ncr.ncr_number for ncr in with_account(file).open_ncrs]
    return [matter] if declared.decides_on == "its_ncr" and matter else every


def still_stands(kind: str, file: LineFile, building: Building, subject: PlainObject) -> bool:
    """Whether the facts of a line still ask this."""
    declared = KINDS[kind]
    if file.item.removed or isinstance(declared, FreeKind):
        return False
    return declared.stands(file, building, declared.read(subject))


def matter_on_file(approval: Approval, file: LineFile | None) -> str:
    """The matter of a question on record; of a row without one (of an earlier version) what it would be today."""
    declared = KINDS[approval.kind]
    if approval.matter or file is None or isinstance(declared, FreeKind):
        return approval.matter
    subject = declared.read(approval.subject)
    return subject.matter or declared.matter(file, subject)


def party_asked(building: Building, stake: Amount | None) -> str:
    """Who is asked first where this much is at stake."""
    unknown = stake is not None and stake.value is None
    return building.approver_for(None if stake is None else stake.value, is_unknown=unknown) or MANAGER


def _at_stake(options: Sequence[Option], file: LineFile, building: Building) -> Amount:
    """The largest amount that a way out commits, at least the line's own value; not known where one of them is not."""
    files = {file.item.item_id: file}
    own = file.item.total if file.item.currency == building.currency else None
    stakes = [stake_of(option.actions, files, building) for option in options]
    return _largest([Amount(own or Decimal(0)), *stakes]) or NOTHING


def _largest(stakes: Sequence[Amount | None]) -> Amount | None:
    """The largest of these amounts; one that is not known counts as the largest. None where nothing is at stake."""
    known = [stake for stake in stakes if stake is not None]
    unknown = next((stake for stake in known if stake.value is None), None)
    return unknown or max(known, key=lambda stake: stake.value or Decimal(0), default=None)


def _needs_an_admin(stake: Amount, building: Building) -> str:
    """What is said where nobody in the approver chain may commit the amount at stake."""
    if not building.approvers or covering_approver(building, stake) is not None:
        return ""
    what = "the price is not known" if stake.value is None else f"{money(stake.value, building.currency)} is at stake"
    return f" ({what[0].upper()}{what[1:]}, and {NEEDS_AN_ADMIN}.)"


def _shared(background: Background) -> JsonObject:
    return {
        "facts": [*background.facts],
        "notes": [*background.notes],
        "rules": [*background.rules],
        "past_cases": [*background.past_cases],
    }


def _evidence(kind: LineKind[S], s: Situation, subject: S, background: Background) -> JsonObject:
    item = s.file.item
    return {
        **_shared(background),
        "policy": kind.policy(subject),
        "item": {
            "item_id": item.item_id,
            "name": item.name,
            "category": item.category,
            "status": item.status,
        },
        "order": _order(s.file),
        "dates": _dates(s.file, s.today),
        **kind.evidence(s, subject),
    }


def _order(file: LineFile) -> JsonObject:
    item, line, order = file.item, file.order_line, file.order
    return {
        "number": order.number if order else None,
        "status": order.status if order else None,
        "vendor": file.vendor.name if file.vendor else item.vendor_id,
        "quantity": plain(line.quantity if line else item.quantity),
        "unit": item.unit,
        "unit_price": money(line.unit_price if line else item.unit_price, item.currency),
        "value": money(order.total if order else item.total, item.currency),
    }


def _dates(file: LineFile, today: date) -> JsonObject:
    item = file.item
    return {
        "required_by": _iso(item.required_by),
        "buffer_days": item.buffer_days,
        "promised_date": _iso(item.promised_date),
        "eta": _iso(item.eta),
        "order_by": _iso(item.order_by),
        "days_left": None if item.required_by is None else (item.required_by - today).days,
        "days_late": item.days_late,
        "as_of": today.isoformat(),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
