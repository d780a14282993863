"""One process of the service under test: `python -m evals.bench.service api` or `... worker`, set up by LONGLEAD_*.

The worker is `longlead worker`. The API runs without a worker in its process, so that each can be measured.
"""

import asyncio
import sys

from api.app import create_app
from runtime.logs import set_up_logs
from runtime.loop import run
from runtime.resources import open_resources
from runtime.service import QuietServer, http_config, serve_until, signals, work
from runtime.settings import Settings, load_settings


async def serve_api(settings: Settings) -> None:
    """Serve the API until a signal ends it."""
    set_up_logs(settings)
    stop = asyncio.Event()
    async with open_resources(settings, name="longlead api", migrated=False) as resources, signals(stop):
        await serve_until(QuietServer(http_config(create_app(resources), settings)), stop)


if __name__ == "__main__":
    run({"api": serve_api, "worker": work}[sys.argv[1]](load_settings()))
