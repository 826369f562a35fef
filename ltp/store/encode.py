"""Ticks and batches as text. The JSON of a tick is made once, for its `tick:` key and for the batch.

Encoding is the most expensive step of the worker, so there are no dictionaries and no serialiser in it: the
text of the day's prices is kept with them, and everything else goes into one template. `core.ticks.wire` and
`core.ticks.wire_tick` read the texts back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from ltp.core.money import MAX_PRICE, SCALE, Price, decimal_text, is_currency
from ltp.core.ticks.tick import FIRST_CONNECTION, DayPrices, Tick, TickFields
from ltp.core.ticks.wire import VERSION, Batch
from ltp.store import keys as names
from ltp.store.transaction import bulk

_PRICES: Final = ("open", "high", "low", "prev_close")
_LONGEST_KEY: Final = 64  # the longest possible one, NSE_CURRENCY:4294967295, has 23 characters
_LONGEST_ITEM: Final = 1_024  # a tick has 300 characters, and with its 12 numbers at their longest twice that
# Text behind the rupees, by 1/10,000 of one: two decimals, up to four where the last two are not 0.
_PART: Final = [f".{part:04d}".rstrip("0") if part % 100 else f".{part // 100:02d}" for part in range(SCALE)]
# Text before a key, by the length of the key: length with the prefix, and the prefix.
_LTP_KEY: Final = [f"${len(names.ltp('')) + length}\r\n{names.ltp('')}" for length in range(_LONGEST_KEY)]
_TICK_KEY: Final = [f"${len(names.tick('')) + length}\r\n{names.tick('')}" for length in range(_LONGEST_KEY)]
# Text between a key and its value, by the length of the value.
_BETWEEN: Final = [f"\r\n${length}\r\n" for length in range(_LONGEST_ITEM)]


class Coverage(NamedTuple):
    """The prices that the feed vouches for: those received at or after `since` (microseconds since the
    epoch), without the keys in `others`.

    The exceptions are listed because nearly every price is covered, and a look-up in a small set is cheap.
    """

    since: int
    others: frozenset[str] = frozenset()

    def covers(self, tick: Tick) -> bool:
        return tick.ltp is not None and tick.received_at >= self.since and tick.key not in self.others


NOTHING: Final = Coverage(1 << 63)


class Encoded(NamedTuple):
    """Texts of some ticks.

    `ltp`, `tick`: key and value of each 30-second and each 10-day key, as two arguments in the server's form.
    `items`: the JSON objects of the batch, which are also the values of `tick`.
    """

    ltp: list[str]
    tick: list[str]
    items: list[str]


def texts(ticks: Iterable[TickFields], coverage: Coverage, connection: str = FIRST_CONNECTION) -> Encoded:
    """Return the texts of `ticks`, which came by `connection`; those that `coverage` covers get a 30-second
    key.

    Every price that leaves the worker is encoded here, hence one loop without a call per tick.
    """
    since, others = coverage
    last_ltt, last_received_at, last_traded_at, last_session, times, end = 0, 0, 0, "", "", ""
    named = _named(connection)
    ltps: list[str] = []
    values: list[str] = []
    items: list[str] = []
    for tick in ticks:
        key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest = tick
        price = "null" if ltp is None else f"{ltp // SCALE}{_PART[ltp % SCALE]}"
        if ltp is None or ltt is None or volume is None or rest:
            item = _partial(Tick._make(tick), price, named)
        else:
            # Many ticks arrive at once, and those traded in the same second share these two texts.
            if (
                ltt != last_ltt
                or received_at != last_received_at
                or traded_at != last_traded_at
                or session != last_session
            ):
                last_ltt, last_received_at = ltt, received_at
                last_traded_at, last_session = traded_at, session
                times = f',"ltt":{ltt},"received_at":{received_at},"volume":'
                end = f',"session":"{session}","traded_at":{traded_at}{named}}}'
            seldom = day.encoded or _encoded(day)
            if oi is not None:
                seldom += f',"oi":{oi}'
            item = f'{{"k":"{key}","ltp":{price}{times}{volume}{seldom}{end}'
        items.append(item)
        values.append(f"{_TICK_KEY[len(key)]}{key}{_BETWEEN[len(item)]}{item}\r\n")
        if ltp is not None and received_at >= since and key not in others:
            # C begins the names of the currency segments, and of one more.
            if key[4] == "C" or ltp % 100 or ltp > MAX_PRICE:
                price = _ltp_text(key, ltp)
            ltps.append(f"{_LTP_KEY[len(key)]}{key}{_BETWEEN[len(price)]}{price}\r\n")
    return Encoded(ltps, values, items)


def ltp_pairs(ticks: Iterable[Tick]) -> list[str]:
    """Return key and value of the 30-second keys of the `ticks` that have a price, as in `Encoded.ltp`."""
    return [
        bulk(names.ltp(tick.key)) + bulk(_ltp_text(tick.key, tick.ltp))
        for tick in ticks
        if tick.ltp is not None
    ]


def _ltp_text(key: str, ltp: Price) -> str:
    return decimal_text(min(ltp, MAX_PRICE), currency=is_currency(key))


def _named(connection: str) -> str:
    """Return the member that names the connection, empty for the first: its ticks have none."""
    return "" if connection == FIRST_CONNECTION else f',"connection":"{connection}"'


def _encoded(day: DayPrices) -> str:
    """Return the text of the day's prices, from the comma before it on, and keep it for the next tick."""
    day.encoded = "".join(
        f',"{name}":{_rupees(price)}' for name in _PRICES if (price := getattr(day, name)) is not None
    )
    return day.encoded


def _partial(tick: Tick, price: str, named: str) -> str:
    """Return the text of a tick that lacks something or came by REST."""
    ltt = "null" if tick.ltt is None else tick.ltt
    volume = "" if tick.volume is None else f',"volume":{tick.volume}'
    oi = "" if tick.oi is None else f',"oi":{tick.oi}'
    times = f'"session":"{tick.session}","traded_at":{tick.traded_at}{named}'
    rest = ',"rest":true' if tick.rest else ""
    known = f'"received_at":{tick.received_at}{volume}{_encoded(tick.day)}{oi},{times}{rest}'
    return f'{{"k":"{tick.key}","ltp":{price},"ltt":{ltt},{known}}}'


def _rupees(price: Price) -> str:
    return f"{price // SCALE}{_PART[price % SCALE]}"


def message(batch: Batch, items: Sequence[str]) -> tuple[str, str, str]:
    """Return the message of `batch` in three parts: the text before its ticks, the ticks, which are the JSON
    objects `items`, and the text behind them.
    """
    head = {
        "v": VERSION,
        "epoch": batch.epoch,
        "seq": batch.seq,
        "at": batch.at,
        "connection": batch.connection,
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
