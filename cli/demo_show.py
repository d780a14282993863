"""The demo on the screen: colours and a bar on a terminal, plain lines everywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.demo_play import Ending, Json, Played
from cli.demo_words import recommendation, the_answer, what_happened, what_was_done, whom, with_consequences
from evals.scenario import Scenario

PLAIN_WIDTH = 118
"""Columns where no terminal says how many it has."""


def _arrived(line: Json, ending: Ending) -> str:
    """The day on which the last of the line arrived."""
    shipments = [shipment for shipment in ending.shipments if shipment["item_id"] == line["item_id"]]
    return max((receipt["received_on"] for shipment in shipments for receipt in shipment["receipts"]), default="-")


def _orders(line: Json, ending: Ending) -> list[str]:
    """The numbers of the line's orders, without what all of the building's have in common."""
    orders = [order for order in ending.orders if any(one["item"] == line["item_id"] for one in order["lines"])]
    return [str(order["number"]).rsplit("-", 1)[-1] for order in orders]


class Screen:
    """Shows one story."""

    def __init__(self, story: Scenario) -> None:
        probe = Console(highlight=False)
        self.console = probe if probe.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
        self._story = story

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style))

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Something that takes a while: a spinner on a terminal, a line elsewhere."""
        if not self.console.is_terminal:
            self.say(text)
            yield
            return
        with self.console.status(text):
            yield

    def steps(self, played: Iterator[Played]) -> Iterator[Played]:
        """Show every step as it comes, above a bar on a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("Playing", total=len(self._story.steps))
            for one in played:
                self._step(one)
                bar.advance(task)
                yield one

    def _step(self, played: Played) -> None:
        self._dated(played.step.day, what_happened(self._story, played), "bold")
        for line in what_was_done(self._story, played):
            self._under("->", line, "dim" if line.startswith(("recorded", "nothing")) else "green")
        for approval in played.raised:
            self._under("??", f"asks the {whom(approval)}: {approval['summary']}", "yellow")
            self._under("", f"recommends: {recommendation(approval)}", "yellow")

    def _dated(self, day: date, text: str, style: str = "") -> None:
        self._hanging(Text(f"{day}  ", "dim"), text, style)

    def _under(self, mark: str, text: str, style: str) -> None:
        self._hanging(Text(f"{'':12}{mark:3}", style), text, style)

    def _hanging(self, head: Text, text: str, style: str) -> None:
        """A text that goes on below its own beginning."""
        for number, line in enumerate(Text(text, style).wrap(self.console, self.console.width - len(head))):
            line.rstrip()
            self.console.print((head if number == 0 else Text(" " * len(head))) + line)

    def questions(self, played: list[Played]) -> None:
        """Every question with the options it had and how it was answered."""
        self.say("\nQuestions asked (* is what the agent recommends)", "bold")
        answers = {one.answered["approval_id"]: one for one in played if one.answered}
        for asking in played:
            for approval in asking.raised:
                self._question(asking.step.day, approval, answers.get(approval["approval_id"]))

    def _question(self, asked_on: date, approval: Json, answer: Played | None) -> None:
        self._dated(asked_on, approval["summary"])
        for option in approval["options"]:
            recommended = option["actions"] == approval["recommended"]
            self._under("*" if recommended else "-", with_consequences(option), "" if recommended else "dim")
        if answer is not None and answer.step.answer is not None:
            self._dated(answer.step.day, f'{the_answer(answer)}: "{answer.step.answer.message}"', "yellow")

    def log(self, ending: Ending) -> None:
        """The final procurement log."""
        self.say(f"\nProcurement log, values in {self._story.spec.currency}", "bold")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in ("Item", "Quantity", "Value", "Required", "Arrived", "Orders", "Status"):
            table.add_column(name, justify="right" if name in ("Quantity", "Value") else "left", no_wrap=True)
        for line in ending.lines:
            table.add_row(
                line["name"],
                f"{line['quantity']} {line['unit']}",
                f"{Decimal(line['total']):,.0f}",
                line["required_by"],
                _arrived(line, ending),
                " ".join(_orders(line, ending)),
                line["status"],
            )
        self.console.print(table)

    def verdict(self, played: list[Played], ending: Ending, found: list[str], seconds: float) -> None:
        """How it compares with the record."""
        if found:
            self.say("Not as recorded:", "bold red")
            for line in found:
                self._under("-", line, "red")
            return
        asked = sum(len(one.raised) for one in played)
        done = sum(len(one.actions) for one in played)
        self.say(
            f"As recorded: {len(played)} steps, {done} actions, {asked} questions, {len(ending.orders)} orders, "
            f"{len(ending.lines)} lines released. {seconds:.1f} s.",
            "bold green",
        )
