"""What people said, as steps of a scenario: answers, overrulings, what they delegated and what they had taught."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.templates import ITEM
from evals.history import ByHand, History
from evals.observed import Row


def answer_of(history: History, entry: Row) -> dict[str, Any]:
    """The answer of a decision's entry."""
    body, decision = entry["body"], entry["body"]["decision"]
    asked = history.images("approvals")[body["approval_id"]]
    answer = {
        "kind": asked["kind"],
        "item": asked["item_id"],
        "matter": _matter_of(history, asked),
        "type": decision["type"],
        "by": None if decision["responder"]["type"] == "human" else decision["responder"]["type"],
        "message": decision.get("why"),
        "version": body["version"] if body["version"] > 1 else None,
        "occurred_at": decision.get("occurred_at"),
        "actions": [{one["name"]: one["arguments"]} for one in decision.get("actions", [])],
    }
    return {name: value for name, value in answer.items() if value}


def _matter_of(history: History, asked: Row) -> str | None:
    """The NCR that was decided about, where the line had questions about several."""
    if asked["kind"] != "inspection_failed":
        return None
    of_line = [one for one in history.images("approvals").values() if one["item_id"] == asked["item_id"]]
    ncrs = {one.get("matter") for one in of_line if one["kind"] == asked["kind"]}
    return asked.get("matter") if len(ncrs) > 1 else None


def overruling_of(history: History, entry: Row) -> dict[str, Any]:
    """The overruling of a rule's decision; the rule by its title."""
    body = entry["body"]
    title = history.images("rules")[body["rule_id"]]["title"]
    actions = [{one["name"]: one["arguments"]} for one in body["actions"]]
    found = {"rule": title, "message": body["why"], "actions": actions}
    return {name: value for name, value in found.items() if value}


def by_hand_of(history: History, made: ByHand) -> dict[str, Any]:
    """What somebody changed beside the inbox, as a step without its time."""
    data = made.change.data
    if "granted" in data:
        return {"delegate": _delegation(data["granted"])}
    if "revoked" in data:
        row = history.images("delegations")[data["revoked"]]
        scope = {"item": row["item_id"], **{name: row[name] for name in ("category", "vendor_id")}}
        return {"revoke": {"kind": row["kind"], **{name: value for name, value in scope.items() if value is not None}}}
    if "rule_id" in data:
        changed = {name: value for name, value in data["changed"].items() if name != "status"}
        if "status" in data["changed"]:
            changed["disabled"] = data["changed"]["status"] == "disabled"
        return {"edit_rule": {"rule": history.images("rules")[data["rule_id"]]["title"], **changed}}
    if "vendor_added" in data:
        return {"add_vendor": data["vendor_added"]}
    if "vendor_id" in data:
        return {"change_vendor": {"vendor_id": data["vendor_id"], **data["changed"]}}
    return {"change": data["changed"]}


def is_patch(made: ByHand) -> bool:
    """Whether the building itself was changed: its policy or its people."""
    return "changed" in made.change.data and not {"rule_id", "vendor_id"} & set(made.change.data)


def is_of_another_building(responder: Row) -> bool:
    """Whether it is a rule that another building shares: its name begins with that building's."""
    return responder["id"].startswith("rule:") and "-" in responder["id"]


def local(moment: str | datetime, zone: ZoneInfo) -> str:
    """The moment on the building's own clock."""
    given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return given.astimezone(zone).replace(tzinfo=None).isoformat()


_SCOPE = ("category", "vendor_id", "about")


def _delegation(row: Row) -> dict[str, Any]:
    given = {name: row[name] for name in ("kind", "actions", *_SCOPE, "amount_limit", "expires_at") if row[name]}
    granted_to = {} if row["granted_to"] == "rules" else {"granted_to": row["granted_to"]}
    return {**given, **({"item": row["item_id"]} if row["item_id"] else {}), **granted_to}


def taught_before(history: History) -> list[dict[str, Any]]:
    """Rules that were on file before the first entry."""
    found = {one["id"]: one["data"] for one in reversed(history.changes[0]) if one["entity"] == "rules"}
    return [_taught(row) for row in reversed(found.values())]


def _taught(row: Row) -> dict[str, Any]:
    names = ("title", "kind", *_SCOPE, "item_id", "confirmed", "autonomy", "delegation")
    return {**{name: row[name] for name in names if row[name]}, "actions": [_template(one) for one in row["actions"]]}


def _template(action: Row) -> Any:
    arguments = {name: value for name, value in action["arguments"].items() if (name, value) != ("item", ITEM)}
    return {action["name"]: arguments} if arguments else action["name"]


def models_of(history: History) -> list[dict[str, Any]]:
    """What models answered, in order."""
    return [_model(call) for call in history.calls]


def _model(call: Row) -> dict[str, Any]:
    said = {"text": call["answer"]} if call["outcome"] in ("answered", "invalid", "empty") else None
    return {"worker": call["worker"], "tier": call["tier"], **(said or {"abstains": call["outcome"]})}
