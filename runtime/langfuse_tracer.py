"""Longlead's runs as traces in Langfuse: one trace an event, which the answers to its questions join.

Nothing here waits for Langfuse's server: spans go into a bounded queue that threads of its client empty, and what
does not fit is dropped. A server that is dead, hangs or refuses the keys changes nothing but the traces.
"""

import atexit
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langfuse import Langfuse, propagate_attributes
from langfuse._client.resource_manager import LangfuseResourceManager
from langfuse.types import MaskOtelSpansParams, MaskOtelSpansResult, OtelSpanPatch
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from domain.events import Entry
from runtime.redaction import Redaction
from runtime.settings import Settings
from tools.models import Abstained, Answered, Completion, ModelRequest
from tools.tracing import Answer, Told

TIMEOUT_S = 5
MOST_TEXT = 20_000
"""Characters of one input or output that are sent."""
SELDOM_S = 300.0

_CHATTY = (
    "langfuse",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)


class Seldom(logging.Filter):
    """Lets one record of a logger through in five minutes: a dead server is worth a line, not one a second."""

    _quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        passes = now >= self._quiet_until
        if passes:
            self._quiet_until = now + SELDOM_S
        return passes


class LangfuseTracer:
    """`tools.tracing.Tracer` over Langfuse's client."""

    active = True

    def __init__(self, settings: Settings) -> None:
        self._hide = Redaction(settings)
        self._public_key = settings.langfuse_public_key
        # A provider of its own: the global one would also send what other libraries trace.
        self._provider = TracerProvider(resource=Resource.create({"service.name": "longlead"}), shutdown_on_exit=False)
        for name in _CHATTY:
            logger = logging.getLogger(name)
            if not any(isinstance(known, Seldom) for known in logger.filters):
                logger.addFilter(Seldom())
        self._client = Langfuse(
            public_key=self._public_key,
            secret_key=settings.langfuse_secret_key.get_secret_value(),
            base_url=settings.langfuse_base_url,
            timeout=TIMEOUT_S,
            mask_otel_spans=self._mask,
            tracer_provider=self._provider,
            flush_interval=settings.langfuse_flush_interval,
        )

    @contextmanager
    def run(self, entry: Entry) -> Iterator[Told]:
        """The root observation of one run. A trace is an event's: a run that was cut off and the answer to a question
        that the event raised come into the same one."""
        trace_id = trace_id_of(entry)
        with (
            propagate_attributes(session_id=entry.building_id, tags=[entry.event_type], trace_name=entry.event_type),
            self._observed(
                entry.event_type,
                "agent",
                trace_context={"trace_id": trace_id},
                input=_brief(entry.body),
                metadata={"seq": entry.seq, "generation": entry.generation, "event_id": entry.event_id},
            ) as observation,
        ):

            def ended(state: dict[str, Any]) -> None:
                observation.update(output=_brief(state.get("outcome")))
                self._score(entry, trace_id, state.get("settled"))

            yield ended

    @contextmanager
    def step(self, name: str) -> Iterator[Told]:
        with self._observed(name, "span") as observation:
            yield lambda update: observation.update(output=_brief(update))

    @contextmanager
    def generation(self, request: ModelRequest[Any]) -> Iterator[Answer]:
        asked = {"system": request.system, "prompt": request.prompt}
        with self._observed(
            request.worker, "generation", input=_brief(asked), metadata={"tier": request.tier}
        ) as observation:

            def answered(completion: Completion, outcome: Answered[Any] | Abstained) -> None:
                tokens = {"input": completion.input_tokens, "output": completion.output_tokens}
                cost = None if completion.cost is None else {"total": float(completion.cost)}
                observation.update(output=_brief(completion.text), usage_details=tokens, cost_details=cost)
                observation.update(model=completion.model or None)
                if isinstance(outcome, Abstained):
                    observation.update(
                        level="WARNING", status_message=self._hide(f"{outcome.reason}: {outcome.detail}")
                    )

            yield answered

    @contextmanager
    def _observed(self, name: str, as_type: Any, **given: Any) -> Iterator[Any]:
        """An observation around what is done. What is raised passes outside of it: OpenTelemetry would put the error's
        text into an event of the span, where no mask reaches it."""
        failure: BaseException | None = None
        with self._client.start_as_current_observation(name=name, as_type=as_type, **given) as observation:
            try:
                yield observation
            except GraphInterrupt as paused:
                failure = paused
                observation.update(output=_brief([one.value for one in paused.args[0]]))
            except GraphBubbleUp as control:
                failure = control
            except BaseException as error:  # noqa: BLE001 - raised again below
                failure = error
                # Hidden here, since the client also makes it the span's status, where no mask reaches it either.
                text = self._hide(f"{type(error).__name__}: {error}"[:MOST_TEXT])
                observation.update(level="ERROR", status_message=text)
        if failure is not None:
            raise failure

    def _score(self, entry: Entry, trace_id: str, settled: dict[str, Any] | None) -> None:
        """What a person made of what was recommended: a repeat of the run scores the same again."""
        if entry.event_type != "Decision" or not settled or not settled.get("applied"):
            return
        if settled["responder"]["type"] != "human":
            return
        approved = settled["type"] == "approve"
        for name, value in (("approved", approved), ("overruled", settled["type"] in ("reject", "edit"))):
            self._client.create_score(
                name=name,
                value=float(value),
                data_type="BOOLEAN",
                trace_id=trace_id,
                score_id=str(uuid5(NAMESPACE_URL, f"longlead:{entry.building_id}:{entry.seq}:{name}")),
                comment=self._hide(settled["why"])[:1_000] or None,
                metadata={"kind": settled["kind"]},
            )

    def _mask(self, *, params: MaskOtelSpansParams) -> MaskOtelSpansResult:
        """Secrets out of every attribute of every span; called by the client's thread before it sends."""
        patches = {}
        for identifier, span in params.spans.items():
            found = {key: self._masked(value) for key, value in span.attributes.items()}
            changed = {key: value for key, value in found.items() if value != span.attributes[key]}
            patches[identifier] = OtelSpanPatch(set_attributes=changed) if changed else None
        return MaskOtelSpansResult(span_patches=patches)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._hide(value)
        if isinstance(value, tuple | list):
            return tuple(self._masked(part) for part in value)
        return value

    def close_in_background(self) -> threading.Event:
        """Send what is left; the event is set when that is done. A hung server keeps only a daemon thread busy."""
        # The client is one for its key in a process, also after it was closed; and it would wait at exit.
        manager = LangfuseResourceManager._instances.pop(self._public_key, None)
        if manager is not None:
            atexit.unregister(manager.shutdown)
        done = threading.Event()

        def close() -> None:
            self._provider.shutdown()
            self._client.shutdown()
            done.set()

        threading.Thread(target=close, name="langfuse closing", daemon=True).start()
        return done


def trace_id_of(entry: Entry) -> str:
    """The trace of the event that an entry belongs to: a decision belongs to the event that raised its question."""
    raised = str(entry.body.get("key", "")).partition(".")[0] if entry.event_type == "Decision" else ""
    return Langfuse.create_trace_id(seed=f"{entry.building_id}:{raised or entry.seq}")


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} ... ({len(text)} characters)"
