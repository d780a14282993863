"""What commands read of an answer is what the API says that it answers."""

from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from pydantic import BaseModel, JsonValue

from api import (
    approval_view,
    audit_view,
    building_view,
    delegation_view,
    event_view,
    forks_view,
    history_view,
    ledger_view,
    line_view,
    links,
    outbox,
    procurement_view,
    rule_view,
    vendors,
)
from cli import answers
from domain import approvals, comparison, principals
from domain.plain_json import JsonObject, PlainAction

ANSWERED: dict[str, type[BaseModel]] = {
    "Responder": approvals.Responder,
    "Author": principals.Author,
    "Option": approval_view.OptionView,
    "Standing": approval_view.StandingDecision,
    "Approval": approval_view.ApprovalView,
    "AcceptedDecision": approval_view.AcceptedDecisionView,
    "OpenFlag": procurement_view.OpenFlag,
    "Flag": procurement_view.FlagView,
    "WouldOrder": procurement_view.WouldOrderView,
    "WouldPlace": building_view.WouldPlaceView,
    "WouldChase": building_view.WouldChaseView,
    "WouldDo": building_view.WouldDoView,
    "Doing": building_view.DoingView,
    "Progress": building_view.ProgressView,
    "BuildingSummary": building_view.BuildingSummary,
    "Building": building_view.BuildingView,
    "Audited": audit_view.AuditView,
    "Need": line_view.NeedView,
    "Ncr": line_view.OpenNcrView,
    "Item": procurement_view.ItemView,
    "OrderLine": procurement_view.OrderLineView,
    "Order": procurement_view.PurchaseOrderView,
    "Receipt": procurement_view.ReceiptView,
    "Shipment": procurement_view.ShipmentView,
    "Inspection": procurement_view.InspectionView,
    "Message": procurement_view.MessageView,
    "Delivered": outbox.OutboxView,
    "Action": ledger_view.LedgerEntry,
    "Decision": ledger_view.DecisionEntry,
    "Accepted": event_view.AcceptedEvent,
    "Event": event_view.EventView,
    "Step": history_view.CheckpointView,
    "Fork": forks_view.ForkView,
    "Rule": rule_view.RuleView,
    "Delegation": delegation_view.DelegationView,
    "LinkUse": links.LinkUseView,
    "VendorContacts": vendors.VendorContactsView,
    "Vendor": vendors.VendorView,
    "Changed": comparison.Changed,
    "LineDifference": comparison.LineDifference,
    "DateDifference": comparison.DateDifference,
    "OrderState": comparison.OrderState,
    "OrderDifference": comparison.OrderDifference,
    "ApprovalDifference": comparison.ApprovalDifference,
    "DecisionMade": comparison.DecisionMade,
    "MessageSaid": comparison.MessageSaid,
    "EventSeen": comparison.EventSeen,
    "OnlyIn": comparison.OnlyIn[comparison.EventSeen],
    "Difference": forks_view.DiffView,
}
FREE = {"Evidence", "Named", "AuditDetail", "Change"}
"""Parts of what the API's schemas leave open."""
KINDS = {str: "string", int: "integer", bool: "boolean", float: "number", list: "array", dict: "object"}


def test_every_answer_has_its_schema_in_the_api() -> None:
    known = {name for name, kind in vars(answers).items() if is_typeddict(kind) and kind.__module__ == answers.__name__}
    assert known == ANSWERED.keys() | FREE


@pytest.mark.parametrize("name", ANSWERED)
def test_the_fields_that_commands_read_are_answered_in_that_form(name: str) -> None:
    schema = ANSWERED[name].model_json_schema(mode="serialization")
    for field, kind in _fields(name).items():
        assert field in schema["properties"], f"{name}.{field} is not in what the API answers"
        given = _kinds_of(schema["properties"][field], schema.get("$defs", {}))
        assert given == _kinds_said(kind), f"{name}.{field}"


def _fields(name: str) -> dict[str, Any]:
    here = {"JsonValue": JsonValue, "JsonObject": JsonObject, "PlainAction": PlainAction}
    return get_type_hints(getattr(answers, name), localns=here)


def _kinds_said(kind: Any) -> set[str]:
    if kind is type(None):
        return {"null"}
    if is_typeddict(kind):
        return {"object"}
    origin = get_origin(kind)
    if origin in KINDS:
        return {KINDS[origin]}
    parts = get_args(kind)
    return set().union(*map(_kinds_said, parts)) if parts else {KINDS[kind]}


def _kinds_of(schema: dict[str, Any], known: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _kinds_of(known[schema["$ref"].rsplit("/", 1)[-1]], known)
    if "anyOf" in schema:
        return set().union(*(_kinds_of(one, known) for one in schema["anyOf"]))
    return {schema["type"]} if "type" in schema else {"object"}
