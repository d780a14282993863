"""Having a question answered before a person is asked: decided within authority, else recommended.

What was decided is stored first, and what is stored stands: a second run of the step asks nobody again.
"""

from dataclasses import dataclass, replace

from domain.advice import can_be_done, is_an_option
from domain.approvals import Advice, Decision
from domain.authority import Answerer
from domain.counts import write_times
from domain.events import Entry
from domain.feasibility import find_obstacle
from domain.plain_json import as_json
from domain.plan import Act, Ask, Step, Tell
from domain.policy import Authority
from domain.questions.build import ncrs_asked_about
from domain.templates import agree, template_of
from domain.watch import commits
from storage import rules
from storage.approvals import refused_proposals
from tools.asking import watch_ended
from tools.authority import authority_of
from tools.context import Toolbox
from tools.decisions import StandingAdvice, Verdict, standing_advice, step_of, store_advised
from tools.responders import Asked, chain_of, pose

MOST_PROPOSED = 2
"""How often the same proposal may be refused on a line before it is not made again."""

LAST_PASS = 2
"""From this look at the lines on, in one run, nothing is decided without a person: the run goes in circles."""


async def advised(
    toolbox: Toolbox, entry: Entry, step: Ask, place: int, passes: int, *, crowded: bool = False
) -> list[Step]:
    """The steps that take the place of a question: actions where somebody decided it, the question with a
    recommendation, or the question as it was. `crowded`: its line has another question in the same plan."""
    number = step_of(passes, place, advised=True)
    stored = await standing_advice(toolbox, entry, number)
    if stored is not None:
        return _steps(step, stored, number)
    asked = await pose(toolbox, entry, step.kind, step.item_id, step.subject, place)
    if asked is None:
        return [step]
    asked = replace(asked, held=asked.held or crowded)
    for responder in chain_of(toolbox, entry):
        decision = await responder.answer(asked)
        if (
            decision is not None
            and can_be_done(decision.actions, asked.question)
            and not _is_impossible(asked, decision)
        ):
            verdict = await _verdict(toolbox, entry, asked, decision, passes)
            return _steps(step, await store_advised(toolbox, entry, number, verdict), number)
    return [step]


def _is_impossible(asked: Asked, decision: Decision) -> bool:
    """Whether the line's facts stand against an action of the answer."""
    files = {} if asked.file is None else {asked.file.item.item_id: asked.file}
    about = ncrs_asked_about(asked.question.kind, asked.question.matter, asked.file)
    return find_obstacle(files, decision.actions, asked_about=about) is not None


async def _verdict(toolbox: Toolbox, entry: Entry, asked: Asked, decision: Decision, passes: int) -> Verdict:
    """What the answer comes to: an act within authority, else a recommendation."""
    remark = await _no_progress(toolbox, entry, asked, decision, passes)
    authority = await _authority(toolbox, asked, decision)
    alone = authority.allowed and remark is None
    refused_twice = remark is not None and remark.drop
    return Verdict(
        kind=asked.question.kind,
        item_id=asked.question.item_id,
        why=decision.why,
        responder=decision.responder,
        actions=[] if refused_twice else decision.actions,
        type="act" if alone else "recommend",
        confidence=decision.confidence,
        tokens=decision.tokens,
        fingerprint=asked.question.fingerprint,
        basis={
            "title": decision.title,
            "summary": asked.question.summary,
            "subject": asked.question.subject,
            "matter": asked.question.matter,
            "rule_id": decision.rule_id,
            "template": [] if refused_twice else as_json(decision.template),
            "delegation_id": authority.delegation_id if alone else None,
            "policy": remark.text if remark else authority.policy_line,
            "remark": remark.text if remark else None,
        },
    )


async def _authority(toolbox: Toolbox, asked: Asked, decision: Decision) -> Authority:
    """Whether the answer may be carried out as it is."""
    waiting = "the line waits for a person in another matter" if asked.held else _not_yet(asked, decision)
    waiting = waiting or _of_a_model(asked, decision) or _on_first_day(asked, decision)
    if waiting is not None:
        return Authority(False, waiting)
    answerer = Answerer(decision.responder, confidence=decision.confidence)
    async with toolbox.lock:
        return await authority_of(
            toolbox.conn, asked.building, answerer, asked.question, decision.actions, toolbox.clock.now()
        )


def _of_a_model(asked: Asked, decision: Decision) -> str | None:
    """Why a model only recommends: it chooses among the question's options and writes no letters of its own. None for
    others, and where it may."""
    is_model = decision.responder.type == "ai_agent"
    if is_model and not is_an_option(decision.actions, asked.question.options):
        return "a model's own words are only recommended"
    return None


def _on_first_day(asked: Asked, decision: Decision) -> str | None:
    """Why nothing binding is decided without a person on the first day of being live; None where it may be."""
    building = asked.building
    if building.orders_alone or building.is_watching:
        return None
    binding = [one["name"] for one in decision.actions if commits(one["name"], asked.file)]
    return f"{binding[0]}: on the first day live a person decides" if binding else None


def _not_yet(asked: Asked, decision: Decision) -> str | None:
    """Why a rule only recommends for now; None where it has earned to decide, and for models."""
    if decision.rule_id is None:
        return None
    known = next(known for known in asked.known if decision.rule_id in (known.rule.rule_id, known.id))
    rule, after = known.rule, asked.building.policy.rule_autonomy_after
    if not known.own:
        return "a rule of another building only recommends here"
    if not rule.may_stand_alone(after):
        if rule.autonomy == "recommend":
            return f"rule {rule.rule_id} only recommends: a person set it so"
        return f"rule_autonomy_after: {after} confirmations in a row, and there are {rule.streak}"
    if _costs_time(asked, decision) and not rule.late:
        return "it comes too late here, and in none of the decisions that it was learned from did it"
    return None


def _costs_time(asked: Asked, decision: Decision) -> bool:
    """Whether what a rule says misses the required day where the usual recommendation meets it."""
    options = asked.question.options
    own = next((option.days_late for option in options if option.actions == decision.actions), None)
    usual = options[0].days_late if options else None
    return bool(own) and usual == 0


@dataclass(frozen=True)
class _Remark:
    """Why the agent would make no headway by itself; `drop`: the proposal is not even repeated."""

    text: str
    drop: bool = False


async def _no_progress(toolbox: Toolbox, entry: Entry, asked: Asked, decision: Decision, passes: int) -> _Remark | None:
    """The guard against going in circles: the same again on the same facts, refused twice, or over and over."""
    question, building_id = asked.question, entry.building_id
    async with toolbox.lock:
        proposals = await refused_proposals(toolbox.conn, building_id, question)
        before = await rules.decided_alone(toolbox.conn, building_id, question, entry.seq, entry.generation)
    if before is not None and before["seq"] < watch_ended(asked.building):
        before = None  # in watch it made no headway for nothing was done
    proposed = template_of(decision.actions, question.item_id) or decision.actions
    refused = sum(agree(template_of(one, question.item_id) or one, proposed) for one in proposals)
    if refused >= MOST_PROPOSED:
        return _Remark(
            f"({decision.title}: refused {write_times(refused)} here, so it is not recommended again.)", drop=True
        )
    if before is not None:
        return _Remark(
            f"(Decided once without asking, at entry {before['seq']}, and the facts are the same: it made no headway.)"
        )
    if passes >= LAST_PASS:
        return _Remark("(Decided twice in a row without settling it: it goes in circles.)")
    if entry.source == "longlead.restated" and any(one["name"] == "restate_event" for one in decision.actions):
        return _Remark("(This was restated once already: it goes in circles.)")
    return None


def _steps(step: Ask, stored: StandingAdvice, number: int) -> list[Step]:
    """The stored decision as steps of the plan."""
    basis = stored.basis
    if stored.type == "act":
        responder, decision = stored.responder, f"advised {number}"
        acts = [Act(action=action, responder=responder, decision=decision) for action in stored.actions]
        told = Tell(
            kind=step.kind,
            item_id=step.item_id,
            rule_id=basis.rule_id,
            delegation_id=basis.delegation_id,
            policy=basis.policy,
            title=basis.title,
            summary=basis.summary,
            why=stored.why,
            responder=responder,
        )
        return [*acts, told]
    advice = Advice(
        responder=stored.responder,
        why=stored.why,
        title=basis.title,
        actions=stored.actions,
        template=basis.template,
        confidence=stored.confidence,
        rule_id=basis.rule_id,
        limit=basis.policy,
        remark=basis.remark,
    )
    return [step.model_copy(update={"advise": False, "advice": advice})]
