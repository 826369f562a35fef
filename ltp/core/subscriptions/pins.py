"""A pinned instrument: one that a user keeps on the feed, whoever looks at it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple, cast

from ltp.errors import InputError

Mode = Literal["ticker", "quote", "full"]
DEFAULT: Final = "default"
# What the broker sends of an instrument in each mode, for people.
MODES: Final = {
    DEFAULT: "as all others",
    "ticker": "ticker: last price and its time alone",
    "quote": "quote: also volume and the prices of the day",
    "full": "full: also the order book",
}
MAX_PINS: Final = 500  # a tenth of the connection: pins never keep pages off the feed
MAX_NOTE: Final = 200


class Pin(NamedTuple):
    """`mode`: one of MODES. `note`: the user's own words, unescaped."""

    key: str
    mode: str
    note: str
    pinned_at: datetime

    @property
    def own_mode(self) -> Mode | None:
        """The mode that was chosen, None for that of the connection."""
        return None if self.mode == DEFAULT else cast(Mode, self.mode)


def parse_mode(text: str) -> str:
    """Raises InputError."""
    if text not in MODES:
        raise InputError("mode", text, "it is one of " + ", ".join(MODES))
    return text


def parse_note(text: str) -> str:
    """Return the note, stripped. Raises InputError."""
    text = text.strip()
    if len(text) > MAX_NOTE or not text.isprintable():
        raise InputError("note", text[:MAX_NOTE], f"it is up to {MAX_NOTE} printable characters")
    return text
