"""Detection of a wall clock that was set: it moved by another amount than the time that passed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ltp.core.ticks.tick import Tick, TickFields

LEAST_S: Final = 2.0  # a clock that is slewed gains or loses half a millisecond a second


class ClockWatch:
    """For one thread. `step` must be called every few seconds at least, or the gain of a slewed clock looks
    like a step.
    """

    def __init__(self, wall: float, monotonic: float) -> None:
        self._ahead_s = wall - monotonic

    def step(self, wall: float, monotonic: float) -> float:
        """Return the seconds by which the wall clock was set since the last call, 0 if it was not.

        A suspended host counts as one with a clock set forward: its monotonic clock stood still.
        """
        before, self._ahead_s = self._ahead_s, wall - monotonic
        step_s = self._ahead_s - before
        return step_s if abs(step_s) >= LEAST_S else 0.0


def set_back(known: Iterable[TickFields], now: int, by: int) -> dict[str, Tick]:
    """Return, by key, the ticks with an instant in the future of a clock that was set back, moved by as much.

    Unmoved, these prices would count as confirmed on every later connection, and as live for as long as the
    clock was set back.

    Args:
        now: microseconds, by the new clock.
        by: microseconds by which it was set back.
    """
    moved = {}
    for tick in map(Tick._make, known):
        received_at, traded_at = (
            max(0, at - by) if at > now else at for at in (tick.received_at, tick.traded_at)
        )
        if (received_at, traded_at) != (tick.received_at, tick.traded_at):
            moved[tick.key] = tick._replace(received_at=received_at, traded_at=traded_at)
    return moved
