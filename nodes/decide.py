"""May the agent do this alone? What it may is planned, what it may not is put to a person, what is on hold waits."""

from domain.approvals import POLICY
from domain.buildings import MANAGER
from domain.events import Entry
from domain.outstanding import Need, is_about_note, outstanding, outstanding_while_asked, settles_group
from domain.plain_json import JsonObject, PlainAction
from domain.plan import Act, Ask, RaisedQuestion, Review
from domain.procurement import LineFile
from domain.questions.registry import ALWAYS_A_PERSON
from domain.settlement import Applied, KeptOpen, Reading, Settlement
from nodes.entry import entry_in, finding_in, planned, settlement_in
from nodes.state import BuildingState
from tools.apart import breathe
from tools.context import Toolbox
from tools.decisions import Verdict, store
from tools.recording import Finding, standing
from tools.responders import anybody


async def decide(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """Plan what follows from the entry. What was decided is stored before anything acts, and the stored one wins."""
    entry, finding = entry_in(state), finding_in(state)
    settled = settlement_in(state)
    reviews: list[Review] = []
    if settled is not None and state.get("passes", 0) == 0:
        verdicts, asks = _answered(settled)
    else:
        verdicts, asks, reviews = await _found(toolbox, entry, finding)
    standing = await store(toolbox, entry, state.get("passes", 0), verdicts, asks=bool(asks))
    acts = [
        Act(action=action, responder=verdict.responder, decision=str(number))
        for number, verdict in enumerate(standing)
        for action in verdict.actions
    ]
    return planned([*reviews, *acts, *await _to_advise(toolbox, entry, asks)])


async def _to_advise(toolbox: Toolbox, entry: Entry, asks: list[Ask]) -> list[Ask]:
    """The questions, marked where somebody may answer them before a person does. Without a question nothing is looked
    up; what was refused is offered as it was ranked."""
    open_ = [ask for ask in asks if not ask.refused and not _is_always_a_persons(ask)]
    if not open_ or not await anybody(toolbox, entry.building_id, [ask.kind for ask in open_]):
        return asks
    return [ask.model_copy(update={"advise": True}) if ask in open_ else ask for ask in asks]


def _is_always_a_persons(ask: Ask) -> bool:
    """What nobody else may answer; a person's own words before an order are among it."""
    return ask.kind in ALWAYS_A_PERSON or is_about_note(ask.subject)


async def _found(toolbox: Toolbox, entry: Entry, finding: Finding) -> tuple[list[Verdict], list[Ask], list[Review]]:
    """What the lines concerned call for now: verdicts, questions, and pending questions to hold against the facts."""
    asks, read = [_ask(raised) for raised in finding.ask], finding.verdicts
    if finding.repeat or not (finding.items or finding.say):
        return read, asks, []
    quiet = [item_id for item_id in finding.looked_at if item_id not in finding.items]
    building, questions, files = await standing(toolbox, entry.building_id, [*finding.items, *quiet])
    files = _called_for(files, finding.items, quiet)
    held = {question.item_id for question in questions if question.holds_item}
    held |= {raised.item_id for raised in finding.ask if raised.item_id is not None}
    held |= {file.item.item_id for file in files if file.item.is_held}
    # A lump sum is ordered whole, by one of its lines, and asked about once; it waits while one of them does.
    settled = {file.item.group for file in files if file.item.item_id in held and not file.item.removed} - {None}
    needs: list[Need] = []
    for number, file in enumerate(files):
        await breathe(number)
        item = file.item
        if item.is_held:
            continue
        if item.item_id in held:
            needs += outstanding_while_asked(file, building)
            continue
        needs += outstanding(file, building, may_order=item.group not in settled)
        if item.group is not None and settles_group(file, building):
            settled.add(item.group)
    verdicts = read + _said(finding, held) + [_alone(need) for need in needs if need.ask is None]
    asks += [Ask(kind=need.ask, item_id=need.item_id, subject=need.subject) for need in needs if need.ask is not None]
    reviews = [
        Review(item_id=item_id)
        for item_id in dict.fromkeys(question.item_id for question in questions if question.status == "pending")
        if item_id is not None
    ]
    return verdicts, asks, reviews


def _called_for(files: list[LineFile], item_ids: list[str], quiet: list[str]) -> list[LineFile]:
    """The files of what the finding is about, with the lines of their groups. Nothing follows at once from lines that
    are quiet, nor from the others of their groups, which are read with them."""
    groups = {file.item.group for file in files if file.item.item_id in item_ids} - {None}
    return [
        file
        for file in files
        if file.item.item_id in item_ids or (file.item.group in groups and file.item.item_id not in quiet)
    ]


def _said(finding: Finding, held: set[str | None]) -> list[Verdict]:
    """What people are told of the event. That a conflict is no more is said by the question, where the line has one."""
    said = [*finding.say, *(one for one in finding.settles if one["arguments"].get("item") not in held)]
    return [Verdict(kind="notice", item_id=None, why=finding.note, responder=POLICY, actions=said)] if said else []


def _alone(need: Need) -> Verdict:
    return Verdict(kind="alone", item_id=need.item_id, why=need.why, responder=POLICY, actions=need.actions)


def _answered(settled: Settlement) -> tuple[list[Verdict], list[Ask]]:
    """What a person's answer comes to. A refusal offers the next-best option; after the last the line is held."""
    if isinstance(settled, KeptOpen):
        return [_talked(settled)], []
    if not isinstance(settled, Applied):
        return [], []
    verdict = Verdict(
        kind=settled.kind,
        item_id=settled.item_id,
        why=settled.why,
        responder=settled.responder,
        actions=settled.actions,
        type=settled.type,
        approval_id=settled.approval_id,
        basis={"reading": _shown(settled.reading)} if settled.reading else {},
    )
    if settled.type != "reject":
        return [verdict], [_ask(raised) for raised in settled.asks]
    if settled.kind == "delegation_request":
        return [verdict], []
    refused = settled.refused + 1
    if refused < settled.options:
        again = Ask(
            kind=settled.kind,
            item_id=settled.item_id,
            subject=settled.subject,
            refused=refused,
            advice=settled.advice,
        )
        return [verdict], [again]
    return [verdict, _exhausted(settled)], []


def _talked(settled: KeptOpen) -> Verdict:
    """A reply that settled nothing: the person's words, and what was read in them."""
    return Verdict(
        kind=settled.kind,
        item_id=settled.item_id,
        why=settled.why,
        responder=settled.responder,
        actions=[],
        type="respond",
        approval_id=settled.approval_id,
        confidence=settled.reading.confidence,
        tokens=settled.reading.tokens,
        basis={"reading": _shown(settled.reading), "answer": settled.told},
    )


def _shown(reading: Reading) -> JsonObject:
    shown: JsonObject = reading.model_dump(mode="json", exclude_unset=True)
    return shown


def _exhausted(settled: Applied) -> Verdict:
    """All options were refused: say so, and hold the line."""
    item_id = settled.item_id
    which = "the only option was" if settled.options == 1 else f"all {settled.options} options were"
    what = f"{settled.approval_id}: {which} refused."
    consequence = " The line is on hold." if item_id else " Nothing is done."
    tell: JsonObject = {"team": MANAGER, "message": what + consequence}
    actions: list[PlainAction] = [{"name": "notify_team", "arguments": tell | ({"item": item_id} if item_id else {})}]
    if item_id is not None:
        note = "all options were refused"
        actions.insert(0, {"name": "hold_item", "arguments": {"item": item_id, "note": note}})
    return Verdict(kind=settled.kind, item_id=item_id, why=what, responder=POLICY, actions=actions)


def _ask(raised: RaisedQuestion) -> Ask:
    return Ask(kind=raised.kind, item_id=raised.item_id, subject=raised.subject)
