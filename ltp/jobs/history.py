"""Daily candles from SQL to arrays that a screen may compare: of one basis, adjusted for splits and bonuses.

The step between `db.candles` and `screen`. Histories as traded are adjusted by the actions somebody confirmed; those the broker
restated need none; a share has both, and one is taken, never a mixture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.candle import RECORD, day_number
from ltp.core.corporate_action import Action
from ltp.db import actions, candles
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.screen.actions import adjusted, doubts
from ltp.screen.history import History, from_packed

INDEX: Final = "IDX_I:13"  # NIFTY 50, which relative strength is measured against
DAYS: Final = 1_100  # three years of sessions: a year's comparison on averages that have forgotten how they began
_CHUNK: Final = 400  # named in one query; the records of all shares at once are 100 MB
_BEHIND_D: Final = 7  # an old import that ends weeks before the other basis is out of use, however long it is


class Loaded(NamedTuple):
    """`history` is empty where there are no candles. `flags`: doubts about it, as sentences."""

    key: str
    history: History
    flags: tuple[str, ...]


def load(engine: Engine, keys: Sequence[str], as_of: date | None = None, days: int = DAYS) -> Iterator[Loaded]:
    """Give the history of each key in the order of `keys`, up to and including `as_of` (None: to the end).

    Raises:
        DatabaseError: in the midst of it too; the candles of a share are damaged.
    """
    last = as_of or date.max
    # A day to come has no candles yet: counted from it, the history would be the shorter for it.
    ends = [day for day in (as_of, candles.newest_day(engine)) if day]
    first = min(ends, default=date.today()) - timedelta(days=days)
    of_key: dict[str, list[Action]] = defaultdict(list)
    for action in actions.fetch(engine):
        of_key[action.key].append(action)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        raw, restated = (candles.fetch_packed(engine, basis, chunk, first, last) for basis in candles.BASES)
        for key in chunk:
            yield _loaded(key, raw.get(key, b""), restated.get(key, b""), of_key.get(key, ()))


def load_index(engine: Engine, as_of: date | None = None, days: int = DAYS) -> History | None:
    """Return NIFTY's history, None while there is none."""
    [loaded] = load(engine, [INDEX], as_of, days)
    return loaded.history if loaded.history.days.size else None


def usual_end(engine: Engine, keys: Collection[str], as_of: date | None = None) -> date:
    """Return the day up to `as_of` that the candles of most keys end on, the later of two; `date.min` where there are none."""
    until = as_of or date.max
    of_bases = [candles.last_days(engine, basis) for basis in candles.BASES]
    ends = Counter(min(ended[key], until) for ended in of_bases for key in ended.keys() & set(keys))
    return max(ends, key=lambda day: (ends[day], day), default=date.min)


def _loaded(key: str, raw: bytes, restated: bytes, known: Sequence[Action]) -> Loaded:
    if not raw or _better(restated, raw):
        return Loaded(key, _unpacked(key, restated), ())
    history = _unpacked(key, raw)
    # What lies ahead, or lay ahead at the time that is looked back at, has not changed any price yet.
    past = [action for action in known if day_number(action.ex_day) <= history.days[-1]]
    return Loaded(key, adjusted(history, past), doubts(history, past))


def _unpacked(key: str, packed: bytes) -> History:
    try:
        return from_packed(packed)
    except ValueError as error:
        raise DatabaseError(f"The candles of {key} in the database are damaged ({error}); import or fetch them again") from None


def _better(restated: bytes, raw: bytes) -> bool:
    """Tell whether the broker's history is to be taken: the longer one, unless it ended long before the other; raw in doubt."""
    if not restated:
        return False
    behind = _last_day(raw) - _last_day(restated)
    return behind < -_BEHIND_D or (behind <= _BEHIND_D and len(restated) > len(raw))


def _last_day(packed: bytes) -> int:
    return int.from_bytes(packed[-RECORD.size :][:4], "little", signed=True)
