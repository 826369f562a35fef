"""The views that are open and which of them show an instrument.

Says which views wait for an event, and forgets those that nobody looks at any more. The caller holds the hub's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView
from typing import Final

from ltp.hub.view import STATUS, View, ViewKey

LINGER_S: Final = 5.0  # a page is rendered before its stream connects


class Views:
    """`waiting`: the views that have something to send, in the order in which they came to have it."""

    def __init__(self) -> None:
        self._views: dict[ViewKey, View] = {}
        self._showing: dict[str, list[View]] = {}
        self.waiting: dict[View, None] = {}

    def __iter__(self) -> Iterator[View]:
        return iter(list(self._views.values()))

    def get(self, key: ViewKey) -> View | None:
        return self._views.get(key)

    def add(self, view: View) -> View:
        """Take a view in; return the one that is already here for the same key."""
        present = self._views.setdefault(view.key, view)
        if present is view:
            for key in view.keys:
                showing = self._showing.setdefault(key, [])
                if view not in showing:
                    showing.append(view)
        return present

    def mark(self, keys: Iterable[str]) -> None:
        """Note that these instruments look different now."""
        for key in keys:
            for view in self._showing.get(key, ()):
                view.mark(key)
                self.waiting[view] = None

    def mark_status(self) -> None:
        """Note that every page has to be told something new of the market as a whole."""
        for view in self._views.values():
            view.mark(STATUS)
            self.waiting[view] = None

    def due(self, now_s: float) -> list[View]:
        """Return the views whose next event may go out, longest due first; views nobody watches wait for nothing.

        In the order of their due instants, so that a round that was long once spreads the later ones by itself.
        """
        for view in [view for view in self.waiting if not view.streams]:
            del self.waiting[view]
        return sorted((view for view in self.waiting if view.due_s <= now_s), key=lambda view: view.due_s)

    def next_due_s(self) -> float:
        return min((view.due_s for view in self.waiting), default=float("inf"))

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
        self.waiting.pop(view, None)
        for key in view.keys:
            showing = self._showing[key]
            showing.remove(view)
            if not showing:
                del self._showing[key]
