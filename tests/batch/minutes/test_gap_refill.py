"""A disconnect at noon, the worker's bars around it, and the broker's in the gap."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Final

import pytest
from sqlalchemy import Engine

from ltp.batch.minutes import gap_refill
from ltp.batch.minutes.broker_bars import Fetched
from ltp.batch.minutes.gap_refill import Wanted
from ltp.core.bars.bar import BROKER, LIVE, PARTIAL, Bar
from ltp.core.bars.builder import BarBuilder
from ltp.core.bars.coverage import Span
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST, day_start
from ltp.db import instruments, minute_bars
from ltp.db.bars import bar_audits, coverage
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine
from ltp.errors import FeedError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
DAY = date(2026, 11, 23)
MIDNIGHT = day_start(DAY)
END = MIDNIGHT + 86_400
NOON = MIDNIGHT + 12 * 3_600
RUN: Final = 1
CALENDAR = Calendar.load()
EARLY = MIDNIGHT + 8 * 3_600  # before the pre-open


def at(seconds: int) -> datetime:
    """After noon."""
    return datetime.fromtimestamp(NOON + seconds, IST)


def bar(minute: int, **values: int) -> Bar:
    """A bar so many minutes after noon."""
    return Bar(NOON + minute * 60, 100_0000, 101_0000, 99_0000, 100_5000, 7)._replace(**values)


class Broker:
    def __init__(self) -> None:
        self.bars = [bar(minute, volume=70, sources=BROKER) for minute in range(-30, 30)]
        self.calls: list[str] = []
        self.error: FeedError | None = None

    def intraday(self, instrument: Instrument, first: date, last: date) -> list[Bar]:
        assert first == last == DAY
        self.calls.append(instrument.key)
        if self.error is not None:
            raise self.error
        return self.bars


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = open_engine(database_url)
    instruments.seed(
        engine,
        [
            Instrument("NSE_EQ", 1333, "HDFCBANK", "", "", 1, 5),
            Instrument("NSE_EQ", 11536, "TCS", "", "", 1, 5),
        ],
    )
    return engine


def covered(engine: Engine, *spans: tuple[int, int], key: str = HDFC, until: int = END) -> None:
    """Let the feed be connected from the early morning, or at these seconds after noon."""
    connections = [
        Connected(RUN, EARLY if start < -600 else NOON + start, NOON + end) for start, end in spans
    ]
    coverage.store(engine, connections, [Subscription(key, EARLY, until, RUN)])


def fill(engine: Engine, broker: Broker, now: datetime) -> Fetched:
    return gap_refill.fill(engine, broker, gap_refill.wanted(engine, CALENDAR, now), CALENDAR, now=now)


def stored(engine: Engine) -> list[tuple[int, int, int, int]]:
    """(minutes after noon, volume, marks, source) of each bar."""
    return [
        ((each.start - NOON) // 60, each.volume, each.marks, each.sources)
        for each in minute_bars.fetch(engine, HDFC, 0, 2**40)
    ]


def test_a_gap_is_wanted_once_a_minute_after_it_is_over_and_settled(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    gap = Wanted([Span(NOON + 60, NOON + 180)], NOON + 240)
    assert gap_refill.wanted(engine, CALENDAR, at(299)) == {}
    assert gap_refill.wanted(engine, CALENDAR, at(300)) == {HDFC: gap}


def test_a_gap_that_lasts_is_not_wanted(engine: Engine) -> None:
    covered(engine, (-3_600, 70))
    assert gap_refill.wanted(engine, CALENDAR, at(900)) == {}


def test_gaps_before_the_one_that_lasts_are_wanted_up_to_it(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    assert gap_refill.wanted(engine, CALENDAR, at(900)) == {
        HDFC: Wanted([Span(NOON + 60, NOON + 180)], NOON + 360)
    }


def test_an_instrument_that_is_no_longer_subscribed_waits_for_the_end_of_the_session(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400), until=NOON + 390)
    assert gap_refill.wanted(engine, CALENDAR, at(400)) == {}


def test_outside_of_the_trading_hours_nothing_is_wanted(engine: Engine) -> None:
    coverage.store(engine, [Connected(RUN, EARLY, EARLY + 100)], [Subscription(HDFC, EARLY, END, RUN)])
    assert gap_refill.wanted(engine, CALENDAR, datetime.fromtimestamp(EARLY + 300, IST)) == {}


def test_the_gap_alone_gets_the_broker_s_bars(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    own = [bar(-9, marks=PARTIAL), bar(0), bar(1, marks=PARTIAL), bar(2, marks=PARTIAL), bar(3)]
    minute_bars.upsert(engine, {HDFC: own})
    broker = Broker()
    done = fill(engine, broker, at(300))
    assert (done.instruments, done.bars, done.failed) == (1, 3, ())
    assert stored(engine) == [
        (-9, 70, 0, BROKER),
        (0, 7, 0, LIVE),
        (1, 70, 0, BROKER),
        (2, 70, 0, BROKER),
        (3, 7, 0, LIVE),
    ]
    assert coverage.refilled_until(engine, HDFC, DAY) == NOON + 240
    # Whole bars are compared after the session, and the partial ones never.
    assert bar_audits.sessions(engine, [DAY]) == []
    assert bar_audits.final_days(engine, HDFC, DAY, DAY) == set()


def test_a_filled_gap_is_not_fetched_again_though_nothing_was_traded_in_it(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    broker = Broker()
    broker.bars = [bar(0, sources=BROKER), bar(3, sources=BROKER)]
    assert fill(engine, broker, at(300)).instruments == 1
    assert gap_refill.wanted(engine, CALENDAR, at(360)) == {}
    covered(engine, (600, 900))
    assert gap_refill.wanted(engine, CALENDAR, at(900)) == {
        HDFC: Wanted([Span(NOON + 360, NOON + 600)], NOON + 840)
    }


def test_an_empty_answer_fills_nothing_and_the_gap_is_tried_again(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    broker = Broker()
    bars, broker.bars = broker.bars, []
    assert fill(engine, broker, at(300)).empty == 1
    assert coverage.refilled_until(engine, HDFC, DAY) == 0
    broker.bars = bars
    assert fill(engine, broker, at(360)).bars == 2
    assert coverage.refilled_until(engine, HDFC, DAY) == NOON + 300


def test_a_gap_is_filled_as_far_as_the_broker_s_bars_reach(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (250, 900))
    gap = Span(NOON + 60, NOON + 300)
    assert gap_refill.wanted(engine, CALENDAR, at(600)) == {HDFC: Wanted([gap], NOON + 540)}
    broker = Broker()
    bars, broker.bars = broker.bars, [bar(minute, volume=70, sources=BROKER) for minute in range(-30, 3)]
    assert fill(engine, broker, at(600)).bars == 2
    assert coverage.refilled_until(engine, HDFC, DAY) == NOON + 180
    rest = Wanted([gap._replace(start=NOON + 180)], NOON + 540)
    assert gap_refill.wanted(engine, CALENDAR, at(600)) == {HDFC: rest}
    broker.bars = broker.bars[:-2]  # an answer that reaches less far than the one before takes nothing back
    fill(engine, broker, at(600))
    assert coverage.refilled_until(engine, HDFC, DAY) == NOON + 180
    broker.bars = bars
    assert fill(engine, broker, at(600)).bars == 2
    assert gap_refill.wanted(engine, CALENDAR, at(600)) == {}


def test_an_instrument_that_failed_is_tried_the_next_time(engine: Engine) -> None:
    covered(engine, (-3_600, 70), (130, 400))
    broker = Broker()
    broker.error = FeedError("The broker is away")
    assert fill(engine, broker, at(300)).failed == ("NSE_EQ:1333: The broker is away",)
    broker.error = None
    assert fill(engine, broker, at(300)).bars == 2
    assert broker.calls == [HDFC, HDFC]


def test_a_bar_in_the_builder_s_memory_does_not_replace_a_filled_one(engine: Engine) -> None:
    """A late trade revises a closed minute that is kept; in the meantime its partial bar was refilled."""
    counters: Counter[str] = Counter()
    builder = BarBuilder(counters, is_open=lambda _segment, _start: True)

    def packet(seconds: int, volume: int, traded: int) -> None:
        received = (NOON + seconds) * 1_000_000
        builder.take([tuple(Tick(HDFC, 100_0000, NOON + traded, received, volume))])  # type: ignore[list-item]

    def flushed(seconds: int) -> None:
        closed = builder.close(builder.due((NOON + seconds) * 1_000_000))
        if closed:
            minute_bars.upsert(engine, {HDFC: [each.bar for each in closed]})

    builder.connected((NOON - 60) * 1_000_000)
    packet(-1, 100, -1)
    packet(10, 110, 10)
    builder.disconnected()
    flushed(70)
    assert stored(engine) == [(0, 10, PARTIAL, LIVE)]
    builder.connected((NOON + 80) * 1_000_000)
    packet(81, 200, 79)
    packet(90, 230, 90)
    flushed(130)
    covered(engine, (-3_600, 10), (80, 400))
    assert fill(engine, Broker(), at(250)).bars == 2
    filled = [(0, 70, 0, BROKER), (1, 70, 0, BROKER)]
    assert stored(engine) == filled
    packet(140, 215, 95)  # after its minute, in the order of volume before the packet of 1:30
    due = builder.due((NOON + 141) * 1_000_000)
    revised = [each.bar for each in builder.close(due)]
    assert [(each.start - NOON, each.marks & PARTIAL) for each in revised] == [(60, PARTIAL)]
    minute_bars.upsert(engine, {HDFC: revised})
    assert stored(engine) == filled
