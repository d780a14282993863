import logging

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Events die here on purpose; their tracebacks, drawn with all locals, take seconds each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
