"""The live cells of a price as markup, for the first paint of a page and for each update after it.

Both call the same function, so they cannot differ. The hub calls it once per cell and version, so cells are
plain string operations: no template engine, and no escaping. The markup contains only numbers, the five state
words, a date that was parsed before, and a reason for doubt that was checked when it was received. Knows no
pages, streams or rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache, partial
from typing import Final

from ltp.core.money import SCALE, group_indian, grouped_text
from ltp.core.ticks.quote import Quote

Draw = Callable[[Quote], str]
_CACHED_COLUMNS: Final = 512
DASH: Final = "–"  # for an unknown value, which must not look like a zero
DAY_LINE: Final = "spark_day"
_INDEX: Final = "IDX_I:"  # its values are points, not rupees
_LIVE_WORD: Final = "<i>live</i>"
_WORDS: Final = {
    "quiet": "<i>quiet</i>",
    "stale": '<i class="w">stale</i>',
    "unknown": '<i class="w">unknown</i>',
}
# A number with leading zeros: formatting it takes three times as long as the look-up.
_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(100))
_THREE_DIGITS: Final = tuple(f"{number:03d}" for number in range(1_000))


def draw_function(
    planned: Callable[[str], Draw | None] = lambda _column: None,
    session: Callable[[], str] = str,
    today: Callable[[], str] = str,
    day_line: Draw = lambda _quote: DASH,
) -> Callable[[Quote, str], str]:
    """Return the function that draws live cells: quote and column in, inner markup of the cell out.

    The price is one text node inside <b>. Class u or d: the last move was up or down (arrow and colour). The
    cell flashes when the quote's price has moved; class s keeps it steady. The word in <i> is the state of
    the price, with class w when it is a warning.

    Args:
        planned: returns the draw function of a column that is not in this module, None when there is none.
        session: returns the trading date of closed prices that the status line shows, empty for none. A table
            hides this date in its cells, by class n.
        today: returns the ISO date in India. A price of another session shows its date; empty: none does.
        day_line: draws today's closes as a line, see `day_paths`.
    """
    columns = _Columns(planned, session, today, day_line)
    return lambda quote, column: columns[column](quote)


class _Columns(dict[str, Draw]):
    """The draw function of each column: one look-up in C for all but the first cell of a column."""

    def __init__(
        self,
        planned: Callable[[str], Draw | None],
        session: Callable[[], str],
        today: Callable[[], str],
        day_line: Draw,
    ) -> None:
        ltp = partial(_ltp, named_session=session, today=today)
        self._own: dict[str, Draw] = {**_DRAW, "ltp": ltp, DAY_LINE: day_line}
        super().__init__(self._own)
        self._planned = planned

    def __missing__(self, column: str) -> Draw:
        draw = self._planned(column)
        if draw is None:
            raise KeyError(column)
        if len(self) >= _CACHED_COLUMNS:  # each run has columns of its own
            self.clear()
            self.update(self._own)
        self[column] = draw
        return draw


def _ltp(quote: Quote, named_session: Callable[[], str], today: Callable[[], str]) -> str:
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
        word = _LIVE_WORD
    elif quote.doubt:
        word = f'<i class="w">{quote.state}, {quote.doubt}</i>'
    elif quote.state == "closed":
        word = _closed(tick.session, named_session())
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
    # The feed sends 0 for an index, which is not traded; on a page that would read as "no trades today".
    if tick is None or tick.volume is None or quote.key[:6] == _INDEX:
        return DASH
    volume = tick.volume
    # For common sizes, at a fifth of the cost of `group_indian`.
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
    """Return `grouped_text` of a price; for common sizes at a fifth of its cost."""
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
    """Return the word of a price that is not live, with the date of its session unless that is today."""
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
def _closed(session: str, named_session: str) -> str:
    """Return the word of a closed price. The cache may contain any ten characters as its session."""
    try:
        day = date.fromisoformat(session)
    except ValueError:
        return "<i>closed</i>"
    opening = '<i class="n">' if session == named_session else "<i>"
    return f"{opening}closed {day.day} {day:%b}</i>"


_DRAW: Final[Mapping[str, Draw]] = {  # of all columns but "ltp" and DAY_LINE
    "chg": _chg,
    "chgp": _chgp,
    "volume": _volume,
    "open": _price_column("open"),
    "high": _price_column("high"),
    "low": _price_column("low"),
    "prev": _price_column("prev_close"),
}
