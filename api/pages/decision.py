"""The page of a question: everything needed to answer it, and afterwards what came of it. Looking never decides."""

import asyncio
import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import RedirectResponse, Response

from api.approval_view import ApprovalView
from api.bodies import read
from api.held import Held, connection
from api.ledger_view import LedgerEntry
from api.pages.goods import Goods, describe_goods
from api.pages.known import evidence
from api.pages.links import answered_by_page, let_in, log_path, record_use, same_site
from api.pages.rendering import HEADERS, page
from domain.actions import ACTIONS
from domain.approvals import Answer, state
from domain.buildings import Building
from domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from domain.outside import shown_name
from domain.plain_json import JsonObject
from domain.principals import Principal
from runtime.channels_letter import printable
from runtime.links import Link, Linker, linker
from runtime.resources import Resources
from storage import approvals, pages, procurement
from storage.connection import Connection
from storage.lists import ACTIONS as ACTIONS_LIST
from storage.lists import APPROVALS
from tools.answers import submit

router = APIRouter(include_in_schema=False)

MAX_BYTES = 100_000
MAX_MESSAGE = 20_000
"""Characters of a reason or a free answer."""
LOOK_AGAIN_S = 4

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_ANSWER_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_OPTION = re.compile(r"option-([0-9]{1,3})")


@dataclass(frozen=True)
class Asked:
    """A question with what its page needs."""

    refused: int
    """How many of its options people refused before."""
    view: ApprovalView
    building: Building
    names: dict[str, str]
    link: Link
    links: Linker
    principal: Principal
    """Who looks or answers."""


@router.get("/pages/approval/{token}")
@answered_by_page
async def show(token: str, request: Request, resources: Held) -> Response:
    """The question as it stands."""
    async with connection(resources) as conn:
        asked = await _asked(conn, resources, request, token)
        await record_use(conn, asked.link, asked.building, "shown", resources.clock.now())
        return await _shown(conn, resources, request, asked)


@router.post("/pages/approval/{token}")
@answered_by_page
async def answer(token: str, request: Request, resources: Held) -> Response:
    """Take the answer, as that of the person the link was made for; then show what stands."""
    same_site(request, resources.settings.public_url)
    form = _form(await read(request, MAX_BYTES))
    async with connection(resources) as conn:
        asked = await _asked(conn, resources, request, token)
        given = _answer(form, asked)
        if isinstance(given, str):
            return await _shown(conn, resources, request, asked, problem=given, message=form["message"], status=422)
        try:
            await submit(
                conn,
                asked.principal,
                given,
                event_id=f"{asked.view.approval_id}:page:{form['answer_id']}",
                reads_free_text=resources.settings.has_readers,
                now=resources.clock.now(),
            )
        except (InvalidError, ForbiddenError) as error:
            return await _shown(
                conn,
                resources,
                request,
                asked,
                problem=f"Nothing was decided: {error.detail}",
                message=form["message"],
                status=error.status,
            )
        except ConflictError:
            asked = await _asked(conn, resources, request, token)
            problem = _LATE if asked.view.status != "pending" else _CHANGED
            return await _shown(conn, resources, request, asked, problem=problem, message=form["message"], status=409)
        await record_use(conn, asked.link, asked.building, "answered", resources.clock.now())
    return RedirectResponse(request.url.path, 303, HEADERS)


_LATE = "Your answer was not taken: the question was settled before. What stands is below."
_CHANGED = "Your answer was not taken: the facts have changed since the page was opened. Read what stands now."


def _form(raw: bytes) -> dict[str, str]:
    """The fields of the form; what is missing or malformed is as if it had not been filled in."""
    try:
        sent = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        sent = {}
    form = {name: sent.get(name, [""])[0] for name in ("answer", "message", "version", "answer_id")}
    if not _VERSION.fullmatch(form["version"]):
        form["answer"], form["version"] = "", "1"
    if not _ANSWER_ID.fullmatch(form["answer_id"]):
        form["answer_id"] = secrets.token_urlsafe(16)
    form["message"] = printable(form["message"].replace("\r\n", "\n")).strip()
    return form


def _answer(form: dict[str, str], asked: Asked) -> Answer | str:
    """What the pressed button means; a sentence where it cannot be taken."""
    pressed, why = form["answer"], form["message"]
    if len(why) > MAX_MESSAGE:
        return f"Nothing was decided: the text is over {MAX_MESSAGE} characters. Link to the document instead."
    about = {"approval_id": asked.view.approval_id, "version": int(form["version"]), "message": why or None}
    if pressed == "respond":
        return Answer(type="respond", **about) if why else "Nothing was decided: write your answer first."
    options = asked.view.options
    chosen = _OPTION.fullmatch(pressed)
    if chosen and int(chosen[1]) < len(options):
        return Answer(
            type="edit",
            actions=ACTIONS.validate_python([one.model_dump() for one in options[int(chosen[1])].actions]),
            **about,
        )
    if pressed == "approve" and asked.refused < len(options):
        return Answer(type="approve", **about)
    if pressed == "reject":
        return Answer(type="reject", **about)
    return "Nothing was decided: press one of the buttons."


async def _asked(conn: Connection, resources: Resources, request: Request, token: str) -> Asked:
    """What the link leads to, and for whom.

    Raises:
        BadLinkError: the link was not made here.
        ExpiredLinkError: it is too old.
        EndedLinkError: it no longer holds.
        NotFoundError: its question is gone.
    """
    now = resources.clock.now()
    links = await linker(conn, resources.settings, now)
    link = links.read("approval", token)
    row = await pages.one(conn, APPROVALS, approval_id=link.subject)
    building = await procurement.building(conn, str(row["building_id"])) if row else None
    if row is None or building is None:
        raise NotFoundError("This question is no longer on file.")
    principal = await let_in(request, conn, links, link, building)
    names = {item_id: shown_name(name) for item_id, name in await procurement.item_names(conn, building.building_id)}
    refused = int(str(row["refused"]))
    return Asked(refused, ApprovalView.model_validate(row), building, names, link, links, principal)


async def _shown(
    conn: Connection,
    resources: Resources,
    request: Request,
    asked: Asked,
    *,
    problem: str = "",
    message: str = "",
    status: int = 200,
) -> Response:
    view = asked.view
    item = {"name": asked.names.get(view.item_id, view.item_id)} if view.item_id else None
    standing = _standing(view)
    asks = state(view.summary) if view.status in ("superseded", "withdrawn") else view.summary
    return page(
        "decision.html",
        status=status,
        title=f"{asks[:60]} - {asked.building.name}",
        refresh=LOOK_AGAIN_S if standing.under_way else None,
        asked=view.model_dump() | {"summary": asks},
        refused=asked.refused,
        building=asked.building,
        zone=asked.building.zone,
        item=item,
        names=asked.names,
        link=asked.link,
        principal=asked.principal,
        here=request.url.path,
        standing=standing,
        done=await _done(conn, view),
        goods=await _goods(conn, view, asked.building.zone),
        evidence=evidence(view.evidence),
        log_path=log_path(asked.links, asked.link, view.building_id),
        answer_id=secrets.token_urlsafe(16),
        problem=problem,
        message=message,
        reads=resources.settings.has_readers,
        last_said=_last_said(view),
    )


def _last_said(view: ApprovalView) -> JsonValue:
    """What was last said about a question that is still open, and what the agent said to it."""
    said = view.evidence.get("conversation") or []
    return said[-1] if said and view.status == "pending" else None


async def _goods(conn: Connection, view: ApprovalView, zone: ZoneInfo) -> Goods | None:
    """The goods of the line that is asked about; None: it is about no line."""
    if view.item_id is None:
        return None
    file = await procurement.line_file(conn, view.building_id, view.item_id)
    return None if file is None else await asyncio.to_thread(describe_goods, file, zone)


async def _done(conn: Connection, view: ApprovalView) -> list[JsonObject]:
    """What was carried out on the answer, from the ledger."""
    if view.decision is None or view.decision.event_id is None:
        return []
    found = await pages.page(
        conn,
        ACTIONS_LIST,
        limit=50,
        building_id=view.building_id,
        source=approvals.SOURCE,
        event_id=view.decision.event_id,
    )
    done = [LedgerEntry.model_validate(row) for row in found.rows]
    return [{**entry.model_dump(), "came_to": entry.result.get("purchase_order")} for entry in done]


@dataclass(frozen=True)
class _Standing:
    headline: str
    detail: str
    under_way: bool


def _standing(view: ApprovalView) -> _Standing:
    """What became of a question that is no longer open."""
    status = view.decision.status if view.decision else None
    if view.status == "decided" and status == "accepted":
        return _said("Answered", "The answer is being carried out. This page looks again by itself.", under_way=True)
    if view.status == "decided" and view.decision and view.decision.type == "reject":
        return _said("Rejected", "The next-best option is put as a new question; after the last one, the line waits.")
    if view.status == "decided":
        return _said("Answered and carried out", "The first answer counted. Nothing more is needed here.")
    return _said("No longer asked", "The facts have changed, and this question has settled itself. No answer needed.")


def _said(headline: str, detail: str, *, under_way: bool = False) -> _Standing:
    return _Standing(headline, detail, under_way)
