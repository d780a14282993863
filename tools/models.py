"""Asking a language model: the one function for all calls, and what it is given. A model may always abstain."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from domain.buildings import Building
from domain.errors import LongleadError
from domain.events import Entry
from storage import model_calls, procurement
from storage.model_calls import CallKey, ModelCall
from tools.prompts import Prompt

if TYPE_CHECKING:
    from tools.context import Toolbox

Worker = Literal["reader", "adviser", "summariser"]
WORKERS: tuple[Worker, ...] = ("reader", "adviser", "summariser")

Reason = Literal[
    "no_tier",
    "over_budget",
    "timeout",
    "rate_limited",
    "unreachable",
    "refused",
    "truncated",
    "empty",
    "too_large",
    "invalid",
]
"""Why a tier abstains. `invalid`: not JSON, or not of the shape that was asked for."""

MOST_ANSWER = 50_000
"""Characters of an answer that are looked at; a longer one is none."""

MOST_DETAIL = 500

Output = TypeVar("Output", bound=BaseModel)
Output_co = TypeVar("Output_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class ModelRequest(Generic[Output_co]):
    """What a model is asked. It holds nothing that differs between a building and its fork: no ids of buildings and
    no clock, business dates only; so an answer can be replayed."""

    worker: Worker
    tier: int
    system: str
    prompt: Prompt
    output: type[Output_co]
    """The shape of the answer."""
    max_tokens: int = 700
    """Most tokens of the answer."""

    @property
    def hash(self) -> str:
        """Equal requests, equal digest, whichever tier is asked."""
        asked = [self.worker, self.system, self.prompt, self.output.model_json_schema()]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Completion:
    """What came back: the answer's text, not yet checked, and what it took."""

    text: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


class ModelAbstained(Exception):  # noqa: N818 - nothing went wrong: this tier has no answer
    """This tier has no answer; the next one is asked."""

    def __init__(
        self, reason: Reason, detail: str = "", *, model: str = "", input_tokens: int = 0, output_tokens: int = 0
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.model = reason, detail, model
        self.input_tokens, self.output_tokens = input_tokens, output_tokens
        self.cost: Decimal | None = None


class ModelAccess(Protocol):
    """What `Toolbox.models` holds; None there: no model is configured."""

    tiers: tuple[str, ...]
    """Names, cheap to strong; a worker may have fewer, and abstains as `no_tier` beyond."""

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        """Ask the request's tier once, within its time.

        Raises:
            ModelAbstained: whatever went wrong; nothing else is raised.
        """
        ...


@dataclass(frozen=True)
class ModelBudget:
    """What a building's calls may take in a day of its zone, unless its policy says otherwise; None: any amount."""

    tokens: int | None = None
    cost: Decimal | None = None


UNLIMITED = ModelBudget()


@dataclass(frozen=True)
class Answered(Generic[Output_co]):
    """A model's answer in the shape that was asked for. It is data: what may come of it others decide."""

    value: Output_co
    model: str
    tier: int
    tokens: int


@dataclass(frozen=True)
class Abstained:
    """No answer, and why."""

    reason: Reason
    detail: str = ""


async def ask_model(
    toolbox: "Toolbox", entry: Entry, request: ModelRequest[Output], ordinal: int = 0
) -> Answered[Output] | Abstained:
    """Ask one tier. Its answer is kept, and looked up before tokens are spent; so a run that was cut off asks once.

    Neither a transaction nor the toolbox's lock is held while the model thinks. Never raises for what a model does.
    """
    if toolbox.models is None:
        return Abstained("no_tier", "no model is configured")
    key = CallKey(entry.building_id, entry.seq, request.worker, ordinal, request.tier, request.hash)
    async with toolbox.lock:
        known = await model_calls.known(toolbox.conn, key)
    if known is not None:
        return _again(known, request)
    started = toolbox.clock.now()
    refusal = await _over_budget(toolbox, entry, started)
    with toolbox.tracer.generation(request) as told:
        completion, outcome = await _asked(toolbox.models, request, refusal)
        told(completion, outcome)
    if isinstance(outcome, Abstained) and outcome.reason == "no_tier":
        return outcome
    await _keep(toolbox, key, completion, outcome, started)
    return outcome


def _again(known: dict[str, Any], request: ModelRequest[Output]) -> Answered[Output] | Abstained:
    """What this very call came to before."""
    if known["outcome"] != "answered":
        return Abstained(known["outcome"], known["detail"] or "")
    took = known["input_tokens"], known["output_tokens"]
    return read_completion(Completion(known["answer"], known["model"], *took), request)


async def _over_budget(toolbox: "Toolbox", entry: Entry, now: datetime) -> str | None:
    """Which budget of the building's day is used up; None while there is room."""
    building = await _building(toolbox, entry.building_id)
    async with toolbox.lock:
        tokens, cost = await model_calls.spent(toolbox.conn, entry.building_id, now.astimezone(building.zone).date())
    policy, general = building.policy, toolbox.model_budget
    most = general.tokens if policy.model_tokens_per_day is None else policy.model_tokens_per_day
    if most is not None and tokens >= most:
        return f"model_tokens_per_day: {tokens} of {most} tokens are used"
    dearest = general.cost if policy.model_cost_per_day is None else policy.model_cost_per_day
    if dearest is not None and cost >= dearest:
        return f"model_cost_per_day: {cost} of {dearest} is spent"
    return None


async def _keep(
    toolbox: "Toolbox", key: CallKey, completion: Completion, outcome: Answered[Output] | Abstained, started: datetime
) -> None:
    building = await _building(toolbox, key.building_id)
    now = toolbox.clock.now()
    call = ModelCall(
        key=key,
        model=completion.model or _name(toolbox, key.tier),
        outcome=outcome.reason if isinstance(outcome, Abstained) else "answered",
        detail=_storable(outcome.detail, MOST_DETAIL) if isinstance(outcome, Abstained) else None,
        answer=_storable(completion.text, MOST_ANSWER) or None,
        input_tokens=completion.input_tokens,
        output_tokens=completion.output_tokens,
        cost=completion.cost,
        took_s=(now - started).total_seconds(),
        day=started.astimezone(building.zone).date(),
        at=now,
    )
    async with toolbox.lock:
        await model_calls.keep(toolbox.conn, call)


async def _asked(
    models: ModelAccess, request: ModelRequest[Output], refusal: str | None
) -> tuple[Completion, Answered[Output] | Abstained]:
    """The call itself, with what it took also where it came to nothing."""
    if refusal is not None:
        return Completion("", ""), Abstained("over_budget", refusal)
    try:
        completion = await models.complete(request)
    except ModelAbstained as abstained:
        took = Completion("", abstained.model, abstained.input_tokens, abstained.output_tokens, abstained.cost)
        return took, Abstained(abstained.reason, abstained.detail)
    return completion, read_completion(completion, request)


async def _building(toolbox: "Toolbox", building_id: str) -> Building:
    async with toolbox.lock:
        found = await procurement.building(toolbox.conn, building_id)
    if found is None:
        raise LongleadError(f"Building {building_id!r} is gone; its entries cannot be processed.")
    return found


def _name(toolbox: "Toolbox", tier: int) -> str:
    tiers = toolbox.models.tiers if toolbox.models else ()
    return tiers[tier] if tier < len(tiers) else ""


def _storable(text: str, most: int) -> str:
    return text.replace("\x00", "")[:most]


def read_completion(completion: Completion, request: ModelRequest[Output]) -> Answered[Output] | Abstained:
    """The answer in the request's shape; anything else is an abstention."""
    text = completion.text.strip()
    if not text:
        return Abstained("empty")
    if len(text) > MOST_ANSWER:
        return Abstained("too_large", f"{len(text)} characters")
    try:
        value = request.output.model_validate_json(text)
    except ValidationError as error:
        return Abstained("invalid", "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    tokens = completion.input_tokens + completion.output_tokens
    return Answered(value, completion.model, request.tier, tokens)
