"""A run as JUnit XML, as CI systems show it: a case for each scenario."""

import re
from pathlib import Path

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from evals.results import FoundProblem, Run, ScenarioResult

# XML 1.0 has no place for these, however they are escaped.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_junit(run: Run, file: Path) -> None:
    """Write the file anew."""
    suite = TestSuite("scenarios")
    suite.timestamp = run.started
    for result in run.results:
        suite.add_testcase(_case(result, run.rounds))
    report = JUnitXml("longlead evals")
    report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]
    report.write(str(file), pretty=True)


def _case(result: ScenarioResult, rounds: int) -> TestCase:
    name = result.name if rounds == 1 else f"{result.name} (round {result.round})"
    case = TestCase(name, classname="evals.scenarios", time=result.seconds)
    case.result = [Failure(_printable(_line(problem)), problem.kind.value) for problem in result.problems]
    return case


def _line(problem: FoundProblem) -> str:
    where = f"step {problem.step}: " if problem.step else ""
    return f"{where}{problem.kind}: {problem.detail}"


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("�", text)
