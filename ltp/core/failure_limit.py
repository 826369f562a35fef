"""A limit on the time in which every round of a loop fails: after it the process should end and restart."""

from __future__ import annotations


class FailureLimit:
    """`seconds`: the longest time without a success. Every `now` is monotonic seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._failing_since = seconds, float("inf")

    def succeeded(self) -> None:
        self._failing_since = float("inf")

    def failed(self, now: float) -> bool:
        """Note a failure. Returns whether the limit is reached."""
        self._failing_since = min(self._failing_since, now)
        return now - self._failing_since >= self._seconds
