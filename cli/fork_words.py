"""A fork's difference as a manager reads it: what is otherwise, side by side."""

from collections.abc import Callable

from cli import answers
from cli.answers import R
from cli.output import Cell, print_table
from domain.comparison import in_words
from domain.counts import write_count

_LINE = {"submittal": "submittal", "commercial": "order", "logistics": "delivery", "quality": "inspection"} | {
    "schedule_band": "schedule",
    "held_until": "on hold until",
}
_DATES = {"required_by": "required on site", "promised_date": "vendor's promise", "eta": "expected on site"}


def print_difference(found: answers.DifferenceJson) -> None:
    """The whole difference; nothing is printed of what is the same."""
    print(
        f"{found['fork_id']} and {found['building_id']} are the same up to event {found['after_event']}. "
        f"Since then reality has gone on to event {found['really_until']}, the fork to event {found['here_until']}."
    )
    tables = [
        ("Lines", ["line", "what", "really", "in the fork"], _lines(found["lines"])),
        ("Dates", ["line", "date", "really", "in the fork", "difference"], [_date(one) for one in found["dates"]]),
        ("Orders", ["line", "order", "really", "in the fork"], [_order(one) for one in found["orders"]]),
        ("Questions", ["line", "question", "really", "in the fork"], [_question(one) for one in found["approvals"]]),
        ("Decisions", ["only", "line", "who", "decided"], _either(found["decisions"], _decision)),
        ("Messages", ["only", "line", "to or from", "text"], _either(found["messages"], _message)),
        ("Events", ["only", "event", "what happened", "line"], _either(found["events"], _event)),
    ]
    shown = [(title, columns, rows) for title, columns, rows in tables if rows]
    for title, columns, rows in shown:
        print_table(title, columns, rows, "")
    if not shown:
        print("Nothing differs.")


def _lines(lines: list[answers.LineDifferenceJson]) -> list[list[Cell]]:
    return [
        [
            line["name"],
            _LINE.get(change["what"], change["what"]),
            _plain(change["really"]),
            _plain(change["here"]),
        ]
        for line in lines
        for change in line["changes"]
    ]


def _date(one: answers.DateDifferenceJson) -> list[Cell]:
    days = one["days"]
    late = None if days is None else f"{write_count(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
    return [one["name"], _DATES[one["what"]], one["really"], one["here"], late]


def _order(one: answers.OrderDifferenceJson) -> list[Cell]:
    which = "first order" if one["round"] == 1 else f"order {one['round']}"
    return [one["item_id"], which, _order_in_words(one["really"]), _order_in_words(one["here"])]


def _order_in_words(order: answers.OrderStateJson | None) -> str:
    if order is None:
        return "not ordered"
    much = f", {order['quantity']} {order['unit'] or ''}".rstrip() if order["quantity"] else ""
    total = f", {order['total']} {order['currency']}" if order["total"] else ""
    return f"{order['number']} {_plain(order['status'])}{much}{total}"


def _question(one: answers.ApprovalDifferenceJson) -> list[Cell]:
    return [one["item_id"], one["summary"], one["really"] or "not asked", one["here"] or "not asked"]


def _either(pair: answers.OnlyInJson[R], row: Callable[[R], list[Cell]]) -> list[list[Cell]]:
    sides = (("in reality", pair["really"]), ("in the fork", pair["here"]))
    return [[word, *row(one)] for word, found in sides for one in found]


def _decision(one: answers.DecisionMadeJson) -> list[Cell]:
    done = in_words(one["actions"]) or "nothing"
    return [one["item_id"], one["responder"]["name"], done if one["type"] == "act" else f"{one['type']}: {done}"]


def _message(one: answers.MessageSaidJson) -> list[Cell]:
    return [one["item_id"], one["party"], one["text"]]


def _event(one: answers.EventSeenJson) -> list[Cell]:
    return [one["seq"], _plain(one["event_type"]), one["item"]]


def _plain(word: str | None) -> str | None:
    return None if word is None else str(word).replace("_", " ")
