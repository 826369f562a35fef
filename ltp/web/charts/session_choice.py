"""Bars of auctions and of the trade after the close on a chart: chosen in the address, apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ltp.core.history import periods
from ltp.core.market import kinds
from ltp.errors import InputError
from ltp.web import params

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
