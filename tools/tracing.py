"""What a run tells whoever traces it: its entry, its steps, the calls of models, what people decided. By default
nobody listens, and telling costs nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from domain.events import Entry
from domain.plain_json import JsonObject

if TYPE_CHECKING:
    from tools.models import Abstained, Answered, Completion, ModelRequest

Told = Callable[[JsonObject], None]
"""Called with what it came to, before the end."""
Answer = Callable[["Completion", "Answered[BaseModel] | Abstained"], None]


class Tracer(Protocol):
    """Listens to runs. It never raises, and never waits for anything outside the process."""

    active: bool
    """Whether anybody listens; where nobody does, steps are not even wrapped."""

    def run(self, entry: Entry) -> AbstractContextManager[Told]:
        """One run of an entry; told the state that it ended with."""
        ...

    def step(self, name: str) -> AbstractContextManager[Told]:
        """One node of the graph within a run; told its update."""
        ...

    def generation(self, request: "ModelRequest[BaseModel]") -> AbstractContextManager[Answer]:
        """One call of a model within a step; told what came back and how it was taken."""
        ...


class NoTracer:
    """Nobody listens."""

    active = False

    def run(self, entry: Entry) -> AbstractContextManager[Told]:
        return nullcontext(_ignore_state)

    def step(self, name: str) -> AbstractContextManager[Told]:
        return nullcontext(_ignore_state)

    def generation(self, request: "ModelRequest[BaseModel]") -> AbstractContextManager[Answer]:
        return nullcontext(_ignore_answer)


def _ignore_state(_state: JsonObject) -> None:
    pass


def _ignore_answer(_completion: "Completion", _outcome: "Answered[BaseModel] | Abstained") -> None:
    pass


NO_TRACER = NoTracer()
