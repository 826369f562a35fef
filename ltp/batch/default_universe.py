"""Which universe a screen searches that names none."""

from __future__ import annotations

from typing import Final

from ltp.db import universes
from ltp.db.engine import Engine
from ltp.errors import NotFoundError

# The largest list of the exchange there is, before every share.
IN_ORDER: Final = ("nifty500", "nifty200", "nifty100", "nifty50", universes.ALL)
OFF: Final = "off"  # as a setting: nothing is fetched or evaluated unless somebody asks


def default(engine: Engine, wanted: str = "") -> str:
    """Return the universe that a screen without one of its own searches: the one that is set, else the
    largest list there is.

    Raises:
        NotFoundError: it is not there.
    """
    known = universes.fetch(engine)
    names = IN_ORDER if wanted in {"", OFF} else (wanted,)
    found = next((name for name in names if name in known), None)
    if found is None:
        raise NotFoundError("universe", names[0])
    return found
