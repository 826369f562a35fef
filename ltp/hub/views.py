"""The open views, which of them show an instrument, and which of them may be sent an event.

The caller holds the hub's lock.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, KeysView
from typing import Final

from ltp.hub.insets import Inset
from ltp.hub.view import View, ViewKey

LINGER_S: Final = 5.0  # a page is rendered before its stream connects
# Of all views: 2,000 pages of 50 rows and ten columns. Their events take a third of a core.
MOST_CELLS: Final = 1_000_000


class Views:
    """A view sleeps until an instrument that it shows changes, waits for its event, then rests for a while.

    Only sleeping views are marked when an instrument changes: at the end of its rest a view looks for changes
    itself. So while prices move everywhere, a batch costs nothing per view.

    `waiting`: in the order in which they began to wait. `cells`: of all views; an instrument counts once for
    each view that shows it.
    """

    def __init__(self) -> None:
        self._views: dict[ViewKey, View] = {}
        self._showing: dict[str, list[View]] = {}  # by instrument
        self._asleep: set[View] = set()
        self._resting: list[
            tuple[float, int, View]
        ] = []  # a heap; the number keeps views from being compared
        self._order = itertools.count()
        self.waiting: dict[View, None] = {}
        self.cells = 0

    def __iter__(self) -> Iterator[View]:
        return iter(list(self._views.values()))

    def get(self, key: ViewKey) -> View | None:
        return self._views.get(key)

    def add(self, view: View) -> View:
        """Register a view; return the one registered for the same key, which may be another."""
        present = self._views.get(view.key)
        if present is None:
            present = self._views[view.key] = view
            self._asleep.add(view)
            view.registered = True
            self.cells += view.cells
            for key in view.keys:
                self._showing.setdefault(key, []).append(view)
            for inset in view.insets:
                inset.views.append(view)
        return present

    def has_room(self, cells: int) -> bool:
        """Return whether `cells` more fit, dropping views without a browser if needed, least recent first."""
        if self.cells + cells > MOST_CELLS:
            for view in sorted((view for view in self if not view.streams), key=lambda view: view.touched_s):
                self._drop(view)
                if self.cells + cells <= MOST_CELLS:
                    break
        return self.cells + cells <= MOST_CELLS

    def mark(self, keys: Iterable[str]) -> None:
        """Let the sleeping views of these instruments wait for an event: their cells look different now."""
        asleep = self._asleep
        if not asleep:
            return
        for key in keys:
            for view in self._showing.get(key, ()):
                if view in asleep:
                    asleep.remove(view)
                    self.waiting[view] = None

    def mark_inset(self, inset: Inset) -> None:
        """Let the sleeping views with this inset wait for an event."""
        for view in inset.views:
            if view in self._asleep:
                self._asleep.remove(view)
                self.waiting[view] = None

    def mark_status(self) -> None:
        """Let all sleeping views wait for an event: the status of the market changed."""
        self.waiting.update(dict.fromkeys(self._asleep))
        self._asleep.clear()

    def mark_urgent(self) -> None:
        """Let every view wait for an event now, whether it sleeps or rests."""
        for view in self:
            view.due_s = 0.0  # not that of its entry among the resting ones, which so means nothing any more
            self.waiting[view] = None
        self._asleep.clear()

    def sleep(self, view: View) -> None:
        self.waiting.pop(view, None)
        if view.registered:
            self._asleep.add(view)

    def wait_until(self, view: View, until_s: float) -> None:
        """Let the next event of `view` go out at `until_s`."""
        self.waiting.pop(view, None)
        self._asleep.discard(view)
        view.due_s = until_s
        heapq.heappush(self._resting, (until_s, next(self._order), view))

    def due(self, until_s: float) -> list[View]:
        """Return the views that may be sent an event, longest waiting first. Views without browsers sleep."""
        resting = self._resting
        while resting and resting[0][0] <= until_s:
            due_s, _, view = heapq.heappop(resting)
            if due_s != view.due_s:
                continue
            if view.nothing_new:
                self.sleep(view)
            else:
                self.waiting[view] = None
        due = [view for view in self.waiting if view.streams]
        if len(due) < len(self.waiting):
            for view in [view for view in self.waiting if not view.streams]:
                self.sleep(view)
        return due

    def next_due_s(self) -> float:
        """Return the instant from which on `due` may return a view: 0 if one waits, infinite if all sleep."""
        if self.waiting:
            return 0.0
        return self._resting[0][0] if self._resting else float("inf")

    def shown(self) -> KeysView[str]:
        """Return the instruments of all views, whether a browser has connected yet or not."""
        return self._showing.keys()

    def drop_idle(self, now_s: float) -> None:
        for view in self:
            if view.streams:
                view.touched_s = now_s
            elif now_s - view.touched_s > LINGER_S:
                self._drop(view)

    def _drop(self, view: View) -> None:
        del self._views[view.key]
        self.cells -= view.cells
        self.waiting.pop(view, None)
        self._asleep.discard(view)
        view.registered = False
        for inset in view.insets:
            inset.views.remove(view)
        for key in view.keys:
            showing = self._showing[key]
            showing.remove(view)
            if not showing:
                del self._showing[key]
