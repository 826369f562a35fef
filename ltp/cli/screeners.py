"""`python -m ltp screeners run` and `screeners import`: new results, computed or from a file.

The worker evaluates by starting this same command, so that what carries prices never computes screens.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch import default_universe, seed
from ltp.cli.files import parsed, read
from ltp.cli.progress import Stages
from ltp.core.counted import counted
from ltp.core.criteria.spec import BUILT_IN, Spec, from_text, text_of
from ltp.core.formats.exchange_csv import parse_day
from ltp.core.formats.screener_csv import InstrumentNames, parse
from ltp.core.screener import KINDS
from ltp.db import candles, evaluations, instruments, runs, saved_screens
from ltp.db import universes as known_universes
from ltp.db.engine import open_engine, reading
from ltp.db.evaluations import TopRow
from ltp.errors import InputError, LTPError, NotFoundError

_NAMED: Final = 20
_MOST_SESSIONS: Final = 250


class _Wish(NamedTuple):
    """What is to be evaluated in one pass. `requests`: where progress is told, one of each kind."""

    kinds: tuple[str, ...]
    spec: Spec
    requests: tuple[int, ...]


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    actions = commands.add_parser("screeners", help="results of the screeners").add_subparsers(
        required=True, metavar="ACTION"
    )
    import_ = actions.add_parser("import", help="store a file of results as the newest run of a screener")
    import_.add_argument("kind", choices=KINDS)
    import_.add_argument(
        "file", type=Path, metavar="FILE.csv", help="UTF-8, comma-separated, the first line names the columns"
    )
    import_.add_argument("--sample", action="store_true", help="head the page with the word sample")
    import_.set_defaults(command=_import)

    run = actions.add_parser("run", help="evaluate screeners on the daily candles that are there")
    run.add_argument(
        "names", nargs="*", metavar="NAME", help="swing and longterm, or the address of one saved screen"
    )
    run.add_argument("--as-of", default="", metavar="DATE", help="look back: no candle after this day counts")
    run.add_argument("--universe", default="", help="such as nifty100 or all; `universes list` prints them")
    run.add_argument(
        "--request", type=int, metavar="ID", help="what the worker asks for: a request that waits"
    )
    run.set_defaults(command=_run)

    study = actions.add_parser("study", help="how the swing plans of the past would have done, in risks")
    study.add_argument("--universe", default="", help="such as nifty100 or all; `universes list` prints them")
    study.add_argument("--from", dest="first", default="", metavar="DATE", help="first day of plans")
    study.add_argument("--to", dest="last", default="", metavar="DATE", help="last day of plans")
    study.add_argument(
        "--every", type=int, default=10, metavar="N", help="a plan of each share every N sessions (10)"
    )
    study.add_argument(
        "--sessions", type=int, default=30, metavar="N", help="followed for so many sessions (30)"
    )
    study.set_defaults(command=_study)


def _run(given: argparse.Namespace) -> int:
    # Numpy and TA-Lib take a third of a second and 40 MB, which no other command should pay for.
    from ltp.batch import evaluate as evaluation
    from ltp.core.sizing import Sizing

    settings = settings_module.load()
    engine = open_engine(settings.database)
    as_of = _day(engine, given.as_of)
    if given.request is not None:
        wish = _claimed(engine, given.request)
    else:
        wish = _typed(engine, given, settings.screener_universe)
    with _telling(engine, wish.requests), Stages() as stages:
        universe = (
            given.universe
            or wish.spec.universe
            or default_universe.default(engine, settings.screener_universe)
        )

        def tell(progress: evaluation.Progress) -> None:
            stages("evaluating", progress.done, progress.total)
            _beat(engine, wish.requests, progress)

        results = evaluation.run(
            engine,
            wish.kinds,
            wish.spec._replace(universe=universe),
            sizing=Sizing(settings.capital, settings.risk_per_trade),
            as_of=as_of,
            progress=tell,
        )
        for request, result in zip(wish.requests, results, strict=True):
            evaluations.finish(engine, request, result.run_id)
    runs.prune(engine)
    for result in results:
        print(
            f"{result.kind}: {result.found:,} of {counted(result.evaluated, 'instrument')} of {universe} as of {result.as_of}, "
            f"stored as run {result.run_id} in {result.took_s:.1f} s{'; ' * bool(result.notes)}{result.notes}"
        )
    return 0


def _claimed(engine: Engine, request: int) -> _Wish:
    held = evaluations.claim(engine, request)
    if held is None:
        raise InputError("--request", str(request), "a request that waits")
    with _telling(engine, (request,)):
        spec = from_text(held.spec)
        if bool(spec.criteria) == (held.kind in KINDS):
            raise NotFoundError("screener", held.kind)
        return _Wish((held.kind,), spec._replace(universe=held.universe or spec.universe), (request,))


def _typed(engine: Engine, given: argparse.Namespace, setting: str) -> _Wish:
    """Note what somebody typed as begun; what cannot be is refused before anything is noted."""
    names: Sequence[str] = tuple(dict.fromkeys(given.names))
    kinds, spec = _named(engine, names)
    universe = _universe(engine, given.universe) or spec.universe or default_universe.default(engine, setting)
    known_universes.keys(engine, universe)
    requests: list[int] = []
    with _telling(engine, requests):
        for kind in kinds:
            request = evaluations.begin(engine, kind, text_of(spec), given.universe)
            if request is None:
                raise InputError(
                    "NAME", kind, "it is being evaluated already; one run of a screener at a time"
                )
            requests.append(request)
    return _Wish(kinds, spec._replace(universe=universe), tuple(requests))


def _named(engine: Engine, names: Sequence[str]) -> tuple[tuple[str, ...], Spec]:
    """Return the kinds and the screen that are meant by the names."""
    if names and set(names) <= set(KINDS):
        return tuple(names), BUILT_IN
    name = next((name for name in names if name not in KINDS), "")
    screen = saved_screens.fetch(engine, name)
    if screen is None:
        with reading(engine) as connection:
            saved = [each.slug for each in saved_screens.all_in(connection)]
        raise InputError(
            "NAME", name, f"one or both of {' and '.join(KINDS)}, or {_one_of('a saved screen', saved)}"
        )
    if len(names) > 1:
        raise InputError("NAME", name, "a saved screen is evaluated by itself")
    return (screen.kind,), screen.spec


def _universe(engine: Engine, name: str) -> str:
    known = list(known_universes.fetch(engine))
    if name and name not in known:
        raise InputError("--universe", name, _one_of("a universe", known))
    return name


def _one_of(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"{what}, of which there is none yet"
    shown = ", ".join(names[:_NAMED])
    return f"{what}: {shown}{f' and {len(names) - _NAMED:,} more' if len(names) > _NAMED else ''}"


def _day(engine: Engine, text: str, option: str = "--as-of") -> date | None:
    """Return the day that an option names, None where none is given."""
    if not text:
        return None
    day = parse_day(text)
    first, newest = candles.first_day(engine), candles.newest_day(engine)
    if day is None or first is None or newest is None or not first <= day <= newest:
        there = (
            f"from {first} to {newest}"
            if first
            else "with daily candles, of which there are none yet; import or fetch them"
        )
        raise InputError(option, text, f"a date such as 2026-11-20, {there}")
    return day


@contextmanager
def _telling(engine: Engine, requests: Sequence[int]) -> Iterator[None]:
    """Let those who watch know of a failure, whatever it is."""
    try:
        yield
    except BaseException as error:
        reason = (
            str(error)
            if isinstance(error, LTPError)
            else f"the evaluation ended unexpectedly ({type(error).__name__})"
        )
        for request in requests:
            evaluations.fail(engine, request, reason)
        raise


def _beat(engine: Engine, requests: Sequence[int], progress: Any) -> None:
    best = [TopRow(row.key, row.symbol, row.score, row.setup) for row in progress.best]
    for request in requests:
        lives = evaluations.beat(
            engine,
            request,
            done=progress.done,
            total=progress.total,
            found=progress.found,
            per_s=progress.per_s,
            best=best,
        )
        if not lives:
            raise InputError("--request", str(request), "it was given up meanwhile")


def _study(given: argparse.Namespace) -> int:
    from ltp.batch import plan_study

    for name in ("every", "sessions"):
        if not 1 <= getattr(given, name) <= _MOST_SESSIONS:
            raise InputError(
                f"--{name}", str(getattr(given, name)), f"a number of sessions from 1 to {_MOST_SESSIONS}"
            )
    settings = settings_module.load()
    engine = open_engine(settings.database)
    universe = _universe(engine, given.universe) or default_universe.default(
        engine, settings.screener_universe
    )
    asked = plan_study.StudyRequest(
        universe,
        _day(engine, given.first, "--from"),
        _day(engine, given.last, "--to"),
        given.every,
        given.sessions,
    )
    with Stages() as stages:
        result = plan_study.study(engine, asked, lambda done, total: stages("following", done, total))
    print(
        f"{counted(result.shares, 'share')} of {universe}, plans of {counted(len(result.days), 'day')} from {result.days[0]} to "
        f"{result.days[-1]}, followed for {given.sessions} sessions, before costs:"
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


def _import(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    content = read(given.file)
    engine = open_engine(settings.database)
    seed.ensure(engine)  # symbols have to be known even where no worker has run yet
    master = InstrumentNames.of(instruments.fetch_all(engine))
    rows = parsed(given.file, content, lambda text: parse(text, master))
    run_id = runs.insert_run(engine, given.kind, rows, sample=given.sample, source=given.file.name)
    print(
        f"{counted(len(rows), 'result')} stored as run {run_id} of the {given.kind} screener; open pages follow within seconds."
    )
    return 0
