"""`python -m ltp screeners run` and `screeners import`: new results, computed or from a file.

The worker evaluates by starting this same command, so that what carries prices never computes screens.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.cli_files import parsed, read
from ltp.cli_stages import Stages
from ltp.core import criteria
from ltp.core.criteria import BUILT_IN, Spec
from ltp.core.screener import KINDS
from ltp.core.screener_csv import Master, parse
from ltp.db import instruments, screeners, screenings, screens
from ltp.db.engine import open_engine
from ltp.db.screenings import Best
from ltp.errors import InputError, LTPError, NotFoundError
from ltp.jobs import shipped, universes


class _Wish(NamedTuple):
    """What is to be evaluated in one pass. `requests`: where progress is told, one of each kind."""

    kinds: tuple[str, ...]
    spec: Spec
    requests: tuple[int, ...]


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    actions = commands.add_parser("screeners", help="results of the screeners").add_subparsers(required=True, metavar="ACTION")
    import_ = actions.add_parser("import", help="store a file of results as the newest run of a screener")
    import_.add_argument("kind", choices=KINDS)
    import_.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8, comma-separated, the first line names the columns")
    import_.add_argument("--sample", action="store_true", help="head the page with the word sample")
    import_.set_defaults(command=_import)

    run = actions.add_parser("run", help="evaluate screeners on the daily candles that are there")
    run.add_argument("names", nargs="*", metavar="NAME", help="swing and longterm, or the address of one saved screen")
    run.add_argument("--as-of", type=_day, metavar="DATE", help="look back: no candle after this day counts")
    run.add_argument("--universe", default="", help="such as nifty100 or all; `universes list` prints them")
    run.add_argument("--request", type=int, metavar="ID", help="what the worker asks for: a request that waits")
    run.set_defaults(command=_run)


def _run(given: argparse.Namespace) -> int:
    # Numpy and TA-Lib take a third of a second and 40 MB, which no other command should pay for.
    from ltp.jobs import screeners as evaluation
    from ltp.screen.plan import Sizing

    settings = settings_module.load()
    engine = open_engine(settings.database)
    wish = _claimed(engine, given.request) if given.request is not None else _typed(engine, given)
    with _telling(engine, wish.requests), Stages() as stages:
        universe = given.universe or wish.spec.universe or universes.default(engine, settings.screener_universe)

        def tell(progress: evaluation.Progress) -> None:
            stages("evaluating", progress.done, progress.total)
            _beat(engine, wish.requests, progress)

        results = evaluation.run(
            engine,
            wish.kinds,
            wish.spec._replace(universe=universe),
            sizing=Sizing(settings.capital, settings.risk_per_trade),
            as_of=given.as_of,
            progress=tell,
        )
        for request, result in zip(wish.requests, results, strict=True):
            screenings.finish(engine, request, result.run_id)
    screeners.prune(engine)
    for result in results:
        print(
            f"{result.kind}: {result.found:,} of {result.evaluated:,} instruments of {universe} as of {result.as_of}, "
            f"stored as run {result.run_id} in {result.took_s:.1f} s"
        )
    return 0


def _claimed(engine: Engine, request: int) -> _Wish:
    held = screenings.claim(engine, request)
    if held is None:
        raise InputError("--request", str(request), "a request that waits")
    with _telling(engine, (request,)):
        spec = criteria.from_text(held.spec)
        if bool(spec.criteria) == (held.kind in KINDS):
            raise NotFoundError("screener", held.kind)
        return _Wish((held.kind,), spec._replace(universe=held.universe or spec.universe), (request,))


def _typed(engine: Engine, given: argparse.Namespace) -> _Wish:
    names: Sequence[str] = tuple(dict.fromkeys(given.names))
    if not names:
        raise InputError("NAME", "", "swing, longterm, or the address of a saved screen")
    kinds, spec = tuple(names), BUILT_IN
    if not set(names) <= set(KINDS):
        screen = screens.fetch(engine, names[0])
        if screen is None:
            raise NotFoundError("screener", names[0])
        if len(names) > 1:
            raise InputError("NAME", names[1], "a saved screen is evaluated by itself")
        kinds, spec = (screen.kind,), screen.spec
    requests: list[int] = []
    with _telling(engine, requests):
        for kind in kinds:
            request = screenings.begin(engine, kind, criteria.text_of(spec), given.universe)
            if request is None:
                raise InputError("NAME", kind, "it is being evaluated already; one run of a screener at a time")
            requests.append(request)
    return _Wish(kinds, spec, tuple(requests))


@contextmanager
def _telling(engine: Engine, requests: Sequence[int]) -> Iterator[None]:
    """Let those who watch know of a failure, whatever it is."""
    try:
        yield
    except BaseException as error:
        reason = str(error) if isinstance(error, LTPError) else f"the evaluation ended unexpectedly ({type(error).__name__})"
        for request in requests:
            screenings.fail(engine, request, reason)
        raise


def _beat(engine: Engine, requests: Sequence[int], progress: Any) -> None:
    best = [Best(row.key, row.symbol, row.score, row.setup) for row in progress.best]
    for request in requests:
        lives = screenings.beat(
            engine, request, done=progress.done, total=progress.total, found=progress.found, per_s=progress.per_s, best=best
        )
        if not lives:
            raise InputError("--request", str(request), "it was given up meanwhile")


def _import(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    content = read(given.file)
    engine = open_engine(settings.database)
    shipped.ensure(engine)  # symbols have to be known even where no worker has run yet
    master = Master.of(instruments.fetch_all(engine))
    rows = parsed(given.file, content, lambda text: parse(text, master))
    run_id = screeners.insert_run(engine, given.kind, rows, sample=given.sample, source=given.file.name)
    print(f"{len(rows):,} results stored as run {run_id} of the {given.kind} screener; open pages follow within seconds.")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: a date such as 2026-11-20") from None
