"""The universe of a screen that names none."""

from __future__ import annotations

from typing import Final

from ltp.db import universes
from ltp.db.engine import Engine
from ltp.errors import NotFoundError

# The largest of the exchange's lists that is known; every share only where none is.
IN_ORDER: Final = ("nifty500", "nifty200", "nifty100", "nifty50", universes.ALL)
OFF: Final = "off"  # as a setting: candles are fetched and screens evaluated on request only


def default(engine: Engine, setting: str = "") -> str:
    """Return the universe of the setting; where that is "" or "off", the largest list there is.

    Raises:
        NotFoundError: there is no such universe.
    """
    known = universes.fetch(engine)
    names = IN_ORDER if setting in {"", OFF} else (setting,)
    found = next((name for name in names if name in known), None)
    if found is None:
        raise NotFoundError("universe", names[0])
    return found
