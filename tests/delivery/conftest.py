from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from domain.approvals import Approval
from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.delivery.post_room import PostRoom
from tests.delivery.question_page import EVIL, SPEC
from tests.delivery.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
async def room(database: str) -> AsyncIterator[PostRoom]:
    """A building's outbox on a database of its own. The clock stands still until it is set."""
    clock = FixedClock()
    settings = Settings(database_url=database, delivery_attempts=3, public_url="https://longlead.example")
    async with open_pool(database, max_size=20, name="delivery test") as pool:
        yield PostRoom(Resources(settings, database, pool, clock), clock)


@pytest.fixture
async def desk(database: str, room: PostRoom) -> AsyncIterator[Desk]:
    """The building's agent, over the same database and clock."""
    async with open_desk(database, room.clock) as opened:
        yield opened


@pytest.fixture
async def asked(room: PostRoom, desk: Desk, receiver: Receiver) -> Approval:
    """A question about a failed inspection, whose message has gone to the project manager."""
    in_words = SecretStr(f"json://{receiver.address}/words")
    room.settings.channels = {
        "project_manager": [receiver.webhook("/pm"), in_words],
        "project_director": [receiver.webhook()],
    }
    await desk.open(**SPEC)
    await desk.post("Submittal_Approved", item="hvac")
    await desk.post("Shipment_Arrived_Site", item="hvac", date_arrived="2026-02-20")
    await desk.post(
        "Inspection_Failed",
        item="hvac",
        inspection_date="2026-02-23",
        document_url="javascript:alert(1)",
        document_name=f"Report {EVIL}",
        defects=[f"dent {EVIL}", "{{ 7 * 7 }}"],
    )
    await room.deliver()
    return await desk.question("inspection_failed")
