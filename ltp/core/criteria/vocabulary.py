"""The names in a criterion: functions with their arguments, prices, and the values of text facts.

Pages list these tables, the parser accepts exactly their names and `screen.evaluate` computes them. The facts
are in `core.criteria.facts`.
"""

from __future__ import annotations

import difflib
from typing import Final, NamedTuple

from ltp.core.criteria.facts import FACT
from ltp.core.criteria.nodes import NodeKind

MAX_DAYS: Final = 400  # sessions; the loaded history of a share is longer


class Function(NamedTuple):
    """`numbers`: how many numbers it takes. `newest`: it also takes facts of the newest session. `least`: the
    smallest number of sessions as last argument, 0 if it takes none. `short`: rsi14 means rsi(close, 14).
    """

    name: str
    numbers: int
    least: int
    example: str
    meaning: str
    short: bool = False
    newest: bool = False
    gives: NodeKind = NodeKind.SERIES


FUNCTIONS: Final = {
    function.name: function
    for function in (
        Function("sma", 1, 2, "sma(volume, 20)", "Plain average over sessions", short=True),
        Function("ema", 1, 2, "ema(close, 50)", "Exponential average over sessions", short=True),
        Function("rsi", 1, 2, "rsi(close, 14)", "Relative strength index", short=True),
        Function("atr", 0, 2, "atr(14)", "Average true range", short=True),
        Function("adx", 0, 2, "adx(14)", "Average directional index", short=True),
        Function("max", 1, 2, "max(high, 20)", "Highest of the last sessions, the newest included"),
        Function("min", 1, 2, "min(low, 20)", "Lowest of the last sessions, the newest included"),
        Function("stddev", 1, 2, "stddev(close, 20)", "Standard deviation over sessions"),
        Function("ago", 1, 1, "ago(close, 5)", "The value that many sessions before"),
        Function("abs", 1, 0, "abs(gap_pct)", "Without its sign", newest=True),
        Function(
            "crosses_above",
            2,
            0,
            "crosses_above(close, ema50)",
            "Above now and not above the session before",
            gives=NodeKind.TRUTH,
        ),
        Function(
            "crosses_below",
            2,
            0,
            "crosses_below(rsi14, 50)",
            "Below now and not below the session before",
            gives=NodeKind.TRUTH,
        ),
        Function(
            "weekly",
            1,
            0,
            "weekly(rsi14)",
            "Of weekly candles; numbers of sessions are weeks",
            gives=NodeKind.NEWEST,
        ),
    )
}
SERIES: Final = {
    "open": "First price of a session",
    "high": "Highest price of a session",
    "low": "Lowest price of a session",
    "close": "Last price of a session",
    "volume": "Shares traded in a session",
}
_SIDES: Final = ("up", "down")
_TRENDS: Final = (*_SIDES, "sideways")
# The facts with text values, and their values.
FACT_WORDS: Final = {
    "trend": _TRENDS,
    "weekly_trend": _TRENDS,
    "supertrend_side": _SIDES,
    "weekly_supertrend_side": _SIDES,
}
WORDS: Final = frozenset(_TRENDS)


# The names of functions and facts in other charting programs.
OTHER_NAMES: Final = {
    "ltp": "close",
    "last": "close",
    "prev_close": "ago(close, 1)",
    "chg": "change_pct",
    "vol": "volume",
    "rvol": "relvol",
    "avg": "sma",
    "average": "sma",
    "mean": "sma",
    "ma": "sma",
    "highest": "max",
    "lowest": "min",
    "stdev": "stddev",
    "std": "stddev",
    "ref": "ago",
    "shift": "ago",
    "crossover": "crosses_above",
    "crossunder": "crosses_below",
}


def hint_for(name: str, *, call: bool = False) -> str:
    """Return a hint at a similar name, "" if there is none. `call`: only functions."""
    names = tuple(FUNCTIONS) if call else (*SERIES, *FACT, *FUNCTIONS)
    known = OTHER_NAMES.get(name, "")
    if known and not (call and known not in FUNCTIONS):
        return f"; did you mean {known}?"
    found = difflib.get_close_matches(name[:40], names, n=1, cutoff=0.7)
    return f"; did you mean {found[0]}?" if found else ""
