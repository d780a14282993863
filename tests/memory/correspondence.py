"""A building with much to say: orders, failed inspections, questions and notes, one after the other."""

from dataclasses import dataclass, field
from typing import Any

from domain.summaries import Identifier, Summary
from tests.agent.desk import Desk
from tools.models import Completion, ModelRequest


async def open_building(desk: Desk, lines: int = 60) -> None:
    await desk.open(
        items=[
            {
                "name": f"Line {number}",
                "item_id": f"line-{number}",
                "vendor_id": "mill",
                "quantity": "2",
                "unit_price": "10",
                "lead_time_days": 20,
                "required_by": "2026-06-01",
            }
            for number in range(lines)
        ],
        vendors=[{"vendor_id": "mill", "name": "Mill Ltd"}],
        approvers=[{"role": "project_manager", "name": "PM"}],
    )


async def note(desk: Desk, marker: str, words: int = 60) -> str:
    """A note of some hundred tokens with a word of its own."""
    return await desk.post("Human_Input", text=f"Note {marker}: " + "the crane stands in the yard " * (words // 6))


async def supply(desk: Desk, number: int) -> None:
    """One line from its order to a failed inspection and the answer to it."""
    item = f"line-{number}"
    await desk.post("Submittal_Approved", item=item)
    await desk.post("Shipment_Arrived_Site", item=item, date_arrived="2026-02-20", shipment_id=f"SHIP-{number}")
    await desk.post("Inspection_Failed", item=item, inspection_date="2026-02-23", ncr_number=f"NCR-7-{number}")
    await desk.decide(await desk.question("inspection_failed"), "approve", why="it cannot wait")


async def versions(desk: Desk) -> list[Summary]:
    """Every state of the summary, the oldest first."""
    return await desk.rows(Summary)


async def names(desk: Desk, kind: str) -> set[str]:
    return {one.value for one in await desk.rows(Identifier) if one.kind == kind}


@dataclass
class Shorthand:
    """A model that answers every request with the same lines, and keeps what it was asked."""

    lines: list[str]
    tiers: tuple[str, ...] = ("shorthand",)
    requests: list[ModelRequest[Any]] = field(default_factory=list)

    def asked(self, worker: str) -> list[str]:
        """The prompts of one worker."""
        return [request.prompt for request in self.requests if request.worker == worker]

    async def complete(self, request: ModelRequest[Any]) -> Completion:
        self.requests.append(request)
        lines = ", ".join(f'"{line}"' for line in self.lines)
        return Completion(f'{{"lines": [{lines}]}}', "shorthand", 100, 10)
