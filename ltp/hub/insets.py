"""Insets: markup that a view carries beside its cells, such as the forming candle of a chart.

Set by whoever draws it, once for all browsers; sent in the view's own events, at their pace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltp.core import sse
from ltp.hub.board import Board

if TYPE_CHECKING:
    from ltp.hub.view import View


class Inset:
    """Parts by name, each with the version of the board at which it was last drawn.

    `name`: equal ones make equal views, so it names everything that the parts depend on. `views`: the open ones
    that carry it. The caller holds the hub's lock.
    """

    def __init__(self, name: str, cells: int = 100) -> None:
        """`cells`: how many it counts as in the quotas of clients and of the process."""
        self.name, self.cells = name, cells
        self.views: list[View] = []
        self.version = 0
        self._parts: dict[str, tuple[int, bytes]] = {}

    def set(self, part: str, markup: str, board: Board) -> bool:
        """Replace a part; return whether it is another than before. Empty markup removes it."""
        drawn, present = sse.piece(markup.replace("\n", " ")), self._parts.get(part)
        if drawn == (present[1] if present else b""):
            return False
        board.version += 1
        self.version = board.version
        if drawn:
            self._parts[part] = (self.version, drawn)
        else:
            del self._parts[part]
        return True

    def newer(self, after: int) -> bytes:
        """Return the encoded parts that were drawn after version `after`."""
        if self.version <= after:
            return b""
        return b"".join(drawn for version, drawn in self._parts.values() if version > after)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(len(drawn) for _, drawn in self._parts.values())

    @property
    def parts(self) -> list[str]:
        """The markup of each part, for a page that polls."""
        return [drawn.decode() for _, drawn in self._parts.values()]
