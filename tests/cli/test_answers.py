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
    "ResponderJson": approvals.Responder,
    "AuthorJson": principals.Author,
    "OptionJson": approval_view.OptionView,
    "StandingJson": approval_view.StandingDecision,
    "ApprovalJson": approval_view.ApprovalView,
    "AcceptedDecisionJson": approval_view.AcceptedDecisionView,
    "OpenFlagJson": procurement_view.OpenFlag,
    "FlagJson": procurement_view.FlagView,
    "WouldOrderJson": procurement_view.WouldOrderView,
    "WouldPlaceJson": building_view.WouldPlaceView,
    "WouldChaseJson": building_view.WouldChaseView,
    "WouldDoJson": building_view.WouldDoView,
    "DoingJson": building_view.DoingView,
    "ProgressJson": building_view.ProgressView,
    "BuildingSummaryJson": building_view.BuildingSummary,
    "BuildingJson": building_view.BuildingView,
    "AuditedJson": audit_view.AuditView,
    "NeedJson": line_view.NeedView,
    "NcrJson": line_view.OpenNcrView,
    "ItemJson": procurement_view.ItemView,
    "OrderLineJson": procurement_view.OrderLineView,
    "OrderJson": procurement_view.PurchaseOrderView,
    "ReceiptJson": procurement_view.ReceiptView,
    "ShipmentJson": procurement_view.ShipmentView,
    "InspectionJson": procurement_view.InspectionView,
    "MessageJson": procurement_view.MessageView,
    "DeliveredJson": outbox.OutboxView,
    "ActionJson": ledger_view.LedgerEntry,
    "DecisionJson": ledger_view.DecisionEntry,
    "AcceptedJson": event_view.AcceptedEvent,
    "EventJson": event_view.EventView,
    "StepJson": history_view.CheckpointView,
    "ForkJson": forks_view.ForkView,
    "RuleJson": rule_view.RuleView,
    "DelegationJson": delegation_view.DelegationView,
    "LinkUseJson": links.LinkUseView,
    "VendorContactsJson": vendors.VendorContactsView,
    "VendorJson": vendors.VendorView,
    "ChangedJson": comparison.Changed,
    "LineDifferenceJson": comparison.LineDifference,
    "DateDifferenceJson": comparison.DateDifference,
    "OrderStateJson": comparison.OrderState,
    "OrderDifferenceJson": comparison.OrderDifference,
    "ApprovalDifferenceJson": comparison.ApprovalDifference,
    "DecisionMadeJson": comparison.DecisionMade,
    "MessageSaidJson": comparison.MessageSaid,
    "EventSeenJson": comparison.EventSeen,
    "OnlyInJson": comparison.OnlyIn[comparison.EventSeen],
    "DifferenceJson": forks_view.DiffView,
}
FREE = {"EvidenceJson", "NamedJson", "AuditDetailJson", "ChangeJson"}
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
