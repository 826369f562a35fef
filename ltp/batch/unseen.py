"""What the candles of one share cannot tell, for an operator who looks at that share alone."""

from __future__ import annotations

from ltp.batch.stored_histories import histories, market_moves, shares
from ltp.db import corporate_actions
from ltp.db.engine import Engine
from ltp.screen.open_falls import Fall, falls


def unseen(engine: Engine, key: str) -> list[Fall]:
    """Return the falls of a share that a small bonus or a demerger may have made, but for those around known
    actions.
    """
    history = dict(histories(engine, [key])).get(key)
    if history is None:
        return []
    return falls(
        history,
        [each.ex_day for each in corporate_actions.fetch(engine, key)],
        market_moves(engine, shares(engine)),
    )
