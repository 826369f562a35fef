"""The markup of the order book and of the broker's values of the day, for a page and for its stream.

Plain functions of values: called once for all readers of a page. The markup contains only numbers, times and
fixed words.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import zip_longest
from typing import Final

from ltp.core.instrument import CONTRACT_SEGMENTS, element_id
from ltp.core.money import Price, group_indian, grouped_text, is_currency
from ltp.core.ticks.depth import LEVELS, LIVE_FOR_US, Depth, Level, QuoteDetails
from ltp.core.ticks.quote import Quote
from ltp.core.trading_day import IST
from ltp.store.depth import MOST
from ltp.web.table.cells import DASH

DEPTH: Final = "depth"
DETAILS: Final = "details"
REFUSED: Final = (
    '<p class="meta">There is no order book here: it is shown on a few pages of a visitor and of this site at a time.'
    " Close another quote page, and it comes.</p>"
)
_SOON: Final = '<p class="meta">No order book is known yet: it comes a moment after the page is opened.</p>'
_LATE: Final = (
    '<p class="meta">No order book has come: the broker sent none, or the pages of other instruments have all'
    f" {MOST} places. It is shown here when it comes.</p>"
)
_WIDTH: Final = 100
_CONFIRMED: Final = frozenset({"live", "quiet"})  # states in which the feed vouches for the instrument
_HEAD: Final = (
    '<table><caption class="vh">Orders at the five best prices of each side</caption><thead><tr>'
    '<th scope="col">Orders</th><th scope="col">Quantity</th><th scope="col">Bid</th>'
    '<th scope="col">Ask</th><th scope="col">Quantity</th><th scope="col">Orders</th></tr></thead><tbody>'
)


def partial(part: str, key: str, markup: str) -> str:
    """Return markup that replaces the content of a part, DEPTH or DETAILS, on an open page."""
    return f'<hx-partial id="{element_id(part, key)}">{markup}</hx-partial>'


def is_live(depth: Depth, quote: Quote, now_us: int) -> bool:
    """Return whether a depth may be shown as the present one: it came within 10 s, by a feed that is up."""
    return quote.state in _CONFIRMED and now_us - depth.received_at <= LIVE_FOR_US


def depth_markup(
    depth: Depth | None, quote: Quote, now_us: int, *, paused: bool = False, is_late: bool = False
) -> str:
    """Return state and table of the order book.

    Args:
        paused: the page does not follow it, so it is not live.
        is_late: it has been wanted for longer than one takes to come.
    """
    if depth is None:
        return _LATE if is_late else _SOON
    if not paused and is_live(depth, quote, now_us):
        state = '<p class="meta"><i>live</i>'
    else:
        confirmed = quote.state in _CONFIRMED
        why = quote.state if not confirmed else "paused" if paused else "not live"
        state = f'<p class="meta was"><i class="w">{why}, of {_clock(depth.received_at, now_us)}</i>'
    return f"{state}{_spread(depth)}{_totals(depth)}</p>{_HEAD}{_rows(depth)}</tbody></table>"


def details_markup(depth: Depth | None, details: QuoteDetails | None, quote: Quote, now_us: int) -> str:
    """Return average price, circuit limits and, of a contract, the day's range of open interest.

    The average is that of the order book's packets where there is one. The time of the other values is below
    them, because they are asked for every few minutes only.
    """
    currency = is_currency(quote.key)
    known = details or QuoteDetails(quote.key, 0)
    rows = [
        ("Average price", _money((depth.average if depth else None) or known.average, currency=currency)),
        ("Lower circuit", _money(known.lower, currency=currency)),
        ("Upper circuit", _money(known.upper, currency=currency)),
    ]
    if quote.key.partition(":")[0] in CONTRACT_SEGMENTS:
        rows.append(("OI of the day", _oi(known)))
    listed = "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in rows)
    notes = [_reached(known, quote), _time_of(known, now_us, has_average=bool(depth and depth.average))]
    shown = " ".join(filter(None, notes))
    return f'<dl class="facts">{listed}</dl>' + (f'<p class="meta">{shown}</p>' if shown else "")


def _time_of(details: QuoteDetails, now_us: int, *, has_average: bool) -> str:
    """Return when the broker gave the values by REST, "" if it gave none."""
    names = [
        name
        for name, is_known in (
            ("average price", details.average and not has_average),
            ("circuit limits", details.lower or details.upper),
            ("open interest of the day", details.oi_high),
        )
        if is_known
    ]
    if not names:
        return ""
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{listed[0].upper()}{listed[1:]}: as of {_clock(details.received_at, now_us)[:-3]}"


def _spread(depth: Depth) -> str:
    if not depth.bids or not depth.asks:
        return ""
    bid, ask = depth.bids[0].price, depth.asks[0].price
    text = grouped_text(ask - bid, currency=is_currency(depth.key))
    return f" · spread {text} ({(ask - bid) * 100 / ask:.2f}%)" if ask >= bid else ""


def _totals(depth: Depth) -> str:
    buy, sell = depth.buy_quantity, depth.sell_quantity
    if not buy + sell:
        return ""
    share = (200 * buy + buy + sell) // (2 * (buy + sell))
    return f" · all bids {group_indian(str(buy))} ({share}%), all asks {group_indian(str(sell))} ({100 - share}%)"


def _rows(depth: Depth) -> str:
    currency = is_currency(depth.key)
    most = max((level.quantity for level in (*depth.bids, *depth.asks)), default=1)
    empty = (None,) * LEVELS
    sides = zip_longest(depth.bids, depth.asks, empty)
    return "".join(
        f"<tr>{_bid(bid, most, currency=currency)}{_ask(ask, most, currency=currency)}</tr>"
        for bid, ask, _ in sides
    )


def _bid(level: Level | None, most: int, *, currency: bool) -> str:
    if level is None:
        return f"<td>{DASH}</td><td>{DASH}</td><td>{DASH}</td>"
    width = _share(level.quantity, most)
    return (
        f"<td>{level.orders}</td><td>{_bar('bid', _WIDTH - width, width)}{group_indian(str(level.quantity))}</td>"
        f'<td class="g">{grouped_text(level.price, currency=currency)}</td>'
    )


def _ask(level: Level | None, most: int, *, currency: bool) -> str:
    if level is None:
        return f"<td>{DASH}</td><td>{DASH}</td><td>{DASH}</td>"
    bar = _bar("ask", 0, _share(level.quantity, most))
    return (
        f'<td class="l">{grouped_text(level.price, currency=currency)}</td>'
        f"<td>{bar}{group_indian(str(level.quantity))}</td><td>{level.orders}</td>"
    )


def _bar(side: str, x: int, width: int) -> str:
    return (
        f'<svg class="lot" viewBox="0 0 {_WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{side}" x="{x}" width="{width}" height="10"/></svg>'
    )


def _share(quantity: int, most: int) -> int:
    """Return a length of a bar: at least 1, so that a small quantity is seen."""
    return max(1, quantity * _WIDTH // most)


def _reached(details: QuoteDetails, quote: Quote) -> str:
    ltp = quote.tick.ltp if quote.tick else None
    if ltp is None or quote.state not in _CONFIRMED:
        return ""
    if details.upper is not None and ltp >= details.upper:
        return '<b class="w">The price is at the upper circuit.</b>'
    if details.lower is not None and ltp <= details.lower:
        return '<b class="w">The price is at the lower circuit.</b>'
    return ""


def _oi(details: QuoteDetails) -> str:
    if details.oi_high is None:
        return DASH
    return f"{group_indian(str(details.oi_low or 0))} to {group_indian(str(details.oi_high))}"


def _money(price: Price | None, *, currency: bool) -> str:
    return DASH if price is None else grouped_text(price, currency=currency)


def _clock(at_us: int, now_us: int) -> str:
    at, now = (datetime.fromtimestamp(each / 1e6, UTC).astimezone(IST) for each in (at_us, now_us))
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at.day} {at:%b}, {at:%H:%M:%S}"
