"""Ticks as text, each made once: the value of its `tick:` key and its place in the batch are the same JSON.

The step between the conflation and the server, and the dearest of the worker, hence no dictionaries and no serialiser: what
seldom changes of a price is kept as text with its day, the rest goes into one template. `core.wire` reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from ltp.core.money import MAX_PRICE, SCALE, Price, decimal_text, is_currency
from ltp.core.tick import Day, Tick
from ltp.core.wire import VERSION, Batch
from ltp.store import keys as names
from ltp.store.transaction import bulk

_PRICES: Final = ("open", "high", "low", "prev_close")
_LONGEST_KEY: Final = 64  # the longest there can be, NSE_CURRENCY:4294967295, has 23 characters
# What follows the rupees, by 1/10,000 of one: in JSON without idle zeros, and in a text of two decimals, empty where those
# need rounding.
_JSON: Final = [f".{part:04d}".rstrip("0") if part else ".0" for part in range(SCALE)]
_TWO: Final = ["" if part % 100 else f".{part // 100:02d}" for part in range(SCALE)]
# What stands before a key of so many characters: its length with the prefix, and the prefix.
_LTP_KEY: Final = [f"${len(names.ltp('')) + length}\r\n{names.ltp('')}" for length in range(_LONGEST_KEY)]
_TICK_KEY: Final = [f"${len(names.tick('')) + length}\r\n{names.tick('')}" for length in range(_LONGEST_KEY)]


class Coverage(NamedTuple):
    """Which prices the feed vouches for: those received at or after `since` (microseconds since the epoch), but none of
    `others`. Said this way round because nearly everything is vouched for, and a look into a small set is cheap.
    """

    since: int
    others: frozenset[str] = frozenset()

    def covers(self, tick: Tick) -> bool:
        return tick.ltp is not None and tick.received_at >= self.since and tick.key not in self.others


NOTHING: Final = Coverage(1 << 63)


class Encoded(NamedTuple):
    """Texts of some ticks.

    `ltp`, `tick`: key and value of each 30-second and each 10-day key, as two arguments in the server's form.
    `items`: the JSON objects of the batch.
    """

    ltp: list[str]
    tick: list[str]
    items: list[str]


def texts(ticks: Iterable[Tick], coverage: Coverage) -> Encoded:
    """Return the texts of `ticks`; those that `coverage` covers get a 30-second key.

    Every price that leaves the worker comes through here, hence one loop without a call per tick.
    """
    since, others = coverage
    last, times, end = (0, 0, 0, ""), "", ""
    ltps: list[str] = []
    values: list[str] = []
    items: list[str] = []
    for tick in ticks:
        key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest = tick
        if ltp is None or ltt is None or volume is None or rest:
            text = _partial(tick)
        else:
            # Ticks come many at once, and of those that were traded in the same second these are the same.
            if (ltt, received_at, traded_at, session) != last:
                last = ltt, received_at, traded_at, session
                times = f',"ltt":{ltt},"received_at":{received_at},"volume":'
                end = f',"session":"{session}","traded_at":{traded_at}}}'
            seldom = day.written or _written(day)
            if oi is not None:
                seldom += f',"oi":{oi}'
            text = f'"ltp":{ltp // SCALE}{_JSON[ltp % SCALE]}{times}{volume}{seldom}{end}'
        values.append(f"{_TICK_KEY[len(key)]}{key}\r\n${len(text) + 1}\r\n{{{text}\r\n")
        items.append(f'{{"k":"{key}",{text}')
        if ltp is not None and received_at >= since and key not in others:
            # C begins the name of a currency segment, and of one more.
            fraction = _TWO[ltp % SCALE] if key[4] != "C" else ""
            price = f"{ltp // SCALE}{fraction}" if fraction and ltp <= MAX_PRICE else _ltp_text(tick)
            ltps.append(f"{_LTP_KEY[len(key)]}{key}\r\n${len(price)}\r\n{price}\r\n")
    return Encoded(ltps, values, items)


def ltp_pairs(ticks: Iterable[Tick]) -> list[str]:
    """Return key and value of the 30-second keys of `ticks` that have a price, as `Encoded.ltp`."""
    return [bulk(names.ltp(tick.key)) + bulk(_ltp_text(tick)) for tick in ticks if tick.ltp is not None]


def _ltp_text(tick: Tick) -> str:
    return decimal_text(min(tick.ltp or 0, MAX_PRICE), currency=is_currency(tick.key))


def _written(day: Day) -> str:
    """Return the day's text, from the comma before it on, and leave it there for the next tick."""
    day.written = "".join(f',"{name}":{_rupees(price)}' for name in _PRICES if (price := getattr(day, name)) is not None)
    return day.written


def _partial(tick: Tick) -> str:
    """Return the text of a tick that lacks something, or came by REST."""
    ltp = "null" if tick.ltp is None else _rupees(tick.ltp)
    ltt = "null" if tick.ltt is None else tick.ltt
    volume = "" if tick.volume is None else f',"volume":{tick.volume}'
    oi = "" if tick.oi is None else f',"oi":{tick.oi}'
    times = f'"session":"{tick.session}","traded_at":{tick.traded_at}'
    rest = ',"rest":true' if tick.rest else ""
    return f'"ltp":{ltp},"ltt":{ltt},"received_at":{tick.received_at}{volume}{_written(tick.day)}{oi},{times}{rest}}}'


def _rupees(price: Price) -> str:
    return f"{price // SCALE}{_JSON[price % SCALE]}"


def message(batch: Batch, items: Sequence[str]) -> str:
    """Return what is published: `batch` with the JSON objects of its ticks."""
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
    return f'{orjson.dumps(head).decode()[:-1]},"ticks":[{",".join(items)}]}}'
