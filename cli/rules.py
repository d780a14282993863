"""`longlead rules`: what the agent has learned from your answers, and how to correct it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import answers
from cli.client import Client, Limit, OfBuilding, Url, part
from cli.files import read_json
from cli.output import Cell, Json, describe_actions, moment, print_fields, print_json, print_table
from cli.sentences import CommandError

if TYPE_CHECKING:  # help needs none of pydantic
    from domain.plain_json import JsonObject

app = typer.Typer(no_args_is_help=True, help="See what was learned from people's answers, and correct it.")

Id = Annotated[str, typer.Argument(help="Id of the rule.", show_default=False)]


class Trust(StrEnum):
    """What a rule may do alone, within authority."""

    RECOMMEND = "recommend"
    EARNED = "earned"
    ALONE = "alone"


@app.command("list")
def list_(
    building: OfBuilding = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only those for this kind of question.", show_default=False)
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """List rules, the oldest first."""
    rows = list(Client(url).rows("/rules", limit, building_id=building, kind=kind))
    if as_json:
        print_json(rows)
        return
    columns = ["rule", "standing", "in a row", "confirmed", "overruled", "alone", "rule says"]
    print_table("Rules", columns, map(_row, rows), "Nothing has been learned yet.")


@app.command()
def show(rule: Id, as_json: Json = False, url: Url = None) -> None:
    """Show a rule, where it comes from and how it has fared."""
    found = Client(url).get(f"/rules/{part(rule)}")
    if as_json:
        print_json(found)
        return
    print_fields(
        {
            "rule": found["rule_id"],
            "says": found["text"],
            "question": found["kind"],
            "only for": ", ".join(
                f"{name} {found[key]}"
                for key, name in (("category", "category"), ("vendor_id", "vendor"), ("item_id", "line"))
                if found[key]
            )
            or found["about"],
            "does": describe_actions(found["actions"]),
            "learned from": f"{found['learned_from']}, approval {found['source_approval']}",
            "on": moment(found["learned_at"]),
            "standing": found["standing"],
            "may decide alone": found["autonomy"],
            "confirmed in a row": f"{found['in_a_row']} of {found['autonomy_after']}",
            "confirmed": found["confirmed"],
            "overruled": found["overruled"],
            "decided alone": found["decided"],
            "delegation": found["delegation"],
            "shared": "with other buildings" if found["shared"] else None,
            "changed by": found["edited_by"],
        }
    )


@app.command()
def edit(
    rule: Id,
    text: Annotated[str | None, typer.Option("--text", help="The rule in other words.", show_default=False)] = None,
    trust: Annotated[
        Trust | None, typer.Option("--autonomy", help="What it may do alone, within authority.", show_default=False)
    ] = None,
    shared: Annotated[
        bool | None, typer.Option("--share/--unshare", help="Recommend it in other buildings too.", show_default=False)
    ] = None,
    enable: Annotated[bool, typer.Option("--enable", help="Use it again; it starts over.")] = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Change a rule."""
    body = {"text": text, "autonomy": trust and trust.value, "shared": shared, "disabled": False if enable else None}
    _change(rule, {name: value for name, value in body.items() if value is not None}, as_json, url)


@app.command()
def disable(rule: Id, as_json: Json = False, url: Url = None) -> None:
    """Switch a rule off: it is no longer used, and not learned again."""
    _change(rule, {"disabled": True}, as_json, url)


@app.command()
def overrule(
    rule: Id,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Why it was wrong.", show_default=False)
    ] = None,
    entry: Annotated[
        int | None,
        typer.Option("--entry", help="The entry on which it decided; the last one when absent.", show_default=False),
    ] = None,
    instead: Annotated[
        str | None,
        typer.Option(
            "--actions",
            help="JSON list of the actions to do instead; a file, - or the text itself. Without it you are asked.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Say that what a rule decided alone was wrong. It asks again from now on."""
    body = {"message": message, "entry": entry, "actions": None if instead is None else read_json(instead)}
    given = {name: value for name, value in body.items() if value is not None}
    taken = Client(url).post(f"/rules/{part(rule)}/overrule", given)
    if as_json:
        print_json(taken)
    else:
        print(f"Taken: what {rule} decided on entry {taken['decided_at']} is overruled. It asks again from now on.")


def _change(rule: str, body: "JsonObject", as_json: bool, url: str | None) -> None:
    if not body:
        raise CommandError("Say what is to change: --text, --autonomy, --share, --unshare or --enable.")
    changed = Client(url).patch(f"/rules/{part(rule)}", body)
    if as_json:
        print_json(changed)
    else:
        print(f"{changed['rule_id']}: {changed['standing']}. {changed['text']}")


def _row(rule: answers.RuleJson) -> list[Cell]:
    return [
        rule["rule_id"],
        rule["standing"],
        f"{rule['in_a_row']} of {rule['autonomy_after']}",
        rule["confirmed"],
        rule["overruled"],
        rule["decided"],
        rule["text"],
    ]
