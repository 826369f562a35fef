"""One price cell to markup: the only function that draws one, for the first paint and for every update after it.

Templates call `cell` through Jinja, the hub calls it once per cell and version, so it is plain string work: no template
engine, no escaping of what cannot need it. It knows nothing of pages, streams or rows. Everything that comes out is made of
numbers, of the five state words and of a date that was parsed first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from ltp.core.instrument import CURRENCY_SEGMENTS
from ltp.core.money import SCALE, group_indian, grouped_text
from ltp.core.quote import Quote

DASH: Final = "–"  # an unknown is never a zero


def cell(quote: Quote, column: str) -> str:
    """Return the inner markup of the element whose id is `element_id(column, quote.key)`.

    The price is one text node inside <b>. Class u or d: the last move was up or down (arrow and colour); with s the move is
    not news, so nothing flashes. The word in <i> is the state the price is shown in.
    """
    return _DRAW[column](quote)


def _ltp(quote: Quote) -> str:
    tick = quote.tick
    if tick is None or tick.ltp is None:
        return f"<b>{DASH}</b> <i>unknown</i>"
    direction, state = quote.direction, quote.state
    mark = ("" if quote.moved else " s") if direction else ""
    opened = f'<b class="{"u" if direction > 0 else "d"}{mark}">' if direction else "<b>"
    if state == "live" or state == "quiet":
        word = f"<i>{state}</i>"
    elif state == "closed":
        word = f"<i>{_closed(tick.session)}</i>"
    else:
        word = f'<i class="w">{state}</i>'
    return f"{opened}{_unit(quote.key)}{_money(tick.ltp, quote.key)}</b> {word}"


def _chg(quote: Quote) -> str:
    tick = quote.tick
    if tick is None or tick.ltp is None or tick.prev_close is None:
        return DASH
    change = tick.ltp - tick.prev_close
    if not change:
        return "0.00"
    text = _money(abs(change), quote.key)
    return f'<b class="g">+{text}</b>' if change > 0 else f'<b class="l">−{text}</b>'


def _chgp(quote: Quote) -> str:
    tick = quote.tick
    if tick is None or tick.ltp is None or not tick.prev_close:
        return DASH
    change, close = tick.ltp - tick.prev_close, tick.prev_close
    hundredths = (abs(change) * 20_000 + close) // (2 * close)  # of a percent, half away from zero
    if not hundredths:
        return "0.00%"
    text = f"{hundredths // 100}.{hundredths % 100:02d}%"
    return f'<b class="g">+{text}</b>' if change > 0 else f'<b class="l">−{text}</b>'


def _volume(quote: Quote) -> str:
    tick = quote.tick
    # An index trades nothing itself; the feed sends 0 for it, which would read as "no trades today".
    if tick is None or tick.volume is None or quote.key.startswith("IDX_I:"):
        return DASH
    return group_indian(str(tick.volume))


def _price_column(name: str) -> Callable[[Quote], str]:
    def draw(quote: Quote) -> str:
        price = None if quote.tick is None else getattr(quote.tick, name)
        return DASH if price is None else _money(price, quote.key)

    return draw


def _unit(key: str) -> str:
    """An index is a number of points, not an amount of rupees."""
    return "" if key.startswith("IDX_I:") else "₹"


def _money(price: int, key: str) -> str:
    """`grouped_text` for the sizes that fill a screen, at a third of its cost; the rest is left to it."""
    if key.partition(":")[0] in CURRENCY_SEGMENTS:
        return grouped_text(price, currency=True)
    paise = (price + 50) // 100
    whole, fraction = paise // 100, paise % 100
    if whole < 1_000:
        return f"{whole}.{fraction:02d}"
    if whole < 100_000:
        return f"{whole // 1_000},{whole % 1_000:03d}.{fraction:02d}"
    return grouped_text(paise * (SCALE // 100))


@lru_cache(maxsize=64)
def _closed(session: str) -> str:
    """The session came through the cache as any ten characters: only a date gets onto a page."""
    try:
        day = date.fromisoformat(session)
    except ValueError:
        return "closed"
    return f"closed {day.day} {day:%b}"


_DRAW: Final[dict[str, Callable[[Quote], str]]] = {
    "ltp": _ltp,
    "chg": _chg,
    "chgp": _chgp,
    "volume": _volume,
    "open": _price_column("open"),
    "high": _price_column("high"),
    "low": _price_column("low"),
    "prev": _price_column("prev_close"),
}
LIVE_COLUMNS: Final = tuple(_DRAW)
