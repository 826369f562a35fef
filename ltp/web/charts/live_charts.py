"""The thread of a web process that keeps the charts of open pages current.

It follows the worker's forming bars while a chart is open, draws each chart once for all of its readers, and hands
it to the hub, which sends it in the streams of their pages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, cast

from flask import current_app

from ltp import metrics
from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch
from ltp.core.clients.client_address import EXEMPT
from ltp.core.instrument import Instrument
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.hub.insets import Inset
from ltp.web.charts.chart_bars import Newest
from ltp.web.charts.live_chart import LiveChart
from ltp.web.charts.plan_lines import NO_PLAN, PlanLines
from ltp.web.charts.query import ChartQuery

EXTENSION: Final = "ltp.charts"
MOST: Final = 200  # charts of a process: all drawn anew in one minute, they take 4 s of its time
MOST_OF_CLIENT: Final = 50  # that this client was the first to open
_MOST_BYTES: Final = 32 << 20
WANTED_S: Final = 30.0  # so long the worker sends the bars of a chart without being asked again
_RENEW_S: Final = 10.0
_ROUND_S: Final = 0.4
_LINGER_S: Final = 15.0  # of a chart that no stream shows: a page that polls asks again within this time
_PAUSE_S: Final = 1.0

log = logging.getLogger(__name__)


class LiveCharts(threading.Thread):
    """Its end does not end the process: pages go on with the charts as of their loading."""

    def __init__(
        self,
        hub: Hub,
        *,
        subscribe: Callable[[], Iterator[FormingBatch | None]],
        want: Callable[[Iterable[str], float, float], None],
        source: Callable[[], str],
        context: Callable[[], AbstractContextManager[object]],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire the thread.

        Args:
            subscribe: see `store.forming.subscribe`.
            want: asks the worker for the bars of keys: now, until; raises StoreError.
            source: returns the source of the prices.
            context: makes the context in which `web.services` works.
        """
        super().__init__(name="charts", daemon=True)
        self._hub, self._subscribe, self._want = hub, subscribe, want
        self._source, self._context, self._clock, self._monotonic = source, context, clock, monotonic
        self._charts: dict[str, LiveChart] = {}
        self._recent: dict[str, tuple[float, Sequence[Bar]]] = {}  # by key, with the monotonic instant
        self._round_at = self._renew_at = 0.0
        self._wake = threading.Event()
        self._is_failing = self._has_started = False

    def inset(
        self, shown: Instrument, query: ChartQuery, plan: PlanLines = NO_PLAN, *, client: str = EXEMPT
    ) -> Inset | None:
        """Return the inset of a chart, None while too many are open: the page keeps it as of its loading.

        Its parts follow within a second.
        """
        chart = LiveChart(shown, query, plan, client, self._monotonic())
        present = self._charts.get(chart.inset.name)
        if present is not None:
            present.touched_s = self._monotonic()
            return present.inset
        if not self._has_room(client):
            metrics.count("charts_refused")
            return None
        self._charts[chart.inset.name] = chart
        self._renew_at = 0.0
        self._wake.set()
        if not self._has_started:  # by the first chart: many processes never show one
            self._has_started = True
            self.start()
        return chart.inset

    def _has_room(self, client: str) -> bool:
        charts = self._charts.values()
        of_client = sum(chart.client == client for chart in charts)
        if client != EXEMPT and of_client >= MOST_OF_CLIENT:
            return False
        return len(charts) < MOST and sum(chart.inset.size for chart in charts) < _MOST_BYTES

    def run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                self.follow()
                self._is_failing = False
            except StoreError as error:
                if not self._is_failing:
                    log.warning("Forming bars are not received: %s", error)
                self._is_failing = True
            except Exception:
                metrics.count("chart_faults")
                log.exception("A round of charts failed; the next one follows")
            if self._charts:
                self.round()
                self._wake.set()
                time.sleep(_PAUSE_S)

    def follow(self) -> None:
        """Follow the forming bars and draw, until no chart is open.

        Raises:
            StoreError: the bars cannot be received.
        """
        for batch in self._subscribe():
            if batch is not None and batch.source == self._source():
                self._recent |= {key: (self._monotonic(), bars) for key, bars in batch.bars.items()}
            if self._monotonic() >= self._round_at:
                self.round()
                self._renew()
            if not self._charts:
                self._recent.clear()
                return

    def round(self) -> None:
        """Draw what has changed in every chart that a page shows; forget the others."""
        self._round_at = self._monotonic() + _ROUND_S
        for name, chart in list(self._charts.items()):
            if not chart.inset.views and self._monotonic() >= chart.touched_s + _LINGER_S:
                del self._charts[name]
                continue
            self._draw(chart)
            time.sleep(0)  # a drawing takes 20 ms, in which streams and requests wait

    def _draw(self, chart: LiveChart) -> None:
        received_s, recent = self._recent.get(chart.shown.key, (0.0, ()))
        if self._monotonic() > received_s + LINK_DEAD_AFTER_S:
            recent = ()
        now = datetime.fromtimestamp(self._clock(), UTC)
        try:
            quote = self._hub.last_known([chart.shown.key])[0]
            with self._context():
                parts = chart.update(Newest(recent, quote, now), self._monotonic())
        except Exception:
            metrics.count("chart_faults")
            log.exception("The chart of %s could not be drawn", chart.shown.key)
            return
        for part, markup in parts.items():
            self._hub.set_inset(chart.inset, part, markup)

    def _renew(self) -> None:
        if self._monotonic() < self._renew_at or not self._charts:
            return
        keys = {chart.shown.key for chart in self._charts.values() if not chart.query.daily}
        self._recent = {key: found for key, found in self._recent.items() if key in keys}
        now = self._clock()
        self._want(keys, now, now + WANTED_S)
        self._renew_at = self._monotonic() + _RENEW_S


def live_charts() -> LiveCharts:
    """Return the live charts of the app that handles the present request."""
    return cast(LiveCharts, current_app.extensions[EXTENSION])
