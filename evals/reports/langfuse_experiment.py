"""A run in Langfuse: the scenarios as a dataset, the run as an experiment on it, a score for each kind of error."""

from typing import TYPE_CHECKING, TypedDict

import httpx
from pydantic import ValidationError

from domain.errors import LongleadError
from domain.plain_json import JsonObject
from evals.problems import DANGEROUS, Kind
from evals.results import Run, ScenarioResult
from evals.scenario import Scenario
from runtime.settings import Settings

if TYPE_CHECKING:  # it is loaded only where it is used
    from langfuse import Evaluation, Langfuse

DATASET = "longlead-scenarios"
TIMEOUT_S = 15


class LangfuseError(LongleadError):
    """Langfuse did not take the experiment. The results stand all the same; check LANGFUSE_BASE_URL and the keys."""

    title = "Langfuse did not take it"


def send(settings: Settings, run: Run, scenarios: list[Scenario]) -> str | None:
    """Send the run where LANGFUSE_* keys are set; None where they are not. Returns where it can be seen.

    Raises:
        LangfuseError: the server cannot be reached, or refuses it.
    """
    if not settings.has_langfuse:
        return None
    from langfuse import Langfuse
    from langfuse.api.core.api_error import ApiError
    from opentelemetry.sdk.trace import TracerProvider

    client = Langfuse(
        public_key=settings.langfuse_public_key,
        secret_key=settings.langfuse_secret_key.get_secret_value(),
        base_url=settings.langfuse_base_url,
        timeout=TIMEOUT_S,
        tracer_provider=TracerProvider(),  # of its own: nothing else that is traced gets in
    )
    try:
        return _experiment(client, run, scenarios)
    except (httpx.HTTPError, ApiError, ValidationError) as error:
        first = " ".join(str(error).split())[:300]
        raise LangfuseError(f"Langfuse at {settings.langfuse_base_url} did not take the experiment: {first}") from error
    finally:
        client.shutdown()


def _experiment(client: "Langfuse", run: Run, scenarios: list[Scenario]) -> str | None:
    client.create_dataset(name=DATASET, description="Scenarios of Longlead, from evals/scenarios and elsewhere.")
    items = [client.create_dataset_item(dataset_name=DATASET, **_item(scenario)) for scenario in scenarios]
    url: str | None = None
    for number in range(1, run.rounds + 1):
        results = {result.name: result for result in run.results if result.round == number}
        made = client.run_experiment(
            name="longlead evals",
            run_name=f"{run.longlead} {run.started}" + (f" round {number}" if run.rounds > 1 else ""),
            metadata={"longlead": run.longlead, "model": run.model or "none"},
            data=items,
            task=lambda *, item, found=results, **_: _output(found[item.metadata["name"]]),
            evaluators=[_scores],
        )
        url = made.experiment_url
    return url


class _Item(TypedDict):
    """A scenario as a dataset's item."""

    id: str
    input: JsonObject
    expected_output: JsonObject
    metadata: JsonObject


def _item(scenario: Scenario) -> _Item:
    """The scenario as a dataset's item; sent again it is renewed."""
    plain: JsonObject = scenario.model_dump(mode="json", exclude_unset=True, warnings=False)
    return {
        "id": f"longlead-{scenario.name}",
        "input": {name: plain.get(name) for name in ("building", "given", "steps")},
        "expected_output": {"problems": []},
        "metadata": {"name": scenario.name, "title": scenario.title, "why": scenario.why},
    }


class _Output(TypedDict):
    """How a scenario went."""

    passed: bool
    problems: list[JsonObject]
    timeline: list[JsonObject]


def _output(result: ScenarioResult) -> _Output:
    return {
        "passed": result.passed,
        "problems": [problem.model_dump(mode="json") for problem in result.problems],
        "timeline": [moment.model_dump(mode="json") for moment in result.timeline],
    }


def _scores(*, output: _Output, **_: object) -> list["Evaluation"]:
    """Passed or not, and how often each dangerous kind of error was found, and all others together."""
    from langfuse import Evaluation

    kinds = [Kind(str(problem["kind"])) for problem in output["problems"]]
    told = "; ".join(str(problem["detail"]) for problem in output["problems"])[:1000] or None
    return [
        Evaluation(name="passed", value=output["passed"], data_type="BOOLEAN", comment=told),
        *(Evaluation(name=kind.value, value=kinds.count(kind)) for kind in DANGEROUS),
        Evaluation(name="other errors", value=sum(kind not in DANGEROUS for kind in kinds)),
    ]
