"""May the agent do this alone? What it may is planned, what it may not is put to a person, what is on hold waits."""

from typing import Any

from domain.approvals import POLICY, Responder
from domain.buildings import MANAGER
from domain.events import Entry
from domain.outstanding import Need, is_about_note, outstanding
from domain.questions.registry import ALWAYS_A_PERSON
from nodes.entry import entry_in, finding_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.decisions import Verdict, store
from tools.recording import Finding, standing
from tools.responders import anybody


async def decide(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """Plan what follows from the entry. What was decided is stored before anything acts, and the stored one wins."""
    entry, finding = entry_in(state), finding_in(state)
    settled = state.get("settled")
    if settled is not None and state.get("passes", 0) == 0:
        verdicts, asks = _answered(settled)
        reviews: list[dict[str, Any]] = []
    else:
        verdicts, asks, reviews = await _found(toolbox, entry, finding)
    standing = await store(toolbox, entry, state.get("passes", 0), verdicts, asks=bool(asks))
    steps = [
        _act(action, verdict.responder, number) for number, verdict in enumerate(standing) for action in verdict.actions
    ]
    return {"plan": [*reviews, *steps, *await _to_advise(toolbox, entry, asks)]}


async def _to_advise(toolbox: Toolbox, entry: Entry, asks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions, marked where somebody may answer them before a person does. Without a question nothing is looked
    up; what was refused is offered as it was ranked."""
    open_ = [ask for ask in asks if not ask["refused"] and not _is_always_a_persons(ask)]
    if not open_ or not await anybody(toolbox, entry.building_id, [ask["kind"] for ask in open_]):
        return asks
    return [{**ask, "advise": True} if ask in open_ else ask for ask in asks]


def _is_always_a_persons(ask: dict[str, Any]) -> bool:
    """What nobody else may answer; a person's own words before an order are among it."""
    return ask["kind"] in ALWAYS_A_PERSON or is_about_note(ask["subject"])


async def _found(
    toolbox: Toolbox, entry: Entry, finding: Finding
) -> tuple[list[Verdict], list[dict[str, Any]], list[dict[str, Any]]]:
    """What the lines concerned call for now: verdicts, questions, and pending questions to hold against the facts."""
    asks = [_ask(**ask) for ask in finding.ask]
    read = [Verdict.of(verdict) for verdict in finding.verdicts]
    if finding.repeat or not (finding.items or finding.say):
        return read, asks, []
    building, questions, files = await standing(toolbox, entry.building_id, finding.items)
    held = {question.item_id for question in questions if question.holds_item}
    held |= {ask["item_id"] for ask in finding.ask if ask["item_id"] is not None}
    free = []
    for file in files:
        if file.item.is_held:
            held.add(file.item.item_id)
        elif file.item.item_id not in held:
            free.append(file)
    needs = [need for file in free for need in outstanding(file, building)]
    verdicts = read + _said(finding, held) + [_alone(need) for need in needs if need.ask is None]
    asks += [_ask(need.ask, need.item_id, need.subject) for need in needs if need.ask is not None]
    reviews = [
        {"do": "review", "item_id": item_id}
        for item_id in dict.fromkeys(question.item_id for question in questions if question.status == "pending")
        if item_id is not None
    ]
    return verdicts, asks, reviews


def _said(finding: Finding, held: set[str | None]) -> list[Verdict]:
    """What the event itself calls for, of lines that are not on hold."""
    said = [action for action in finding.say if action["arguments"].get("item") not in held]
    return [Verdict(kind="notice", item_id=None, why=finding.note, responder=POLICY, actions=said)] if said else []


def _alone(need: Need) -> Verdict:
    return Verdict(kind="alone", item_id=need.item_id, why=need.why, responder=POLICY, actions=need.actions)


def _answered(settled: dict[str, Any]) -> tuple[list[Verdict], list[dict[str, Any]]]:
    """What a person's answer comes to. A refusal offers the next-best option; after the last the line is held."""
    if not settled.get("applied"):
        return ([_talked(settled)] if settled.get("kept_open") else []), []
    person = Responder.model_validate(settled["responder"])
    verdict = Verdict(
        kind=settled["kind"],
        item_id=settled["item_id"],
        why=settled["why"],
        responder=person,
        actions=settled["actions"],
        type=settled["type"],
        approval_id=settled["approval_id"],
        basis={"reading": settled["reading"]} if settled.get("reading") else {},
    )
    if settled["type"] != "reject":
        return [verdict], [_ask(**ask) for ask in settled.get("asks", [])]
    if settled["kind"] == "delegation_request":
        return [verdict], []
    refused = settled["refused"] + 1
    if refused < settled["options"]:
        again = _ask(settled["kind"], settled["item_id"], settled["subject"], refused)
        return [verdict], [again | {"advice": settled.get("advice")}]
    return [verdict, _exhausted(settled)], []


def _talked(settled: dict[str, Any]) -> Verdict:
    """A reply that settled nothing: the person's words, and what was read in them."""
    return Verdict(
        kind=settled["kind"],
        item_id=settled["item_id"],
        why=settled["why"],
        responder=Responder.model_validate(settled["responder"]),
        actions=[],
        type="respond",
        approval_id=settled["approval_id"],
        confidence=settled["reading"]["confidence"],
        tokens=settled["reading"]["tokens"],
        basis={"reading": settled["reading"], "answer": settled["told"]},
    )


def _exhausted(settled: dict[str, Any]) -> Verdict:
    """All options were refused: say so, and hold the line."""
    item_id = settled["item_id"]
    what = f"{settled['approval_id']}: all {settled['options']} options were refused."
    consequence = " The line is on hold." if item_id else " Nothing is done."
    tell: dict[str, Any] = {"team": MANAGER, "message": what + consequence}
    actions = [{"name": "notify_team", "arguments": tell | ({"item": item_id} if item_id else {})}]
    if item_id is not None:
        note = "all options were refused"
        actions.insert(0, {"name": "hold_item", "arguments": {"item": item_id, "note": note}})
    return Verdict(kind=settled["kind"], item_id=item_id, why=what, responder=POLICY, actions=actions)


def _act(action: dict[str, Any], responder: Responder, decision: int) -> dict[str, Any]:
    return {"do": "action", "action": action, "responder": responder.model_dump(), "decision": str(decision)}


def _ask(kind: str, item_id: str | None, subject: dict[str, Any], refused: int = 0) -> dict[str, Any]:
    return {"do": "ask", "kind": kind, "item_id": item_id, "subject": subject, "refused": refused}
