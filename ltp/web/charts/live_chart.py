"""One chart that open pages show: what of it has to be drawn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import render_template

from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.builder import GRACE_S
from ltp.core.bars.faults import inside
from ltp.core.bars.forming import continued, end_of
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import Instrument
from ltp.db import minute_bars
from ltp.errors import DatabaseError
from ltp.hub.insets import Inset
from ltp.web.charts import forming_candle
from ltp.web.charts.chart import ChartState, draw_chart
from ltp.web.charts.chart_bars import Newest, forming_day, windows_of
from ltp.web.charts.forming_candle import NO_CANDLE
from ltp.web.charts.plan_lines import PlanLines
from ltp.web.charts.query import ChartQuery
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

_CELLS: Final = 500  # a drawing costs as much
_DRAWN_EVERY_S: Final = 2.0  # at most
_RETRY_S: Final = 5.0  # after a chart that could not be drawn


class LiveChart:
    """`client`: the first to open it. `touched_s`: the monotonic instant at which a page last asked for it."""

    def __init__(
        self, shown: Instrument, query: ChartQuery, plan: PlanLines, client: str, touched_s: float
    ) -> None:
        self.shown, self.query, self.client, self.touched_s = shown, query, client, touched_s
        self._plan = plan
        self.inset = Inset(f"chart {shown.key} {query!r} {plan!r}", _CELLS)
        self._state: ChartState | None = None  # None before the first drawing, and while none succeeds
        self._tail: list[Bar] = []  # stored one-minute bars of the forming bar, as of the drawing
        self._windows: list[tuple[int, int]] = []
        self._settled: Mapping[int, Bar] = {}  # recent bars before the forming one, as of the drawing
        self._drawn_s = self._draw_at_s = 0.0

    def update(self, newest: Newest, now_s: float) -> dict[str, str]:
        """Return the parts of the inset to set. Reads SQL where a bar has ended, else nothing.

        Args:
            now_s: monotonic.
        """
        state = self._state
        bar = self._forming(state, newest) if state else None
        # Without the worker's bars the stored ones follow once a minute.
        follows_sql = not newest.recent and not self.query.daily and now_s >= self._drawn_s + MINUTE_S
        if state is None or self._is_outdated(state, bar) or self._is_revised(newest.recent) or follows_sql:
            return self._draw(newest, now_s) if now_s >= self._draw_at_s else {}
        words = newest.state(daily=self.query.daily)
        candle = forming_candle.draw(bar, state.canvas, words) if bar else NO_CANDLE
        return {"forming": candle.markup}

    def _draw(self, newest: Newest, now_s: float) -> dict[str, str]:
        part = draw_chart(self.shown, self.query, newest, self._plan)
        self._state = part.state
        self._drawn_s, self._draw_at_s = now_s, now_s + _RETRY_S
        if part.state is None:
            return {}
        self._draw_at_s = now_s + _DRAWN_EVERY_S
        self._note(part.state.forming, newest.recent)
        bars = render_template("instruments/_chart_update.html", chart=part)
        return {"bars": bars, "forming": part.forming.markup}

    def _note(self, forming: Bar | None, recent: Sequence[Bar]) -> None:
        """Note what the drawing is made of."""
        start = forming.start if forming else None
        self._settled = {bar.start: bar for bar in recent if start is None or bar.start < start}
        self._tail = []
        if forming is None or self.query.daily:
            return
        self._windows = windows_of(self.shown.key, forming.start, self.query)
        end = forming.start + self.query.minutes * MINUTE_S
        engine = services().engine
        try:
            self._tail = minute_bars.fetch(
                engine, self.shown.key, forming.start, end, busy_timeout_ms=BUSY_TIMEOUT_MS
            )
        except DatabaseError:
            self._state = None  # drawn again after a while

    def _forming(self, state: ChartState, newest: Newest) -> Bar | None:
        """Return the bar that is not over, None without one."""
        if self.query.daily:
            return forming_day(newest.quote.tick, self.query, state.stored, state.followed)
        now_s = newest.now.timestamp()
        if state.forming is None:
            return self._ongoing(newest)
        first = state.forming.start
        minutes = continued(self._tail, [bar for bar in newest.recent if bar.start >= first])
        bars = list(rolled_up(minutes, self.query.minutes, self._windows))
        is_over = not bars or now_s >= end_of(bars[-1], self.query.minutes, self._windows) + GRACE_S
        return None if is_over else bars[-1]

    def _ongoing(self, newest: Newest) -> Bar | None:
        """Return the one-minute bar that is not over, None without one that the chart shows."""
        now_s = newest.now.timestamp()
        ongoing = (bar for bar in newest.recent if now_s < bar.start + MINUTE_S + GRACE_S)
        key, query = self.shown.key, self.query
        return next((bar for bar in ongoing if inside(bar.start, windows_of(key, bar.start, query))), None)

    def _is_outdated(self, state: ChartState, bar: Bar | None) -> bool:
        """Return whether the drawing has no place for the bar that is forming now, or one for a bar that is over."""
        if bar is None or state.forming is None:
            return bar is not state.forming
        return bar.start != state.forming.start or not forming_candle.fits(bar, state.canvas)

    def _is_revised(self, recent: Sequence[Bar]) -> bool:
        """Return whether a bar that is drawn as over has changed since."""
        return any(self._settled.get(bar.start, bar) != bar for bar in recent)
