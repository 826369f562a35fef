"""`python -m ltp screeners run` and `screeners import`: new runs, evaluated or from a file.

The worker starts `screeners run --request` for each evaluation, so that the process which carries prices
evaluates no screens.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Engine

from ltp import settings as settings_module
from ltp.batch import default_universe
from ltp.cli import study
from ltp.cli.database import open_seeded
from ltp.cli.files import parsed, read
from ltp.cli.options import UNIVERSE_HELP, day_with_candles, known_universe, one_of
from ltp.cli.progress import Stages
from ltp.core.counted import counted
from ltp.core.criteria.spec import BUILT_IN, Spec, from_text, text_of
from ltp.core.formats.screener_csv import InstrumentNames, parse
from ltp.core.screener import KINDS
from ltp.core.sizing import Sizing
from ltp.core.watchlists.watchlist import is_kind
from ltp.db import evaluations, instruments, runs, saved_screens, universes
from ltp.db.engine import open_engine, reading
from ltp.db.evaluations import TopRow
from ltp.errors import InputError, LTPError, NotFoundError

if TYPE_CHECKING:  # numpy and TA-Lib come with it
    from ltp.batch.evaluation import EvaluationProgress


class _Evaluation(NamedTuple):
    """Screens to evaluate in one pass. `requests`: the id of the stored request of each kind, which pages
    read the progress from.
    """

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
    run.add_argument("--universe", default="", help=UNIVERSE_HELP)
    run.add_argument(
        "--request", type=int, metavar="ID", help="what the worker asks for: a request that waits"
    )
    run.set_defaults(command=_run)
    study.add(actions)


def _run(given: argparse.Namespace) -> int:
    # Numpy and TA-Lib take a third of a second and 40 MB, which no other command should pay for.
    from ltp.batch import evaluation

    settings = settings_module.load()
    engine = open_engine(settings.database)
    as_of = day_with_candles(engine, given.as_of, "--as-of")
    if given.request is not None:
        screens = _claim(engine, given.request)
    else:
        screens = _begin(engine, given, settings.screener_universe)
    with _failure_stored(engine, screens.requests), Stages() as stages:
        universe = (
            given.universe
            or screens.spec.universe
            or default_universe.default(engine, settings.screener_universe)
        )

        def report(progress: EvaluationProgress) -> None:
            stages("evaluating", progress.done, progress.total)
            _store_progress(engine, screens.requests, progress)

        results = evaluation.evaluate(
            engine,
            screens.kinds,
            screens.spec._replace(universe=universe),
            sizing=Sizing(settings.capital, settings.risk_per_trade),
            as_of=as_of,
            progress=report,
        )
        for request, result in zip(screens.requests, results, strict=True):
            evaluations.finish(engine, request, result.run_id)
    runs.prune(engine)
    for result in results:
        print(
            f"{result.kind}: {result.found:,} of {counted(result.evaluated, 'instrument')} of {universe} "
            f"as of {result.as_of}, stored as run {result.run_id} in {result.took_s:.1f} s"
            f"{'; ' * bool(result.notes)}{result.notes}"
        )
    return 0


def _claim(engine: Engine, request_id: int) -> _Evaluation:
    """Claim a waiting request, so that no other command evaluates it."""
    request = evaluations.claim(engine, request_id)
    if request is None:
        raise InputError("--request", str(request_id), "a request that waits")
    with _failure_stored(engine, (request_id,)):
        spec = from_text(request.spec)
        if bool(spec.criteria) == (request.kind in KINDS or is_kind(request.kind)):
            raise NotFoundError("screener", request.kind)
        universe = request.universe or spec.universe
        return _Evaluation((request.kind,), spec._replace(universe=universe), (request_id,))


def _begin(engine: Engine, given: argparse.Namespace, universe_setting: str) -> _Evaluation:
    """Store a running request for each screen on the command line. Words that are not accepted are refused
    before anything is stored.
    """
    kinds, spec = _screens(engine, tuple(dict.fromkeys(given.names)))
    universe = (
        known_universe(engine, given.universe)
        or spec.universe
        or default_universe.default(engine, universe_setting)
    )
    universes.keys(engine, universe)
    requests: list[int] = []
    with _failure_stored(engine, requests):
        for kind in kinds:
            request = evaluations.begin(engine, kind, text_of(spec), given.universe)
            if request is None:
                raise InputError(
                    "NAME", kind, "it is being evaluated already; one run of a screener at a time"
                )
            requests.append(request)
    return _Evaluation(kinds, spec._replace(universe=universe), tuple(requests))


def _screens(engine: Engine, names: Sequence[str]) -> tuple[tuple[str, ...], Spec]:
    """Return the kinds and the criteria of the named screens: built-in ones, or one saved screen."""
    if names and set(names) <= set(KINDS):
        return tuple(names), BUILT_IN
    name = next((name for name in names if name not in KINDS), "")
    screen = saved_screens.fetch(engine, name)
    if screen is None:
        with reading(engine) as connection:
            saved = [each.slug for each in saved_screens.all_in(connection)]
        raise InputError(
            "NAME", name, f"one or both of {' and '.join(KINDS)}, or {one_of('a saved screen', saved)}"
        )
    if len(names) > 1:
        raise InputError("NAME", name, "a saved screen is evaluated by itself")
    return (screen.kind,), screen.spec


@contextmanager
def _failure_stored(engine: Engine, requests: Sequence[int]) -> Iterator[None]:
    """Store any failure with the requests, so that the pages which show their progress show it too."""
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


def _store_progress(engine: Engine, requests: Sequence[int], progress: EvaluationProgress) -> None:
    best = [TopRow(row.key, row.symbol, row.score, row.setup) for row in progress.best]
    for request in requests:
        still_ours = evaluations.beat(
            engine,
            request,
            done=progress.done,
            total=progress.total,
            found=progress.found,
            per_s=progress.per_s,
            best=best,
        )
        if not still_ours:
            raise InputError("--request", str(request), "it was given up meanwhile")


def _import(given: argparse.Namespace) -> int:
    settings = settings_module.load()
    content = read(given.file)
    engine = open_seeded(settings)
    names = InstrumentNames.of(instruments.fetch_all(engine))
    rows = parsed(given.file, content, lambda text: parse(text, names))
    run_id = runs.insert_run(engine, given.kind, rows, sample=given.sample, source=given.file.name)
    print(
        f"{counted(len(rows), 'result')} stored as run {run_id} of the {given.kind} screener; "
        "open pages follow within seconds."
    )
    return 0
