"""`python -m ltp screeners study`: the results of past swing plans, in risks."""

from __future__ import annotations

import argparse
from typing import Any, Final

from ltp import settings as settings_module
from ltp.batch import default_universe
from ltp.cli.options import UNIVERSE_HELP, day_with_candles, known_universe
from ltp.cli.progress import Stages
from ltp.core.counted import counted
from ltp.db.engine import open_engine
from ltp.errors import InputError

_MAX_SESSIONS: Final = 250


def add(actions: Any) -> None:
    """Register the command among those of `screeners`."""
    study = actions.add_parser("study", help="how the swing plans of the past would have done, in risks")
    study.add_argument("--universe", default="", help=UNIVERSE_HELP)
    study.add_argument("--from", dest="first", default="", metavar="DATE", help="first day of plans")
    study.add_argument("--to", dest="last", default="", metavar="DATE", help="last day of plans")
    study.add_argument(
        "--every", type=int, default=10, metavar="N", help="a plan of each share every N sessions (10)"
    )
    study.add_argument(
        "--sessions", type=int, default=30, metavar="N", help="followed for so many sessions (30)"
    )
    study.set_defaults(command=_study)


def _study(given: argparse.Namespace) -> int:
    # Numpy and TA-Lib take a third of a second and 40 MB, which no other command should pay for.
    from ltp.batch.plan_study import StudyRequest, study

    for name in ("every", "sessions"):
        if not 1 <= getattr(given, name) <= _MAX_SESSIONS:
            raise InputError(
                f"--{name}", str(getattr(given, name)), f"a number of sessions from 1 to {_MAX_SESSIONS}"
            )
    settings = settings_module.load()
    engine = open_engine(settings.database)
    universe = known_universe(engine, given.universe) or default_universe.default(
        engine, settings.screener_universe
    )
    request = StudyRequest(
        universe,
        day_with_candles(engine, given.first, "--from"),
        day_with_candles(engine, given.last, "--to"),
        given.every,
        given.sessions,
    )
    with Stages() as stages:
        result = study(engine, request, lambda done, total: stages("following", done, total))
    print(
        f"{counted(result.shares, 'share')} of {universe}, plans of {counted(len(result.days), 'day')} from "
        f"{result.days[0]} to {result.days[-1]}, followed for {given.sessions} sessions, before costs:"
    )
    print(f"{'setup':<14}{'plans':>8}{'filled':>8}{'mean R':>9}{'+-':>7}{'gained':>8}")
    for each in result.groups:
        shown = (
            f"{each.mean:>+9.2f}{2 * each.error:>7.2f}{each.won / each.filled:>8.0%}"
            if each.filled
            else f"{'-':>9}"
        )
        print(f"{each.setup:<14}{each.plans:>8,}{each.filled:>8,}{shown}")
    return 0
