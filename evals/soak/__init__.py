"""The soak: many events over many buildings, and whether anything that should stay level grows. `make soak` runs it."""
