from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ltp.core.ticks.lag import Lag
from ltp.core.ticks.tick import Tick
from ltp.errors import FeedAuthError, FeedError, StoreError
from ltp.feed.status import FeedStatus
from ltp.worker.rest_quotes import RestQuotes

SATURDAY = 1_796_448_600  # 2026-12-05, a drill
A, B, MCX = "NSE_EQ:1", "NSE_EQ:2", "MCX_COMM:3"


class Fakes:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.requested: list[str] | StoreError = []
        self.wanted: list[str] = []
        self.open = {"NSE_EQ", "MCX_COMM"}
        self.status = FeedStatus()
        self.answer: Callable[[Sequence[str]], dict[str, Tick]] = lambda keys: {
            key: Tick(key, 1, rest=True) for key in keys
        }
        self.calls: list[list[str]] = []
        self.delivered: list[str] = []
        self.active = True
        market: Any = self
        self.quotes = RestQuotes(
            fetch=self.fetch,
            take_requested=lambda _now: self.take(),
            wanted=lambda: self.wanted,
            knows=lambda key: key != "NSE_EQ:666",
            status=lambda: self.status,
            deliver=lambda _keys, ticks: self.delivered.extend(tick.key for tick in ticks),
            usable=lambda tick: tick.ltt != SATURDAY,
            market=market,
            active=lambda: self.active,
            monotonic=lambda: self.now,
        )

    def is_open(self, segment: str) -> bool:
        return segment in self.open

    def take(self) -> list[str]:
        taken, self.requested = self.requested, []
        if isinstance(taken, StoreError):
            raise taken
        return taken

    def fetch(self, keys: Sequence[str]) -> dict[str, Tick]:
        self.calls.append(list(keys))
        return self.answer(keys)

    def run(self, seconds: float) -> list[list[str]]:
        """Step every 50 ms for so long; return the calls made."""
        self.calls.clear()
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.quotes.step()
        return list(self.calls)


def test_a_requested_key_is_fetched_at_once_if_the_master_knows_it() -> None:
    fakes = Fakes()
    fakes.requested = [A, "NSE_EQ:666"]
    assert fakes.run(0.05) == [[A]]
    assert fakes.delivered == [A]
    assert fakes.run(3) == []


def test_an_open_market_that_ticks_needs_no_rest() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.status = [A, B], FeedStatus("live", since_us=5, priced=frozenset({A, B}))
    assert fakes.run(10) == []


def test_a_key_that_has_not_ticked_for_five_seconds_is_fetched_once_a_connection() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.status = [A, B], FeedStatus("live", since_us=5, priced=frozenset({A}))
    assert fakes.run(4.5) == []
    assert fakes.run(3) == [[B]]
    assert fakes.run(20) == []
    fakes.status = FeedStatus("live", since_us=6, priced=frozenset())
    assert fakes.run(10) == [[A, B]]


def answers(*present: str) -> Callable[[Sequence[str]], dict[str, Tick]]:
    return lambda keys: {key: Tick(key, 1, rest=True) for key in keys if key in present}


def test_a_key_without_an_answer_is_fetched_again_later_each_time() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.status = [A, B], FeedStatus("live", since_us=5)
    fakes.answer = answers(A)
    assert fakes.run(12) == [[A, B], [B]]
    assert fakes.run(20) == [[B]]
    assert fakes.run(70) == [[B]]
    fakes.answer = answers(A, B)
    assert fakes.run(320) == [[B]]
    assert fakes.delivered == [A, B]
    assert fakes.run(600) == []


def test_a_requested_key_without_an_answer_is_not_fetched_at_each_call() -> None:
    fakes = Fakes()
    fakes.answer = answers(A)
    calls = []
    for _ in range(10):
        fakes.requested = [A, B]
        calls += fakes.run(0.5)
    assert [call for call in calls if B in call] == [[A, B]]
    fakes.run(1)
    fakes.requested = [B]
    assert fakes.run(0.5) == [[B]]


def test_a_shut_market_is_swept_again_for_keys_without_an_answer() -> None:
    fakes = Fakes()
    fakes.open, fakes.wanted, fakes.answer = set(), [A, B], answers(B)
    assert fakes.run(4) == [[A, B]]
    fakes.answer = answers(A)
    assert fakes.run(4) == [[A]]
    assert fakes.run(300) == []


def test_a_price_of_no_session_is_fetched_again_until_there_is_a_real_one() -> None:
    fakes = Fakes()
    fakes.open, fakes.wanted = set(), [A]
    fakes.answer = lambda keys: {key: Tick(key, 1, SATURDAY, rest=True) for key in keys}
    assert fakes.run(4) == [[A]]
    fakes.answer = lambda keys: {key: Tick(key, 1, SATURDAY - 86_400, rest=True) for key in keys}
    assert fakes.run(4) == [[A]]
    assert fakes.run(300) == []


def test_segments_in_doubt_are_fetched_once_a_minute() -> None:
    fakes = Fakes()
    seen = frozenset({A, B, MCX})
    fakes.wanted, fakes.status = (
        [A, B, MCX],
        FeedStatus("live", since_us=5, priced=seen, silent=("MCX_COMM",)),
    )
    assert fakes.run(30) == [[MCX]]
    fakes.status = fakes.status._replace(
        silent=(), lags={"NSE_EQ": Lag(150.0, 150.0, 2, 150), "MCX_COMM": Lag(0.5, 0.9, 1)}
    )
    assert fakes.run(50) == [[A, B]]
    assert fakes.run(20) == [[A, B]]
    fakes.status = fakes.status._replace(lags={})
    assert fakes.run(100) == []


def test_a_shut_market_is_swept_once_and_again_after_the_next_session() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.open = [A, B, MCX], {"MCX_COMM"}
    assert fakes.run(10) == [[A, B]]
    fakes.wanted.append("NSE_EQ:4")
    assert fakes.run(10) == [["NSE_EQ:4"]]
    fakes.open = {"NSE_EQ", "MCX_COMM"}
    assert fakes.run(10) == []
    fakes.open = {"MCX_COMM"}
    assert fakes.run(10) == [[A, B, "NSE_EQ:4"]]


def test_a_sweep_is_paced_and_gives_way_to_requested_keys() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.open = [f"NSE_EQ:{number}" for number in range(1_000, 3_500)], set()
    assert [len(call) for call in fakes.run(1.05)] == [1_000]
    fakes.requested = [A]
    assert fakes.run(0.05) == [[A]]
    assert [len(call) for call in fakes.run(5)] == [1_000, 500]


def test_a_failure_waits_longer_each_time_and_then_goes_on() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.open = [A], set()
    good, fakes.answer = fakes.answer, _failing(FeedError("no", 500))
    assert len(fakes.run(6)) == 2
    assert len(fakes.run(100)) <= 4
    fakes.answer = good
    assert fakes.run(61) == [[A]]
    assert fakes.delivered == [A]


def test_refused_credentials_and_a_named_pause_are_respected() -> None:
    fakes = Fakes()
    fakes.wanted, fakes.open, fakes.answer = [A], set(), _failing(FeedAuthError("no", 808))
    assert len(fakes.run(55)) == 1
    fakes = Fakes()
    fakes.wanted, fakes.open, fakes.answer = [A], set(), _failing(FeedError("no", 429, retry_after_s=90))
    assert len(fakes.run(80)) == 1


def test_redis_away_does_not_end_seeding() -> None:
    fakes = Fakes()
    fakes.requested, fakes.wanted, fakes.open = StoreError("away"), [A], set()
    assert fakes.run(2) == [[A]]


def test_a_worker_that_does_not_lead_makes_no_call() -> None:
    fakes = Fakes()
    fakes.active, fakes.requested, fakes.wanted, fakes.open = False, [A], [A], set()
    assert fakes.run(10) == []


def _failing(error: FeedError) -> Callable[[Sequence[str]], dict[str, Tick]]:
    def fail(keys: Sequence[str]) -> dict[str, Tick]:
        raise error

    return fail
