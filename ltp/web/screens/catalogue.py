"""The screeners that have pages: their columns, their specs and their runs."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from ltp.core.criteria.facts import FACT
from ltp.core.criteria.spec import BUILT_IN, KIND_PREFIX, Spec, from_text, kind_of
from ltp.core.screener import KINDS, Run
from ltp.errors import DatabaseError, NotFoundError
from ltp.web.services import services
from ltp.web.table.columns import BY_NAME
from ltp.web.table.screener import Screener, in_table_order

CUSTOM: Final = "custom"  # in place of a slug: the screen whose criteria are in the address
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_FACTS_OF_INDICATORS: Final = {"rsi14": "rsi", "adx14": "adx", "atr14": "atr"}  # in criteria, as columns

_SWING_FACTS: Final = (
    "ltp", "chgp", "volume", "rank", "score", "base_score", "mtf_score", "relvol", "trend", "dist_ema20",
    "rsi", "adx", "atr_pct", "pct_from_high52", "spark", "sector",
)  # fmt: skip
_SWING_PLAN: Final = (
    "ltp", "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop", "to_target", "r_now",
    "r", "quantity", "risk",
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
                "ltp", "chgp", "rank", "score", "base_score", "mtf_score", "trend", "weekly_trend",
                "dist_sma200", "drawdown_pct", "volatility", "rs6m", "rs12m", "spark", "sector",
            ),
            (
                "ltp", "setup", "state", "entry", "zone", "stop", "target", "to_entry", "to_stop",
                "to_target", "r_now", "allocation_pct", "allocation", "quantity", "risk", "horizon",
            ),
            MappingProxyType({"zone": "Buy zone", "stop": "Invalidation", "to_stop": "To invalid."}),
        ),
    )
}  # fmt: skip


def custom_screener(
    kind: str, title: str, about: str = "", *, slug: str = "", facts: tuple[str, ...] = ()
) -> Screener:
    """Return the screener of custom criteria, with the plans of the swing strategy. `facts`: more columns."""
    names = (name for name in dict.fromkeys((*_SWING_FACTS[:-1], *facts, "sector")) if name in BY_NAME)
    return Screener(kind, title, about, in_table_order(tuple(names)), _SWING_PLAN, slug=slug)


def screener_of_spec(spec: Spec) -> Screener:
    """Return the screener of a spec in an address, with a column for each fact that its criteria name."""
    about = " and ".join(spec.criteria)
    return custom_screener(kind_of(spec), "Custom screen", about, slug=CUSTOM, facts=facts_in(spec))


def facts_in(spec: Spec) -> tuple[str, ...]:
    """Return the facts that the criteria of a spec name."""
    names = (name for text in spec.criteria for name in _NAME.findall(text))
    facts = dict.fromkeys(_FACTS_OF_INDICATORS.get(name, name) for name in names)
    return tuple(name for name in facts if name in FACT)


def find_screener(slug: str) -> Screener:
    """Return a built-in screener by its kind, a saved screen by its slug, any other by the kind of its runs.

    Raises:
        NotFoundError: there is none.
    """
    if slug in SCREENERS:
        return SCREENERS[slug]
    catalog = services().catalog
    saved = catalog.screen(slug)
    if saved is not None:
        return custom_screener(saved.kind, saved.name, " and ".join(saved.spec.criteria), slug=slug)
    if slug.startswith(KIND_PREFIX) and catalog.runs(slug):
        return custom_screener(slug, "Custom screen")
    raise catalog.not_found("screener", slug)


def spec_of(screener: Screener) -> Spec:
    """Return the spec of a screener from `find_screener`; parses the criteria of a screen that is not saved.

    Raises:
        InputError: this version does not accept these criteria any more.
    """
    if screener.kind in KINDS:
        return BUILT_IN
    saved = services().catalog.screen(screener.slug)
    return saved.spec if saved else from_text(services().catalog.runs(screener.kind)[0].spec)


def find_run(screener: Screener, run_id: int = 0) -> Run | None:
    """Return a run of the screener, the current one for 0; None before the first one.

    Raises:
        NotFoundError: the screener has no such run (any more).
        DatabaseError: the run has to be read from SQL and cannot be.
    """
    catalog = services().catalog
    current = catalog.current(screener.kind)
    wanted = run_id or catalog.current_id(screener.kind)
    if wanted is None:
        return None
    if current is not None and current.id == wanted:
        return current
    known = any(head.id == wanted for head in catalog.runs(screener.kind))
    run = services().run(wanted)
    if run is not None and run.kind == screener.kind:
        return run
    if known and run is None:
        raise DatabaseError("The run cannot be read")
    raise catalog.not_found(f"run of the {screener.title}", str(wanted))


def find_run_or_current(screener: Screener, run_id: int) -> Run | None:
    """Return the run for the stream and the polls of an open page: the current one if the run is gone."""
    try:
        return find_run(screener, run_id)
    except NotFoundError:
        return find_run(screener)
