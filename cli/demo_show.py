"""The demo on the screen: colours and a bar on a terminal, plain lines everywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cli import answers
from cli.demo_pace import Pace
from cli.demo_play import Ending, Played
from cli.demo_words import (
    as_assumed,
    is_recommended,
    question_in_short,
    the_answer,
    what_happened,
    what_was_done,
    what_was_recorded,
    what_was_thought,
    whom,
    with_consequences,
)
from evals.scenario import Scenario

PLAIN_WIDTH = 118
"""Columns where no terminal says how many it has."""
MIN_TABLE_WIDTH = 82
"""Columns that the whole procurement log needs."""

HAPPENS, THINKS, DOES, ASKS, ANSWERS = "bold", "magenta", "green", "yellow", "bold cyan"
"""A colour for each kind of line."""
DATE_WIDTH = 10
MIN_TEXT_WIDTH = 20

WORD_S, HEADLINE_S, LINE_S = 0.1, 0.4, 0.25
"""Seconds to stand still: for a word of a question or an answer, after what happened, after any other line."""


def _arrived(line: answers.ItemJson, ending: Ending) -> str:
    """The day on which the last of the line arrived."""
    shipments = [shipment for shipment in ending.shipments if shipment["item_id"] == line["item_id"]]
    return max((receipt["received_on"] for shipment in shipments for receipt in shipment["receipts"]), default="-")


def _orders(line: answers.ItemJson, ending: Ending) -> list[str]:
    """The numbers of the line's orders, without what all of the building's have in common."""
    orders = [order for order in ending.orders if any(one["item"] == line["item_id"] for one in order["lines"])]
    return [str(order["number"]).rsplit("-", 1)[-1] for order in orders]


class Screen:
    """Shows one story."""

    def __init__(self, story: Scenario, pace: Pace | None = None) -> None:
        probe = Console(highlight=False)
        self.console = probe if probe.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
        self._story = story
        self._pace = pace or Pace(slow=False)

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style))

    def introduce(self) -> None:
        """What is about to be seen, for somebody who knows nothing of it."""
        story = self._story
        self.say(f"{story.title}, {len(story.steps)} steps over HTTP.", "bold")
        self.say(
            "Longlead buys for a building: it orders, watches dates, has deliveries inspected, and asks a person where "
            f"it must. This one lets it order up to {story.spec.policy.po_limit:,} {story.spec.currency} alone."
        )
        colours = Text("Colours: ")
        for text, style in (
            ("what happens", HAPPENS),
            ("what the agent thinks", THINKS),
            ("what it does by itself", DOES),
            ("what it asks", ASKS),
            ("what a person answers", ANSWERS),
        ):
            colours.append(text, style).append("" if style == ANSWERS else ", ")
        if self.console.is_terminal and not self.console.no_color:
            self.console.print(colours)
        if self._pace.slow:
            self.say("Keys: F goes on without pauses, Q ends, any other key ends a pause. `--fast` has none.", "dim")

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
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("Playing", total=len(self._story.steps))
            for one in played:
                self._step(one)
                bar.advance(task)
                yield one

    def _step(self, played: Played) -> None:
        answer = played.step.answer
        happened = what_happened(self._story, played)
        self._dated(played.step.day, happened, ANSWERS if answer else HAPPENS)
        self._pace.pause(_reading_time(happened) if answer else HEADLINE_S)
        for line in what_was_thought(played):
            self._under("thinks", line, THINKS)
            self._pace.pause(LINE_S)
        for line in what_was_done(self._story, played):
            self._under("does", line, DOES)
            self._pace.pause(LINE_S)
        if recorded := what_was_recorded(played):
            self._under("does", recorded, "dim")
            self._pace.pause(LINE_S)
        for approval in played.raised:
            self._ask(approval)

    def _ask(self, approval: answers.ApprovalJson) -> None:
        """The question, and the ways out that were compared for it."""
        self._under("asks", f"the {whom(approval)}: {approval['summary']}", ASKS)
        self._pace.pause(_reading_time(approval["summary"]))
        self._under("thinks", f"compares {len(approval['options'])} ways out:", THINKS)
        for option in sorted(approval["options"], key=lambda option: not is_recommended(approval, option)):
            if is_recommended(approval, option):
                text = f"recommends: {with_consequences(option)}"
                self._under("", text, THINKS)
                if assumed := as_assumed(option):
                    self._under("", assumed, THINKS)
                self._pace.pause(_reading_time(text))
            else:
                self._under("", f"or: {with_consequences(option)}", "dim")
                self._pace.pause(LINE_S)

    def _dated(self, day: date, text: str, style: str = "") -> None:
        self._hanging(Text(f"{day}  ", "dim"), text, style)

    def _under(self, label: str, text: str, style: str) -> None:
        """A line with its label below the date, and its text below what happened."""
        self._hanging(Text(f"{label:>{DATE_WIDTH}}  ", style), text, style)

    def _hanging(self, head: Text, text: str, style: str) -> None:
        """A text that goes on below its own beginning."""
        room = max(self.console.width - len(head), MIN_TEXT_WIDTH)
        for number, line in enumerate(Text(text, style).wrap(self.console, room)):
            line.rstrip()
            before = head if number == 0 else Text(" " * len(head))
            self.console.print(Text.assemble(before, line), soft_wrap=True)

    def questions(self, played: list[Played]) -> None:
        """Every question, what the agent recommended, and how it was answered."""
        self.say("\nQuestions asked", "bold")
        answers = {one.answered["approval_id"]: one for one in played if one.answered}
        for asking in played:
            for approval in asking.raised:
                self._dated(asking.step.day, question_in_short(approval), ASKS)
                if answer := answers.get(approval["approval_id"]):
                    self._under("", f"{the_answer(answer)} on {answer.step.day}", ANSWERS)

    def log(self, ending: Ending) -> None:
        """The final procurement log; on a narrow terminal without what is least missed."""
        self.say(f"\nProcurement log, values in {self._story.spec.currency}", "bold")
        narrow = self.console.width < MIN_TABLE_WIDTH
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        columns = ("Item", "Quantity", "Value", "Required", "Arrived", "Orders", "Status")
        shown = [name for name in columns if not (narrow and name in ("Quantity", "Value", "Orders"))]
        for name in shown:
            table.add_column(name, justify="right" if name in ("Quantity", "Value") else "left", overflow="fold")
        for line in ending.lines:
            values = {
                "Item": line["name"],
                "Quantity": f"{line['quantity']} {line['unit']}",
                "Value": f"{Decimal(line['total'] or 0):,.0f}",
                "Required": line["required_by"],
                "Arrived": _arrived(line, ending),
                "Orders": " ".join(_orders(line, ending)),
                "Status": line["status"],
            }
            table.add_row(*(values[name] for name in shown))
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

    def next_steps(self, title: str, steps: list[tuple[str, str]]) -> None:
        """What to do next. Commands are never broken into lines, so that they can be copied."""
        self.say(f"\n{title}", "bold")
        width = max(len(purpose) for purpose, _ in steps)
        for purpose, command in steps:
            line = Text(f"  {purpose:{width}}  ").append(command, "cyan")
            self.console.print(line, soft_wrap=True)


def _reading_time(text: str) -> float:
    """Seconds in which a text is skimmed."""
    return len(text.split()) * WORD_S
