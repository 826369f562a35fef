"""`/screeners`: every screen and how it stands; `/screeners/<screen>/runs`: what is kept of one; `/changes`:
between two runs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, render_template, request

from ltp.core.criteria.spec import KIND_PREFIX, Spec, from_text
from ltp.core.criteria.spec import params as spec_params
from ltp.core.screener import KINDS, Run
from ltp.db.runs import RunHead
from ltp.errors import DatabaseError, InputError
from ltp.web import params
from ltp.web.screens import catalogue, compare, counts, evaluations
from ltp.web.screens.catalogue import SCREENERS
from ltp.web.screens.counts import RunCounter, RunCounts
from ltp.web.screens.evaluations import Evaluation
from ltp.web.services import services
from ltp.web.table.screener import Screener

bp = Blueprint("runs", __name__)
_RECENT: Final = 20
SHOWN: Final = 100  # rows of each table of changes


class ScreenLine(NamedTuple):
    """One screen in a list. `head`: of its current run. `tally`: None where it is not counted (yet)."""

    screener: Screener
    url: str
    head: RunHead | None
    tally: RunCounts | None
    evaluation: Evaluation


class KeptRun(NamedTuple):
    """One run in the list of a screen's runs. `was`: what it is compared with, None where there is nothing."""

    head: RunHead
    was: RunHead | None
    tally: RunCounts | None
    url: str
    changes_url: str


@bp.get("/screeners")
def index() -> str:
    catalog, counter = services().catalog, RunCounter()
    saved = {screen.kind for screen in catalog.screens()}
    recent = [kind for kind in catalog.kinds() if kind.startswith(KIND_PREFIX) and kind not in saved]
    own = [catalogue.named(screen.slug) for screen in catalog.screens()]
    groups = [
        ("Built in", [line(shown, counter) for shown in SCREENERS.values()]),
        ("Saved", [line(shown, counter) for shown in own]),
        ("Recent", [line(_named(kind), counter) for kind in recent[:_RECENT]]),
    ]
    evaluating = any(each.evaluation.open for _, lines in groups for each in lines)
    return render_template("screeners/list.html", groups=groups, evaluating=evaluating)


@bp.get("/screeners/<slug>/runs")
def runs(slug: str) -> str:
    shown = _named(slug)
    heads = sorted(services().catalog.runs(shown.kind), key=counts.place, reverse=True)
    counter = RunCounter()
    kept = [_kept(shown, head, counts.before(tuple(heads), head), counter) for head in heads]
    return render_template(
        "screeners/runs.html",
        screener=shown,
        page_url=page_of(shown),
        kept=kept,
        current_id=services().catalog.current_id(shown.kind),
    )


@bp.get("/screeners/<slug>/changes")
def changes(slug: str) -> str:
    """Compare the run `run` with an earlier one, `with`; the current one with the one before unless they are
    named.
    """
    shown = _named(slug)
    given = params.single(request.args.items(multi=True))
    heads = services().catalog.runs(shown.kind)
    named = {name: params.whole(given, name, 2**53, 0) for name in ("run", "with")}
    head = _head(heads, named["run"]) if named["run"] else next(iter(heads), None)
    was = _head(heads, named["with"]) if named["with"] else head and counts.before(heads, head)
    if head and was and counts.place(head) <= counts.place(was):
        raise InputError(
            "with", str(was.id), f"it is a run before {head.id}, of an earlier session or made earlier"
        )
    return render_template(
        "screeners/compare.html",
        screener=shown,
        page_url=page_of(shown),
        heads=sorted(heads, key=counts.place, reverse=True),
        earlier=[each for each in heads if not head or counts.place(each) < counts.place(head)],
        head=head,
        was=was,
        changes=compare.compare(_run(head), _run(was), all_rows=shown.kind not in KINDS)
        if head and was
        else None,
        built_in=shown.kind in KINDS,
        shown=SHOWN,
    )


def line(shown: Screener, counter: RunCounter) -> ScreenLine:
    heads = services().catalog.runs(shown.kind)
    head = heads[0] if heads else None
    counted = counter.tally(head, counts.before(heads, head)) if head else None
    return ScreenLine(shown, page_of(shown), head, counted, evaluations.of(shown.kind, shown.path))


def page_of(shown: Screener) -> str:
    """Return the address of a screen's page; of one that nobody saved, the address that says its criteria."""
    spec = _spec(shown)
    return evaluations.address("/screeners/custom", spec_params(spec)) if spec else shown.path


def _named(slug: str) -> Screener:
    """Return a screen; one that nobody saved is called by its criteria.

    Raises:
        NotFoundError: there is none.
    """
    shown = catalogue.named(slug)
    spec = _spec(shown)
    return shown._replace(title=" and ".join(spec.criteria)) if spec else shown


def _spec(shown: Screener) -> Spec | None:
    """Return what a screen that nobody saved looks for; None for others, and where this version does not
    understand it.
    """
    heads = services().catalog.runs(shown.kind)
    if shown.slug or not shown.kind.startswith(KIND_PREFIX) or not heads:
        return None
    try:
        return from_text(heads[0].spec)
    except InputError:
        return None


def _kept(shown: Screener, head: RunHead, was: RunHead | None, counter: RunCounter) -> KeptRun:
    run = ("run", str(head.id))
    changes_url = evaluations.address(f"{shown.path}/changes", [run, ("with", str(was.id))]) if was else ""
    return KeptRun(head, was, counter.tally(head, was), evaluations.address(shown.path, [run]), changes_url)


def _head(heads: tuple[RunHead, ...], run_id: int) -> RunHead:
    found = next((head for head in heads if head.id == run_id), None)
    if found is None:
        raise services().catalog.not_found("run of this screen", str(run_id))
    return found


def _run(head: RunHead) -> Run:
    run = counts.run_of(head)
    if run is None:
        raise DatabaseError("The run cannot be read")
    return run
