"""When a view's next event may go out: after the least interval, with the batch that comes then, apart from
other views.

Between the views and the writer. Pure arithmetic on instants; knows neither prices nor browsers.
"""

from __future__ import annotations

from typing import Final

_EARLY: Final = 1 / 4  # of the interval
_MOVED: Final = 1 / 8
_GOLDEN: Final = 0.618_033_988_749_895  # its multiples lie evenly between 0 and 1 however many there are
_SAME_S: Final = 1e-3
# What a round may take, of the interval or of this much of it: more are made when it is longer, fewer when it
# is shorter.
_ROUND: Final = 0.04, 0.09
_ROUND_OF_S: Final = 0.2
_GROUPS: Final = 8


class Pacer:
    """The interval holds on average: n events to a view take at least n - 1 intervals less half of one, and
    no two are less than half of it apart. Within that a view goes with a batch rather than shortly after it,
    when its prices would be older and a round be made for it alone.

    `early_s`: by how much an event may come before its instant. `together_s`: for how long one may wait for
    others to be made.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s, self.early_s = interval_s, interval_s * _EARLY
        self.together_s = interval_s / 100
        self._views = 0
        self._heard_s = self._counted_s = 0.0
        self._batch_s = interval_s  # between two batches, lately
        self._busy_s = self._work_s = 0.0  # in the present interval, and in one lately
        self._round_s = [share * min(interval_s, _ROUND_OF_S) for share in _ROUND]
        self._groups = 1

    def heard(self, now_s: float) -> None:
        """Note that a batch came."""
        self._batch_s += (min(now_s - self._heard_s, self._interval_s) - self._batch_s) / 8
        self._heard_s = now_s

    def spent(self, began_s: float, now_s: float) -> None:
        """Note how long a round took, and part the views into as many groups as make rounds short enough.

        Not into more: a round has a price of its own, and what views share is made once in each.
        """
        self._busy_s += now_s - began_s
        passed_s = now_s - self._counted_s
        if passed_s < self._interval_s or not passed_s:
            return
        self._work_s += (self._busy_s * self._interval_s / passed_s - self._work_s) / 2
        self._busy_s, self._counted_s = 0.0, now_s
        if not self._batches_are_frequent:
            self._groups = 1
            return
        while self._groups < _GROUPS and self._work_s > self._round_s[1] * self._groups:
            self._groups *= 2
        if self._work_s < self._round_s[0] * self._groups:
            self._groups = max(1, self._groups // 2)

    @property
    def _batches_are_frequent(self) -> bool:
        """Whenever a view has its turn, there is a batch to go with."""
        return self._batch_s < self.early_s

    def phase(self) -> float:
        """Return where in the interval, of length one, the next new view has its turns."""
        self._views += 1
        return self._views * _GOLDEN % 1

    def next_s(self, due_s: float, phase: float, now_s: float) -> float:
        """Return the earliest next event of a view that was due at `due_s` and is sent one now.

        A view is moved a little each time towards its group's turn, and stays there. Left alone, all would be
        sent together for ever after a quiet time that ended for all of them, and the last come late; or each
        at the instant its first browser came, in as many rounds as there are batches.
        """
        next_s = (due_s if abs(now_s - due_s) <= self.early_s else now_s) + self._interval_s
        if self._batches_are_frequent:
            turn_s = int(phase * self._groups) / self._groups * self._interval_s
            away_s = (turn_s - next_s) % self._interval_s
            if away_s < self._interval_s - _SAME_S:
                next_s += min(away_s, self._interval_s * _MOVED)
        return next_s
