"""`longlead demo`: a recorded building, played over HTTP against the real service on a fresh embedded database."""

import time
from contextlib import ExitStack, suppress

import httpx
import typer

from cli.demo_check import differences
from cli.demo_next import afterwards, while_it_runs
from cli.demo_pace import Pace, is_watched
from cli.demo_play import PATIENCE_S, Player
from cli.demo_service import running_service
from cli.demo_show import Screen
from evals.library import load_scenario
from evals.scenario import Scenario

STORY = "five_items"
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def run_demo(*, fast: bool = False, keep: bool | None = None) -> None:
    """Play the story and compare what came of it with the record. Leaves no process and no folder behind.

    On a terminal it plays slowly enough to read, and the service runs on until a key is pressed; elsewhere it is fast
    and ends by itself. `fast` and `keep` say otherwise.

    Raises:
        typer.Exit: with 1 where something is not as recorded, with 130 after Ctrl-C.
        LongleadError: the service did not start, or refused a step; the message ends with its log.
    """
    story = load_scenario(STORY)
    watched = is_watched()
    pace = Pace(slow=watched and not fast)
    screen = Screen(story, pace)
    try:
        as_recorded = _play(story, screen, pace, keep=watched and not fast if keep is None else keep)
    except KeyboardInterrupt:
        screen.say("Interrupted. The service is stopped, and its folder removed.")
        raise typer.Exit(INTERRUPTED) from None
    if not as_recorded:
        raise typer.Exit(1)
    screen.next_steps("Next:", afterwards())


def _play(story: Scenario, screen: Screen, pace: Pace, *, keep: bool) -> bool:
    started = time.monotonic()
    screen.introduce()
    with ExitStack() as stack:
        with screen.busy("Starting the service on an empty database ..."):
            url = stack.enter_context(running_service())
        screen.say(f"Ready after {time.monotonic() - started:.1f} s at {url}, on PostgreSQL of its own.\n", "dim")
        client = stack.enter_context(httpx.Client(base_url=url, timeout=PATIENCE_S + 10, trust_env=False))
        player = Player(client, story)
        player.open()
        with pace.listen():
            played = list(screen.steps(player.play()))
        ending = player.ending()
        screen.questions(played)
        screen.log(ending)
        found = differences(story, played, ending)
        screen.verdict(played, ending, found, time.monotonic() - started)
        if keep and not found:
            screen.next_steps(f"Longlead is still running at {url}", while_it_runs(url, story.spec.building_id))
            _wait_for_the_end(screen, pace)
        with screen.busy("Stopping the service ..."):
            stack.close()
    return not found


def _wait_for_the_end(screen: Screen, pace: Pace) -> None:
    """Until a key is pressed, or Ctrl-C: both are a good end."""
    screen.say("Press any key to end it." if is_watched() else "Press Ctrl-C to end it.", "bold")
    with suppress(KeyboardInterrupt), pace.listen():
        while not pace.wait_for_key(3600.0):
            pass
