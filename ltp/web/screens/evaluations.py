"""How far the evaluation of a screen is, and the wish for one: `<page>/run` asks, `<page>/progress` is what
an open page polls.

The worker evaluates; a page knows of it from the catalog's memory. Only the wish itself is written to SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.spec import BUILT_IN, PARAMETERS, Spec, from_params, from_text, kind_of, text_of
from ltp.core.screener import KINDS
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.db import evaluations
from ltp.db.evaluations import DONE, FAILED, QUEUED, RUNNING, SILENT_S
from ltp.errors import InputError
from ltp.web import clients, marks
from ltp.web.screens import catalogue
from ltp.web.screens.forms import sentence
from ltp.web.services import services
from ltp.web.table import screen_query

bp = Blueprint("evaluations", __name__)
CUSTOM: Final = "custom"
ASKED: Final = "asked"  # the mark of an evaluation that was asked for
SAVED: Final = "saved"  # the mark of a screen that was saved
_WITNESSES: Final = 50  # screens that ran last: one of them has seen the newest candles
_SETTLES: Final = timedelta(seconds=5)
_RETRY_AFTER: Final = timedelta(
    minutes=10
)  # what failed is tried again by itself; a bookmark must not do it each second
# Of a page's address, what makes no sense any more once the screen is evaluated anew.
_OF_ONE_RUN: Final = frozenset({ASKED, SAVED, "run", "rows", "page"})


class Evaluation(NamedTuple):
    """`state`: queued, running, failed, or empty where nothing is under way and nothing went wrong.
    `screening`: None while the wish is not known here yet. `heard`: the worker is. `run_url` and
    `progress_url` belong to the page at `page_url`.
    """

    state: str
    screening: evaluations.Evaluation | None
    heard: bool
    page_url: str
    run_url: str
    progress_url: str

    @property
    def open(self) -> bool:
        return self.state in {QUEUED, RUNNING}

    @property
    def why(self) -> str:
        """Say why it failed."""
        return sentence(
            (self.screening and self.screening.message) or "there was no sign of life for a minute"
        )

    @property
    def left_s(self) -> int | None:
        """Seconds that it takes still, None while nobody can tell."""
        screening = self.screening
        if screening is None or self.state != RUNNING or screening.per_s <= 0:
            return None
        return round(max(0, screening.total - screening.done) / screening.per_s)


class EvaluationTarget(NamedTuple):
    """A screen that can be evaluated, and the path of its page."""

    kind: str
    spec: Spec
    path: str


@bp.post("/screeners/<slug>/run")
def run(slug: str) -> BaseResponse:
    """Ask for an evaluation and lead back to the page, which shows how it goes."""
    wanted = target(slug)
    mark = ask(wanted)
    kept = [pair for pair in request.args.items(multi=True) if pair[0] not in _OF_ONE_RUN]
    return redirect(address(wanted.path, [*kept, (ASKED, mark)]), 303)


@bp.get("/screeners/<slug>/run")
def page(slug: str) -> BaseResponse:
    """Lead to the page: where asking failed, the browser has this address and may load it again."""
    return redirect(address(target(slug).path, request.args.items(multi=True)), 302)


@bp.get("/screeners/<slug>/progress")
def progress(slug: str) -> str:
    """Answer one look at an evaluation; after its end, with what makes the page show the new run."""
    wanted = target(slug)
    return render_template("screeners/_progress.html", evaluation=of(wanted.kind, wanted.path), polled=True)


def target(slug: str) -> EvaluationTarget:
    """Return the screen at an address below /screeners; `custom` is the one that the present query describes.

    Raises:
        NotFoundError, InputError
    """
    if slug == CUSTOM:
        spec = from_params(request.args.items(multi=True))
        if not spec.criteria:
            raise InputError("c", "", "a screen has at least one criterion, such as c=rsi14 > 60")
        return EvaluationTarget(kind_of(spec), spec, "/screeners/custom")
    shown = catalogue.named(slug)
    if shown.kind in KINDS:
        return EvaluationTarget(shown.kind, BUILT_IN, shown.path)
    saved = services().catalog.screen(slug)
    spec = saved.spec if saved else from_text(services().catalog.runs(shown.kind)[0].spec)
    return EvaluationTarget(shown.kind, spec, shown.path)


def ask(wanted: EvaluationTarget) -> str:
    """Have a screen evaluated, unless that is under way. Returns the mark by which its page knows.

    Raises:
        LimitError: too many wait already.
        DatabaseError: the wish cannot be written.
    """
    mark = marks.made(_asked(wanted.kind))
    evaluations.enqueue(
        services().engine, wanted.kind, text_of(wanted.spec), wanted.spec.universe, clients.client()
    )
    return mark


def due(kind: str) -> bool:
    """Tell whether a custom screen should be evaluated because its page was opened: it has no run, or one
    that is older than the newest candles anybody has seen. What failed is left alone for some minutes.
    """
    catalog, newest = services().catalog, services().catalog.evaluation(kind)
    if newest is not None and (
        newest.open or (newest.state == FAILED and abs(datetime.now(UTC) - newest.beat_at) < _RETRY_AFTER)
    ):
        return False
    heads = catalog.runs(kind)
    if not heads:
        return True
    has, at = heads[0].as_of, max(head.created_at for head in heads)
    every = (head for each in catalog.kinds()[:_WITNESSES] for head in catalog.runs(each))
    return has is None or any(head.as_of and head.as_of > has and head.created_at > at for head in every)


def of(kind: str, path: str, mark: str = "") -> Evaluation:
    """Return how the evaluation of a screen is, for the page at `path` with the present query.

    Args:
        mark: what `ask` returned, where the present request asked; else the page's address may carry one.
    """
    mark = mark or marks.given(ASKED)
    screening, since = services().catalog.evaluation(kind), marks.second(mark, _asked(kind))
    kept = [(ASKED, mark)] if since else []
    again = [pair for pair in request.args.items(multi=True) if pair[0] not in _OF_ONE_RUN]
    return Evaluation(
        _state(kind, screening, since),
        None if _unknown(screening, since) else screening,
        services().hub.link_age_s <= LINK_DEAD_AFTER_S,
        address(path, again),
        address(f"{path}/run", again),
        address(f"{path}/progress", [*again, *kept]),
    )


def over(evaluation: Evaluation) -> BaseResponse | None:
    """Lead away from the address of one wish once that is fulfilled: it may be bookmarked. None while it is
    not, or no wish's.
    """
    return redirect(evaluation.page_url, 302) if marks.given(ASKED) and not evaluation.state else None


def known(slug: str) -> None:
    """Look once for a screen that another process of this server has just saved, as the page's address
    proves.

    Raises:
        DatabaseError: the screen is there, and cannot be read just now.
    """
    if services().catalog.screen(slug) is None and marks.second(marks.given(SAVED), saved_as(slug)):
        services().catalog.refresh_screens()


def saved_as(slug: str) -> str:
    """Return what the mark of a saved screen is about."""
    return f"{SAVED} {slug}"


def address(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    given = list(pairs)
    return f"{path}?{urlencode(given, safe=',()')}" if given else path


def _state(kind: str, screening: evaluations.Evaluation | None, since: int) -> str:
    if _unknown(screening, since):
        return QUEUED
    if screening is None:
        return ""
    now, heads = datetime.now(UTC), services().catalog.runs(kind)
    if screening.state == RUNNING and now - screening.beat_at > timedelta(seconds=SILENT_S):
        return FAILED
    if screening.state == DONE:
        # It is told to be done a moment before its run is known here.
        known = any(head.id == screening.run_id for head in heads) or now - screening.beat_at > _SETTLES
        return "" if known else RUNNING
    if screening.state == FAILED and any(head.created_at > screening.beat_at for head in heads):
        return ""
    return screening.state


def _unknown(screening: evaluations.Evaluation | None, since: int) -> bool:
    """Tell whether a wish of that second cannot be known here yet. An open one was joined, whenever it was
    made.
    """
    return since > 0 and (screening is None or (not screening.open and screening.beat_at.timestamp() < since))


def _asked(kind: str) -> str:
    return f"{ASKED} {kind}"


def marks_of(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters that are neither the screen's nor its table's."""
    return [(name, value) for name, value in pairs if name in {ASKED, SAVED} and value]


def table_query() -> screen_query.ScreenQuery:
    """Read the part of the present query that is the table's."""
    others = frozenset({*PARAMETERS, ASKED, SAVED, "n"})
    return screen_query.parse(
        (name, value) for name, value in request.args.items(multi=True) if name not in others
    )
