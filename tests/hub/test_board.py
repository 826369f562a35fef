"""The board: versions, directions, states, cache reads that race with batches, continuity, kept changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.board import CAPACITY, Board
from ltp.hub.changes import Changes

KEY = "NSE_EQ:1"
NOW_S = 2_000_000_000.0
NOW = int(NOW_S * 1e6)


class Clocks:
    def __init__(self) -> None:
        self.passed_s = 0.0
        self.board = Board(lambda: NOW_S + self.passed_s, lambda: 50.0 + self.passed_s)

    def apply(self, *ticks: Tick, shown: tuple[str, ...] = (KEY,), **more: Any) -> list[str]:
        header = {"epoch": "e", "seq": 1, "at": NOW, "feed": "live", "since": 1, "source": "simulator"}
        return self.board.apply(
            Batch(**(header | {"phase": {"NSE_EQ": "continuous"}} | more), ticks=list(ticks)), shown
        )

    def get(self) -> Quote:
        return self.board.get(KEY)


def tick(ltp: int | None = 100, received_at: int = NOW, key: str = KEY, **more: Any) -> Tick:
    return Tick(
        key, ltp, **({"received_at": received_at, "traded_at": received_at, "session": "2033-05-18"} | more)
    )


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_price_moves_up_then_down_then_only_its_volume_changes(clocks: Clocks) -> None:
    seen = []
    for ltp, volume in ((100, 1), (105, 2), (103, 3), (103, 4)):
        assert clocks.apply(tick(ltp, volume=volume)) == [KEY]
        seen.append((clocks.get().direction, clocks.get().moved, clocks.get().version))
    assert seen == [(0, False, 1), (1, True, 2), (-1, True, 3), (-1, False, 4)]


def test_a_tick_that_repeats_what_is_known_changes_no_version_but_renews_the_trade_time(
    clocks: Clocks,
) -> None:
    clocks.apply(tick(100))
    assert clocks.apply(tick(100, NOW + 5)) == []
    assert clocks.get().version == 1
    assert clocks.get().tick == tick(100, NOW + 5)


def test_fields_a_tick_does_not_mention_are_carried_over_within_a_session_only(clocks: Clocks) -> None:
    clocks.apply(tick(100, volume=7, prev_close=90))
    clocks.apply(tick(None, NOW + 1, prev_close=91))
    assert clocks.get().tick == tick(100, NOW + 1, volume=7, prev_close=91)
    clocks.apply(tick(101, NOW + 2, session="2033-05-19"))
    assert clocks.get().tick == tick(101, NOW + 2, session="2033-05-19")


def test_a_price_turns_quiet_after_a_minute_without_trade(clocks: Clocks) -> None:
    clocks.apply(tick())
    assert clocks.get().state == "live"
    clocks.passed_s = 61
    clocks.apply(shown=())
    assert clocks.board.refresh([KEY]) == [KEY]
    assert (clocks.get().state, clocks.get().moved) == ("quiet", False)
    assert clocks.board.refresh([KEY]) == []


def test_without_a_word_from_the_worker_everything_is_stale_and_recovers_with_the_next(
    clocks: Clocks,
) -> None:
    clocks.apply(tick())
    clocks.passed_s = 8.5
    assert clocks.board.feed == "down"
    assert clocks.board.refresh([KEY]) == [KEY]
    assert clocks.get().state == "stale"
    assert clocks.apply() == [KEY]
    assert clocks.get().state == "live"


def test_a_closed_market_is_no_longer_closed_for_certain_when_the_worker_is_gone(clocks: Clocks) -> None:
    clocks.apply(tick(), phase={"NSE_EQ": "closed"})
    assert clocks.get().state == "closed"
    clocks.passed_s = 9
    clocks.board.refresh([KEY])
    assert clocks.get().state == "stale"


@pytest.mark.parametrize(
    ("header", "state"), [({"feed": "silent"}, "stale"), ({"phase": {"NSE_EQ": "closed"}}, "closed")]
)
def test_a_turn_of_feed_or_phase_turns_what_is_shown_at_once(
    clocks: Clocks, header: dict[str, Any], state: str
) -> None:
    clocks.apply(tick())
    assert clocks.apply(**header) == [KEY]
    assert clocks.get().state == state


def test_a_new_connection_covers_only_what_the_broker_has_spoken_of_on_it(clocks: Clocks) -> None:
    clocks.apply(tick(received_at=NOW - 10))
    assert clocks.apply(since=NOW - 5) == [KEY]
    assert clocks.get().state == "stale"
    clocks.apply(tick(received_at=NOW - 1), since=NOW - 5)
    assert clocks.get().state == "live"


def test_a_cache_read_that_was_overtaken_changes_no_price(clocks: Clocks) -> None:
    clocks.apply(tick(105, NOW))
    assert clocks.board.load([CachedTick(KEY, tick(100, NOW - 1), True)]) == []
    assert clocks.get().tick == tick(105, NOW)


def test_batches_queued_before_a_cache_read_do_not_take_the_price_back(clocks: Clocks) -> None:
    clocks.board.load([CachedTick(KEY, tick(105, NOW), True)])
    clocks.apply(tick(100, NOW - 1))
    assert clocks.get().tick == tick(105, NOW)
    clocks.apply(tick(106, NOW + 1))
    clocks.apply(tick(107, NOW))  # the worker's clock was set back: batches alone are in order
    assert clocks.get().tick is not None
    assert clocks.get().tick.ltp == 107


def test_what_a_cache_read_changed_carries_the_instant_of_the_newest_batch(clocks: Clocks) -> None:
    clocks.apply(at=777)
    clocks.board.load([CachedTick(KEY, tick(), True)])
    assert clocks.get().at == 777


def test_a_key_nobody_has_seen_is_unknown(clocks: Clocks) -> None:
    clocks.board.load([CachedTick(KEY, None, False)])
    assert clocks.get() == Quote(KEY, None, "unknown")
    assert clocks.board.get("NSE_EQ:2") == Quote("NSE_EQ:2", None, "unknown")


@pytest.mark.parametrize(
    ("id_", "can"),
    [
        (NOW + 999_999, False),  # less than the slack after the first batch
        (NOW + 1_000_000, True),
        (NOW + 5_000_000, True),
        (NOW + 6_000_001, False),  # never handed out by anybody
        (0, False),
    ],
)
def test_a_browser_resumes_only_within_what_the_board_has_followed(
    clocks: Clocks, id_: int, can: bool
) -> None:
    clocks.apply(at=NOW)
    clocks.apply(at=NOW + 5_000_000)
    assert clocks.board.can_resume(id_) is can


def test_after_a_gap_nobody_resumes_until_a_second_of_batches_has_been_followed(clocks: Clocks) -> None:
    clocks.apply(at=NOW)
    clocks.board.gap()
    assert not clocks.board.can_resume(NOW + 1_000_000)
    clocks.apply(at=NOW + 9_000_000)
    assert not clocks.board.can_resume(NOW + 9_500_000)
    assert clocks.board.can_resume(NOW + 10_000_000)


def test_the_instant_never_goes_back(clocks: Clocks) -> None:
    clocks.apply(at=NOW)
    clocks.apply(at=NOW - 7)
    assert clocks.board.at == NOW


def test_over_capacity_what_was_longest_not_spoken_of_goes_but_nothing_shown(clocks: Clocks) -> None:
    clocks.apply(*(tick(key=f"NSE_EQ:{id_}") for id_ in range(1, CAPACITY + 1)))
    clocks.passed_s = 1
    clocks.apply(tick(key="NSE_EQ:9001"), tick(key="NSE_EQ:9002"))
    clocks.board.trim({KEY})
    assert len(clocks.board) == CAPACITY
    assert clocks.get().tick is not None
    assert clocks.board.get("NSE_EQ:9002").tick is not None


def test_what_a_gap_left_unread_is_forgotten(clocks: Clocks) -> None:
    clocks.apply(tick(), tick(key="NSE_EQ:2"), tick(key="NSE_EQ:3"))
    clocks.passed_s = 1
    clocks.board.load([CachedTick("NSE_EQ:2", tick(key="NSE_EQ:2"), True)])
    clocks.board.drop_unconfirmed(51.0, keep={"NSE_EQ:3"})
    held: Callable[[str], Any] = lambda key: clocks.board.get(key).tick  # noqa: E731
    assert (held(KEY), held("NSE_EQ:2") is None, held("NSE_EQ:3") is None) == (None, False, False)


def test_the_last_word_of_the_broker_is_remembered_and_rest_is_not_one(clocks: Clocks) -> None:
    clocks.apply(tick(received_at=NOW - 3))
    clocks.apply(tick(received_at=NOW, rest=True))
    assert clocks.board.last_tick_at == NOW - 3


def test_a_key_that_means_another_instrument_begins_anew(clocks: Clocks) -> None:
    clocks.apply(tick(100, volume=7))
    before = clocks.get().version
    assert clocks.apply(reassigned={KEY: NOW + 1}) == [KEY]
    assert clocks.get() == Quote(KEY, None, "unknown", version=before + 1, at=NOW)
    assert clocks.apply(tick(55, NOW + 2), reassigned={KEY: NOW + 1}) == [KEY]
    assert (clocks.get().tick, clocks.get().direction) == (tick(55, NOW + 2), 0)
    assert clocks.apply(reassigned={KEY: NOW + 1}) == []


def test_what_was_put_off_of_the_former_instrument_goes_too(clocks: Clocks) -> None:
    whole = {"volume": 1, "open": 1, "high": 1, "low": 1, "prev_close": 1, "ltt": 1}
    for n in range(3):
        clocks.apply(tick(100 + n, NOW + n, **whole), shown=())
    clocks.apply(reassigned={KEY: NOW + 10}, shown=())
    assert clocks.get().tick is None


def test_a_doubted_segment_is_stale_while_the_feed_is_live(clocks: Clocks) -> None:
    clocks.apply(tick(100))
    assert clocks.get().state == "live"
    assert clocks.apply(doubts={"NSE_EQ": "delayed by 2 min 30 s"}) == [KEY]
    assert (clocks.get().state, clocks.get().doubt) == ("stale", "delayed by 2 min 30 s")
    assert clocks.apply(tick(101), doubts={"NSE_EQ": "delayed by 2 min 35 s"}) == [KEY]
    assert (clocks.get().state, clocks.get().doubt) == ("stale", "delayed by 2 min 35 s")
    assert clocks.apply(tick(102), doubts={}) == [KEY]
    assert (clocks.get().state, clocks.get().doubt) == ("live", "")


def test_nobody_vouches_for_a_doubted_segment(clocks: Clocks) -> None:
    clocks.apply(tick(100))
    clocks.apply(doubts={"NSE_EQ": ""})
    vouched = clocks.board.vouched([KEY])
    assert vouched is not None
    assert (vouched.covered, vouched.outdated, vouched.quotes[0].state) == (0, [], "stale")


@pytest.mark.parametrize(
    "more", [{"feed": "down"}, {"phase": {"NSE_EQ": "closed"}}, {"doubts": {"MCX_COMM": "delayed by 1 min"}}]
)
def test_a_doubt_says_nothing_of_other_segments_closed_ones_and_a_dead_feed(
    clocks: Clocks, more: dict[str, Any]
) -> None:
    clocks.apply(tick(100), **({"doubts": {"NSE_EQ": "delayed by 1 min"}} | more))
    assert clocks.get().doubt == ""


def test_a_read_that_no_batch_can_have_overtaken_counts_whatever_its_instants_say(clocks: Clocks) -> None:
    """The worker's clock was set back: what it writes now looks older than what is held."""
    clocks.apply(tick(100))
    back = NOW - 19_800_000_000
    clocks.board.gap()
    assert clocks.board.load([CachedTick(KEY, tick(105, back), True)], newest=True) == [KEY]
    clocks.apply(tick(106, back + 5), since=back - 5)
    assert (clocks.get().tick, clocks.board.last_tick_at) == (tick(106, back + 5), back + 5)


def test_everything_after_a_version_and_nothing_up_to_it() -> None:
    changes = Changes()
    changes.note(2, ["a", "b"])
    changes.note(3, ["a"])
    changes.note(5, ["c", "d"])
    assert [changes.since(version) for version in (0, 2, 3, 5)] == [
        {"a", "b", "c", "d"},
        {"a", "c", "d"},
        {"c", "d"},
        set(),
    ]


def test_what_comes_later_is_in_the_next_answer_to_the_same_question() -> None:
    changes = Changes()
    changes.note(1, ["a"])
    assert changes.since(1) == set()
    changes.note(2, ["b"])
    assert changes.since(1) == {"b"}


def test_what_is_longer_ago_than_is_kept_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.hub.changes._KEPT", 2)
    changes = Changes()
    for version, key in enumerate("abcd", start=1):
        changes.note(version, [key])
    assert changes.since(1) is None
    assert changes.since(2) == {"c", "d"}
