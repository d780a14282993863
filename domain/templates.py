"""Actions in terms of a situation, so that what was decided on one line can be recommended for another.

A template is a list of actions in which the line in question is `ITEM`, and in which what belonged to that one case
alone (days, quantities, words) is left out: it is taken from the options of the new situation.
"""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from domain.actions import ACTION, plain
from domain.actions.registry import AGENT_ALONE, OF_THE_CASE
from domain.approvals import Option
from domain.plain_json import JsonObject, PlainAction, restated_event
from domain.text import ON_FILE

Actions = Sequence[PlainAction]

ITEM = "{item}"
"""The line in question."""


def template_of(actions: Actions, item_id: str | None) -> list[PlainAction] | None:
    """The actions in terms of the situation; None where they name another line, and so say nothing of others."""
    made: list[PlainAction] = []
    for action in actions:
        arguments = {key: value for key, value in action["arguments"].items() if key not in OF_THE_CASE}
        if (event := restated_event(action)) is not None:
            arguments = {"event": _meant(event)}
        if "item" in arguments:
            if arguments["item"] != item_id:
                return None
            arguments["item"] = ITEM
        made.append({"name": action["name"], "arguments": arguments})
    return made or None


def _meant(event: JsonObject) -> JsonObject:
    """What a restated event says beyond the one case: which line was meant, else what kind of event it was."""
    return {"item": event["item"]} if "item" in event else {"event_type": event["event_type"]}


def is_deferral(actions: Actions) -> bool:
    """Whether a decision only puts the matter off."""
    return bool(actions) and all(action["name"] == "hold_item" for action in actions)


def agree(said: Actions, decided: Actions) -> bool:
    """Whether a decision does what a template says; both in terms of the situation. What else was decided does not
    count, nor what may be done without asking anyway beside what may not."""
    return all(action in _core(_without_words(decided)) for action in _core(_without_words(said)))


def _core(template: Actions) -> list[PlainAction]:
    weighty = [action for action in template if action["name"] not in AGENT_ALONE]
    return list(weighty or template)


def fitting(template: Actions, options: Sequence[Option], item_id: str | None, title: str) -> Option | None:
    """The way out that the template is, in a situation with these options: one of them, or one made of their parts.

    None where it cannot be said in this situation: a day or a text that it needs is in none of the options.
    """
    template = _without_words(template)
    for option in options:
        if option.actions and template_of(option.actions, item_id) == template:
            return option
    actions: list[PlainAction] = []
    for action in template:
        made = _filled(action, options, item_id)
        if made is None and action in _core(template):
            return None
        actions += [] if made is None else [made]
    return Option(title=title, actions=actions, assumptions=["decided like this before; not among the usual ways out"])


def _without_words(template: Actions) -> list[PlainAction]:
    """The template without words of its own, which one that an earlier version learned may have: what is sent are the
    words of the question's own options."""
    return [
        {**action, "arguments": {k: v for k, v in action["arguments"].items() if k not in OF_THE_CASE or k == "event"}}
        for action in template
    ]


def _filled(action: PlainAction, options: Sequence[Option], item_id: str | None) -> PlainAction | None:
    """The action for this situation, completed from the options' actions of the same name."""
    arguments = {key: item_id if value == ITEM else value for key, value in action["arguments"].items()}
    for given in (*_of_same_name(action, options), {}):
        try:
            return plain(
                ACTION.validate_python({"name": action["name"], "arguments": {**given, **arguments}}, context=ON_FILE)
            )
        except ValidationError:
            continue
    return None


def _of_same_name(action: PlainAction, options: Iterable[Option]) -> list[JsonObject]:
    """What the options' actions of this name say of the case, where they are otherwise the same."""
    return [
        {key: value for key, value in one["arguments"].items() if key in OF_THE_CASE}
        for option in options
        for one in option.actions
        if one["name"] == action["name"]
        and all(one["arguments"].get(whom) == action["arguments"].get(whom) for whom in ("to", "team"))
    ]
