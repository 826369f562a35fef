"""The charts of open pages in one process: followed while a page shows them, drawn once, bounded."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch
from ltp.core.instrument import Instrument
from ltp.errors import StoreError
from ltp.web.charts import live_charts
from ltp.web.charts.chart_bars import Newest
from ltp.web.charts.live_charts import MOST, MOST_OF_CLIENT, LiveCharts
from ltp.web.charts.query import parse

HDFC, TCS = (
    Instrument("NSE_EQ", id_, symbol, symbol, "", 1, 500)
    for id_, symbol in ((1333, "HDFCBANK"), (11536, "TCS"))
)
BARS = [Bar(1_796_010_300, 100_0000, 110_0000, 90_0000, 105_0000, 500)]
FIVE, DAY = parse({}), parse({"timeframe": "1d"})


class Rig:
    """`updates`: by chart, what each of its updates was given. The thread's work is done by the test."""

    def __init__(self, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.hub = 100.0, site.hub
        self.batches: queue.Queue[FormingBatch | StoreError | None] = queue.Queue()
        self.wanted: list[tuple[list[str], float]] = []
        self.updates: list[tuple[str, Newest]] = []
        self.away = False
        monkeypatch.setattr(LiveCharts, "start", lambda _: None)
        monkeypatch.setattr(live_charts.LiveChart, "update", self.update)
        self.charts = LiveCharts(
            site.hub,
            subscribe=self.subscribe,
            want=self.want,
            source=lambda: "simulator",
            context=nullcontext,
            clock=lambda: 1_000.0 + self.now,
            monotonic=lambda: self.now,
        )

    def subscribe(self) -> Iterator[FormingBatch | None]:
        while True:
            batch = self.batches.get_nowait()
            if isinstance(batch, StoreError):
                raise batch
            yield batch

    def want(self, keys: Iterable[str], now: float, until: float) -> None:
        if self.away:
            raise StoreError("Redis is away")
        self.wanted.append((sorted(keys), until - now))

    def update(self, newest: Newest, _now_s: float) -> dict[str, str]:
        self.updates.append((newest.quote.key, newest))
        return {"forming": f'<hx-partial id="chart-now">{len(newest.recent)}</hx-partial>'}

    def open(self, shown: Instrument = HDFC, query: Any = FIVE) -> Any:
        inset = self.charts.inset(shown, query)
        self.hub.view([shown.key], ["ltp"], inset)
        return inset

    def follow(self, *batches: FormingBatch | None, passed_s: float = 1.0) -> None:
        """Let these batches come, the time pass before each."""
        for batch in batches:
            self.batches.put(batch)
        while True:
            self.now += passed_s
            try:
                self.charts.follow()
                return
            except queue.Empty:
                return


@pytest.fixture
def rig(site: Any, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(site, monkeypatch)


def batch(source: str = "simulator") -> FormingBatch:
    return FormingBatch(source, {HDFC.key: BARS})


def test_pages_with_the_same_chart_share_its_inset(rig: Rig) -> None:
    assert rig.open() is rig.open()
    assert rig.open() is not rig.open(query=parse({"timeframe": "1m"}))
    assert rig.open() is not rig.open(TCS)


def test_a_chart_is_drawn_once_for_all_of_its_readers(rig: Rig) -> None:
    inset = rig.open()
    for _ in range(99):
        rig.open()
    rig.follow(batch())
    assert [key for key, _ in rig.updates] == [HDFC.key]
    assert inset.parts == ['<hx-partial id="chart-now">1</hx-partial>']


def test_the_bars_of_the_worker_are_used_while_they_are_up_to_date(rig: Rig) -> None:
    rig.open()
    rig.follow(batch(), passed_s=0.0)
    rig.follow(None, passed_s=8.0)
    rig.follow(None, passed_s=0.5)
    assert [list(newest.recent) for _, newest in rig.updates] == [BARS, BARS, []]


def test_bars_of_another_source_are_not_used(rig: Rig) -> None:
    rig.open()
    rig.follow(batch("dhanhq"))
    assert [list(newest.recent) for _, newest in rig.updates] == [[]]


def test_the_worker_is_asked_again_every_ten_seconds_for_bars_of_minutes_alone(rig: Rig) -> None:
    rig.open()
    rig.open(TCS, DAY)
    rig.follow(None, passed_s=0.5)
    rig.follow(None, passed_s=5.0)
    assert rig.wanted == [([HDFC.key], 30.0)]
    rig.follow(None, passed_s=5.0)
    assert rig.wanted == [([HDFC.key], 30.0)] * 2


def test_a_chart_that_no_page_shows_is_forgotten_and_the_channel_is_left(rig: Rig) -> None:
    rig.open()
    rig.follow(batch())
    rig.hub.views.drop_idle(1e12)
    rig.follow(None, passed_s=14.0)
    assert rig.charts._charts == {}
    rig.batches.put(None)
    rig.charts.follow()  # returns at once: a wait for more batches would raise
    assert rig.charts._recent == {}


def test_a_page_that_polls_keeps_its_chart(rig: Rig) -> None:
    for _ in range(4):
        inset = rig.charts.inset(HDFC, FIVE)
        rig.follow(None, passed_s=10.0)
        assert rig.charts.inset(HDFC, FIVE) is inset


def test_so_many_charts_are_open_at_most(rig: Rig) -> None:
    for id_ in range(1, MOST + 1):
        assert rig.charts.inset(HDFC._replace(security_id=id_), FIVE) is not None
    assert rig.charts.inset(TCS, FIVE) is None
    assert rig.charts.inset(HDFC._replace(security_id=1), FIVE) is not None


def test_one_client_has_a_share_of_them(rig: Rig) -> None:
    def opened(client: str) -> int:
        shares = (HDFC._replace(security_id=id_) for id_ in range(1, 80))
        return sum(rig.charts.inset(share, FIVE, client=client) is not None for share in shares)

    assert opened("192.0.2.1") == MOST_OF_CLIENT
    assert rig.charts.inset(TCS, FIVE, client="192.0.2.1") is None
    assert rig.charts.inset(TCS, FIVE, client="192.0.2.2") is not None


def test_all_of_them_have_a_bound_in_bytes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_charts, "_MOST_BYTES", 10_000)
    inset = rig.open()
    rig.hub.set_inset(inset, "bars", "x" * 10_000)
    assert rig.charts.inset(TCS, FIVE) is None
    assert rig.charts.inset(HDFC, FIVE) is inset


def test_a_chart_that_fails_costs_the_others_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.open()
    other = rig.open(TCS)
    update = rig.update

    def failing(_: object, newest: Newest, now_s: float) -> dict[str, str]:
        if newest.quote.key == HDFC.key:
            raise ZeroDivisionError
        return update(newest, now_s)

    monkeypatch.setattr(live_charts.LiveChart, "update", failing)
    rig.follow(None)
    assert other.parts
    assert [record.getMessage() for record in caplog.records] == [
        "The chart of NSE_EQ:1333 could not be drawn"
    ]


def run_rounds(rig: Rig, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """Run the thread's loop in place of the thread, with its pauses counted and not waited for."""
    pauses: list[float] = []

    class Enough(Exception):
        pass

    def pause(seconds: float) -> None:
        if seconds:
            rig.now += seconds
            pauses.append(seconds)
            if len(pauses) >= rounds:
                raise Enough

    monkeypatch.setattr(live_charts.time, "sleep", pause)
    with pytest.raises(Enough):
        rig.charts.run()


def test_without_redis_charts_are_drawn_on_and_it_is_said_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.open()
    for _ in range(3):
        rig.batches.put(StoreError("subscribing failed"))
    run_rounds(rig, monkeypatch, 3)
    assert len(rig.updates) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Forming bars are not received: subscribing failed"
    ]


def test_a_worker_that_cannot_be_asked_does_not_end_the_thread(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.open()
    rig.away = True
    for _ in range(2):
        rig.batches.put(None)
    run_rounds(rig, monkeypatch, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "Forming bars are not received: Redis is away"
    ]


def test_the_stream_of_a_page_carries_its_chart(site: Any, wait_for: Callable[..., Any]) -> None:
    response = site.client.get("/instruments/NSE_EQ/1333/stream?timeframe=2m")
    assert response.status_code == 400
    page = site.page("/instruments/NSE_EQ/1333?timeframe=1m&ema=20&q=x")
    assert 'hx-sse:connect="/instruments/NSE_EQ/1333/stream?timeframe=1m&amp;ema=20"' in page
