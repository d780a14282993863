"""`longlead approvals`: read the agent's questions and answer them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, OfBuilding, Url, Wait, part
from cli.files import read_json
from cli.output import Cell, Json, describe_actions, moment, print_fields, print_json, print_table
from cli.sentences import CommandError
from domain.outside import one_line

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject

app = typer.Typer(no_args_is_help=True, help="Read the agent's questions, and answer them.")

Id = Annotated[str, typer.Argument(help="Id of the approval.", show_default=False)]


class Answer(StrEnum):
    """How a question may be answered."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    RESPOND = "respond"


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option("--status", help="pending, decided, superseded or withdrawn; all for every one.")
    ] = "pending",
    building: OfBuilding = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List questions, the oldest first."""
    wanted = None if status == "all" else status
    rows = list(Client(url).rows("/approvals", limit, status=wanted, building_id=building))
    if as_json:
        print_json(rows)
        return
    print_table(
        "Approvals",
        ["approval", "building", "item", "kind", "status", "raised", "question"],
        map(_row, rows),
        "Nothing waits for an answer." if wanted == "pending" else "There are none.",
    )


@app.command()
def show(approval: Id, as_json: Json = False, url: Url = None) -> None:
    """Show a question with its options and evidence."""
    found: answers.ApprovalJson = Client(url).get(f"/approvals/{part(approval)}")
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "approval": found["approval_id"],
            "building": found["building_id"],
            "item": found["item_id"],
            "kind": found["kind"],
            "status": found["status"],
            "version": found["version"],
            "asked of": found["asked_of"],
            "reminder": moment(found["due_at"]),
            "question": found["summary"],
            "recommended": describe_actions(found["recommended"]),
            "answered": found["decision"] and found["decision"]["type"],
            "by": found["decision"] and found["decision"]["responder"]["name"],
        }
    )
    recommended = _recommended(found)
    rows = [_option_row(number, option, recommended) for number, option in enumerate(found["options"], 1)]
    print_table("Options", _OPTION_COLUMNS, rows, "No options.")
    if rows and found["status"] == "pending":
        print(f"Choose with: longlead approvals decide {approval} --option NUMBER --version {found['version']}")
    print_fields(found["evidence"])


@app.command()
def decide(
    approval: Id,
    answer: Annotated[
        Answer | None, typer.Argument(help="How you answer, unless you choose an --option.", show_default=False)
    ] = None,
    option: Annotated[
        int | None,
        typer.Option(
            "--option", "-o", help="Choose one by its number, as `approvals show` prints them.", show_default=False
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Why; with respond: the answer.", show_default=False)
    ] = None,
    edited: Annotated[
        str | None,
        typer.Option(
            "--actions",
            help="With edit: JSON list of the actions to do instead; a file, - or the text itself.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", help="The version that you read: refused if it has changed.", show_default=False),
    ] = None,
    wait: Wait = 0,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Answer a question. The first answer counts."""
    if answer is not None and option is not None:
        raise CommandError(f"Say either {answer.value} or --option {option}: one of the two is enough.")
    if answer is None and option is None:
        raise CommandError("Say how you answer: one of approve, reject, edit and respond, or --option and a number.")
    if option is not None and edited is not None:
        raise CommandError("Say either --option or --actions: an option has its own.")
    with Client(url) as client:
        body: JsonObject = {"message": message, "version": version}
        if option is not None:
            chosen = _choose(client.get(f"/approvals/{part(approval)}"), option, version)
            body |= chosen.body
        else:
            body["type"] = answer and answer.value
            body["actions"] = None if edited is None else read_json(edited)
        given = {name: value for name, value in body.items() if value is not None}
        decided: answers.AcceptedDecisionJson = client.post(f"/approvals/{part(approval)}/decision", given, wait=wait)
    if as_json:
        print_json(decided)
        return
    if option is not None:
        print(f"Option {option}: {one_line(chosen.title)}.")
    if said := decided.get("answer"):
        print(one_line(said))
    print(_KEPT if decided.get("would_do") else _SAID[decided["status"]])


@dataclass(frozen=True)
class Choice:
    """An option that was chosen by its number, and the answer that says so."""

    title: str
    body: "JsonObject"


def _choose(asked: answers.ApprovalJson, number: int, version: int | None) -> Choice:
    """The answer that an option is: approve for the recommended one, edit with its actions for another; with the
    version of the question in which it has this number.

    Raises:
        CommandError: there is no such option, or the numbers that were read were those of another version.
    """
    show = f"See them with `longlead approvals show {asked['approval_id']}`."
    options, standing = asked["options"], asked["version"]
    if asked["status"] != "pending":
        raise CommandError(f"{asked['approval_id']} is {asked['status']}: it takes no further answer. {show}")
    if version is not None and version != standing:
        raise CommandError(
            f"The question has changed: it is at version {standing}, not {version}, and its options may have other "
            f"numbers. Nothing was decided. {show}"
        )
    if not options:
        raise CommandError(f"The question has no options: answer it with approve, reject, edit or respond. {show}")
    if not 1 <= number <= len(options):
        there = "; ".join(f"{place}: {one_line(option['title'])}" for place, option in enumerate(options, 1))
        raise CommandError(f"There is no option {number}. There are {there}. Nothing was decided.")
    option = options[number - 1]
    if number == _recommended(asked):
        return Choice(option["title"], {"type": "approve", "version": standing})
    if not option["actions"]:
        raise CommandError(f"Option {number} does nothing: answer with reject or respond instead. {show}")
    actions: list[JsonValue] = [{"name": one["name"], "arguments": one["arguments"]} for one in option["actions"]]
    return Choice(option["title"], {"type": "edit", "actions": actions, "version": standing})


def _recommended(asked: answers.ApprovalJson) -> int | None:
    """The number of the option that `approve` takes; None where nothing is left to recommend."""
    wanted = asked["recommended"]
    numbers = (number for number, option in enumerate(asked["options"], 1) if option["actions"] == wanted)
    return next(numbers, None) if wanted else None


_SAID = {
    "accepted": "Accepted: it will be applied in its turn.",
    "applied": "Applied.",
    "outdated": "Outdated: the facts had changed meanwhile, so nothing was done. The question is asked again.",
    "answered": "That was a question, so nothing was decided: it is still open.",
    "asked_again": "It was not certain what you meant, so nothing was decided: the question is still open.",
    "failed": "It could not be applied. The question is asked again; see `longlead events list --status dead`.",
}
_KEPT = "Kept as your decision; the building is in watch, so nothing is ordered or sent."
_OPTION_COLUMNS = ["no.", "option", "actions", "arrival", "days late", "cost", "assumptions"]


def _option_row(number: int, option: answers.OptionJson, recommended: int | None) -> list[Cell]:
    marked = f"{number} (recommended)" if number == recommended else str(number)
    return [
        marked,
        option["title"],
        describe_actions(option["actions"]),
        option["arrival"],
        option["days_late"],
        option["cost"],
        "; ".join(option["assumptions"]),
    ]


def _row(approval: answers.ApprovalJson) -> list[Cell]:
    return [
        approval["approval_id"],
        approval["building_id"],
        approval["item_id"],
        approval["kind"],
        approval["status"],
        moment(approval["raised_at"]),
        approval["summary"],
    ]
