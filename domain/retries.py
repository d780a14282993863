"""When something that failed is tried again: pauses that double up to a longest one, and an end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetrySchedule:
    """How often something is tried, and how long between two attempts. All times are in seconds, without jitter."""

    first_pause_s: float
    longest_pause_s: float
    attempts: int

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures, the latest included."""
        doubled = self.first_pause_s * 2.0 ** min(max(failures - 1, 0), 60)
        return min(doubled, self.longest_pause_s)

    def is_over(self, failures: int) -> bool:
        """Whether so many failures are the end."""
        return failures >= self.attempts
