"""Structured logs: JSON for machines, colours for a terminal. Secrets are never logged."""

import json
import logging
import sys
from typing import Any

import structlog
from langchain_core.runnables.config import var_child_runnable_config
from pydantic import JsonValue

from runtime.redaction import Redaction
from runtime.settings import Settings

MAX_LINE = 60_000
"""Characters of a line; an error may quote a whole mail, or a whole building."""


def set_up_logs(settings: Settings) -> None:
    """Route structlog and the standard library's loggers to standard error, one line an event."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_step,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    formatting = [] if console else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            Redaction(settings),
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *formatting, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("procrastinate", "httpx", "psycopg.pool", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def _add_step(
    _: structlog.typing.WrappedLogger, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The step of the graph in which it was logged, as LangGraph names it."""
    config = var_child_runnable_config.get() or {}
    step = config.get("metadata", {}).get("langgraph_node")
    if step is not None:
        event.setdefault("step", step)
    return event


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Takes secrets out of the finished line, whoever logged it: so also out of an exception's text."""

    def __init__(self, redaction: Redaction, **rest: Any) -> None:
        super().__init__(**rest)
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if len(line) > MAX_LINE:
            line = _shortened(line)
        return self._redaction(line)


def _shortened(line: str) -> str:
    """A line of which only the beginning is kept; JSON stays JSON."""
    try:
        known = json.loads(line)
    except ValueError:
        return f"{line[:MAX_LINE]} ... ({len(line)} characters)"
    room = MAX_LINE // max(1, len(known))
    return json.dumps({key: _cut(value, room) for key, value in known.items()})


def _cut(value: JsonValue, room: int) -> JsonValue:
    text = value if isinstance(value, str) else json.dumps(value)
    return value if len(text) <= room else f"{text[: room // 2]} ... ({len(text)} characters) ... {text[-room // 2 :]}"
