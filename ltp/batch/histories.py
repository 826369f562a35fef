"""Daily candles from SQL as arrays that a screen may compare: of one basis, adjusted for splits and bonuses.

The step between `db.candles` and `screen`. A history as traded is adjusted by the confirmed actions; one that
the broker restated needs none. Of a share that has both one is taken, never a mixture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.history.candle import day_number, prefers_adjusted
from ltp.core.history.corporate_action import Action
from ltp.db import candles, corporate_actions
from ltp.db.engine import Engine
from ltp.screen.actions import adjusted, doubts
from ltp.screen.history import History, from_packed

INDEX: Final = "IDX_I:13"  # NIFTY 50, which relative strength is measured against
# Three years of sessions: a year's comparison of averages that no longer depend on their first values.
DAYS: Final = 1_100
_CHUNK: Final = 400  # keys in one query; the records of all shares at once are 100 MB
_NOTHING: Final = from_packed(b"")


class LoadedHistory(NamedTuple):
    """`history`: empty without candles. `flags`: doubts about it, as sentences. `fault`: why it is not
    usable.
    """

    key: str
    history: History
    flags: tuple[str, ...] = ()
    fault: str = ""


def load(
    engine: Engine, keys: Sequence[str], as_of: date | None = None, days: int = DAYS
) -> Iterator[LoadedHistory]:
    """Yield the history of each key, in the order of `keys`.

    Args:
        as_of: the last day; None: to the end.
        days: calendar days before it.
    Raises:
        DatabaseError: after some histories too.
    """
    last = as_of or date.max
    # A day in the future has no candles yet: counted from it, the history would be too short.
    ends = [day for day in (as_of, candles.newest_day(engine)) if day]
    first = min(ends, default=date.today()) - timedelta(days=days)
    of_key: dict[str, list[Action]] = defaultdict(list)
    for action in corporate_actions.fetch(engine):
        of_key[action.key].append(action)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        raw, restated = (candles.fetch_packed(engine, basis, chunk, first, last) for basis in candles.BASES)
        for key in chunk:
            yield _loaded(key, raw.get(key, b""), restated.get(key, b""), of_key.get(key, ()))


def load_index(engine: Engine, as_of: date | None = None, days: int = DAYS) -> LoadedHistory:
    """Return NIFTY's history."""
    [loaded] = load(engine, [INDEX], as_of, days)
    return loaded


def usual_end(engine: Engine, keys: Collection[str], as_of: date | None = None) -> date:
    """Return the day on which the candles of most keys end, up to `as_of`: of two the later, `date.min`
    without candles.
    """
    until = as_of or date.max
    of_bases = [candles.last_days(engine, basis) for basis in candles.BASES]
    ends = Counter(min(ended[key], until) for ended in of_bases for key in ended.keys() & set(keys))
    return max(ends, key=lambda day: (ends[day], day), default=date.min)


def _loaded(key: str, raw: bytes, restated: bytes, known: Sequence[Action]) -> LoadedHistory:
    as_traded = not prefers_adjusted(raw, restated)
    try:
        history = from_packed(raw if as_traded else restated)
    except ValueError as error:
        return LoadedHistory(key, _NOTHING, fault=f"damaged candles: {error}")
    if not as_traded:
        return LoadedHistory(key, history)
    # An action after the last candle, today or at the time that is looked back at, has changed no price yet.
    past = [action for action in known if day_number(action.ex_day) <= history.days[-1]]
    return LoadedHistory(key, adjusted(history, past), doubts(history, past))
