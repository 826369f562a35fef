"""One run of both strategies, timed: `python -m bench.screen_run ADDRESS`. Prints figures as JSON.

The time of a step is taken around it; the clock's own cost is a thousandth of the whole.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from ltp.batch import evaluation, histories
from ltp.core.criteria.spec import Spec, from_params, kind_of
from ltp.core.sizing import Sizing
from ltp.db import runs
from ltp.db.engine import open_engine
from ltp.screen.study import Study

_SIZING = Sizing(1_000_000, 10_000)
_CUSTOM = from_params(
    [
        ("c", "rsi14 > 60"),
        ("c", "close > ema50"),
        ("c", "volume > 2 * sma(volume, 20)"),
        ("c", "pct_from_high52 < 5"),
        ("universe", "all"),
    ]
)
_spent: Counter[str] = Counter()


def main() -> None:
    engine = open_engine(sys.argv[1])
    histories.load = _stepped("read_s", histories.load)
    runs.insert_run = _timed("store_s", runs.insert_run)
    facts = _timed("facts_s", Study.facts.func)  # type: ignore[attr-defined]
    Study.facts = cached_property(facts)  # type: ignore[assignment]
    Study.facts.__set_name__(Study, "facts")  # type: ignore[attr-defined]
    both = _seconds(
        lambda: evaluation.evaluate(engine, ("swing", "longterm"), Spec(universe="all"), sizing=_SIZING)
    )
    figures = {"both_s": both, **_spent, "judge_s": both - sum(_spent.values())}
    figures["custom_s"] = _seconds(
        lambda: evaluation.evaluate(engine, (kind_of(_CUSTOM),), _CUSTOM, sizing=_SIZING)
    )
    print(json.dumps(figures))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            _spent[name] += time.perf_counter() - began  # type: ignore[assignment]

    return call


def _stepped(name: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def call(*given: Any, **named: Any) -> Iterator[Any]:
        step = _timed(name, function(*given, **named).__next__)
        while True:
            try:
                found = step()
            except StopIteration:
                return
            yield found

    return call


if __name__ == "__main__":
    main()
