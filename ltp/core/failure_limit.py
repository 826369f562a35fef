"""How long a loop may go on while every round of it fails: one that never succeeds again helps nobody by
living on.
"""

from __future__ import annotations


class FailureLimit:
    """Of `for_s` seconds without a success. Every `now` is monotonic seconds."""

    def __init__(self, for_s: float) -> None:
        self._for_s, self._failing_since = for_s, float("inf")

    def succeeded(self) -> None:
        self._failing_since = float("inf")

    def failed(self, now: float) -> bool:
        """Note a failure; tell whether there was no success for too long."""
        self._failing_since = min(self._failing_since, now)
        return now - self._failing_since >= self._for_s
