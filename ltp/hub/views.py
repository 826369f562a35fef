"""The views that are open and which of them show an instrument.

Says which views wait for an event, and forgets those that nobody looks at any more. The caller holds the
hub's lock.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, KeysView
from typing import Final

from ltp.hub.view import View, ViewKey

LINGER_S: Final = 5.0  # a page is rendered before its stream connects
# of all views: 2,000 pages of 50 rows and ten columns, which take a third of a core to put together
HOT_CELLS: Final = 1_000_000


class Views:
    """A view sleeps until something it shows changes, waits for its turn, and rests for a while after an
    event.

    Only one that sleeps has to be told of a change: when its turn comes a view looks itself for what is new
    to it. So with prices everywhere a batch costs nothing per view. `waiting`: in the order in which they
    came to wait. `cells`: of all views, each as often as views show it.
    """

    def __init__(self) -> None:
        self._views: dict[ViewKey, View] = {}
        self._showing: dict[str, list[View]] = {}
        self._asleep: set[View] = set()
        self._resting: list[
            tuple[float, int, View]
        ] = []  # a heap; the number only keeps views from being compared
        self._order = itertools.count()
        self.waiting: dict[View, None] = {}
        self.cells = 0

    def __iter__(self) -> Iterator[View]:
        return iter(list(self._views.values()))

    def get(self, key: ViewKey) -> View | None:
        return self._views.get(key)

    def add(self, view: View) -> View:
        """Take a view in; return the one that is already here for the same key."""
        present = self._views.get(view.key)
        if present is None:
            present = self._views[view.key] = view
            self._asleep.add(view)
            view.kept = True
            self.cells += view.cells
            for key in view.keys:
                self._showing.setdefault(key, []).append(view)
        return present

    def has_room(self, cells: int) -> bool:
        """Tell whether a view of so many cells fits in, after dropping views without a browser, the least
        recently used first.
        """
        if self.cells + cells > HOT_CELLS:
            for view in sorted((view for view in self if not view.streams), key=lambda view: view.touched_s):
                self._drop(view)
                if self.cells + cells <= HOT_CELLS:
                    break
        return self.cells + cells <= HOT_CELLS

    def mark(self, keys: Iterable[str]) -> None:
        """Note that these instruments look different now."""
        asleep = self._asleep
        if not asleep:
            return
        for key in keys:
            for view in self._showing.get(key, ()):
                if view in asleep:
                    asleep.remove(view)
                    self.waiting[view] = None

    def mark_status(self) -> None:
        """Note that every page has to be told something new of the market as a whole."""
        self.waiting.update(dict.fromkeys(self._asleep))
        self._asleep.clear()

    def sleep(self, view: View) -> None:
        self.waiting.pop(view, None)
        if view.kept:
            self._asleep.add(view)

    def rest(self, view: View, until_s: float) -> None:
        """Let the next event of `view` go out at `until_s`."""
        self.waiting.pop(view, None)
        self._asleep.discard(view)
        view.due_s = until_s
        heapq.heappush(self._resting, (until_s, next(self._order), view))

    def due(self, until_s: float) -> list[View]:
        """Return the views whose next event may go out, longest due first; views nobody watches wait for
        nothing.
        """
        resting = self._resting
        while resting and resting[0][0] <= until_s:
            view = heapq.heappop(resting)[2]
            if view.saw_all:
                self.sleep(view)
            else:
                self.waiting[view] = None
        due = [view for view in self.waiting if view.streams]
        if len(due) < len(self.waiting):
            for view in [view for view in self.waiting if not view.streams]:
                self.sleep(view)
        return due

    def next_due_s(self) -> float:
        """Return the instant at which `due` may have something; one long past when it has."""
        if self.waiting:
            return 0.0
        return self._resting[0][0] if self._resting else float("inf")

    def shown(self) -> KeysView[str]:
        """Return the instruments of every view here: watched, or opened a moment ago."""
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
        view.kept = False
        for key in view.keys:
            showing = self._showing[key]
            showing.remove(view)
            if not showing:
                del self._showing[key]
