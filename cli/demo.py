"""`longlead demo`: a recorded building, played over HTTP against the real service on a fresh embedded database."""

import time
from contextlib import ExitStack

import httpx
import typer

from cli.demo_check import differences
from cli.demo_play import PATIENCE_S, Player
from cli.demo_service import running_service
from cli.demo_show import Screen
from evals.library import load_scenario
from evals.scenario import Scenario

STORY = "five_items"
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def run_demo() -> None:
    """Play the story and compare what came of it with the record. Leaves no process and no folder behind.

    Raises:
        typer.Exit: with 1 where something is not as recorded, with 130 after Ctrl-C.
        LongleadError: the service did not start, or refused a step; the message ends with its log.
    """
    story = load_scenario(STORY)
    screen = Screen(story)
    try:
        as_recorded = _play(story, screen)
    except KeyboardInterrupt:
        screen.say("Interrupted. The service is stopped, and its folder removed.")
        raise typer.Exit(INTERRUPTED) from None
    if not as_recorded:
        raise typer.Exit(1)


def _play(story: Scenario, screen: Screen) -> bool:
    started = time.monotonic()
    screen.say(f"{story.title}, {len(story.steps)} steps over HTTP.", "bold")
    with ExitStack() as stack:
        with screen.busy("Starting the service on an empty database ..."):
            url = stack.enter_context(running_service())
        screen.say(f"Ready after {time.monotonic() - started:.1f} s at {url}, on PostgreSQL of its own.\n", "dim")
        client = stack.enter_context(httpx.Client(base_url=url, timeout=PATIENCE_S + 10, trust_env=False))
        player = Player(client, story)
        player.open()
        played = list(screen.steps(player.play()))
        ending = player.ending()
        screen.questions(played)
        screen.log(ending)
        with screen.busy("Stopping the service ..."):
            stack.close()
    found = differences(story, played, ending)
    screen.verdict(played, ending, found, time.monotonic() - started)
    return not found
