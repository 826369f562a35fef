"""`python -m ltp candles minutes summary`: counts what is stored, for the pages below `/candles`."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ltp import settings as settings_module
from ltp.batch.minutes.daily_summary import summarize_days
from ltp.batch.minutes.summary import Summary, summarize_minutes
from ltp.batch.progress import Progress
from ltp.cli.progress import Stages
from ltp.core.bars.kept_days import KeptDays
from ltp.core.counted import counted
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db.engine import Engine, open_engine

if TYPE_CHECKING:
    from ltp.settings import Settings


def add(actions: Any) -> None:
    """Register the command on the sub-parsers of `minutes`."""
    summary = actions.add_parser("summary", help="count what is stored, as the worker does every night")
    summary.set_defaults(command=_summary)


def summarize(
    engine: Engine,
    settings: Settings,
    keys: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
) -> tuple[Summary, int]:
    """Count bars of these instruments; without `keys` bars and candles of all.

    Returns:
        What was counted of bars, and the number of instruments with candles, 0 with `keys`.
    """
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    now = datetime.now(UTC)
    kept = kept_days(settings, now)
    minutes = summarize_minutes(engine, calendar, now=now, keys=keys, kept_from=kept.ones, progress=progress)
    return minutes, summarize_days(engine, calendar, now=now) if keys is None else 0


def kept_days(settings: Settings, now: datetime) -> KeptDays:
    """Return how far back bars are kept at an aware instant."""
    today = now.astimezone(IST).date()
    return KeptDays.of(today, settings.minute_bars_days, settings.longer_bars_days)


def summarize_candles(engine: Engine, settings: Settings, keys: Collection[str]) -> None:
    """Count the daily candles of these instruments."""
    calendar = Calendar.named(settings.market_calendar, settings.market_calendar_overrides)
    summarize_days(engine, calendar, now=datetime.now(UTC), keys=keys)


def _summary(_: argparse.Namespace) -> int:
    settings = settings_module.load()
    with Stages() as stages:
        minutes, days = summarize(open_engine(settings.database), settings, progress=stages)
    print(
        f"{counted(minutes.instruments, 'instrument')} with one-minute bars, {counted(minutes.counted, 'session')} "
        f"of them new or changed; {counted(days, 'instrument')} with daily candles."
    )
    return 0
