"""Bars of auctions and of the trade after the close on a chart: chosen in the address, apart from the others."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Final

from ltp.core.bars.bar import Bar
from ltp.core.history import periods
from ltp.core.market import kinds
from ltp.core.trading_day import days_since_1970
from ltp.errors import InputError
from ltp.web import params

if TYPE_CHECKING:
    from ltp.web.charts.chart_bars import Overlay

PARAMETER: Final = "sessions"
LABELS: Final = {"pre_open": "Pre-open", "closing_auction": "Closing auction", "post_close": "Post-close"}


def parse(given: dict[str, str], timeframe: str) -> tuple[str, ...]:
    """Return the kinds of bars that are shown, see `core.market.kinds`.

    Raises:
        InputError: one is unknown, or the bars are of days or longer.
    """
    if PARAMETER in given and timeframe in periods.NAMES:
        accepted = f"it is for bars of minutes: those of {timeframe} have all trades of a day"
        raise InputError(PARAMETER, given[PARAMETER], accepted)
    return params.several(given, PARAMETER, kinds.ALL, kinds.USUAL)


def changed(shown: Sequence[str], kind: str) -> str:
    """Return the parameter that shows a kind, or no longer shows it; "" for the usual kinds."""
    wanted = {kinds.CONTINUOUS, *shown} ^ {kind}
    return "" if wanted == set(kinds.USUAL) else ",".join(each for each in kinds.ALL if each in wanted)


def over_continuous(
    bars: Sequence[Bar], each: Sequence[str], compute: Callable[[list[Bar]], list[Overlay]]
) -> list[Overlay]:
    """Compute overlays of the bars of the continuous session alone. Over other bars a line goes on at the value
    before, within its session where it has one line a session.

    Args:
        each: the kind of each bar.
    """
    places = [at for at, kind in enumerate(each) if kind == kinds.CONTINUOUS]
    lines = compute([bars[at] for at in places])
    if len(places) == len(bars):
        return lines
    days = [days_since_1970(bar.start) for bar in bars]
    begins = frozenset(at for at in range(1, len(days)) if days[at] != days[at - 1])
    return [
        line._replace(values=_spread(line.values, places, len(bars), begins if line.by_session else ()))
        for line in lines
    ]


def _spread(
    values: Sequence[float | None], places: Sequence[int], count: int, begins: Container[int]
) -> list[float | None]:
    """Return `values` at their places, and at the others the value before; none is carried over `begins`."""
    spread: list[float | None] = [None] * count
    for at, value in zip(places, values, strict=True):
        spread[at] = value
    taken = frozenset(places)
    for at in range(1, count):
        if at not in taken and at not in begins:
            spread[at] = spread[at - 1]
    return spread


def tooltip_words(kind: str) -> str:
    """Return the words beside a bar that is not of the continuous session, "" for one that is."""
    return LABELS.get(kind, "").lower()


def note(each: Sequence[str]) -> str:
    """Return the sentence under a chart that has bars of other kinds, "" for none."""
    found = [LABELS[kind].lower() for kind in LABELS if kind in each]
    if not found:
        return ""
    return (
        f"Dashed candles are of the {', '.join(found)}: no bar joins them with others, and averages and VWAP leave"
        " them out."
    )
