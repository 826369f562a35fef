"""The newest firings of alerts: what each page shows of them, and how many a reader has not seen.

A page names in its elements the last firing that its reader has seen, its mark. An event holds the count for every
mark that a page may have, and a page takes that of its own mark: so all browsers of a view get the same bytes.
The caller holds the hub's lock.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core import sse

KEPT: Final = 20
SLOTS: Final = 3  # notices that a page shows at once; the others are counted
SHOWN_FOR_S: Final = (
    600.0  # to a page that opens or comes back; an open page keeps a notice until it is dismissed
)
_UNKNOWN_READER_S: Final = 60.0  # the same for a browser without the mark


class Drawn(NamedTuple):
    """`at`: when it was noticed, seconds since the epoch. `version`: of the board when it came."""

    id: int
    at: float
    version: int
    markup: str

    @property
    def slot(self) -> int:
        """The place on a page: the same in every process, so that a page never shows a notice twice."""
        return self.id % SLOTS

    @property
    def partial(self) -> str:
        return f'<hx-partial id="notice-{self.slot}">{self.markup}</hx-partial>'


class Unseen(NamedTuple):
    """What a page shows when it is painted. `slots`: markup by place, "" for an empty one. `news`: how many the reader has not seen, in words."""

    mark: int
    news: str
    slots: tuple[str, ...]


class Notices:
    """`version`: of the board at the newest one."""

    def __init__(self) -> None:
        self.version = 0
        self._kept: list[Drawn] = []

    @property
    def newest(self) -> int:
        """The id of the newest firing that is known, 0 before the first."""
        return self._kept[-1].id if self._kept else 0

    def knows(self, id_: int) -> bool:
        """Return whether a firing was added, or is older than those that are kept."""
        return any(each.id == id_ for each in self._kept) or (
            len(self._kept) == KEPT and id_ < self._kept[0].id
        )

    def add(self, id_: int, at: float, markup: str, version: int) -> None:
        """Add a firing that is not known. `version`: of the board, which it has raised."""
        self.version = version
        self._kept.append(Drawn(id_, at, version, markup.replace("\n", " ")))
        self._kept = sorted(self._kept)[-KEPT:]

    def newer(self, after: int) -> bytes:
        """Return the encoded notices that came after a version of the board, with the counts; b"" without one."""
        if self.version <= after:
            return b""
        came = [each for each in self._kept if each.version > after][-SLOTS:]
        return sse.piece("".join(each.partial for each in came) + self._counts())

    def opening(self, seen: int | None, now: float) -> str:
        """Return what a page that opens or polls is told: the notices that its reader has not seen, and their count.

        Args:
            seen: the newest firing that the reader has seen, None for a reader without a mark.
        """
        unseen = "".join(each.partial for each in self._unseen(seen, now))
        mark = self.mark(seen)
        words = self._words(mark)
        return unseen + (_count(mark, words) if words and seen is not None else "")

    def unseen(self, seen: int | None, now: float) -> Unseen:
        """Return what a page shows when it is painted; nothing to a reader who gets a mark with it."""
        slots = [""] * SLOTS
        for each in self._unseen(seen, now) if seen is not None else ():
            slots[each.slot] = each.markup
        mark = self.mark(seen)
        return Unseen(mark, self._words(mark), tuple(slots))

    def mark(self, seen: int | None) -> int:
        """Return the mark of a reader. The count of one that is no longer kept changes only when a page opens."""
        return self.newest if seen is None else seen

    def _unseen(self, seen: int | None, now: float) -> list[Drawn]:
        since, after = (now - SHOWN_FOR_S, seen) if seen is not None else (now - _UNKNOWN_READER_S, 0)
        return [each for each in self._kept if each.id > after and each.at >= since][-SLOTS:]

    def _counts(self) -> str:
        marks = (0, *(each.id for each in self._kept[:-1]))
        return "".join(_count(mark, self._words(mark)) for mark in marks)

    def _words(self, mark: int) -> str:
        """Return how many firings came after a mark, "" for none, "19+" where the mark is about to be forgotten."""
        count = sum(each.id > mark for each in self._kept)
        oldest = len(self._kept) == KEPT and mark <= self._kept[0].id
        return f"{count}{'+' * oldest}" if count else ""


def _count(mark: int, words: str) -> str:
    """Return the count in both of its places: in the head and under the notices."""
    return "".join(f'<hx-partial id="{place}-{mark}">{words}</hx-partial>' for place in ("fired", "more"))
