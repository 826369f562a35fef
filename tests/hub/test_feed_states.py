"""Feed states by connection: alone, and through a board that holds prices of two connections."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.board import Board
from ltp.hub.feed_states import FeedStates

NOW_S = 2_000_000_000.0
NOW = int(NOW_S * 1e6)
A, B = "NSE_EQ:1", "NSE_EQ:2"
OPEN = {"NSE_EQ": "continuous"}


def batch(connection: str = "0", *ticks: Tick, **more: Any) -> Batch:
    header = {
        "epoch": "e",
        "seq": 1,
        "at": NOW,
        "feed": "live",
        "since": 1,
        "source": "simulator",
        "phase": OPEN,
    }
    return Batch(**header | more, ticks=list(ticks), connection=connection)


class Clock:
    s = 50.0


class Two:
    """One board, two connections that each carry one instrument; both are shown."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.board = Board(lambda: NOW_S + self.clock.s - 50, lambda: self.clock.s)
        self.apply("0", tick(A))
        self.apply("1", tick(B), since=NOW - 5)

    def apply(self, connection: str, *ticks: Tick, **more: Any) -> list[str]:
        return self.board.apply(batch(connection, *ticks, **more), {A, B})

    def states(self) -> list[str]:
        self.board.refresh([A, B])
        return [quote.state for quote in self.board.quotes([A, B])]

    def vouched(self, *keys: str) -> int | None:
        found = self.board.vouched(keys)
        return found and found.covered


def tick(key: str, ltp: int = 100, received_at: int = NOW) -> Tick:
    return Tick(key, ltp, received_at=received_at, traded_at=received_at, session="2033-05-18")


@pytest.fixture
def two() -> Two:
    return Two()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feeds(clock: Clock) -> FeedStates:
    return FeedStates(lambda: NOW_S, lambda: clock.s)


@pytest.mark.parametrize(
    "change",
    [{"feed": "down"}, {"feed": "silent"}, {"since": NOW + 1}, {"since": 0}, {"doubts": {"NSE_EQ": ""}}],
)
def test_a_batch_changes_the_states_of_its_own_connection_alone(two: Two, change: dict[str, Any]) -> None:
    assert two.states() == ["live", "live"]
    assert two.apply("1", **{"since": NOW - 5} | change) == [B]
    assert two.states() == ["live", "stale"]
    assert two.apply("0", **change) == [A]
    assert two.states() == ["stale", "stale"]


def test_a_reconnect_of_one_covers_again_what_it_sends_and_nothing_of_the_other(two: Two) -> None:
    two.apply("1", since=NOW + 10)
    assert two.states() == ["live", "stale"]
    two.apply("0", tick(A, 101, NOW + 1))
    assert two.states() == ["live", "stale"]
    two.apply("1", tick(B, 101, NOW + 11), since=NOW + 10)
    assert two.states() == ["live", "live"]


def test_a_connection_without_batches_dies_alone(two: Two) -> None:
    two.clock.s += 8.5
    two.apply("0")
    assert two.states() == ["live", "stale"]
    assert (two.board.link_age_s, two.board.feed) == (0.0, "down")
    assert two.apply("1", since=NOW - 5) == [B]
    assert two.states() == ["live", "live"]
    assert two.board.feed == "live"


def test_an_instrument_that_moves_follows_its_new_connection(two: Two) -> None:
    two.apply("1", tick(A, 101, NOW + 1), since=NOW - 5)
    two.apply("0", feed="down")
    assert two.states() == ["live", "live"]
    two.apply("1", feed="down", since=NOW - 5)
    assert two.states() == ["stale", "stale"]


def test_a_phase_is_of_all_connections(two: Two) -> None:
    two.apply("1", since=NOW - 5, phase={"NSE_EQ": "closed"})
    assert two.states() == ["closed", "closed"]


def test_a_price_from_the_cache_is_of_the_connection_that_it_names(two: Two) -> None:
    other = "NSE_EQ:3"
    two.apply("1", feed="down", since=NOW - 5)
    two.board.load([CachedTick(key, tick(key), True, "1") for key in (A, other)])
    assert [two.board.get(key).state for key in (A, other)] == ["stale", "stale"]
    two.apply("1", since=NOW - 5)
    assert two.board.refresh([A, other]) == [other]
    assert [two.board.get(key).state for key in (A, other)] == ["live", "live"]
    two.board.load([CachedTick(other, tick(other), True, "never published")])
    assert two.board.get(other).state == "stale"


def test_an_older_price_in_the_cache_does_not_name_the_connection(two: Two) -> None:
    two.board.load([CachedTick(A, tick(A, 99, NOW - 1), True, "never published")])
    assert two.states() == ["live", "live"]


def test_deferred_ticks_are_taken_in_by_the_state_of_their_own_connection(two: Two) -> None:
    whole = {"ltt": 5, "volume": 1, "open": 1, "high": 1, "low": 1, "prev_close": 1}
    for n in (1, 2):
        for connection, key, since in (("0", A, 1), ("1", B, NOW + 5)):
            deferred = tick(key, 100 + n, NOW + n)._replace(**whole)
            two.board.apply(batch(connection, deferred, since=since), ())
    assert [(quote.tick and quote.tick.ltp, quote.state) for quote in two.board.quotes([A, B])] == [
        (102, "live"),
        (102, "stale"),
    ]


def test_the_board_answers_for_live_connections_while_another_is_down(two: Two) -> None:
    assert (two.vouched(A), two.vouched(A, B)) == (1, 2)
    two.apply("1", feed="down", since=NOW - 5)
    assert two.board.stamp
    assert (two.vouched(A), two.vouched(B), two.vouched(A, B)) == (1, None, None)


def test_a_late_connection_is_waited_for_until_it_counts_as_dead(two: Two) -> None:
    for passed_s, vouched in ((3.5, None), (5.0, 1)):
        two.clock.s += passed_s
        two.apply("0")
        assert (two.vouched(A), bool(two.board.stamp)) == (vouched, bool(vouched))
    assert two.vouched(B) is None


def test_quotes_of_two_connections_keep_the_order_asked_for_and_count_together(two: Two) -> None:
    two.apply("1", tick("NSE_EQ:3"), since=NOW + 5)
    vouched = two.board.vouched([B, A, "NSE_EQ:3"])
    assert vouched is not None
    assert [quote.key for quote in vouched.quotes] == [B, A, "NSE_EQ:3"]
    assert (vouched.covered, vouched.outdated) == (1, [])
    assert two.board.vouched([A, "NSE_EQ:4"]) is None


@pytest.mark.parametrize("connections", [("0",), ("0", "1")])
def test_a_board_that_grows_too_old_during_a_call_does_not_answer(connections: tuple[str, ...]) -> None:
    instants = [50.0]
    board = Board(lambda: NOW_S, lambda: instants.pop(0) if len(instants) > 1 else instants[0])
    for connection in connections:
        board.apply(batch(connection, tick(A)), {A})
    assert board.vouched([A])
    instants[:] = [52.9, 53.1]
    assert board.vouched([A]) is None
    assert instants == [53.1]


def test_a_batch_reports_what_it_turned(feeds: FeedStates) -> None:
    assert feeds.apply(batch("0"), 50.0) == (True, True)
    assert feeds.of("0").linked
    assert feeds.apply(batch("0"), 50.0) == (False, False)
    assert feeds.apply(batch("0", doubts={"NSE_EQ": ""}), 50.0) == (True, False)
    assert feeds.apply(batch("1", since=2), 50.0) == (True, True)
    assert feeds.all() == {
        "0": FeedState(NOW_S, True, "live", 1, frozenset(), {"NSE_EQ": ""}),
        "1": FeedState(NOW_S, True, "live", 2),
    }
    assert feeds.all()["2"] == feeds.of("2") == FeedState(NOW_S)


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ((), "down"),
        (("off", "off"), "off"),
        (("off", "live"), "live"),
        (("live", "silent"), "silent"),
        (("silent", "down", "live"), "down"),
    ],
)
def test_the_feed_as_a_whole_is_as_bad_as_its_worst_connection(
    feeds: FeedStates, states: tuple[str, ...], worst: str
) -> None:
    for name, feed in enumerate(states):
        feeds.apply(batch(str(name), feed=feed), 50.0)
    assert feeds.feed == worst


def test_doubts_of_all_connections_are_shown_together(feeds: FeedStates) -> None:
    feeds.apply(batch("0", doubts={"NSE_EQ": "", "IDX_I": "delayed by 1 min"}), 50.0)
    feeds.apply(batch("1", doubts={"NSE_EQ": "delayed by 2 min", "IDX_I": ""}), 50.0)
    assert feeds.doubts == {"NSE_EQ": "delayed by 2 min", "IDX_I": "delayed by 1 min"}


def test_a_connection_that_ended_is_forgotten_with_the_next_batch_of_another(
    feeds: FeedStates, clock: Clock
) -> None:
    feeds.apply(batch("0"), 50.0)
    feeds.apply(batch("1"), 50.0)
    clock.s += 601.0
    assert feeds.feed == "down"
    feeds.apply(batch("1"), clock.s)
    assert (list(feeds.all()), feeds.feed) == (["1"], "live")
    clock.s += 601.0  # the only one is kept: its segments and phases are the last known
    assert list(feeds.all()) == ["1"]


def test_any_number_of_names_takes_a_bounded_place(feeds: FeedStates) -> None:
    for name in range(100):
        feeds.apply(batch(str(name)), 50.0 + name / 1_000)
    assert list(feeds.all()) == [str(name) for name in range(84, 100)]
