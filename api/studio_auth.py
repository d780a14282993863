"""Custom authentication of LangGraph's dev server (langgraph.json): it takes the caller that the door let in, and asks
what a caller may do to each of the server's resources."""

from typing import Any

from langgraph_sdk import Auth

from api.studio_door import CALLER
from runtime.studio_caller import Caller, Right

NEEDED_RIGHTS: dict[tuple[str, str], frozenset[Right]] = {
    ("assistants", "read"): frozenset({"read"}),
    ("assistants", "search"): frozenset({"read"}),
    ("assistants", "create"): frozenset({"write"}),
    ("assistants", "update"): frozenset({"write"}),
    ("assistants", "delete"): frozenset({"write"}),
    ("threads", "read"): frozenset({"read"}),
    ("threads", "search"): frozenset({"read", "register"}),
    ("threads", "create"): frozenset({"write", "register"}),
    ("threads", "update"): frozenset({"write"}),
    ("threads", "delete"): frozenset({"write"}),
    ("threads", "create_run"): frozenset({"write"}),
    ("crons", "read"): frozenset({"read"}),
    ("crons", "search"): frozenset({"read"}),
    ("store", "get"): frozenset({"read"}),
    ("store", "search"): frozenset({"read"}),
    ("store", "list_namespaces"): frozenset({"read"}),
    ("store", "put"): frozenset({"write"}),
    ("store", "delete"): frozenset({"write"}),
}
"""The rights that allow an action on a resource; one is enough. What is not named is refused, such as new crons: no
person is present at their runs."""

auth = Auth()


@auth.authenticate
async def authenticate(scope: dict[str, Any]) -> Caller:
    """The caller that the door let in."""
    caller = scope.get(CALLER)
    if not isinstance(caller, Caller):
        raise Auth.exceptions.HTTPException(status_code=401, detail="Nobody was let in by the door.")
    return caller


@auth.on
async def authorize(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
    """Whether the caller may do this."""
    if not isinstance(ctx.user, Caller):
        return False
    needed = NEEDED_RIGHTS.get((ctx.resource, ctx.action), frozenset())
    return bool(needed & ctx.user.rights)
