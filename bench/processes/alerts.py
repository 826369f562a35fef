"""`python -m bench.processes.alerts SECONDS`: 10,000 rules over 5,000 instruments, and 1,000 rules on one of them.

Prints, as JSON, microseconds of processor time a tick on the feed's thread: with rules that are one level, with rules
of several parts, and with 1,000 levels on one instrument alone, five paise apart, so that each of its prices meets one.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from bench.bars import INSTRUMENTS, OPEN, one_tick, reads_of
from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.rule import Rule, parse_rule
from ltp.core.alerts.watch import Watch
from ltp.core.ticks.tick import TickFields
from ltp.worker.alerts.turn_lock import TurnLock

_RULES: Final = 10_000
_ON_ONE: Final = 1_000
_RUPEES: Final = 100


def _book(watches: Sequence[Watch]) -> RuleBook:
    book = RuleBook(Counter(), phase=lambda _segment, _minute: "continuous", lock=TurnLock())
    book.replace(watches)
    book.connected((OPEN - 60) * 1_000_000)
    book.take([one_tick(number, OPEN - 1, _RUPEES * 10_000, 1_000) for number in range(INSTRUMENTS)])
    return book


def _watches(count: int, rule: Callable[[Random], Rule], keys: int) -> list[Watch]:
    random = Random(3)
    return [Watch(number + 1, 1, f"NSE_EQ:{number % keys + 1}", rule(random), {}) for number in range(count)]


def _level(random: Random) -> Rule:
    sign = random.choice((">", "<"))
    return parse_rule(f"ltp {sign} {_RUPEES * random.uniform(0.98, 1.02):.2f}")


def _general(random: Random) -> Rule:
    return parse_rule(
        f"ltp > day_low * {random.uniform(2, 3):.2f} and day_volume > {random.randrange(10**6)}"
    )


def _grid() -> list[Watch]:
    rules = (parse_rule(f"ltp > {_RUPEES + (number - _ON_ONE // 2) * 0.05:.2f}") for number in range(_ON_ONE))
    return [Watch(number + 1, 1, "NSE_EQ:1", rule, {}) for number, rule in enumerate(rules)]


def _measured(book: RuleBook, reads: Sequence[list[TickFields]]) -> tuple[float, int]:
    """Return microseconds a tick, and the number of hits."""
    hits = 0
    began_s = time.process_time()
    for ticks in reads:
        hits += len(book.take(ticks))
    return (time.process_time() - began_s) / sum(map(len, reads)) * 1e6, hits


def main(seconds: float) -> None:
    reads = list(reads_of(min(59.0, 20 * seconds)))
    level_us, level_hits = _measured(_book(_watches(_RULES, _level, INSTRUMENTS)), reads)
    general_us, _ = _measured(_book(_watches(_RULES, _general, INSTRUMENTS)), reads)
    one_us, one_hits = _measured(_book(_grid()), reads)
    print(
        json.dumps(
            {
                "level_us": level_us,
                "general_us": general_us,
                "one_us": one_us,
                "hits": level_hits + one_hits,
            }
        )
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
