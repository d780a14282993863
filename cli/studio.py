"""`longlead studio`: LangGraph Studio over the same threads that the workers run."""

import asyncio
from typing import Annotated

import typer

from cli.database import Data


def studio(
    port: Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="Port of LangGraph's dev server.")] = 2024,
    data: Data = None,
) -> None:
    """Run LangGraph's dev server over the buildings' threads, until interrupted. Nothing acts there."""
    from runtime.settings import load_settings
    from runtime.studio_server import run_studio

    asyncio.run(run_studio(load_settings(data_dir=data), port=port, say=print))
