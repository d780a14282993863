"""A played scenario in words: what happened, what was expected, and why the agent did what it did."""

from pydantic import JsonValue

from domain.plain_json import JsonObject
from evals.expected import Asked, Did, Standing, Word
from evals.graders.actions import said
from evals.observed import Question
from evals.on_file import DecisionRow, EntryRow, MessageRow
from evals.playing import Played
from evals.results import Moment
from evals.scenario import Step


def moment_of(played: Played) -> Moment:
    """The step on the timeline."""
    step = played.step
    at = step.moment.isoformat(sep=" ", timespec="minutes")
    return Moment(
        number=played.number,
        at=at,
        what=_what(step),
        happened=_happened(played),
        expected=[] if played.number is None or step.queued else _expected(step),
        reasons=[_reason(decision) for decision in played.observed.decisions],
    )


def _what(step: Step) -> str:
    if step.until is not None:
        return "Time passes"
    busy = " (while the agent is busy)" if step.queued else ""
    if step.answer is not None:
        who = {"human": "A person", "ai_agent": "A model", "automated_rule": "A program"}[step.answer.by]
        about = f" on {step.answer.item}" if step.answer.item else ""
        words = f': "{step.answer.message}"' if step.answer.message else ""
        return f"{who} answers {step.answer.kind}{about} with {step.answer.type}{words}{busy}"
    if step.delegate is not None:
        return f"A person delegates: {_brief(step.delegate)}"
    if step.overrule is not None:
        return f"A person overrules {step.overrule.rule!r}: {step.overrule.message or 'without a word'}"
    if step.edit_rule is not None:
        return f"A person changes the rule {step.edit_rule.rule!r}: {_brief(step.edit_rule.body())}"
    if step.revoke is not None:
        return f"A person takes back what was delegated for {step.revoke.kind}"
    if step.change is not None:
        return f"The building changes: {_brief(step.change)}"
    if step.add_vendor is not None:
        return f"A person adds the vendor {step.add_vendor.name}"
    if step.change_vendor is not None:
        return f"A person changes the vendor {step.change_vendor.vendor_id}: {_brief(step.change_vendor.body())}"
    event = step.event or {}
    about = f" of {event['item']}" if event.get("item") else ""
    told = ", ".join(f"{name} {_brief(value)}" for name, value in event.items() if name not in ("event_type", "item"))
    return f"{event.get('event_type')}{about}{f': {told}' if told else ''}{busy}"


def _brief(value: JsonValue | JsonObject) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:297] + "..."


def _happened(played: Played) -> list[str]:
    seen = played.observed
    lines = [f"refused with {seen.refusal[0]}: {seen.refusal[1]}"] if seen.refusal else []
    lines += [_entry(entry) for entry in seen.entries]
    lines += [f"{action['responder']['name']} does {said(action)}" for action in seen.actions]
    lines += [f"{action['responder']['name']} would do {said(action)}" for action in seen.would_do]
    for what, questions in (
        ("asks", seen.raised),
        ("asks anew", seen.renewed),
        ("no longer asks", seen.closed),
        ("reminds", seen.reminded),
        ("moves up", seen.escalated),
    ):
        lines += [f"{what}: {_question(question)}" for question in questions]
    lines += [f"{item_id} becomes {', '.join(words)}" for item_id, words in seen.words.items()]
    lines += [f"reads {_brief(event)}" for event in seen.restated]
    lines += [f"learns {title}" for title in seen.learned]
    return lines + [f"{_tells(message)} {message['party']}: {_text(message)}" for message in seen.messages]


def _tells(message: MessageRow) -> str:
    return "would tell" if message.get("status") == "withheld" else "tells"


def _entry(entry: EntryRow) -> str:
    note = (entry["outcome"] or {}).get("note") or entry["error"] or ""
    return f"{entry['event_type']} is {entry['status']}: {note}"


def _question(question: Question) -> str:
    about = f" on {question.item}" if question.item else ""
    return f"{question.kind}{about} of {question.to}; recommends {question.recommends!r}. {question.summary}"


def _text(message: MessageRow) -> str:
    return f"{message['subject']}. {_brief(message['payload'].get('text', ''))}".strip()


def _reason(decision: DecisionRow) -> str:
    names = ", ".join(action["name"] for action in decision["actions"]) or decision["type"]
    return f"{names}: {decision['why'] or 'no reason given'} ({decision['responder']['name']})"


def _expected(step: Step) -> list[str]:
    lines = [f"is refused with {step.refused}"] if step.refused else []
    lines += [f"is given up: {step.dies}"] if step.dies else []
    lines += ["is outdated"] if step.outdated else []
    lines += ["is asked again"] if step.asked_again else []
    lines += [f"notes {step.notes}"] if step.notes else []
    lines += [f"reads {', '.join(map(_brief, step.reads)) or 'nothing'}"] if step.reads is not None else []
    lines += [f"learns {', '.join(step.learns) or 'nothing'}"] if step.learns is not None else []
    lines += [f"does {_did(did)}" for did in step.does]
    lines += [f"would do {_did(did)}" for did in step.would_do]
    lines += [f"asks {_standing(asked)}; recommends {asked.recommends!r}" for asked in step.asks]
    for what, standings in (
        ("asks anew", step.renews),
        ("no longer asks", step.closes),
        ("reminds of", step.reminds),
        ("moves up", step.escalates),
    ):
        lines += [f"{what} {_standing(standing)}" for standing in standings]
    lines += [f"{item} becomes {', '.join(map(_word, words))}" for item, words in step.becomes.items()]
    lines += [f"tells {', '.join(step.sends) or 'nobody'}"] if step.sends is not None else []
    lines += [f"would tell {', '.join(step.withholds) or 'nobody'}"] if step.withholds is not None else []
    return lines or ["nothing"]


def _did(did: Did) -> str:
    return f"{did.name}({', '.join(f'{name}={value}' for name, value in did.arguments.items())})"


def _standing(standing: Standing | Asked) -> str:
    about = f" on {standing.item}" if standing.item else ""
    return f"{standing.kind}{about}{f' of {standing.to}' if standing.to else ''}"


def _word(word: Word) -> str:
    return ", ".join(f"{name} {day}" for name, day in word.items()) if isinstance(word, dict) else str(word)
