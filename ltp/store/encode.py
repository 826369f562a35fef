"""Ticks as text, each made once: the value of its `tick:` key and its place in the batch are the same JSON.

The step between the conflation and the server, and the dearest of the worker, hence no dictionaries and no
serialiser: what seldom changes of a price is kept as text with its day, the rest goes into one template.
`core.ticks.wire` reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from ltp.core.money import MAX_PRICE, SCALE, Price, decimal_text, is_currency
from ltp.core.ticks.tick import DayPrices, Tick, TickFields
from ltp.core.ticks.wire import VERSION, Batch
from ltp.store import keys as names
from ltp.store.transaction import bulk

_PRICES: Final = ("open", "high", "low", "prev_close")
_LONGEST_KEY: Final = 64  # the longest there can be, NSE_CURRENCY:4294967295, has 23 characters
_LONGEST_ITEM: Final = (
    1_024  # a tick has 300; its 12 numbers at their longest make it no more than twice that
)
# What follows the rupees, by 1/10,000 of one: two decimals, more where they tell something.
_PART: Final = [f".{part:04d}".rstrip("0") if part % 100 else f".{part // 100:02d}" for part in range(SCALE)]
# What stands before a key of so many characters: its length with the prefix, and the prefix.
_LTP_KEY: Final = [f"${len(names.ltp('')) + length}\r\n{names.ltp('')}" for length in range(_LONGEST_KEY)]
_TICK_KEY: Final = [f"${len(names.tick('')) + length}\r\n{names.tick('')}" for length in range(_LONGEST_KEY)]
# What stands between a key and a value of so many characters.
_BETWEEN: Final = [f"\r\n${length}\r\n" for length in range(_LONGEST_ITEM)]


class Coverage(NamedTuple):
    """Which prices the feed vouches for: those received at or after `since` (microseconds since the epoch),
    but none of `others`. Said this way round because nearly everything is vouched for, and a look into a
    small set is cheap.
    """

    since: int
    others: frozenset[str] = frozenset()

    def covers(self, tick: Tick) -> bool:
        return tick.ltp is not None and tick.received_at >= self.since and tick.key not in self.others


NOTHING: Final = Coverage(1 << 63)


class Encoded(NamedTuple):
    """Texts of some ticks.

    `ltp`, `tick`: key and value of each 30-second and each 10-day key, as two arguments in the server's form.
    `items`: the JSON objects of the batch, which are the values of `tick` too.
    """

    ltp: list[str]
    tick: list[str]
    items: list[str]


def texts(ticks: Iterable[TickFields], coverage: Coverage) -> Encoded:
    """Return the texts of `ticks`; those that `coverage` covers get a 30-second key.

    Every price that leaves the worker comes through here, hence one loop without a call per tick.
    """
    since, others = coverage
    last_ltt, last_received_at, last_traded_at, last_session, times, end = 0, 0, 0, "", "", ""
    ltps: list[str] = []
    values: list[str] = []
    items: list[str] = []
    for tick in ticks:
        key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest = tick
        price = "null" if ltp is None else f"{ltp // SCALE}{_PART[ltp % SCALE]}"
        if ltp is None or ltt is None or volume is None or rest:
            item = _partial(Tick._make(tick), price)
        else:
            # Ticks come many at once, and of those that were traded in the same second these are the same.
            if (
                ltt != last_ltt
                or received_at != last_received_at
                or traded_at != last_traded_at
                or session != last_session
            ):
                last_ltt, last_received_at, last_traded_at, last_session = (
                    ltt,
                    received_at,
                    traded_at,
                    session,
                )
                times = f',"ltt":{ltt},"received_at":{received_at},"volume":'
                end = f',"session":"{session}","traded_at":{traded_at}}}'
            seldom = day.written or _written(day)
            if oi is not None:
                seldom += f',"oi":{oi}'
            item = f'{{"k":"{key}","ltp":{price}{times}{volume}{seldom}{end}'
        items.append(item)
        values.append(f"{_TICK_KEY[len(key)]}{key}{_BETWEEN[len(item)]}{item}\r\n")
        if ltp is not None and received_at >= since and key not in others:
            # C begins the name of a currency segment, and of one more.
            if key[4] == "C" or ltp % 100 or ltp > MAX_PRICE:
                price = _ltp_text(key, ltp)
            ltps.append(f"{_LTP_KEY[len(key)]}{key}{_BETWEEN[len(price)]}{price}\r\n")
    return Encoded(ltps, values, items)


def ltp_pairs(ticks: Iterable[Tick]) -> list[str]:
    """Return key and value of the 30-second keys of `ticks` that have a price, as `Encoded.ltp`."""
    return [
        bulk(names.ltp(tick.key)) + bulk(_ltp_text(tick.key, tick.ltp))
        for tick in ticks
        if tick.ltp is not None
    ]


def _ltp_text(key: str, ltp: Price) -> str:
    return decimal_text(min(ltp, MAX_PRICE), currency=is_currency(key))


def _written(day: DayPrices) -> str:
    """Return the day's text, from the comma before it on, and leave it there for the next tick."""
    day.written = "".join(
        f',"{name}":{_rupees(price)}' for name in _PRICES if (price := getattr(day, name)) is not None
    )
    return day.written


def _partial(tick: Tick, price: str) -> str:
    """Return the text of a tick that lacks something, or came by REST."""
    ltt = "null" if tick.ltt is None else tick.ltt
    volume = "" if tick.volume is None else f',"volume":{tick.volume}'
    oi = "" if tick.oi is None else f',"oi":{tick.oi}'
    times = f'"session":"{tick.session}","traded_at":{tick.traded_at}'
    rest = ',"rest":true' if tick.rest else ""
    known = f'"received_at":{tick.received_at}{volume}{_written(tick.day)}{oi},{times}{rest}'
    return f'{{"k":"{tick.key}","ltp":{price},"ltt":{ltt},{known}}}'


def _rupees(price: Price) -> str:
    return f"{price // SCALE}{_PART[price % SCALE]}"


def message(batch: Batch, items: Sequence[str]) -> tuple[str, str, str]:
    """Return what is published, `batch` with the JSON objects of its ticks: what stands before these, they,
    and what follows.
    """
    head = {
        "v": VERSION,
        "epoch": batch.epoch,
        "seq": batch.seq,
        "at": batch.at,
        "feed": batch.feed,
        "since": batch.since,
        "source": batch.source,
        "phase": dict(batch.phase),
    }
    if batch.reassigned:
        head["reassigned"] = dict(batch.reassigned)
    if batch.doubts:
        head["doubts"] = dict(batch.doubts)
    if batch.notice:
        head["notice"] = batch.notice
    return f'{orjson.dumps(head).decode()[:-1]},"ticks":[', ",".join(items), "]}"
