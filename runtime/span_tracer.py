"""Longlead's runs as OpenTelemetry traces: one trace an event, which the answers to its questions join.

The same spans go to every endpoint that is configured (`runtime/otlp.py`), so they carry what each kind of viewer
reads: OpenTelemetry's GenAI attributes, OpenInference's texts, and Langfuse's types and levels.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langgraph.errors import GraphBubbleUp, GraphInterrupt
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from domain.events import Entry
from runtime.langfuse_scores import Score, ScoreSender
from runtime.otlp import endpoints_of, mask_values, open_processor
from runtime.redaction import Redaction
from runtime.settings import Settings
from tools.models import Abstained, Answered, Completion, ModelRequest
from tools.tracing import Answer, Told

Attributes = Mapping[str, AttributeValue]

MAX_TEXT = 20_000
"""Characters of one input or output that are sent."""

_KINDS = {
    # (Langfuse's type, OpenInference's kind, OpenTelemetry's operation)
    "agent": ("agent", "AGENT", "invoke_agent"),
    "step": ("span", "CHAIN", None),
    "generation": ("generation", "LLM", "chat"),
}

_trace_id: ContextVar[int] = ContextVar("trace_id", default=0)
"""The trace that the next root span begins or joins; 0: one of its own."""
_of_run: ContextVar[Attributes] = ContextVar("of_run", default={})  # noqa: B039 - never changed
"""Attributes that every span of the run carries: viewers find a session by any of its spans."""


class _TraceIds(RandomIdGenerator):
    """Gives a root span the trace of its event, and so no parent that nobody ever sends."""

    def generate_trace_id(self) -> int:
        return _trace_id.get() or super().generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return False


class SpanTracer:
    """`tools.tracing.Tracer` over OpenTelemetry's SDK."""

    active = True

    def __init__(self, settings: Settings) -> None:
        hide = Redaction(settings)
        resource = Resource.create({"service.name": settings.otel_service_name or "longlead"})
        # A provider of its own: the global one would also send what other libraries trace.
        self._provider = TracerProvider(
            resource=Resource(mask_values(resource.attributes, hide)),
            id_generator=_TraceIds(),
            shutdown_on_exit=False,
        )
        opened = (open_processor(endpoint, hide) for endpoint in endpoints_of(settings))
        self._processors = [processor for processor in opened if processor is not None]
        for processor in self._processors:
            self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("longlead")
        self._hide = hide
        self._scores = ScoreSender(settings, hide) if settings.has_langfuse else None

    @contextmanager
    def run(self, entry: Entry) -> Iterator[Told]:
        """The root span of one run. A trace is an event's: a run that was cut off and the answer to a question that
        the event raised come into the same one."""
        trace_id = trace_id_of(entry)
        of_run: Attributes = {
            "session.id": entry.building_id,
            "gen_ai.conversation.id": entry.building_id,
            "langfuse.trace.name": entry.event_type,
            "langfuse.trace.tags": (entry.event_type,),
            "tag.tags": (entry.event_type,),
        }
        about: Attributes = {
            "gen_ai.agent.name": "longlead",
            "longlead.seq": entry.seq,
            "longlead.generation": entry.generation,
            "longlead.event_id": entry.event_id,
            "langfuse.observation.metadata.seq": entry.seq,
            "langfuse.observation.metadata.generation": entry.generation,
            "langfuse.observation.metadata.event_id": entry.event_id,
            "input.value": _brief(entry.body),
        }
        outer_trace, outer_run = _trace_id.set(int(trace_id, 16)), _of_run.set(of_run)
        try:
            with self._span(entry.event_type, "agent", about, context=Context()) as span:

                def tell(state: dict[str, Any]) -> None:
                    span.set_attribute("output.value", _brief(state.get("outcome")))
                    self._score(entry, trace_id, state.get("settled"))

                yield tell
        finally:
            _of_run.reset(outer_run)
            _trace_id.reset(outer_trace)

    @contextmanager
    def step(self, name: str) -> Iterator[Told]:
        with self._span(name, "step", {}) as span:
            yield lambda update: span.set_attribute("output.value", _brief(update))

    @contextmanager
    def generation(self, request: ModelRequest[Any]) -> Iterator[Answer]:
        about: Attributes = {
            "input.value": _brief({"system": request.system, "prompt": request.prompt}),
            "gen_ai.provider.name": "openai",  # the protocol that every model is asked in
            "gen_ai.output.type": "json",
            "gen_ai.request.max_tokens": request.max_tokens,
            "longlead.tier": request.tier,
            "langfuse.observation.metadata.tier": request.tier,
        }
        with self._span(request.worker, "generation", about, kind=SpanKind.CLIENT) as span:

            def tell(completion: Completion, outcome: Answered[Any] | Abstained) -> None:
                span.set_attributes(_of_completion(completion))
                if isinstance(outcome, Abstained):
                    reason = f"{outcome.reason}: {outcome.detail}"
                    span.set_attributes({"error.type": outcome.reason, **_level("WARNING", reason)})

            yield tell

    @contextmanager
    def _span(
        self,
        name: str,
        of: str,
        about: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        context: Context | None = None,
    ) -> Iterator[Span]:
        """A span around what is done, marked by what was raised. The error's text goes into the status alone, and not
        with its traceback into an event, as OpenTelemetry would do."""
        langfuse_type, openinference_kind, operation = _KINDS[of]
        attributes = {
            **_of_run.get(),
            "langfuse.observation.type": langfuse_type,
            "openinference.span.kind": openinference_kind,
            **({"gen_ai.operation.name": operation} if operation else {}),
            **about,
        }
        with self._tracer.start_as_current_span(
            name,
            context,
            kind,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except GraphInterrupt as paused:
                span.set_attribute("output.value", _brief([one.value for one in paused.args[0]]))
                raise
            except GraphBubbleUp:
                raise
            except BaseException as error:
                text = _brief(f"{type(error).__name__}: {error}")
                span.set_attributes({"error.type": type(error).__qualname__, **_level("ERROR", text)})
                span.set_status(StatusCode.ERROR, text)
                raise

    def _score(self, entry: Entry, trace_id: str, settled: dict[str, Any] | None) -> None:
        """What a person made of what was recommended: a repeat of the run scores the same again."""
        if self._scores is None or entry.event_type != "Decision" or not settled or not settled.get("applied"):
            return
        if settled["responder"]["type"] != "human":
            return
        answers = {"approved": settled["type"] == "approve", "overruled": settled["type"] in ("reject", "edit")}
        for name, value in answers.items():
            self._scores.add(
                Score(
                    id=str(uuid5(NAMESPACE_URL, f"longlead:{entry.building_id}:{entry.seq}:{name}")),
                    traceId=trace_id,
                    name=name,
                    value=float(value),
                    dataType="BOOLEAN",
                    comment=self._hide(settled["why"])[:1_000] or None,
                    metadata={"kind": settled["kind"]},
                )
            )

    def close_in_background(self) -> threading.Event:
        """Send what is left; the event is set when that is done. Servers are closed side by side, so that a hung one
        keeps nothing from the others, and only daemon threads busy."""
        closings = [processor.shutdown for processor in self._processors]
        if self._scores is not None:
            closings.append(self._scores.close)
        threads = [threading.Thread(target=close, name="traces closing", daemon=True) for close in closings]
        done = threading.Event()

        def close_all() -> None:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            done.set()

        threading.Thread(target=close_all, name="traces closing", daemon=True).start()
        return done


def trace_id_of(entry: Entry) -> str:
    """The trace of the event that an entry belongs to: a decision belongs to the event that raised its question."""
    raised = str(entry.body.get("key", "")).partition(".")[0] if entry.event_type == "Decision" else ""
    return hashlib.sha256(f"{entry.building_id}:{raised or entry.seq}".encode()).digest()[:16].hex()


def _of_completion(completion: Completion) -> dict[str, AttributeValue]:
    tokens = {"input": completion.input_tokens, "output": completion.output_tokens}
    found: dict[str, AttributeValue] = {
        "output.value": _brief(completion.text),
        "gen_ai.usage.input_tokens": completion.input_tokens,
        "gen_ai.usage.output_tokens": completion.output_tokens,
        "llm.token_count.prompt": completion.input_tokens,
        "llm.token_count.completion": completion.output_tokens,
        "llm.token_count.total": completion.input_tokens + completion.output_tokens,
        "langfuse.observation.usage_details": json.dumps(tokens),
    }
    if completion.model:
        named = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "langfuse.observation.model.name")
        found |= dict.fromkeys(named, completion.model)
    if completion.cost is not None:
        cost = float(completion.cost)
        found |= {"gen_ai.usage.cost": cost, "operation.cost": cost, "llm.cost.total": cost}
        found["langfuse.observation.cost_details"] = json.dumps({"total": cost})
    return found


def _level(level: str, text: str) -> dict[str, AttributeValue]:
    return {"langfuse.observation.level": level, "langfuse.observation.status_message": text}


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ... ({len(text)} characters)"
