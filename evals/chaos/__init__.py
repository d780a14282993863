"""Chaos: real processes, killed and frozen at random under load, and a checker that knows none of their code."""
