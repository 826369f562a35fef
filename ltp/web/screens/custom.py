"""`/screeners/custom?c=…`: the form of a custom screen, the progress of its evaluation and the rows it found.

The address is the screen: opening it evaluates the criteria unless they have a run on the newest candles.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.facts import FACTS
from ltp.core.criteria.spec import MAX_CRITERIA, MAX_CRITERIA_LENGTH, Spec, params
from ltp.core.criteria.vocabulary import FUNCTIONS, SERIES, WORDS
from ltp.errors import DatabaseError, LimitError
from ltp.web import origin, urls
from ltp.web.live import poll
from ltp.web.screens import forms
from ltp.web.screens.evaluation_state import ASKED, is_due
from ltp.web.screens.forms import Form, sentence
from ltp.web.screens.page import CUSTOM_PATH, ScreenPage
from ltp.web.services import services
from ltp.web.table import export, row_count
from ltp.web.table.prepare import Table, live_cells
from ltp.web.table.screen_query import ScreenQuery

bp = Blueprint("custom", __name__)


class Example(NamedTuple):
    name: str
    about: str
    url: str


class SaveForm(NamedTuple):
    """What was typed into the form that saves the screen. `error`: of the input `field`."""

    name: str = ""
    slug: str = ""
    error: str = ""
    field: str = ""


def _example(name: str, about: str, *criteria: str) -> Example:
    return Example(name, about, urls.address(CUSTOM_PATH, [("c", text) for text in criteria]))


_TREND: Final = ("trend == up", "weekly_trend == up", "adx > 25", "rsi14 > 55")
_PULLBACK: Final = ("close > sma200", "ema50 > ema200", "abs(dist_ema20) < 2", "rsi14 < 55")
EXAMPLES: Final = (
    _example("Strong trend", "rising on days and weeks, with strength", *_TREND),
    _example("Breakout", "above the 20-day high on volume", "close > high20", "volume > 2 * sma(volume, 20)"),
    _example("Pullback", "an uptrend that rests at its average", *_PULLBACK),
    _example("Near its high", "leaders within 5% of the 52-week high", "pct_from_high52 < 5", "rs6m > 0"),
    _example("Fresh cross", "the 50-day average went above the 200-day", "crosses_above(sma50, sma200)"),
    _example("Oversold", "far down, and turning", "rsi14 < 35", "close > ago(high, 1)"),
)

# The choices and explanations of the form.
_CHOICES: Final = {
    "examples": EXAMPLES,
    "facts": FACTS,
    "series": SERIES,
    "words": sorted(WORDS),
    "functions": FUNCTIONS.values(),
    "signs": forms.SIGNS,
    "most": MAX_CRITERIA,
    "together": MAX_CRITERIA_LENGTH,
}


@bp.get(CUSTOM_PATH)
def show() -> BaseResponse:
    pairs = list(request.args.items(multi=True))
    form = forms.parse(pairs, services().catalog.universes())
    if form.spec is None:
        return render_form(form, 400)
    if not form.clean:
        return redirect(urls.address(CUSTOM_PATH, [*params(form.spec), *_not_of_form(pairs)]), 302)
    if not form.spec.criteria:
        return render_form(form)
    return _show_screen(form, ScreenPage.of_spec(form.spec, pairs))


def _show_screen(form: Form, page: ScreenPage) -> BaseResponse:
    if address := page.shorter_address():
        return redirect(address, 303)
    refusal = _request_if_due(page) if origin.is_opened_by_person() else None
    status = 200 if page.run or not refusal else 503
    if address := page.unmarked_address():
        return redirect(address, 302)
    return _render_screen(form, page, status, refusal)


@bp.post(CUSTOM_PATH)
def submit() -> BaseResponse:
    """Request the evaluation of the form, which may be longer than an address, and redirect to its page."""
    pairs = list(request.form.items(multi=True))
    form = forms.parse(pairs, services().catalog.universes())
    if form.spec is None:
        return render_form(form, 400)
    mark = []
    if form.spec.criteria:
        page = ScreenPage.of_spec(form.spec, pairs)
        _request_if_due(page)
        mark = [(ASKED, page.mark)] if page.mark else []
    return redirect(urls.address(CUSTOM_PATH, [*params(form.spec), *_not_of_form(pairs), *mark]), 303)


@bp.get(f"{CUSTOM_PATH}/stream")
def stream() -> Response:
    return poll.stream_of(*_live_cells())


@bp.get(f"{CUSTOM_PATH}/poll")
def polled() -> Response:
    return poll.poll_of(*_live_cells())


@bp.get(f"{CUSTOM_PATH}/count")
def counted() -> Response:
    page = ScreenPage.resolve_custom(request.args.items(multi=True))
    return row_count.respond(lambda: page.query, lambda: page.run)


@bp.get(f"{CUSTOM_PATH}.<any(csv, json):suffix>")
def file(suffix: str) -> Response:
    return export.respond(ScreenPage.resolve_custom(request.args.items(multi=True)).table(), suffix)


def render_form(form: Form, status: int = 200) -> Response:
    """Return the page of a form that has no criteria, or is refused."""
    return _render(form, status, SaveForm(), None)


def render_save_refusal(spec: Spec, save: SaveForm) -> Response:
    """Return the page of a screen that could not be saved, with the reason beside the form that saves it."""
    form = forms.of_spec(spec)
    if not spec.criteria:
        return render_form(form._replace(error=save.error), 400)
    page = ScreenPage.of_spec(spec, request.args.items(multi=True))
    return _render_screen(form, page, 400, save=save)


def _live_cells() -> tuple[list[str], list[str]]:
    page = ScreenPage.resolve_custom(request.args.items(multi=True))
    return live_cells(page.screener, page.run, page.query)


def _request_if_due(page: ScreenPage) -> LimitError | DatabaseError | None:
    """Request an evaluation if one is due. Returns the reason if that failed."""
    try:
        if is_due(page.kind):
            page.request_evaluation()
    except (LimitError, DatabaseError) as error:
        return error
    return None


def _render_screen(
    form: Form,
    page: ScreenPage,
    status: int,
    refusal: LimitError | DatabaseError | None = None,
    save: SaveForm | None = None,
) -> Response:
    response = _render(
        form,
        status,
        save or SaveForm(),
        page.table() if page.run else None,
        evaluation=page.evaluation,
        refusal=sentence(refusal) if refusal else "",
        kept=_kept(page.query),
        slug=page.kind,
        saved_as=[screen for screen in services().catalog.screens() if screen.kind == page.kind],
    )
    if isinstance(refusal, LimitError):
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _render(form: Form, status: int, save: SaveForm, table: Table | None, **variables: Any) -> Response:
    body = render_template(
        "screeners/custom.html",
        form=form,
        save=save,
        table=table,
        live=table.live if table else None,
        pause_url=table.pause_url if table else "",
        removals=_removals(form),
        universes=services().catalog.universes().values(),
        **_CHOICES,
        **variables,
    )
    return make_response(body, status)


def _not_of_form(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if pair[0] not in forms.PARAMETERS_OF_FORM]


def _kept(query: ScreenQuery) -> list[tuple[str, str]]:
    """Return the parameters of the table that also apply to the next criteria."""
    return query.with_(page=1, run=0, rows=(), q="", setup="", sector="", filters=()).pairs()


def _removals(form: Form) -> list[str]:
    """Return the address of the screen without each of its criteria."""
    values = [field.value for field in form.criteria]
    fields = (form.universe, form.min_price, form.min_turnover)
    others = [(field.name, field.value) for field in fields if field.value]
    remaining = [values[:place] + values[place + 1 :] for place in range(len(values))]
    return [urls.address(CUSTOM_PATH, [*(("c", value) for value in rest), *others]) for rest in remaining]
