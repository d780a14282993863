"""Who calls LangGraph's dev server: the user that it carries from a request to the run that the request starts."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

from starlette.authentication import BaseUser

from domain.errors import ForbiddenError
from domain.principals import LOCAL_PRINCIPAL, Principal, Responder

Right = Literal["read", "write", "register"]
"""read: see threads and states. write: runs, answers, edits. register: tell the server of the buildings' threads."""

STUDIO_PERSON = Responder(type="human", id="studio", name="Studio")
KEYLESS_PRINCIPAL = replace(LOCAL_PRINCIPAL, responder=STUDIO_PERSON)
"""The person at this machine while no keys are configured: any amount, as at the other doors."""


async def refuse_answers() -> Principal:
    """Stand in for a caller who cannot answer.

    Raises:
        ForbiddenError: always.
    """
    raise ForbiddenError("Nobody who may answer started this run. Start it again with your own key.")


class Caller(BaseUser):
    """A caller as the door of the server saw it.

    Only the door makes one: a request's body is JSON, and no JSON becomes this class. The server copies its users
    and writes them to a file, so a copy is the caller itself and a stored one has no rights.
    """

    def __init__(
        self,
        identity: str,
        name: str,
        rights: frozenset[Right],
        find_principal: Callable[[], Awaitable[Principal]] = refuse_answers,
    ) -> None:
        self._identity = identity
        self._name = name
        self.rights = rights
        self._find_principal = find_principal

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def display_name(self) -> str:
        return self._name

    async def principal(self) -> Principal:
        """Who answers, looked up now: a run may start long after its request.

        Raises:
            LongleadError: nobody who may answer, or the key is no longer valid.
        """
        return await self._find_principal()

    def model_dump(self) -> dict[str, str]:
        """The caller as the server shows it in runs and threads."""
        return {"identity": self._identity, "display_name": self._name}

    def __deepcopy__(self, _: dict[int, Any]) -> "Caller":
        return self

    def __reduce__(self) -> tuple[type["Caller"], tuple[str, str, frozenset[Right]]]:
        return Caller, (self._identity, self._name, frozenset())
