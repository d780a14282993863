"""The commands that are not typed while the documents are followed, each with what holds it instead."""

import re

ELSEWHERE = {
    r"make serve": "the service that the reader has was started by `longlead serve`, and the target is looked at below",
    r"make demo": "tests/cli/test_demo.py plays it",
    r"make evals": "tests/evals plays every scenario, and the number that is shown is looked at below",
    r"longlead evals --stories( *#|$|.*--baseline)": "tests/evals/test_stories.py plays every story that comes along",
    r"make test(-live)?": "this is the suite",
    r"make (lint|format|picture|requirements|docs)": "they change or judge the project itself: `.ci/run` lints",
    r"longlead (serve|worker)$": "the reader's service was started so",
    r"pipx install|uv tool install": "`make try-install` does it; tests/setup looks at what comes along",
    r"make (try-setup|try-install|versions|takeover|test-large)": "minutes; each has its small twin in the suite",
    r"make (chaos|soak|bench|readings)": "minutes to hours; tests/chaos and tests/evals play small ones",
    r"make studio|longlead studio": "tests/studio starts it",
    r"\.venv/bin/python -m tests\.histories\.record": "tests/histories loads what it has recorded",
    r"longlead (evals|backtest) .*--model": "there is no server of models here",
    r"longlead evals eta 'order": "others of its kind are typed: files of one's own, a report, a comparison",
    r"longlead backtest +#": "it is typed with a policy and with rules; tests/forks runs it with nothing changed",
    r"longlead rules overrule": "no rule has decided alone yet; tests/cli/test_rules.py overrules one",
    r"longlead evals --report before": "both are typed, with fewer scenarios, in docs/evals.md",
    r"export (OPENAI|LONGLEAD_MODEL)": "there is no server of models here",
}
"""By the beginning of the command, as an expression."""


def reason_to_leave_out(command: str) -> str | None:
    return next((reason for beginning, reason in ELSEWHERE.items() if re.match(beginning, command)), None)
