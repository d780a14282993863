"""What a document takes for granted before its first command."""

from collections.abc import Callable

import httpx

from cli.demo_play import Player
from evals.library import load_scenario
from tests.documents.markdown import HOUSE, blocks_of
from tests.documents.reader import Reader


def play_story_until_both_inspections_failed(reader: Reader) -> None:
    """The building of the demo on the day on which two failed inspections wait for an answer."""
    story = load_scenario("five_items")
    with httpx.Client(base_url=f"http://{reader.address}", timeout=60) as client:
        player = Player(client, story)
        player.open()
        waiting = 0
        for played in player.play():
            waiting += sum(asked["kind"] == "inspection_failed" for asked in played.raised)
            if waiting == 2:
                return


def play_story_and_write_example_files(reader: Reader) -> None:
    """A building to record and to run again, and files of one's own: a scenario, a story, a policy, rules."""
    play_story_until_both_inspections_failed(reader)
    scenario = (HOUSE / "evals/scenarios/eta_improves.yaml").read_text(encoding="utf-8")
    (reader.folder / "my/scenarios").mkdir(parents=True)
    (reader.folder / "my/scenarios/mine.yaml").write_text(scenario, encoding="utf-8")
    (reader.folder / "one.yaml").write_text(scenario, encoding="utf-8")
    (reader.folder / "policy.yaml").write_text("po_limit: 50000\n", encoding="utf-8")
    blocks = [block.text for block in blocks_of(HOUSE / "docs/evals.md")]
    for name, beginning in (("rules.yaml", "rules:"), ("shed.yaml", "name: shed")):
        text = next(block for block in blocks if block.startswith(beginning))
        (reader.folder / name).write_text(text, encoding="utf-8")


STAGES: dict[str, Callable[[Reader], None]] = {
    "docs/evals.md": play_story_and_write_example_files,
    "docs/for-managers.md": play_story_until_both_inspections_failed,
}
"""By document."""
