"""One small grader for each kind of expectation: nothing that is not expected may happen."""
