"""What the door decides, without a server: for any Host, any Origin, any key."""

import copy
import pickle
import typing
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph_sdk import Auth
from langgraph_sdk.runtime import ServerRuntime
from starlette.datastructures import Headers, QueryParams

from api.studio_auth import NEEDED_RIGHTS, authenticate, authorize
from api.studio_door import CALLER, STUDIO_ORIGINS, FindGate, Gate, Visit, admit, find_place
from domain.errors import ForbiddenError, UnauthorizedError
from domain.principals import Principal, Responder
from runtime.studio import building
from runtime.studio_caller import Caller
from runtime.studio_secret import REGISTRAR_HEADER

HOST = "127.0.0.1:2024"
APPROVER = Principal(Responder(type="human", id="paula", name="Paula"), "key", frozenset({"approver"}))


@dataclass
class Keys:
    """Keys that can be taken away."""

    known: dict[str, Principal] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.known)

    def caller(self, key: str) -> Principal | None:
        return self.known.get(key)


def gate_of(keys: Keys, secret: str | None = None) -> FindGate:
    async def find_gate() -> Gate:
        return Gate(keys, secret)

    return find_gate


KEYLESS = gate_of(Keys())
LATIN = st.text(st.characters(codec="latin-1"))
"""What a header can hold."""


async def find_approver() -> Principal:
    return APPROVER


def visit(method: str = "GET", path: str = "/info", query: str = "", **headers: str) -> Visit:
    sent = Headers({"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}})
    return Visit(method, path, QueryParams(query), "http", "127.0.0.1", is_internal=False, headers=sent)


@given(LATIN | st.from_regex(r"(127\.0\.0\.1|localhost)[.:@/a-z0-9]*", fullmatch=True))
def test_no_other_name_is_this_machine(host: str) -> None:
    name, _, port = host.lower().partition(":")
    if name in ("127.0.0.1", "localhost") and (port.isdecimal() or host.lower() == name):
        return
    with pytest.raises(ForbiddenError):
        find_place(visit(host=host))


@given(
    LATIN
    | st.from_regex(r"https?://(localhost|127\.0\.0\.1|[a-z.]*smith\.langchain\.com)[.:@/a-z0-9]*", fullmatch=True)
)
def test_no_other_page_may_call(origin: str) -> None:
    if origin in STUDIO_ORIGINS or origin == f"http://{HOST}":
        return
    with pytest.raises(ForbiddenError):
        find_place(visit(origin=origin))


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "WEBSOCKET", "OPTIONS", "TRACE", "QUERY"]),
    st.sampled_from(["", "/threads", "/threads/x", "/runs", "/store", "/assistants"]),
    st.sampled_from(["", "/runs", "/wait", "/state", "/commands", "/copy", "/items", "/batch", "/crons", "/history"]),
    st.sampled_from(sorted(STUDIO_ORIGINS)),
)
async def test_without_keys_studios_page_never_writes(method: str, head: str, tail: str, origin: str) -> None:
    asked = visit(method, head + tail or "/", origin=origin)
    try:
        caller = await admit(asked, KEYLESS)
    except ForbiddenError:
        return
    assert caller is not None
    assert caller.rights == {"read"}


def test_a_call_of_the_server_to_itself_is_refused() -> None:
    with pytest.raises(ForbiddenError):
        find_place(replace(visit(), is_internal=True))


async def test_without_keys_another_machine_is_refused_under_any_name() -> None:
    with pytest.raises(UnauthorizedError):
        await admit(replace(visit(), client="192.0.2.7"), KEYLESS)


async def test_a_key_for_some_buildings_does_not_open_studio_which_shows_all() -> None:
    gate = gate_of(Keys({"k": replace(APPROVER, buildings=frozenset({"office"}))}))
    with pytest.raises(ForbiddenError, match="some buildings"):
        await admit(visit(authorization="Bearer k"), gate)


async def test_a_read_that_cancels_a_run_is_no_read() -> None:
    gate = gate_of(Keys({"k": replace(APPROVER, roles=frozenset({"reader"}))}))
    path = "/threads/x/runs/y/join"
    for query in ("", "cancel_on_disconnect=0", "cancel_on_disconnect=false", "cancel_on_disconnect=False"):
        assert await admit(visit(path=path, query=query, authorization="Bearer k"), gate) is not None
    for query in ("cancel_on_disconnect=1", "cancel_on_disconnect=true", "cancel_on_disconnect=YES"):
        with pytest.raises(ForbiddenError):
            await admit(visit(path=path, query=query, authorization="Bearer k"), gate)


async def test_a_key_that_was_taken_away_after_the_request_answers_nothing() -> None:
    """A run may wait behind another one, or be told to start later."""
    keys = Keys({"k": APPROVER})
    caller = await admit(visit("POST", "/threads/x/runs", authorization="Bearer k"), gate_of(keys))
    assert caller is not None
    assert await caller.principal() == replace(APPROVER, via="studio")
    keys.known.clear()
    with pytest.raises(UnauthorizedError):
        await caller.principal()


async def test_a_caller_is_copied_as_itself_and_stored_without_rights() -> None:
    caller = Caller("paula", "Paula", frozenset({"read", "write"}), find_approver)
    assert copy.deepcopy({"user": caller})["user"] is caller
    stored = pickle.loads(pickle.dumps(caller))
    assert (stored.identity, stored.rights) == ("paula", frozenset())
    with pytest.raises(ForbiddenError):
        await stored.principal()


async def test_a_user_that_the_door_did_not_make_is_nobody() -> None:
    forged = SimpleNamespace(identity="paula", rights={"read", "write"}, principal=lambda: APPROVER)
    for user in (None, "paula", {"identity": "paula"}, forged):
        with pytest.raises(Auth.exceptions.HTTPException):
            await authenticate({CALLER: user})
        assert not await _may(user, "threads", "create_run")


async def test_what_the_table_does_not_name_is_refused_even_to_an_admin() -> None:
    admin = Caller("a", "A", frozenset({"read", "write"}))
    named = [("threads", "create_run"), ("threads", "delete"), ("store", "put"), ("assistants", "update")]
    assert [await _may(admin, *one) for one in named] == [True] * 4
    unnamed = [("crons", "create"), ("crons", "update"), ("crons", "delete"), ("threads", "shell"), ("new", "read")]
    assert [await _may(admin, *one) for one in unnamed] == [False] * 5


async def test_a_reader_is_given_reading_actions_only() -> None:
    reader = Caller("r", "R", frozenset({"read"}))
    allowed = {action for one in NEEDED_RIGHTS if await _may(reader, *one) for action in one[1:]}
    assert allowed == {"read", "search", "get", "list_namespaces"}


async def test_the_registrar_is_given_two_actions() -> None:
    registrar = Caller("x", "X", frozenset({"register"}))
    allowed = {one for one in NEEDED_RIGHTS if await _may(registrar, *one)}
    assert allowed == {("threads", "create"), ("threads", "search")}


async def test_the_registrars_secret_is_none_where_there_is_none() -> None:
    for gate in (KEYLESS, gate_of(Keys(), "secret-of-this-start")):
        for sent in ("", "x", "None"):
            asked = replace(visit(), headers=Headers({"host": HOST, REGISTRAR_HEADER: sent}))
            with pytest.raises(UnauthorizedError):
                await admit(asked, gate)


async def _may(user: Any, resource: str, action: str) -> bool:
    context: Any = SimpleNamespace(user=user, resource=resource, action=action)
    return await authorize(ctx=context, value={})


def test_the_graph_is_built_for_its_caller() -> None:
    """LangGraph hands the graph's factory a runtime only where its parameter is annotated so."""
    assert typing.get_origin(typing.get_type_hints(building)["runtime"]) is ServerRuntime
