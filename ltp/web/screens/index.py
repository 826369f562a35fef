"""`/screeners`: all screens; `/screeners/<slug>/runs`: the kept runs of one; `/changes`: between two runs."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, render_template, request

from ltp.core.criteria.spec import KIND_PREFIX, Spec, from_text
from ltp.core.criteria.spec import params as spec_params
from ltp.core.screener import KINDS, Run
from ltp.db.runs import RunHead
from ltp.errors import DatabaseError, InputError
from ltp.web import params, urls
from ltp.web.screens import compare
from ltp.web.screens.catalogue import SCREENERS, find_screener
from ltp.web.screens.counts import RunCounter, RunCounts, previous_run, read_run, session_order
from ltp.web.screens.evaluation_state import EvaluationState, evaluation_of
from ltp.web.screens.page import CUSTOM_PATH
from ltp.web.services import services
from ltp.web.table.screener import Screener

bp = Blueprint("runs", __name__)
_MAX_RECENT: Final = 20
MAX_CHANGES: Final = 100  # rows in each table of changes
_MAX_RUN: Final = 2**53


class ScreenLine(NamedTuple):
    """A screen in a list. `head`: of its current run. `counts`: None if they are not counted (yet)."""

    screener: Screener
    url: str
    head: RunHead | None
    counts: RunCounts | None
    evaluation: EvaluationState


class RunLine(NamedTuple):
    """A run in the list of a screen's runs. `previous`: to compare it with. `counts`: as in ScreenLine."""

    head: RunHead
    previous: RunHead | None
    counts: RunCounts | None
    url: str
    changes_url: str


class TitledScreen(NamedTuple):
    """A screener and the address of its page; both have the criteria if the screen is not saved."""

    screener: Screener
    page_url: str


@bp.get("/screeners")
def index() -> str:
    catalog, counter = services().catalog, RunCounter()
    saved = {screen.kind for screen in catalog.screens()}
    recent = [kind for kind in catalog.kinds() if kind.startswith(KIND_PREFIX) and kind not in saved]
    groups = [
        ("Built in", [screen_line(screener, counter) for screener in SCREENERS.values()]),
        ("Saved", [screen_line(find_screener(screen.slug), counter) for screen in catalog.screens()]),
        ("Recent", [_line_of(find_titled(kind), counter) for kind in recent[:_MAX_RECENT]]),
    ]
    evaluating = any(line.evaluation.open for _, lines in groups for line in lines)
    return render_template("screeners/index.html", groups=groups, evaluating=evaluating)


@bp.get("/screeners/<slug>/runs")
def runs(slug: str) -> str:
    screener, page_url = find_titled(slug)
    heads = sorted(services().catalog.runs(screener.kind), key=session_order, reverse=True)
    counter = RunCounter()
    return render_template(
        "screeners/runs.html",
        screener=screener,
        page_url=page_url,
        kept=[_run_line(screener, head, previous_run(tuple(heads), head), counter) for head in heads],
        current_id=services().catalog.current_id(screener.kind),
    )


@bp.get("/screeners/<slug>/changes")
def changes(slug: str) -> str:
    """Compare `run` (a run's id, default: the current one) with `with` (default: the previous one)."""
    screener, page_url = find_titled(slug)
    heads = services().catalog.runs(screener.kind)
    head, previous = _runs_to_compare(heads)
    built_in = screener.kind in KINDS
    return render_template(
        "screeners/compare.html",
        screener=screener,
        page_url=page_url,
        heads=sorted(heads, key=session_order, reverse=True),
        earlier=[each for each in heads if not head or session_order(each) < session_order(head)],
        head=head,
        previous=previous,
        changes=compare.compare(_read_run(head), _read_run(previous), all_rows=not built_in)
        if head and previous
        else None,
        built_in=built_in,
        shown=MAX_CHANGES,
    )


def screen_line(screener: Screener, counter: RunCounter) -> ScreenLine:
    """Return the line of a built-in or saved screen."""
    return _line_of(TitledScreen(screener, screener.path), counter)


def _line_of(screen: TitledScreen, counter: RunCounter) -> ScreenLine:
    screener, page_url = screen
    heads = services().catalog.runs(screener.kind)
    head = heads[0] if heads else None
    counts = counter.counts(head, previous_run(heads, head)) if head else None
    return ScreenLine(screener, page_url, head, counts, evaluation_of(screener.kind, screener.path))


def find_titled(slug: str) -> TitledScreen:
    """Find a screen; raises as `find_screener`."""
    screener = find_screener(slug)
    spec = _unsaved_spec(screener)
    if spec is None:
        return TitledScreen(screener, screener.path)
    title = " and ".join(spec.criteria)
    return TitledScreen(screener._replace(title=title), urls.address(CUSTOM_PATH, spec_params(spec)))


def _unsaved_spec(screener: Screener) -> Spec | None:
    """Return the spec of a screen that is not saved; None for others, and if this version refuses it."""
    heads = services().catalog.runs(screener.kind)
    if screener.slug or not screener.kind.startswith(KIND_PREFIX) or not heads:
        return None
    try:
        return from_text(heads[0].spec)
    except InputError:
        return None


def _run_line(screener: Screener, head: RunHead, previous: RunHead | None, counter: RunCounter) -> RunLine:
    run = ("run", str(head.id))
    path = f"{screener.path}/changes"
    changes_url = urls.address(path, [run, ("with", str(previous.id))]) if previous else ""
    return RunLine(
        head, previous, counter.counts(head, previous), urls.address(screener.path, [run]), changes_url
    )


def _runs_to_compare(heads: tuple[RunHead, ...]) -> tuple[RunHead | None, RunHead | None]:
    """Return the two runs that the present parameters name or imply.

    Raises:
        NotFoundError: the screen has no run of that id.
        InputError: the second is not earlier than the first.
    """
    given = params.single(request.args.items(multi=True))
    run_id, with_id = (params.whole(given, name, _MAX_RUN, 0) for name in ("run", "with"))
    head = _find_head(heads, run_id) if run_id else next(iter(heads), None)
    previous = _find_head(heads, with_id) if with_id else head and previous_run(heads, head)
    if head and previous and session_order(head) <= session_order(previous):
        accepted = f"it is a run before {head.id}, of an earlier session or made earlier"
        raise InputError("with", str(previous.id), accepted)
    return head, previous


def _find_head(heads: tuple[RunHead, ...], run_id: int) -> RunHead:
    found = next((head for head in heads if head.id == run_id), None)
    if found is None:
        raise services().catalog.not_found("run of this screen", str(run_id))
    return found


def _read_run(head: RunHead) -> Run:
    run = read_run(head)
    if run is None:
        raise DatabaseError("The run cannot be read")
    return run
