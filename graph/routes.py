"""Where a node leads to, by the state that it leaves: the graph's conditions."""

from collections.abc import Callable

from langgraph.graph import END

from nodes.state import BuildingState

HANDLERS = {
    "Submittal_Approved": "issue_purchase_order",
    "Submittal_Rejected": "reject_submittal",
    "Purchase_Order_Acknowledged": "acknowledge_order",
    "Shipment_Departed_Factory": "check_schedule",
    "ETA_Changed": "check_schedule",
    "Shipment_Arrived_Site": "receive_shipment",
    "Inspection_Passed": "record_inspection",
    "Inspection_Failed": "record_inspection",
    "Message_Received": "take_note",
    "Human_Input": "take_note",
    "Schedule_Revised": "change_log",
    "Items_Changed": "change_log",
    "Building_Closed": "change_log",
    "Event_Voided": "void_event",
    "Hold_Expired": "follow_up",
    "Approval_Overdue": "follow_up",
    "Milestone_Overdue": "follow_up",
    "Event_Failed": "follow_up",
    "Rule_Overruled": "follow_up",
    "Building_Went_Live": "follow_up",
    "First_Day_Ended": "follow_up",
    "Vendor_Changed": "follow_up",
    "Tolerances_Changed": "follow_up",
    "Lines_Adopted": "follow_up",
    "Lines_Taken_On": "follow_up",
}
"""The node that handles each type of entry; a person's decision goes to `apply_decision` instead."""


def from_start(state: BuildingState) -> str:
    """A decision goes where a resume would go, so that both roads are one."""
    return _answer_of(state) if state["event"]["event_type"] == "Decision" else "classify_event"


def _answer_of(state: BuildingState) -> str:
    """An answer in free words is read first."""
    return "read_reply" if state["event"]["body"]["decision"]["type"] == "respond" else "apply_decision"


def from_classification(state: BuildingState) -> str:
    """What is unclear is asked; everything else goes to the handler for its kind."""
    return "decide" if state["finding"].get("ask") else HANDLERS[state["event"]["event_type"]]


def from_note(state: BuildingState) -> str:
    """A message is read where there are models; without, and as a note of the team, it goes straight on."""
    return "read_message" if state["finding"].get("unread") else "decide"


def from_decide(state: BuildingState) -> str:
    """To whoever may answer before a person; straight to the end of the run where there is nothing to carry out."""
    if any(step.get("advise") for step in state["plan"]):
        return "advise"
    answered = state.get("settled") is not None and state.get("passes", 0) == 0
    return "carry_out" if state["plan"] or answered else "remember"


def from_carry_out(state: BuildingState) -> str:
    """A person's decision is learned from; lines whose hold has ended are looked at afresh."""
    settled = state.get("settled") or {}
    taught = settled.get("applied") and settled.get("approval_id") and settled["responder"]["type"] == "human"
    if taught and not state.get("learned"):
        return "learn"
    return from_learn(state)


def from_learn(state: BuildingState) -> str:
    """Lines whose hold has ended are looked at afresh."""
    return "decide" if state.get("again") else "remember"


def from_remember(state: BuildingState) -> str:
    """First shorten the messages, where they have passed their budget."""
    due = (state.get("memory") or {}).get("due")  # absent where earlier code, or Studio, ended the run
    return "summarise" if due else to_sleep(state)


def to_sleep(state: BuildingState) -> str:
    """Sleep on the open questions, or just sleep."""
    return "await_approval" if state.get("approvals") else END


def from_await_approval(state: BuildingState) -> str:
    """The worker's resume carries the decision itself; an answer from Studio is posted to the inbox first."""
    return "post_answer" if state.get("answer") is not None else _answer_of(state)


def from_post_answer(state: BuildingState) -> str:
    """What could not be read is asked again."""
    return "await_approval" if state.get("question") else END


CONDITIONS: dict[str, tuple[Callable[[BuildingState], str], list[str]]] = {
    "classify_event": (from_classification, [*dict.fromkeys(HANDLERS.values()), "decide"]),
    "take_note": (from_note, ["read_message", "decide"]),
    "decide": (from_decide, ["advise", "carry_out", "remember"]),
    "carry_out": (from_carry_out, ["learn", "decide", "remember"]),
    "learn": (from_learn, ["decide", "remember"]),
    "remember": (from_remember, ["summarise", "await_approval", END]),
    "summarise": (to_sleep, ["await_approval", END]),
    "await_approval": (from_await_approval, ["read_reply", "apply_decision", "post_answer"]),
    "post_answer": (from_post_answer, ["await_approval", END]),
}
"""Of the nodes that lead to more than one: the condition, and what it may name."""

ALWAYS = {
    "read_reply": "apply_decision",
    "apply_decision": "decide",
    "read_message": "decide",
    "advise": "carry_out",
    **{handler: "decide" for handler in HANDLERS.values() if handler not in CONDITIONS},
}
"""Where the others lead to."""
