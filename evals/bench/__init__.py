"""Benchmarks: Longlead beside its baselines, as ratios measured in one run. `make bench` runs them."""
