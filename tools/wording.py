"""Having a learned rule worded by a model. What it does is fixed by its actions; the sentence is for people to read."""

from pydantic import BaseModel, Field

from domain.actions.registry import AGENT_ALONE
from domain.approvals import POLICY
from domain.events import Entry
from domain.plain_json import JsonObject
from domain.reply_words import actions_spoken_of
from domain.rules import Rule
from storage import rules
from tools.context import ActionContext, Toolbox
from tools.effects import run_effect
from tools.instructions import WORD_RULE
from tools.models import Abstained
from tools.prompts import RECALLED_TOKENS, Layer, Part
from tools.provenance import HOUSE, TEAM
from tools.tiers import answers

MOST_SENTENCE = 300


class WordedRule(BaseModel):
    """A rule in one sentence."""

    sentence: str = Field(min_length=10, max_length=MOST_SENTENCE)


async def word_rule(toolbox: Toolbox, entry: Entry, rule_id: str, why: str) -> None:
    """Put a new rule into a model's words, where one is configured and speaks of what the rule does. Else it keeps
    the words of its template."""
    if toolbox.models is None or not toolbox.acts:
        return
    async with toolbox.lock:
        rule = await rules.rule(toolbox.conn, entry.building_id, rule_id)
    if rule is None:
        return
    sentence = await _sentence(toolbox, entry, rule, why)
    if sentence is not None:
        await _keep(toolbox, entry, rule, f"{sentence} Learned from {rule.learned_from}.")


async def _sentence(toolbox: Toolbox, entry: Entry, rule: Rule, why: str) -> str | None:
    """What the first tier says that says nothing else than the rule does."""
    done = ", ".join(str(action["name"]) for action in rule.actions)
    facts = [f"Kind of question: {rule.kind}.", f"Decided: {rule.title}.", f"Actions: {done}.", f"So far: {rule.text}"]
    layers = [Layer("Decision", RECALLED_TOKENS, facts)]
    if why.strip():
        layers.append(Layer("Reason", RECALLED_TOKENS, [Part(why, "manager", TEAM)]))
    async for answer in answers(
        toolbox, entry, "adviser", WORD_RULE, layers, WordedRule, audience=HOUSE, ordinal=WORDING
    ):
        if not isinstance(answer, Abstained) and speaks_of(rule, answer.value.sentence):
            return " ".join(answer.value.sentence.split())
    return None


WORDING = 1_000
"""Place of this call among the adviser's calls for an entry: after those for its questions."""


def speaks_of(rule: Rule, sentence: str) -> bool:
    """Whether a sentence has words for no weighty action that the rule does not take."""
    names = {str(action["name"]) for action in rule.actions}
    return actions_spoken_of(sentence) - AGENT_ALONE <= names


async def _keep(toolbox: Toolbox, entry: Entry, rule: Rule, text: str) -> None:
    async def act(context: ActionContext) -> JsonObject:
        now = await rules.rule(context.transaction.conn, entry.building_id, rule.rule_id)
        if now is None or now.text != rule.text:  # somebody has worded it meanwhile
            return {"kept": False}
        context.save(now.model_copy(update={"text": text}))
        return {"kept": True}

    await run_effect(
        toolbox,
        entry,
        "word_rule",
        item=rule.rule_id,
        ordinal=0,
        kind="question",
        arguments={"text": text},
        responder=POLICY,
        act=act,
    )
