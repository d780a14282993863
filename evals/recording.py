"""Turning a real building's history into a scenario: what came in, what people answered, how time passed; and as
expectations what the agent then did."""

from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from domain.errors import NotFoundError
from domain.events import EVENT, localised
from domain.line_names import LineNames
from domain.plain_json import JsonObject, object_in, objects_in
from domain.policy import Policy
from evals.expectations import expectations_of
from evals.history import History, read_history
from evals.observed import Digest, Observed
from evals.on_file import ITEMS, SCHEDULES, ChangeRow, EntryRow, ImageKind
from evals.recorded_people import (
    answer_of,
    by_hand_of,
    is_of_another_building,
    is_patch,
    local,
    models_of,
    overruling_of,
    taught_before,
)
from storage import procurement
from storage.approvals import SOURCE as ANSWERED
from storage.connection import Connection
from storage.inbox import INTERNAL

CONSEQUENCES = ("longlead.restated", "Event_Failed", "Building_Went_Live", "Vendor_Changed")
"""Source or type of entries that Longlead writes while something else happens, an entry or a change by hand; other
internal ones come with time."""
OF_AN_UPGRADE = "Lines_Adopted"
"""It tells of rows of an earlier version; a scenario is played from its beginning, and has none."""


@dataclass
class Recorded:
    """A scenario as it goes into a file, and what may come out differently when it is played."""

    scenario: JsonObject
    remarks: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[JsonObject]:
        return objects_in(self.scenario, "steps")

    def text(self) -> str:
        """The file's content."""
        remarks = "".join(f"# {' '.join(remark.split())}\n" for remark in self.remarks)
        dumped: str = yaml.safe_dump(
            self.scenario, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None
        )
        return remarks + dumped


@dataclass
class _Step:
    """A step of the scenario, and the entries that are part of it."""

    time: Literal["at", "until"]
    when: str
    """On the building's clock."""
    happens: JsonObject
    """What happens then; empty where time passes."""
    seq: int
    """The entry that it begins with; of what people changed beside the inbox, the one that it came after."""
    seqs: list[int]
    named: str | None = None
    queued: bool = False
    rows: list[ChangeRow] = field(default_factory=list)
    """What it changed by itself, where it is no entry."""

    @property
    def plain(self) -> JsonObject:
        """As it is written."""
        return {self.time: self.when, **self.happens}


async def record(conn: Connection, building_id: str, first: int | None = None, last: int | None = None) -> Recorded:
    """The building's history as a scenario. What came before entry `first` is given, what came after `last` left out.

    Raises:
        NotFoundError: there is no such building, or it has no such entries.
    """
    building = await procurement.building(conn, building_id)
    if building is None:
        raise NotFoundError(f"There is no building {building_id!r}. List the buildings with `longlead building list`.")
    history = await read_history(conn, building_id)
    steps = [step for step in _steps(history, building.zone) if step.seq <= (last or step.seq)]
    if not any(step.seq >= (first or 0) for step in steps):
        raise NotFoundError(f"Building {building_id!r} has no entries there. See `longlead events list {building_id}`.")
    scenario: JsonObject = {
        "title": f"Recorded: {building.name}",
        "why": "What really happened must come out the same after every change.",
        "building": _building(history, building.model_dump(mode="json")),
    }
    given, judged = _parted(history, steps, first or 0)
    for name, found in (("rules", taught_before(history)), ("models", models_of(history)), ("given", given)):
        if found:
            scenario[name] = [*found]
    return Recorded(scenario | {"steps": [*judged]}, _remarks(history))


def _parted(history: History, steps: list[_Step], first: int) -> tuple[list[JsonObject], list[JsonObject]]:
    """The steps that are given, and those that are judged, with what is expected of them."""
    digest = Digest()
    digest.take(Observed(), history.changed([0]))  # what the building was posted with
    given: list[JsonObject] = []
    judged: list[JsonObject] = []
    waiting: list[int] = []
    for step in steps:
        part = judged if step.seq >= first else given
        waiting += step.seqs
        if step.queued:
            part.append({**step.plain, "queued": True})
            continue
        lines = [(row["item_id"], row["name"]) for row in digest.rows(ITEMS)]
        observed = digest.take(history.observed(waiting), [*history.changed(waiting), *step.rows])
        item_id = None if step.named is None else LineNames(lines).find(step.named)
        expected = expectations_of(observed, item_id) if part is judged else {}
        part.append({**step.plain, **expected})
        waiting = []
    return given, judged


def _steps(history: History, zone: ZoneInfo) -> list[_Step]:
    """Every entry in its step, and changes of the building between them."""
    steps = _between(history, 0, "", zone)
    for entry in history.entries:
        _add(steps, history, entry, zone)
        steps += _between(history, entry["seq"], steps[-1].when, zone)
    return _with_queued(history, _on_time(steps))


def _between(history: History, seq: int, when: str, zone: ZoneInfo) -> list[_Step]:
    """What people changed after an entry, without an entry of its own."""
    return [
        _Step(
            "at",
            when if one.change.at is None else local(one.change.at, zone),
            by_hand_of(history, one),
            seq,
            [],
            rows=one.rows,
        )
        for one in history.by_hand
        if one.after == seq
    ]


def _on_time(steps: list[_Step]) -> list[_Step]:
    """A change before the first entry happened at its time, as far as anybody knows; and no clock goes backwards."""
    before = next((step.when for step in steps if step.when), "")
    for step in steps:
        step.when = before = max(step.when, before)
    return steps


def _add(steps: list[_Step], history: History, entry: EntryRow, zone: ZoneInfo) -> None:
    when, seq = local(entry["received_at"], zone), entry["seq"]
    if entry["event_type"] == OF_AN_UPGRADE:
        return
    if entry["source"] in CONSEQUENCES or entry["event_type"] in CONSEQUENCES:
        if steps:
            steps[-1].seqs.append(seq)
        return
    if entry["source"] == INTERNAL:
        if steps and steps[-1].time == "until":
            steps[-1].when = when
            steps[-1].seqs.append(seq)
        else:
            steps.append(_Step("until", when, {}, seq, [seq]))
        return
    if entry["source"] == ANSWERED:
        answer = answer_of(history, entry)
        steps.append(_Step("at", when, {"answer": answer}, seq, [seq], _line_in(answer)))
        return
    if entry["event_type"] == "Rule_Overruled":
        steps.append(_Step("at", when, {"overrule": overruling_of(history, entry)}, seq, [seq]))
        return
    event: JsonObject = {"event_type": entry["event_type"], "source": entry["source"]}
    if _is_taken_back(history, entry):
        event["event_id"] = entry["event_id"]
    event |= {name: value for name, value in entry["body"].items() if value != []}
    unchecked: JsonObject = {} if _is_readable(entry["body"], zone) else {"unchecked": True}
    steps.append(_Step("at", when, {"event": event, **unchecked}, seq, [seq], _line_in(event)))


def _line_in(told: JsonObject) -> str | None:
    """The line that an answer or an event names."""
    item = told.get("item")
    return None if item is None else str(item)


def _is_taken_back(history: History, entry: EntryRow) -> bool:
    """Whether a later report names it by its id."""
    return any(
        one["event_type"] == "Event_Voided"
        and (one["body"]["source"], one["body"]["event_id"]) == (entry["source"], entry["event_id"])
        for one in history.entries
    )


def _is_readable(body: JsonObject, zone: ZoneInfo) -> bool:
    try:
        EVENT.validate_python(localised(body, zone))
    except ValidationError:
        return False
    return True


def _with_queued(history: History, steps: list[_Step]) -> list[_Step]:
    """Mark what waited in the inbox while an answer behind it was accepted: the answer was to the facts before it."""
    for place, step in enumerate(steps):
        if "answer" not in step.happens:
            continue
        accepted = min((int(one["position"]) for one in history.changes[step.seq]), default=0)
        for earlier in range(place):
            ended = max((int(one["position"]) for one in history.changed(steps[earlier].seqs)), default=0)
            if ended > accepted:
                for between in steps[earlier:place]:
                    between.queued = between.time != "until"
                break
    return steps


_PLAIN_BUILDINGS, _PLAIN_ITEMS, _PLAIN_VENDORS = map(ImageKind[JsonObject], ("buildings", "items", "vendors"))
"""Images that are copied field by field."""


def _building(history: History, current: JsonObject) -> JsonObject:
    """The body of `POST /buildings`, as far as the rows still tell."""
    first = next(iter(history.first(_PLAIN_BUILDINGS)), current)
    policy = {name: value for name, value in object_in(first, "policy").items() if value != _POLICY[name]}
    items = [_given(row, ("item_id", "name", *_ITEM)) for row in history.first(_PLAIN_ITEMS) if row["posted"]]
    made: JsonObject = {
        **{name: first[name] for name in ("building_id", "name", "time_zone", "currency", "working_week")},
        "schedule": history.first(SCHEDULES)[0]["body"],
        "vendors": [_vendor(row) for row in history.first(_PLAIN_VENDORS)],
        "items": [*items],
        "contacts": first["contacts"],
        "approvers": [_given(row, tuple(row)) for row in objects_in(first, "approvers")],
        "policy": policy,
        "mode": "watch" if first.get("is_watching") else None,
    }
    return {name: value for name, value in made.items() if value}


def _vendor(row: JsonObject) -> JsonObject:
    others: JsonObject = {role: contact for role, contact in object_in(row, "contacts").items() if contact}
    given = _given(row, ("vendor_id", "name", "contact", "approved"))
    return {**given, "contacts": others} if others else given


_POLICY = Policy().model_dump(mode="json")
_ITEM = tuple(
    [
        "category",
        "vendor_id",
        "quantity",
        "unit",
        "unit_price",
        "currency",
        "lead_time_days",
        "required_by",
        "buffer_days",
    ]
)


def _given(row: JsonObject, names: tuple[str, ...]) -> JsonObject:
    return {name: row[name] for name in names if row[name] is not None}


def _remarks(history: History) -> list[str]:
    """What cannot be had again by playing it."""
    found = [
        f"Entry {row['seq']} ({row['event_type']}) was given up, and the reason lay outside of it."
        for row in history.entries
        if row["status"] == "dead" and _is_readable(row["body"], ZoneInfo("UTC"))
    ]
    found += [
        f"Entry {row['seq']} ({row['event_type']}) was taken up again after it had been given up."
        for row in history.entries
        if row["generation"]
    ]
    found += [
        f"Entry {row['seq']} was answered or advised on by {row['responder']['name']} of another building: "
        "it is no part of this file; add it under `rules`."
        for row in history.decisions
        if is_of_another_building(row["responder"])
    ]
    if any(is_patch(one) for one in history.by_hand) and not history.first(_PLAIN_BUILDINGS):
        found.append("The building was changed before its first image was kept: its policy may have been another.")
    return found
