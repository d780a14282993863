"""What people said, as steps of a scenario: answers, overrulings, what they delegated and what they had taught."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from domain.plain_json import JsonObject, object_in, objects_in
from domain.templates import ITEM
from evals.history import ByHand, History
from evals.observed import image_of
from evals.on_file import (
    APPROVALS,
    RULES,
    ApprovalImage,
    CallRow,
    EntryRow,
    ImageKind,
    PlainResponder,
)


def answer_of(history: History, entry: EntryRow) -> JsonObject:
    """The answer of a decision's entry."""
    body, decision = entry["body"], object_in(entry["body"], "decision")
    asked = history.images(APPROVALS)[str(body["approval_id"])]
    by, version = object_in(decision, "responder")["type"], body["version"]
    answer: JsonObject = {
        "kind": asked["kind"],
        "item": asked["item_id"],
        "matter": _matter_of(history, asked),
        "type": decision["type"],
        "by": None if by == "human" else by,
        "message": decision.get("why"),
        "version": None if version == 1 else version,
        "occurred_at": decision.get("occurred_at"),
        "actions": _short(decision),
    }
    return {name: value for name, value in answer.items() if value}


def _short(holder: JsonObject) -> list[JsonValue]:
    """The actions of an answer or an overruling, each as its name and its arguments."""
    return [{str(one["name"]): one["arguments"]} for one in objects_in(holder, "actions")]


def _matter_of(history: History, asked: ApprovalImage) -> str | None:
    """The NCR that was decided about, where the line had questions about several."""
    if asked["kind"] != "inspection_failed":
        return None
    of_line = [one for one in history.images(APPROVALS).values() if one["item_id"] == asked["item_id"]]
    ncrs = {one.get("matter") for one in of_line if one["kind"] == asked["kind"]}
    return asked.get("matter") if len(ncrs) > 1 else None


def overruling_of(history: History, entry: EntryRow) -> JsonObject:
    """The overruling of a rule's decision; the rule by its title."""
    body = entry["body"]
    title = history.images(RULES)[str(body["rule_id"])]["title"]
    found: JsonObject = {"rule": title, "message": body["why"], "actions": _short(body)}
    return {name: value for name, value in found.items() if value}


def by_hand_of(history: History, made: ByHand) -> JsonObject:
    """What somebody changed beside the inbox, as a step without its time."""
    data = made.change.data
    if "granted" in data:
        return {"delegate": _delegation(data["granted"])}
    if "revoked" in data:
        row = history.images(_PLAIN_DELEGATIONS)[str(data["revoked"])]
        scope = {"item": row["item_id"], **{name: row[name] for name in ("category", "vendor_id")}}
        return {"revoke": {"kind": row["kind"], **{name: value for name, value in scope.items() if value is not None}}}
    if "rule_id" in data:
        given = data["changed"]
        changed = {name: value for name, value in given.items() if name != "status"}
        if "status" in given:
            changed["disabled"] = given["status"] == "disabled"
        return {"edit_rule": {"rule": history.images(RULES)[str(data["rule_id"])]["title"], **changed}}
    if "vendor_added" in data:
        return {"add_vendor": data["vendor_added"]}
    if "vendor_id" in data:
        return {"change_vendor": {"vendor_id": data["vendor_id"], **data["changed"]}}
    return {"change": data["changed"]}


def is_patch(made: ByHand) -> bool:
    """Whether the building itself was changed: its policy or its people."""
    return "changed" in made.change.data and not {"rule_id", "vendor_id"} & set(made.change.data)


def is_of_another_building(responder: PlainResponder) -> bool:
    """Whether it is a rule that another building shares: its name begins with that building's."""
    return responder["id"].startswith("rule:") and "-" in responder["id"]


def local(moment: str | datetime, zone: ZoneInfo) -> str:
    """The moment on the building's own clock."""
    given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return given.astimezone(zone).replace(tzinfo=None).isoformat()


_SCOPE = ("category", "vendor_id", "about")
_PLAIN_RULES, _PLAIN_DELEGATIONS = ImageKind[JsonObject]("rules"), ImageKind[JsonObject]("delegations")
"""Images that are copied field by field."""


def _delegation(row: JsonObject) -> JsonObject:
    given = {name: row[name] for name in ("kind", "actions", *_SCOPE, "amount_limit", "expires_at") if row[name]}
    granted_to = {} if row["granted_to"] == "rules" else {"granted_to": row["granted_to"]}
    return {**given, **({"item": row["item_id"]} if row["item_id"] else {}), **granted_to}


def taught_before(history: History) -> list[JsonObject]:
    """Rules that were on file before the first entry."""
    first = reversed(history.changes[0])
    found = {one["id"]: image for one in first if (image := image_of(one, _PLAIN_RULES)) is not None}
    return [_taught(row) for row in reversed(found.values())]


def _taught(row: JsonObject) -> JsonObject:
    names = ("title", "kind", *_SCOPE, "item_id", "confirmed", "autonomy", "delegation")
    actions = [_template(one) for one in objects_in(row, "actions")]
    return {**{name: row[name] for name in names if row[name]}, "actions": actions}


def _template(action: JsonObject) -> JsonValue:
    given, named = object_in(action, "arguments"), str(action["name"])
    arguments = {name: value for name, value in given.items() if (name, value) != ("item", ITEM)}
    return {named: arguments} if arguments else named


def models_of(history: History) -> list[JsonObject]:
    """What models answered, in order."""
    return [_model(call) for call in history.calls]


def _model(call: CallRow) -> JsonObject:
    answered = call["outcome"] in ("answered", "invalid", "empty")
    said: JsonObject = {"text": call["answer"]} if answered else {"abstains": call["outcome"]}
    return {"worker": call["worker"], "tier": call["tier"], **said}
