"""What a document takes for granted before its first command."""

from collections.abc import Callable

import httpx

from cli.demo_play import Player
from evals.library import load_scenario
from tests.documents.left_out import reason_to_leave_out
from tests.documents.markdown import HOUSE, blocks_of, commands_of
from tests.documents.reader import Reader

STORY_ID = "office-fit-out"
"""The demo's building under an id of its own: README has made one of the demo's id by then."""


def play_story_until_both_inspections_failed(reader: Reader) -> None:
    """The building of the demo on the day on which two failed inspections wait for an answer."""
    story = load_scenario("five_items")
    story.building["building_id"] = STORY_ID
    with httpx.Client(base_url=f"http://{reader.address}", timeout=60) as client:
        player = Player(client, story)
        player.open()
        waiting = 0
        for played in player.play():
            waiting += sum(asked["kind"] == "inspection_failed" for asked in played.raised)
            if waiting == 2:
                return


def write_example_files(reader: Reader) -> None:
    """Files of one's own: a scenario, a story, a policy, rules. The building is that of the managers' guide."""
    scenario = (HOUSE / "evals/scenarios/eta_improves.yaml").read_text(encoding="utf-8")
    (reader.folder / "my/scenarios").mkdir(parents=True)
    (reader.folder / "my/scenarios/mine.yaml").write_text(scenario, encoding="utf-8")
    (reader.folder / "one.yaml").write_text(scenario, encoding="utf-8")
    (reader.folder / "policy.yaml").write_text("po_limit: 50000\n", encoding="utf-8")
    blocks = [block.text for block in blocks_of(HOUSE / "docs/evals.md")]
    for name, beginning in (("rules.yaml", "rules:"), ("shed.yaml", "name: shed")):
        text = next(block for block in blocks if block.startswith(beginning))
        (reader.folder / name).write_text(text, encoding="utf-8")


def make_the_building_of_ones_own_project(reader: Reader) -> None:
    """A building with two open questions: the two files of docs/your-own-project.md, and what reads them."""
    written = [c for c in commands_of(HOUSE / "docs/your-own-project.md") if reason_to_leave_out(c.text) is None]
    for command in written[: next(at for at, c in enumerate(written) if "events send" in c.text) + 1]:
        reader.type(command)


STAGES: dict[str, Callable[[Reader], None]] = {
    "docs/evals.md": write_example_files,
    "docs/for-managers.md": play_story_until_both_inspections_failed,
    "docs/operations.md": make_the_building_of_ones_own_project,
}
"""By document."""
