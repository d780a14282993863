"""What a model read in a person's reply, held against the person's own words. Unsure is asked again, never guessed.

What is read becomes one of: the recommendation (with further wishes), other actions instead, the next-best option, an
answer to a question back, or the question once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from domain.actions import ACTION, plain
from domain.actions.kinds import Wished
from domain.actions.registry import ACTION_KINDS, RECIPIENTS
from domain.days_found import days_mentioned
from domain.days_in_words import days_meant
from domain.days_in_words import plain as plain_words
from domain.mail import lines_named, says
from domain.plain_json import PlainAction
from domain.plain_words import approves_by_name, asks_to_hold, plain_reply, refuses
from domain.reply_words import actions_spoken_of, has_number, is_mild, says_no, says_until, says_yes, sets_condition
from domain.text import Words

WishName = Literal[
    "issue_purchase_order",
    "reorder_item",
    "cancel_purchase_order",
    "change_required_by",
    "change_project_end",
    "remove_item",
    "expedite_order",
    "repair_item",
    "return_item",
    "accept_as_is",
    "hold_item",
    "schedule_inspection",
    "notify_team",
    "request_information",
    "dismiss_event",
]
Topic = Literal["dates", "order", "cost", "vendor", "inspection", "options", "reason", "history"]
Meaning = Literal["approve", "reject", "instead", "question", "unclear"]
Means = Literal["approve", "reject", "edit", "answer", "ask_again"]


class Wish(BaseModel):
    """One thing that the reply asks for."""

    action: WishName
    day_words: Words = Field(description="The reply's own words for a day, copied.")
    day: Words = Field(description="That day as YYYY-MM-DD.")
    detail: Words = Field(description="What to tell or ask, and whom; the method; the reason.")


class ReplyReading(BaseModel):
    """What a reply to a question means."""

    meaning: Meaning
    wishes: list[Wish]
    topics: list[Topic] = Field(description="Of a question back: what it is about.")
    confidence: float = Field(description="0 to 1.")


@dataclass(frozen=True)
class Asked:
    """The question that is replied to."""

    item_id: str | None
    recommended: Sequence[PlainAction]
    names: Sequence[tuple[str, str]]
    """(item_id, name) of the building's lines."""
    today: date
    reading_confidence: float


@dataclass
class Reply:
    """What a reply comes to; with doubts it is always asked again."""

    means: Means
    actions: list[PlainAction] = field(default_factory=list)
    understood: str = ""
    doubts: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    confidence: float = 0.0
    model: str | None = None
    tokens: int = 0
    accounted: bool = False
    """Whether every word of it is accounted for by our own lists (domain/plain_words.py), whatever a model says."""


def plainly_answered(text: str, asked: Asked) -> Reply | None:
    """The reply where it needs no reader: a plain yes or no, or a yes that names what is recommended."""
    line = dict(asked.names).get(asked.item_id or "")
    plainly = plain_reply(text)
    if plainly == "reject":
        return Reply("reject", understood=_told("reject", []), confidence=1.0, accounted=True)
    if asked.recommended and (plainly == "approve" or approves_by_name(text, asked.recommended, line)):
        return Reply("approve", understood=_told("approve", []), confidence=1.0, accounted=True)
    return None


def understood(text: str, read: ReplyReading, asked: Asked) -> Reply:
    """The reply as it will be taken, or asked again with what was understood of it."""
    item_id, doubts = _line(text, asked)
    actions: list[PlainAction] = []
    for wish in read.wishes:
        made, more = _action(wish, item_id, text, asked)
        doubts += more
        actions += [made] if made else []
    doubts += _against_the_words(text, read, asked)
    confidence = max(0.0, min(1.0, read.confidence))
    if confidence < asked.reading_confidence:
        doubts.append(f"the model is {confidence:.0%} sure, policy asks {asked.reading_confidence:.0%}")
    means: Means = "ask_again" if doubts else _MEANS[read.meaning]
    return Reply(
        means,
        actions,
        _told(read.meaning, actions),
        list(dict.fromkeys(doubts)),
        list(read.topics),
        confidence,
        accounted=means == "edit" and _only_holds(actions, text, asked),
    )


def _only_holds(actions: Sequence[PlainAction], text: str, asked: Asked) -> bool:
    """Whether a reply says to hold the line and nothing else, so that it can be done at once: it binds nobody, and
    the person's own words are kept with it."""
    held = [action["name"] for action in actions] == ["hold_item"]
    return held and asks_to_hold(text, dict(asked.names).get(asked.item_id or ""))


_MEANS: dict[str, Means] = {
    "approve": "approve",
    "reject": "reject",
    "instead": "edit",
    "question": "answer",
    "unclear": "ask_again",
}


def _line(text: str, asked: Asked) -> tuple[str | None, list[str]]:
    """The line that the reply is about: that of the question; for one without, the only one that the reply names."""
    named = lines_named(text, asked.names)
    if asked.item_id is None:
        return (named[0] if len(named) == 1 else None), (["it names several lines"] if len(named) > 1 else [])
    others = [item_id for item_id in named if item_id != asked.item_id]
    return asked.item_id, [f"it also names {dict(asked.names)[item_id]}" for item_id in others]


def _action(wish: Wish, item_id: str | None, text: str, asked: Asked) -> tuple[PlainAction | None, list[str]]:
    """The typed action; nothing outside the closed union can come of it."""
    doubts = [] if wish.action in actions_spoken_of(text) else [f"it has no words for {wish.action}"]
    day, more = _day(wish, text, asked)
    doubts += more
    detail = (wish.detail or "").strip()[:1000]
    if wish.action == "hold_item" and not says(text, detail):
        detail = " ".join(text.split())[:1000] if detail else ""  # the person's words are kept, not a model's
    if wish.action in RECIPIENTS and not detail:
        doubts.append(f"{wish.action} says nothing")
    made = typed(wish.action, item_id, day, detail)
    return made, doubts if made else [*doubts, f"{wish.action} is not complete"]


def typed(name: WishName, item_id: str | None, day: date | None, detail: str) -> PlainAction | None:
    """An action of the union on one line; None where something is missing for it."""
    from_reply = ACTION_KINDS[name].from_reply
    wished = {} if from_reply is None else from_reply(Wished(item_id, day, detail))
    arguments = {key: value for key, value in wished.items() if value is not None}
    try:
        return plain(ACTION.validate_python({"name": name, "arguments": arguments}))
    except ValidationError:
        return None


def _day(wish: Wish, text: str, asked: Asked) -> tuple[date | None, list[str]]:
    """The day of a wish: it must follow from the reply's own words."""
    if not wish.day_words:
        return None, ["a day was read that it has no words for"] if wish.day else []
    meant = days_meant(wish.day_words, asked.today)
    if not says(text, wish.day_words) or len(meant) != 1:
        return None, [f"{wish.day_words.strip()!r} does not say one day"]
    (certain,) = meant
    if wish.day is None or wish.day[:10] != certain.isoformat():
        return certain, [f"{wish.day_words.strip()!r} is {certain}, and the model read {wish.day}"]
    return certain, [f"{certain} is past"] if certain < asked.today else []


def _against_the_words(text: str, read: ReplyReading, asked: Asked) -> list[str]:
    """What the words say that was not read, and what was read that the words do not say."""
    asks = "?" in text
    if read.meaning == "unclear":
        return ["it is not clear what is wanted"]
    if asks or read.meaning == "question":
        plainly = asks and read.meaning == "question" and not read.wishes and read.topics
        return [] if plainly else ["it may be a question"]
    doubts = [*_unread(text, read, asked), *_contrary(text, read)]
    if sets_condition(text) and not (_holds(read) and says_until(text)):
        doubts.append("it sets a condition")
    if read.meaning == "approve" and not asked.recommended:
        doubts.append("nothing is recommended that could be approved")
    return doubts


def _holds(read: ReplyReading) -> bool:
    return any(wish.action == "hold_item" for wish in read.wishes)


MOST_WORDS_OF_A_NO = 12
"""A longer no says more than no."""


def _contrary(text: str, read: ReplyReading) -> list[str]:
    yes, no = says_yes(text), says_no(text)
    if read.meaning == "approve" and (not yes or no):
        return ["it is not a plain yes"]
    if is_mild(text):
        return ["its no may mean yes"]
    if read.meaning == "reject" and (yes or not no or read.wishes or len(text.split()) > MOST_WORDS_OF_A_NO):
        return ["it is not a plain no"]
    if read.meaning == "reject" and not refuses(text):
        return ["it may say more than no"]
    if read.meaning == "instead" and (not read.wishes or yes):
        return ["it is not plain what is to be done instead"]
    return []


def _unread(text: str, read: ReplyReading, asked: Asked) -> list[str]:
    """Actions, days and numbers that the reply speaks of and that were not read."""
    wished = {wish.action for wish in read.wishes}
    covered = wished | ({action["name"] for action in asked.recommended} if read.meaning != "instead" else set())
    if _holds(read):
        covered.add("request_information")  # "hold until I have asked the vendor": the person asks
    doubts = [f"it may also ask for {name}" for name in sorted(actions_spoken_of(text) - covered)]
    words = [plain_words(wish.day_words) for wish in read.wishes if wish.day_words]
    rest = plain_words(text)
    for mention in days_mentioned(text):
        if not any(mention.words in one or one in mention.words for one in words):
            doubts.append(f"it also speaks of {mention.words!r}")
        rest = rest.replace(mention.words, " ")
    for one in words:
        rest = rest.replace(one, " ")
    if has_number(rest):
        doubts.append("it names a number that was not read")
    return doubts


def with_wishes(recommended: Sequence[PlainAction], wishes: Sequence[PlainAction]) -> list[PlainAction]:
    """The recommendation with further wishes. One that is recommended already is done once, as it is wished where the
    wish says more than that."""
    wished = {action["name"]: action for action in wishes}
    known = {action["name"] for action in recommended}
    own = [wished[one["name"]] if _says_more(wished.get(one["name"])) else one for one in recommended]
    return [*own, *(action for action in wishes if action["name"] not in known)]


def _says_more(wish: PlainAction | None) -> bool:
    return wish is not None and set(wish["arguments"]) != {"item"}


def _told(meaning: Meaning, actions: list[PlainAction]) -> str:
    """What was understood, in words of our own."""
    wishes = "; ".join(_wish_told(action) for action in actions)
    begin = {
        "approve": "do what is recommended",
        "reject": "do not do what is recommended; offer the next option",
        "instead": "do this instead",
        "question": "a question back",
        "unclear": "nothing certain",
    }[meaning]
    return f"{begin}: {wishes}" if wishes and meaning == "instead" else f"{begin}, and {wishes}" if wishes else begin


def _wish_told(action: PlainAction) -> str:
    arguments = [str(value) for key, value in action["arguments"].items() if key != "item"]
    return f"{action['name'].replace('_', ' ')}{' (' + ', '.join(arguments) + ')' if arguments else ''}"
