"""When the next event of a view may go out: after the least interval, with a batch, spread over few rounds.

Pure arithmetic on instants.
"""

from __future__ import annotations

from typing import Final

_EARLY: Final = 1 / 4  # of the interval
_MOST_SHIFT: Final = 1 / 8  # of the interval
_GOLDEN: Final = 0.618_033_988_749_895  # its multiples lie evenly between 0 and 1 however many there are
_SAME_S: Final = 1e-3
# The share of the interval, or of 0.2 s if that is less, that a round may take: below the first the number of
# groups is halved, above the second it is doubled.
_ROUND: Final = 0.04, 0.09
_ROUND_OF_S: Final = 0.2
_MOST_GROUPS: Final = 8


class Pacer:
    """The interval holds on average: n events of a view take at least n - 1 intervals less half of one, and
    no two are less than half an interval apart. Within these bounds an event goes out with a batch: shortly
    after it, its prices would be older and it would need a round of its own.

    `early_s`: how much before its instant an event may go out. `gather_s`: how long events are gathered
    before the first of them is sent.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s, self.early_s = interval_s, interval_s * _EARLY
        self.gather_s = interval_s / 100
        self._views = 0
        self._batch_at_s = self._counted_s = 0.0
        self._batch_gap_s = interval_s  # a running mean
        self._busy_s = self._work_s = 0.0  # in the present interval; of an interval, a running mean
        self._round_s = [share * min(interval_s, _ROUND_OF_S) for share in _ROUND]
        self._groups = 1

    def note_batch(self, now_s: float) -> None:
        self._batch_gap_s += (min(now_s - self._batch_at_s, self._interval_s) - self._batch_gap_s) / 8
        self._batch_at_s = now_s

    def note_round(self, began_s: float, now_s: float) -> None:
        """Divide the views into as many groups as keep rounds short enough, and no more.

        Each round has prices of its own, and draws again the cells that several views share.
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
        while self._groups < _MOST_GROUPS and self._work_s > self._round_s[1] * self._groups:
            self._groups *= 2
        if self._work_s < self._round_s[0] * self._groups:
            self._groups = max(1, self._groups // 2)

    @property
    def _batches_are_frequent(self) -> bool:
        """Wherever in the interval the events of a group go out, there is a batch to go with."""
        return self._batch_gap_s < self.early_s

    def new_phase(self) -> float:
        """Return where in the interval, of length one, a new view sends its events once views are divided."""
        self._views += 1
        return self._views * _GOLDEN % 1

    def next_due_s(self, due_s: float, phase: float, now_s: float) -> float:
        """Return when the next event is due of a view that was due at `due_s` and is sent an event now.

        A view is shifted a little each time towards the instant of its group, and stays there. Left alone,
        all views that a quiet time ended for at once would be sent together for ever, the last of them late;
        or each at the instant at which its first browser connected, in as many rounds as there are batches.
        """
        next_s = (due_s if abs(now_s - due_s) <= self.early_s else now_s) + self._interval_s
        if self._batches_are_frequent:
            group_s = int(phase * self._groups) / self._groups * self._interval_s
            away_s = (group_s - next_s) % self._interval_s
            if away_s < self._interval_s - _SAME_S:
                next_s += min(away_s, self._interval_s * _MOST_SHIFT)
        return next_s
