"""The story in the words of the trade: what happened, what the agent did, what it asked."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from pydantic import JsonValue

from cli import answers
from cli.demo_play import Played
from domain.actions.registry import ACTION_KINDS
from domain.counts import write_count
from domain.plain_json import JsonObject
from evals.scenario import Scenario


def what_happened(story: Scenario, played: Played) -> str:
    """One line: the event as a procurement manager would say it, or who answered what."""
    answer = played.step.answer
    if answer is not None:
        said = {"approve": "yes", "reject": "no", "edit": "decides otherwise", "respond": "answers"}[answer.type]
        return f'Project manager on {_name(story, played)}: {said}. "{answer.message}"'
    event = played.step.event or {}
    happened = _EVENTS[str(event["event_type"])](_name(story, played), event, _unit(story, played))
    source = event.get("source")
    return f"{happened} (reported by {source})" if source else happened


_EVENTS: dict[str, Callable[[str, JsonObject, str], str]] = {
    "Submittal_Approved": lambda name, e, _: f"{name}: submittal approved, revision {e['revision']}",
    "Purchase_Order_Acknowledged": lambda name, e, _: f"{name}: vendor promises {e['promised_date']}",
    "Shipment_Departed_Factory": lambda name, e, unit: f"{name}: {_some(e, unit)}left the factory, ETA {e['eta']}",
    "ETA_Changed": lambda name, e, _: f"{name}: ETA is now {e['eta']} ({str(e['reason']).lower()})",
    "Shipment_Arrived_Site": lambda name, e, unit: f"{name}: {_some(e, unit)}arrived on site on {e['date_arrived']}",
    "Inspection_Passed": lambda name, e, _: f"{name}: inspection passed",
    "Inspection_Failed": lambda name, e, _: f"{name}: inspection FAILED ({_listed(e['defects']).lower()})",
}


def what_was_done(story: Scenario, played: Played) -> list[str]:
    """A line for everything that the agent did."""
    return [_done(story, action["name"], {**action["arguments"], **action["result"]}) for action in played.actions]


def _done(story: Scenario, name: str, said: JsonObject) -> str:
    """What an action did, from its arguments and its result."""
    words = {key: str(value) for key, value in said.items()}
    if "item" in said:
        words["vendor"] = _vendor(story, words["item"])
    if "note" in said:
        words["note"] = words["note"].lower()
    if isinstance(milestones := said.get("milestones"), dict):
        due = sorted(milestones.items(), key=lambda one: str(one[1]))
        words["milestones"] = ", ".join(f"{kind} by {day}" for kind, day in due)
    return ACTION_KINDS[name].done.format_map(defaultdict(lambda: "?", words))


def what_was_recorded(played: Played) -> str:
    """The line's state where recording was all there was to do; else nothing."""
    if played.line is None or _acted(played) or played.note.endswith("noted"):
        return ""
    return f"recorded: {_words(played.line['status'])}"


def what_was_thought(played: Played) -> list[str]:
    """Why the agent did what it did, asked or did nothing, as its decision log and the procurement log have it."""
    reasons = [one["why"] for one in played.decisions if one["responder"]["type"] != "human"]
    rules = [one["evidence"]["policy"] for one in played.raised if one["evidence"]["policy"] not in one["summary"]]
    needs = [rule if "person" in rule else f"the policy says {rule}, so a person decides" for rule in rules]
    noted = not _acted(played) and played.note.endswith("noted")
    nothing = [f"nothing to do: {played.note.split(': ', 1)[-1]}"] if noted else []
    return [*_comparison(played), *reasons, *needs, *nothing]


def _acted(played: Played) -> bool:
    return bool(played.actions or played.raised or played.step.answer)


def _comparison(played: Played) -> list[str]:
    """The expected arrival against the required day, where the step told a new one."""
    line = played.line
    told = {"eta", "promised_date"} & (played.step.event or {}).keys()
    if line is None or not told:
        return []
    arrival, required = line["eta"] or line["promised_date"], line["required_by"]
    if not arrival or not required or not line["schedule_band"]:
        return []
    days = (date.fromisoformat(required) - date.fromisoformat(arrival)).days
    distance = (
        f"{write_count(-days, 'day')} late"
        if days < 0
        else f"{write_count(days, 'day')} to spare, {write_count(line['buffer_days'], 'day')} wanted"
    )
    return [f"compares: there on {arrival}, required by {required}: {distance}: {line['schedule_band']}"]


def is_recommended(approval: answers.ApprovalJson, option: answers.OptionJson) -> bool:
    """Whether the agent recommends this way out of the question."""
    return bool(option["actions"] == approval["recommended"])


def with_consequences(option: answers.OptionJson) -> str:
    """An option with its arrival, lateness and cost."""
    late = option["days_late"]
    lateness = "" if late is None else ", in time" if late == 0 else f", {write_count(late, 'day')} late"
    arrival = [f"there on {option['arrival']}{lateness}"] if option["arrival"] else []
    cost = [] if option["cost"] == "unknown" else [f"cost: {option['cost']}"]
    facts = "; ".join([*arrival, *cost])
    return f"{option['title']} ({facts})" if facts else str(option["title"])


def as_assumed(option: answers.OptionJson) -> str:
    """What a way out rests on first of all; nothing where it rests on nothing."""
    return f"assuming: {option['assumptions'][0]}" if option["assumptions"] else ""


def question_in_short(approval: answers.ApprovalJson) -> str:
    """What was asked, in a few words, and what the agent recommended."""
    recommended = next(option["title"] for option in approval["options"] if is_recommended(approval, option))
    return f"{approval['evidence']['item']['name']}, {_words(approval['kind'])}: recommended: {recommended}"


def the_answer(played: Played) -> str:
    """What a person answered, in a few words."""
    answer = played.step.answer
    if answer is None:
        return ""
    instead = " and ".join(_words(action.name) for action in answer.actions or [])
    return f"answered {answer.type} ({instead})" if instead else f"answered {answer.type}"


def whom(approval: answers.ApprovalJson) -> str:
    """The role that is asked."""
    return _words(approval["asked_of"] or "project_manager")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _name(story: Scenario, played: Played) -> str:
    return next(item.name for item in story.spec.items if item.id == played.item_id)


def _unit(story: Scenario, played: Played) -> str:
    return next(item.unit or "units" for item in story.spec.items if item.id == played.item_id)


def _listed(value: JsonValue) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _some(event: JsonObject, unit: str) -> str:
    return f"{event['quantity']} {unit} " if event.get("quantity") else ""


def _vendor(story: Scenario, item_id: str) -> str:
    vendor_id = next(item.vendor_id for item in story.spec.items if item.id == item_id)
    return next(vendor.name for vendor in story.spec.vendors if vendor.vendor_id == vendor_id)
