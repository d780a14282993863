"""A process that delivers once, to be killed in the middle. Arguments: the database, the webhook, its secret."""

import asyncio
import sys

from runtime.delivery import Delivery
from runtime.settings import Settings
from storage.database import open_pool
from tests.agent.desk import FixedClock


async def main(conninfo: str, url: str, secret: str) -> None:
    settings = Settings(
        database_url=conninfo,
        channels={"*": {"webhook": url, "secret": secret}},  # type: ignore[dict-item]
        delivery_timeout=30,
    )
    async with open_pool(conninfo, max_size=4, name="deliverer") as pool:
        await Delivery(settings, FixedClock(), pool).run()


asyncio.run(main(*sys.argv[1:]))
