"""A question is answered by an option's number: the recommended one is approved, another taken in its place."""

import json
from typing import Any

import psycopg
import pytest

from domain.approvals import Option
from tests.api.office import BUILDING, SPEC
from tests.api.served import Served
from tests.cli.conftest import Run

ITEM = {"item": "hvac-units"}
REPLACE = Option(title="Replace", actions=[{"name": "reorder_item", "arguments": {**ITEM, "quantity": "4.5"}}])
REPAIR = Option(title="Repair", actions=[{"name": "expedite_order", "arguments": ITEM}])
TAKE = Option(
    title="Take it, needed later",
    actions=[
        {"name": "hold_item", "arguments": ITEM},
        {"name": "change_required_by", "arguments": {**ITEM, "required_by": "2026-03-09"}},
    ],
)


@pytest.fixture
def building(longlead: Run) -> str:
    assert longlead("building", "create", json.dumps(SPEC)).exit_code == 0
    return BUILDING


@pytest.fixture
def question(building: str, served: Served) -> str:
    return served.ask(options=[REPLACE, REPAIR, TAKE])


def decision(longlead: Run, approval: str) -> Any:
    return json.loads(longlead("approvals", "show", approval, "--json").stdout)["decision"]


def test_options_are_shown_with_their_numbers_and_the_recommended_one_marked(longlead: Run, question: str) -> None:
    shown = longlead("approvals", "show", question).stdout
    for cells in ("│ 1 (recommended) │ Replace ", "│ 2               │ Repair ", "│ 3               │ Take it"):
        assert cells in shown
    assert f"longlead approvals decide {question} --option NUMBER --version 1" in shown


@pytest.mark.parametrize(
    ("number", "kind", "names"),
    [
        (1, "approve", []),
        (2, "edit", ["expedite_order"]),
        (3, "edit", ["hold_item", "change_required_by"]),
    ],
)
def test_the_number_chooses_what_the_option_does(
    longlead: Run, question: str, number: int, kind: str, names: list[str]
) -> None:
    decided = longlead("approvals", "decide", question, "--option", str(number), "-m", "because", "--version", "1")
    assert (decided.exit_code, f"Option {number}: " in decided.stdout) == (0, True), decided.stderr
    made = decision(longlead, question)
    assert (made["type"], [one["name"] for one in made["actions"]], made["why"]) == (kind, names, "because")
    if number == 3:
        assert made["actions"][1]["arguments"] == {**ITEM, "required_by": "2026-03-09"}


def test_after_a_refusal_the_next_best_is_marked_and_the_numbers_stay(
    longlead: Run, building: str, served: Served
) -> None:
    question = served.ask(options=[REPLACE, REPAIR, TAKE], refused=1)
    assert "│ 2 (recommended) │ Repair " in longlead("approvals", "show", question).stdout
    assert longlead("approvals", "decide", question, "--option", "2").exit_code == 0
    assert decision(longlead, question)["type"] == "approve"


def test_what_was_refused_may_still_be_chosen(longlead: Run, building: str, served: Served) -> None:
    question = served.ask(options=[REPLACE, REPAIR], refused=2)
    assert "(recommended)" not in longlead("approvals", "show", question).stdout
    assert longlead("approvals", "decide", question, "--option", "1").exit_code == 0
    made = decision(longlead, question)
    assert (made["type"], made["actions"][0]["arguments"]["quantity"]) == ("edit", "4.5")


@pytest.mark.parametrize("number", ["0", "4", "-1", "99"])
def test_a_number_that_is_none_is_said_with_those_that_are(longlead: Run, question: str, number: str) -> None:
    refused = longlead("approvals", "decide", question, "--option", number)
    assert refused.exit_code == 1
    assert f"There is no option {number}. There are 1: Replace; 2: Repair; 3: Take it, needed later." in refused.stderr
    assert decision(longlead, question) is None


def test_a_changed_question_is_not_answered_by_a_number_of_its_older_list(
    longlead: Run, question: str, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "UPDATE approvals SET version = 2, options = jsonb_build_array(options -> 1, options -> 2, options -> 0)"
        )
    refused = longlead("approvals", "decide", question, "--option", "2", "--version", "1")
    assert (refused.exit_code, "at version 2, not 1" in refused.stderr) == (1, True)
    assert decision(longlead, question) is None


def test_the_version_that_the_options_were_read_with_is_sent_along(
    longlead: Run, question: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question changes between reading its options and answering."""
    from cli.client import Client

    send = Client.post

    def change_then_send(client: Client, path: str, body: Any = None, **further: Any) -> Any:
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute("UPDATE approvals SET version = version + 1")
        return send(client, path, body, **further)

    monkeypatch.setattr(Client, "post", change_then_send)
    refused = longlead("approvals", "decide", question, "--option", "2")
    assert (refused.exit_code, "version" in refused.stderr) == (1, True)
    assert decision(longlead, question) is None


def test_a_question_that_is_settled_takes_no_number(longlead: Run, question: str) -> None:
    assert longlead("approvals", "decide", question, "reject").exit_code == 0
    second = longlead("approvals", "decide", question, "--option", "1")
    assert (second.exit_code, "no further answer" in second.stderr) == (1, True)
    assert "--option NUMBER" not in longlead("approvals", "show", question).stdout


def test_one_who_answers_twice_at_once_is_told_that_one_of_the_two_is_enough(run: Run) -> None:
    refused = run("approvals", "decide", "a", "approve", "--option", "1", "--url", "http://127.0.0.1:9")
    assert "Say either approve or --option 1: one of the two is enough." in refused.stderr


def test_what_contradicts_itself_is_refused_before_anything_is_asked(run: Run) -> None:
    for arguments in ([], ["approve", "--option", "1"], ["--option", "1", "--actions", "[]"]):
        refused = run("approvals", "decide", "a", *arguments, "--url", "http://127.0.0.1:9")
        assert (refused.exit_code, "--option" in refused.stderr) == (1, True)
        assert "Nothing answers" not in refused.stderr
