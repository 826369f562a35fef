"""Which screeners have a page, what each shows unless the reader chooses otherwise, and the run a page is of."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ltp.core.criteria.spec import KIND_PREFIX
from ltp.core.screener import Run
from ltp.errors import DatabaseError, NotFoundError
from ltp.web.services import services
from ltp.web.table.columns import BY_NAME
from ltp.web.table.screener import Screener, in_order

_SWING_FACTS: Final = (
    "ltp", "chgp", "volume", "rank", "score", "base_score", "mtf_score", "relvol", "trend", "dist_ema20", "rsi", "adx",
    "atr_pct", "pct_from_high52", "spark", "sector",
)  # fmt: skip
_SWING_PLAN: Final = (
    "ltp", "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target", "r_now", "r", "quantity",
    "risk",
)  # fmt: skip
SCREENERS: Final = {
    screener.kind: screener
    for screener in (
        Screener(
            "swing",
            "Swing screener",
            "Shares set up for a move of days to weeks, each with a plan: entry, stop and target.",
            _SWING_FACTS,
            _SWING_PLAN,
        ),
        Screener(
            "longterm",
            "Long-term screener",
            "Shares worth holding for months to years, best score first.",
            (
                "ltp", "chgp", "rank", "score", "base_score", "mtf_score", "trend", "weekly_trend", "dist_sma200",
                "drawdown_pct", "volatility", "rs6m", "rs12m", "spark", "sector",
            ),
            (
                "ltp", "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target", "r_now",
                "allocation_pct", "allocation", "quantity", "risk", "horizon",
            ),
            MappingProxyType({"zone": "Buy zone", "stop": "Invalidation", "to_stop": "To invalid."}),
        ),
    )
}  # fmt: skip


def custom(
    kind: str, title: str, about: str = "", *, slug: str = "", facts: tuple[str, ...] = ()
) -> Screener:
    """Return a screen that somebody put together; its plans are the swing strategy's. `facts`: what its
    criteria speak of.
    """
    own = tuple(name for name in dict.fromkeys((*_SWING_FACTS[:-1], *facts, "sector")) if name in BY_NAME)
    return Screener(kind, title, about, in_order(own), _SWING_PLAN, slug=slug)


def named(slug: str) -> Screener:
    """Return a built-in screener, a saved screen by its address, or any screen by the kind of the runs it
    has.

    Raises:
        NotFoundError: there is none.
    """
    if slug in SCREENERS:
        return SCREENERS[slug]
    catalog = services().catalog
    saved = catalog.screen(slug)
    if saved is not None:
        return custom(saved.kind, saved.name, " and ".join(saved.spec.criteria), slug=slug)
    if slug.startswith(KIND_PREFIX) and catalog.runs(slug):
        return custom(slug, "Custom screen")
    raise catalog.not_found("screener", slug)


def run_of(shown: Screener, run_id: int = 0) -> Run | None:
    """Return a screener's run, the current one where no other is named; None while there is none.

    Raises:
        NotFoundError: it has no such run (any more).
        DatabaseError: the run has to be read and cannot be.
    """
    catalog, held = services().catalog, services()
    current = catalog.current(shown.kind)
    wanted = run_id or catalog.current_id(shown.kind)
    if wanted is None:
        return None
    if current is not None and current.id == wanted:
        return current
    known = any(head.id == wanted for head in catalog.runs(shown.kind))
    run = held.run(wanted)
    if run is not None and run.kind == shown.kind:
        return run
    if known and run is None:
        raise DatabaseError("The run cannot be read")
    raise catalog.not_found(f"run of the {shown.title}", str(wanted))


def open_run(shown: Screener, run_id: int) -> Run | None:
    """Return the run an open page shows; one that is gone meanwhile, or was never this screener's, gives the
    newest.
    """
    try:
        return run_of(shown, run_id)
    except NotFoundError:
        return run_of(shown)
