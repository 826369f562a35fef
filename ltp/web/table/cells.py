"""One price cell to markup: the only function that draws one, for the first paint and for every update after
it.

Templates call `cell` through Jinja, the hub calls it once per cell and version, so it is plain string work:
no template engine, no escaping of what cannot need it. It knows nothing of pages, streams or rows. Everything
that comes out is made of numbers, of the five state words, of a date that was parsed first and of a reason
that was checked when it came in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import Final

from ltp.core.money import SCALE, group_indian, grouped_text
from ltp.core.ticks.quote import Quote

Draw = Callable[[Quote], str]
_KEPT: Final = 512
DASH: Final = "–"  # an unknown is never a zero
_INDEX: Final = "IDX_I:"  # a number of points, not an amount of rupees
_DATED: Final = "<i>"
_NAMED: Final = '<i class="n">'
_LIVE: Final = "<i>live</i>"
_WORDS: Final = {
    "quiet": "<i>quiet</i>",
    "stale": '<i class="w">stale</i>',
    "unknown": '<i class="w">unknown</i>',
}
# Formatting a number with leading zeros takes three times as long as looking it up.
_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(100))
_THREE_DIGITS: Final = tuple(f"{number:03d}" for number in range(1_000))


def cell(quote: Quote, column: str) -> str:
    """Return the inner markup of the element whose id is `element_id(column, quote.key)`.

    The price is one text node inside <b>. Class u or d: the last move was up or down (arrow and colour); with
    s the move is not news, so nothing flashes. The word in <i> is the state the price is shown in, with class
    w where it is a warning.
    """
    return _DRAW[column](quote)


def drawing(
    planned: Callable[[str], Draw | None], session: Callable[[], str] = str, today: Callable[[], str] = str
) -> Callable[[Quote, str], str]:
    """Return `cell` with the columns of plans too.

    Args:
        planned: says what draws a column that is not here, None for nobody.
        session: the trading date that the page names once for all closed prices; the class n lets a table
            leave it out of
            the cells. Empty where it names none.
        today: the ISO date in India. A price of another session carries its date; empty where that is not to
            be said.
    """
    draws = _Draws(planned, session, today)
    return lambda quote, column: draws[column](quote)


class _Draws(dict[str, Draw]):
    """What draws each column, by its name: one look-up in C for all but the first cell of a column."""

    def __init__(
        self, planned: Callable[[str], Draw | None], session: Callable[[], str], today: Callable[[], str]
    ) -> None:
        self._all: dict[str, Draw] = {**_DRAW, "ltp": partial(_ltp, named=session, today=today)}
        super().__init__(self._all)
        self._planned = planned

    def __missing__(self, column: str) -> Draw:
        draw = self._planned(column)
        if draw is None:
            raise KeyError(column)
        if len(self) >= _KEPT:  # there is a column for each run
            self.clear()
            self.update(self._all)
        self[column] = draw
        return draw


def _ltp(quote: Quote, named: Callable[[], str] = str, today: Callable[[], str] = str) -> str:
    tick = quote.tick
    if tick is None or tick.ltp is None:
        return f"<b>{DASH}</b> <i>unknown</i>"
    direction, key = quote.direction, quote.key
    if not direction:
        opened = "<b>"
    elif quote.moved:
        opened = '<b class="u">' if direction > 0 else '<b class="d">'
    else:
        opened = '<b class="u s">' if direction > 0 else '<b class="d s">'
    if quote.state == "live":
        word = _LIVE
    elif quote.doubt:
        word = f'<i class="w">{quote.state}, {quote.doubt}</i>'
    elif quote.state == "closed":
        word = _closed(tick.session, named())
    else:
        word = _dated(quote.state, tick.session, today())
    return f"{opened}{'' if key[:6] == _INDEX else '₹'}{_money(tick.ltp, key)}</b> {word}"


def _chg(quote: Quote) -> str:
    tick = quote.tick
    if tick is None:
        return DASH
    ltp, close = tick.ltp, tick.prev_close
    if ltp is None or close is None:
        return DASH
    if ltp > close:
        return f'<b class="g">+{_money(ltp - close, quote.key)}</b>'
    return f'<b class="l">-{_money(close - ltp, quote.key)}</b>' if ltp < close else "0.00"


def _chgp(quote: Quote) -> str:
    tick = quote.tick
    if tick is None:
        return DASH
    ltp, close = tick.ltp, tick.prev_close
    if ltp is None or not close:
        return DASH
    hundredths = (abs(ltp - close) * 20_000 + close) // (2 * close)  # of a percent, half away from zero
    if not hundredths:
        return "0.00%"
    text = f"{hundredths // 100}.{_TWO_DIGITS[hundredths % 100]}%"
    return f'<b class="g">+{text}</b>' if ltp > close else f'<b class="l">-{text}</b>'


def _volume(quote: Quote) -> str:
    tick = quote.tick
    # An index trades nothing itself; the feed sends 0 for it, which would read as "no trades today".
    if tick is None or tick.volume is None or quote.key[:6] == _INDEX:
        return DASH
    volume = tick.volume
    # `group_indian` for the sizes that fill a screen, at a fifth of its cost.
    if volume < 1_000:
        return str(volume)
    if volume < 1_00_000:
        return f"{volume // 1_000},{_THREE_DIGITS[volume % 1_000]}"
    if volume < 1_00_00_000:
        return f"{volume // 1_00_000},{_TWO_DIGITS[volume // 1_000 % 100]},{_THREE_DIGITS[volume % 1_000]}"
    return group_indian(str(volume))


def _price_column(name: str) -> Draw:
    def draw(quote: Quote) -> str:
        price = None if quote.tick is None else getattr(quote.tick, name)
        return DASH if price is None else _money(price, quote.key)

    return draw


def _money(price: int, key: str) -> str:
    """`grouped_text` for the sizes that fill a screen, at a fifth of its cost; the rest is left to it."""
    if "_CURRENCY:" in key:
        return grouped_text(price, currency=True)
    paise = (price + 50) // 100
    if paise < 1_000_00:
        return f"{paise // 100}.{_TWO_DIGITS[paise % 100]}"
    if paise < 1_00_000_00:
        return f"{paise // 1_000_00},{_THREE_DIGITS[paise // 100 % 1_000]}.{_TWO_DIGITS[paise % 100]}"
    return grouped_text(paise * (SCALE // 100))


@lru_cache(maxsize=64)
def _dated(state: str, session: str, today: str) -> str:
    """Return the word of a price that is not live, with its date where that is not today."""
    word = _WORDS[state]
    try:
        day = date.fromisoformat(session) if today and session != today else None
    except ValueError:
        day = None
    if day is None:
        return word
    year = "" if session[:4] == today[:4] else f" {day.year}"
    return f"{word[:-4]}, {day.day} {day:%b}{year}</i>"


@lru_cache(maxsize=64)
def _closed(session: str, named: str) -> str:
    """The session came through the cache as any ten characters: only a date gets onto a page."""
    try:
        day = date.fromisoformat(session)
    except ValueError:
        return "<i>closed</i>"
    return f"{_NAMED if session == named else _DATED}closed {day.day} {day:%b}</i>"


_DRAW: Final[dict[str, Draw]] = {
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
