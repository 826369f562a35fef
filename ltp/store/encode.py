"""Ticks as text, each made once: the value of its `tick:` key and its place in the batch are the same JSON.

The step between the conflation and the server, and the dearest of the worker, hence no dictionaries and no serialiser: what
seldom changes of an instrument is kept as text, the rest goes into one template. `core.wire` reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from ltp.core.money import MAX_PRICE, SCALE, Price, decimal_text, is_currency
from ltp.core.tick import Tick
from ltp.core.wire import VERSION, Batch
from ltp.store import keys as names
from ltp.store.transaction import bulk

_PRICES: Final = ("open", "high", "low", "prev_close")
_LONGEST_KEY: Final = 64  # the longest there can be, NSE_CURRENCY:4294967295, has 23 characters
# What follows the rupees, by 1/10,000 of one: in JSON without idle zeros, in a text of four decimals, in one of two. Empty
# where two decimals need rounding.
_JSON: Final = [f".{part:04d}".rstrip("0") if part else ".0" for part in range(SCALE)]
_FOUR: Final = [f".{part:04d}" for part in range(SCALE)]
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


class _Seldom(NamedTuple):
    """What stays of an instrument's text from tick to tick, and the `fields` of the tick it was made of."""

    fields: tuple[object, ...]
    text: str
    fractions: list[str]


_UNMET: Final = _Seldom((), "", [])


class Encoder:
    """Keeps a little text of every instrument it has met. One thread uses it."""

    def __init__(self) -> None:
        self._met: dict[str, _Seldom] = {}

    def ticks(self, ticks: Iterable[Tick], coverage: Coverage) -> Encoded:
        """Return the texts of `ticks`; those that `coverage` covers get a 30-second key.

        Every price that leaves the worker comes through here, hence one loop without a call per tick. Of thousands of
        instruments nothing is in the processor's cache when its tick comes: the less is kept of each, the faster.
        """
        met, (since, others) = self._met, coverage
        last_times, times, end = (0, 0, 0), "", ""
        ltps: list[str] = []
        values: list[str] = []
        items: list[str] = []
        for tick in ticks:
            key, ltp, ltt, received_at, volume, _, _, _, _, _, _, traded_at, rest = tick
            fields, seldom, fractions = met.get(key, _UNMET)
            if tick[5:11] != fields:
                _, seldom, fractions = met[key] = _seldom(tick)
            if ltp is None or ltt is None or volume is None or rest:
                text = _partial(tick, seldom)
            else:
                # Ticks come many at once, and of those that were traded in the same second these are the same.
                if (ltt, received_at, traded_at) != last_times:
                    last_times = ltt, received_at, traded_at
                    times, end = f',"ltt":{ltt},"received_at":{received_at},"volume":', f'"traded_at":{traded_at}}}'
                text = f'"ltp":{ltp // SCALE}{_JSON[ltp % SCALE]}{times}{volume}{seldom}{end}'
            values.append(f"{_TICK_KEY[len(key)]}{key}\r\n${len(text) + 1}\r\n{{{text}\r\n")
            items.append(f'{{"k":"{key}",{text}')
            if ltp is not None and received_at >= since and key not in others:
                fraction = fractions[ltp % SCALE]
                price = f"{ltp // SCALE}{fraction}" if fraction and ltp <= MAX_PRICE else _ltp_text(tick)
                ltps.append(f"{_LTP_KEY[len(key)]}{key}\r\n${len(price)}\r\n{price}\r\n")
        return Encoded(ltps, values, items)


def ltp_pairs(ticks: Iterable[Tick]) -> list[str]:
    """Return key and value of the 30-second keys of `ticks` that have a price, as `Encoded.ltp`."""
    return [bulk(names.ltp(tick.key)) + bulk(_ltp_text(tick)) for tick in ticks if tick.ltp is not None]


def _ltp_text(tick: Tick) -> str:
    return decimal_text(min(tick.ltp or 0, MAX_PRICE), currency=is_currency(tick.key))


def _seldom(tick: Tick) -> _Seldom:
    """Return what seldom changes, from the comma behind the volume to the one before `traded_at`."""
    prices = [f',"{name}":{_rupees(price)}' for name in _PRICES if (price := getattr(tick, name)) is not None]
    oi = "" if tick.oi is None else f',"oi":{tick.oi}'
    text = f'{"".join(prices)}{oi},"session":"{tick.session}",'
    return _Seldom(tick[5:11], text, _FOUR if is_currency(tick.key) else _TWO)


def _partial(tick: Tick, seldom: str) -> str:
    """Return the text of a tick that lacks something, or came by REST."""
    ltp = "null" if tick.ltp is None else _rupees(tick.ltp)
    ltt = "null" if tick.ltt is None else tick.ltt
    volume = "" if tick.volume is None else f',"volume":{tick.volume}'
    rest = ',"rest":true' if tick.rest else ""
    return f'"ltp":{ltp},"ltt":{ltt},"received_at":{tick.received_at}{volume}{seldom}"traded_at":{tick.traded_at}{rest}}}'


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
