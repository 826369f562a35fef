"""The merge of one packet or REST answer into the known values of an instrument, field by field.

The slow half of the conflation: first packets, packets without a price, REST prices, a new session, odd
volumes and times. `evidence` decides which of two prices is newer. Knows neither table nor clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from ltp.core.money import Price, is_currency, needs_snap, snap
from ltp.core.ticks.evidence import Evidence
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import days_since_1970

NO_TRADE_BEFORE: Final = 946_684_800  # year 2000: an untraded instrument carries 0 or 1980-01-01
LTT_AHEAD_US: Final = 5_000_000  # how far the exchange's clock may be ahead of ours
# A trade time more than a year old counts from another epoch, or is of no use.
LTT_BEHIND_US: Final = 366 * 86_400_000_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


class Merge:
    """`configure` it before use; see `Conflator.configure` for the arguments."""

    def __init__(self, counters: Counter[str], off_sessions: OffSessions) -> None:
        self.evidence = Evidence(counters)
        self._counters, self._off_sessions = counters, off_sessions
        self._refused: dict[str, Tick] = {}  # by key, the last price dated on a day without a session
        self._tick_size: Callable[[str], Price] = lambda _: 0
        self._prev_close_from: frozenset[str] = frozenset()
        self._sessions: Mapping[str, str] = {}
        self._early_prev_close: dict[str, tuple[str, Price]] = {}
        self._days: dict[int, str] = {}

    def configure(
        self,
        *,
        tick_size: Callable[[str], Price],
        prev_close_from: frozenset[str],
        sessions: Mapping[str, str],
        delay_s: Mapping[str, float],
    ) -> None:
        self._tick_size, self._prev_close_from, self._sessions = tick_size, prev_close_from, sessions
        self.evidence.delay_s = delay_s

    def merged(self, tick: Tick, old: Tick | None) -> Tick | None:
        """Return the known values after `tick`, None if it changes nothing."""
        tick = self._clean(tick)
        if tick.ltp is None:
            return self._with_partial(tick, old)
        if self._off_sessions.refuses(tick):
            return self._off_session(tick, old)
        if old is None or old.ltp is None:
            return self._first_price(tick, old)
        return self._with_rest(tick, old) if tick.rest else self._with_price(tick, old)

    def _off_session(self, tick: Tick, old: Tick | None) -> Tick | None:
        """Accept a price dated on a day without a session only if the volume proves that it was traded just
        now, in a session.
        """
        before = self._refused.get(tick.key) or old
        self._refused[tick.key] = tick
        if before is None or not self.evidence.rose(tick, before) or self._arrives_off_session(tick):
            return None
        self._counters["ltt_distrusted"] += 1
        untimed = tick._replace(ltt=None)
        if old is None or old.ltp is None or self._session_of(untimed) > old.session:
            return self._first_price(untimed, None, tick.received_at)
        return self._with_price(untimed, old)

    def _arrives_off_session(self, tick: Tick) -> bool:
        """Return whether a packet came on a day without a session, so from a drill; notes the day."""
        today = tick.received_at // 1_000_000
        if self._sessions.get(tick.key.partition(":")[0]) == self._session(today):
            return False
        return self._off_sessions.refuses(tick._replace(ltt=today))

    def _of_drill(self, tick: Tick, old: Tick) -> bool:
        """Return whether a packet without a later trade time brings another price or volume on a day without
        a session.
        """
        if tick.ltt is not None and (old.ltt is None or tick.ltt >= old.ltt):
            return False
        moved = tick.ltp != old.ltp or tick.volume not in (None, old.volume)
        return moved and self._arrives_off_session(tick)

    def forget(self, key: str) -> None:
        """Forget a key that now means another instrument."""
        self._refused.pop(key, None)
        self._early_prev_close.pop(key, None)
        self.evidence.forget(key)

    def takes_prev_close(self, key: str, known: Price | None, ltt: int | None, received_at: int) -> bool:
        """Return whether a price packet's close is the previous session's.

        A snapshot of an earlier day, sent before today's first trade, has that earlier day's previous close:
        it is accepted only while none is known.
        """
        if key.partition(":")[0] not in self._prev_close_from:
            return False
        today = days_since_1970(received_at // 1_000_000)
        return known is None or ltt is None or days_since_1970(ltt) == today

    def snapped(self, key: str, *prices: Price | None) -> list[Price | None]:
        """Return prices on the instrument's price grid: float32 was too coarse for them."""
        currency = is_currency(key)
        return [
            snap(price, self._tick_size(key)) if price and needs_snap(price, currency=currency) else price
            for price in prices
        ]

    def _clean(self, tick: Tick) -> Tick:
        """Snap the prices, and drop an `ltt` that cannot be the time of a trade."""
        ltt = tick.ltt
        if ltt is not None and not -LTT_BEHIND_US <= ltt * 1_000_000 - tick.received_at <= LTT_AHEAD_US:
            if ltt >= NO_TRADE_BEFORE:
                self._counters["ltt_future" if ltt * 1_000_000 > tick.received_at else "ltt_past"] += 1
            ltt = None
        ltp, open_, high, low, prev_close = self.snapped(
            tick.key, tick.ltp, tick.open, tick.high, tick.low, tick.prev_close
        )
        return tick._replace(ltt=ltt, ltp=ltp, open=open_, high=high, low=low, prev_close=prev_close)

    def _with_partial(self, tick: Tick, old: Tick | None) -> Tick:
        """Add the fields of a packet without a price. It confirms no price, so `received_at` stays: otherwise
        the first open interest after a reconnect would make a price from before the gap live.
        """
        today = self._session(tick.received_at // 1_000_000)
        prev_close = self._own_prev_close(tick)
        if prev_close is not None:
            # Sent after subscribing, often before the day's first trade: kept for the session that this trade
            # begins.
            self._early_prev_close[tick.key] = (today, prev_close)
        if old is None:
            return tick._replace(prev_close=prev_close, session="", traded_at=0)
        if prev_close is None or (
            old.prev_close is not None and old.ltp is not None and old.session != today
        ):
            # Yesterday's price keeps yesterday's base, or its change would be zero.
            prev_close = old.prev_close
        if old.ltp is None:
            received_at, volume, day = tick.received_at, tick.volume, tick.day.filled(old.day)
            old = old._replace(
                received_at=received_at, volume=old.volume if volume is None else volume, day=day
            )
        return old._replace(prev_close=prev_close, oi=old.oi if tick.oi is None else tick.oi)

    def _own_prev_close(self, tick: Tick) -> Price | None:
        """Return the previous close in a packet without a price; in a quote, it is one only while the segment
        trades.
        """
        alone = tick.volume is None
        return (
            tick.prev_close
            if alone or self.takes_prev_close(tick.key, None, None, tick.received_at)
            else None
        )

    def _first_price(self, tick: Tick, old: Tick | None, traded_at: int = 0) -> Tick:
        """Return the first price of an instrument or session, with the fields of packets without a price.

        `traded_at`: for a packet without a trade time; 0 (unknown), because without an earlier price nothing
        shows that it was just traded.
        """
        session = self._session_of(tick)
        takes = tick.rest or self.takes_prev_close(tick.key, None, tick.ltt, tick.received_at)
        prev_close = tick.prev_close if takes else None
        if prev_close is None:
            prev_close = self._early(tick.key, session) if old is None else old.prev_close
        if tick.ltt is not None:
            traded_at = tick.ltt * 1_000_000
        oi = tick.oi if tick.oi is not None or old is None else old.oi
        return tick._replace(prev_close=prev_close, oi=oi, session=session, traded_at=traded_at)

    def _with_price(self, tick: Tick, old: Tick) -> Tick | None:
        evidence = self.evidence
        if tick.ltt is not None and old.ltt is not None and self._session(tick.ltt) < old.session:
            # Its volume is of an earlier day, so a larger one proves nothing unless it rises further.
            timed = tick
        else:
            timed = evidence.timed(tick, old)
        if self._of_drill(timed, old):
            return None
        session = self._session_of(timed)
        if session > old.session and (
            timed.ltt is not None or timed.ltp != old.ltp or timed.volume != old.volume
        ):
            return self._first_price(timed, None, evidence.traded_at(timed, old))
        newer = evidence.newer(timed, old, earlier_session=timed.ltt is not None and session < old.session)
        if newer is None:
            return None
        traded_at = evidence.traded_at(newer, old)
        if newer.ltt is None:
            ltt, session = old.ltt if traded_at and traded_at == old.traded_at else None, old.session
        else:
            ltt = newer.ltt
        return self._over(newer, old)._replace(ltt=ltt, session=session, traded_at=traded_at)

    def _with_rest(self, tick: Tick, old: Tick) -> Tick | None:
        """Return the known values after a REST price, None if they stay.

        Such a price is already old when it arrives: it replaces the known one only if it is of a later trade;
        otherwise it fills missing fields. `received_at` is taken over only together with the price, or a
        price from before a reconnect would pass for one after it.
        """
        session = self._session_of(tick)
        if tick.ltt is not None and session > old.session:
            return self._first_price(tick, None)
        if session < old.session:
            return None
        if tick.received_at < old.received_at or (
            not old.rest and not self.evidence.later_by_rest(tick, old)
        ):
            filled = old.filled(tick)
            return filled if filled != old else None
        return self._over(tick, old)._replace(ltt=tick.ltt or old.ltt, traded_at=old.traded_at)

    def _over(self, tick: Tick, old: Tick) -> Tick:
        """Return `tick`, with missing fields taken from `old`, of the same session."""
        takes = tick.rest or self.takes_prev_close(tick.key, old.prev_close, tick.ltt, tick.received_at)
        return (tick if takes else tick._replace(prev_close=None)).filled(old)._replace(session=old.session)

    def _early(self, key: str, session: str) -> Price | None:
        day, prev_close = self._early_prev_close.get(key, ("", 0))
        return prev_close if day == session else None

    def _session_of(self, tick: Tick) -> str:
        if tick.ltt is not None:
            return self._session(tick.ltt)
        known = self._sessions.get(tick.key.partition(":")[0])
        return known or self._session(tick.received_at // 1_000_000)

    def _session(self, epoch_s: int) -> str:
        day = days_since_1970(epoch_s)
        session = self._days.get(day)
        if session is None:
            session = self._days[day] = date.fromordinal(_EPOCH_ORDINAL + day).isoformat()
        return session
