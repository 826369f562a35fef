"""`/screeners/custom?c=…`: a screen of one's own. The form, how its evaluation goes, and the table of what
was found.

The address is the screen: opening it is enough to have it evaluated where that was not done on the newest
candles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.facts import FACT, FACTS
from ltp.core.criteria.spec import MAX_CRITERIA, MAX_CRITERIA_LENGTH, Spec, kind_of, params
from ltp.core.criteria.vocabulary import FUNCTIONS, SERIES, WORDS
from ltp.core.screener import KINDS, Run
from ltp.errors import DatabaseError, LimitError
from ltp.web import origin
from ltp.web.live import poll
from ltp.web.screens import catalogue, evaluations, forms
from ltp.web.screens.evaluations import ASKED, CUSTOM, EvaluationTarget
from ltp.web.screens.forms import Form
from ltp.web.services import services
from ltp.web.table import export, screen_query
from ltp.web.table.prepare import Table, fed, prepare
from ltp.web.table.screener import Screener

bp = Blueprint("custom", __name__)
PATH: Final = "/screeners/custom"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_DAILY: Final = {
    "rsi14": "rsi",
    "adx14": "adx",
    "atr14": "atr",
}  # how a criterion writes facts that a column shows


class Example(NamedTuple):
    name: str
    about: str
    url: str


class OwnScreen(NamedTuple):
    """The screen that a page is of. `slug`: empty where nobody saved it. `edit_url`: the form with its
    criteria.
    """

    slug: str
    spec: Spec
    edit_url: str


class SaveForm(NamedTuple):
    """What was typed to save the screen under, and why it was not."""

    name: str = ""
    slug: str = ""
    error: str = ""
    field: str = ""


def _example(name: str, about: str, *criteria: str) -> Example:
    return Example(name, about, evaluations.address(PATH, [("c", text) for text in criteria]))


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

# What the form offers and explains.
_WORDS: Final = {
    "examples": EXAMPLES,
    "facts": FACTS,
    "series": SERIES,
    "words": sorted(WORDS),
    "functions": FUNCTIONS.values(),
    "signs": forms.SIGNS,
    "most": MAX_CRITERIA,
    "together": MAX_CRITERIA_LENGTH,
}


@bp.get(PATH)
def page() -> BaseResponse:
    return shown_page(list(request.args.items(multi=True)))


@bp.post(PATH)
def sent() -> BaseResponse:
    """Take the form, which may be longer than an address can be. What is accepted is asked for, and gets its
    address.
    """
    pairs = list(request.form.items(multi=True))
    form = forms.read(pairs, services().catalog.universes())
    if form.spec is None:
        return shown_page(pairs)
    mark, _ = (
        _asked(EvaluationTarget(kind_of(form.spec), form.spec, PATH)) if form.spec.criteria else ("", None)
    )
    others = [pair for pair in pairs if pair[0] not in forms.PARAMETERS_OF_FORM]
    return redirect(
        evaluations.address(PATH, [*params(form.spec), *others, *([(ASKED, mark)] if mark else [])]), 303
    )


def shown_page(pairs: Sequence[tuple[str, str]], save: SaveForm | None = None) -> BaseResponse:
    """Return the page that these parameters describe: the form alone, with what is wrong in it, or with its
    table.

    Args:
        save: what was typed in the form that saves it, where that was refused.
    """
    form = forms.read(pairs, services().catalog.universes())
    if form.spec is None:
        return _drawn(form, 400)
    if not form.clean:
        others = [pair for pair in pairs if pair[0] not in forms.PARAMETERS_OF_FORM]
        return redirect(evaluations.address(PATH, [*params(form.spec), *others]), 302)
    if not form.spec.criteria:
        return _drawn(form._replace(error=save.error if save else ""), 400 if save else 200)
    return _of(form, form.spec, save)


def _of(form: Form, spec: Spec, save: SaveForm | None) -> BaseResponse:
    query, shown, pairs = evaluations.table_query(), screener_of(spec), list(request.args.items(multi=True))
    if save is None and not query.said_by(pairs):
        return redirect(query.short().url(PATH, [*params(spec), *evaluations.marks_of(pairs)]), 303)
    mark, refusal = _asked(EvaluationTarget(shown.kind, spec, PATH)) if origin.means_it() else ("", None)
    run, evaluation = catalogue.run_of(shown, query.run), evaluations.of(shown.kind, PATH, mark)
    if save is None and (elsewhere := evaluations.over(evaluation)):
        return elsewhere
    answer = _drawn(
        form,
        400 if save else 503 if refusal and not run else 200,
        save=save,
        table=prepare(shown, run, query, PATH, params(spec)) if run else None,
        evaluation=evaluation,
        refusal=forms.sentence(refusal) if refusal else "",
        kept=_kept(query),
        slug=shown.kind,
        saved_as=[screen for screen in services().catalog.screens() if screen.kind == shown.kind],
    )
    if isinstance(refusal, LimitError):
        answer.headers["Retry-After"] = str(refusal.retry_after_s)
    return answer


@bp.get(f"{PATH}/stream")
def stream() -> Response:
    return poll.stream_of(*fed(*_fed()))


@bp.get(f"{PATH}/poll")
def polled() -> Response:
    return poll.poll_of(*fed(*_fed()))


@bp.get(f"{PATH}.<any(csv, json):suffix>")
def file(suffix: str) -> Response:
    shown, run, query = _fed()
    spec = evaluations.target(CUSTOM).spec
    return export.respond(prepare(shown, run, query, PATH, params(spec)), suffix)


def screener_of(spec: Spec) -> Screener:
    """Return the screener of a screen that somebody put together."""
    return catalogue.custom(
        kind_of(spec), "Custom screen", " and ".join(spec.criteria), slug=CUSTOM, facts=spoken_of(spec)
    )


def own(shown: Screener) -> OwnScreen | None:
    """Return the screen that somebody put together; None for a built-in screener."""
    if shown.kind in KINDS:
        return None
    spec = evaluations.target(shown.slug or shown.kind).spec
    return OwnScreen(shown.slug, spec, evaluations.address(PATH, params(spec)))


def spoken_of(spec: Spec) -> tuple[str, ...]:
    """Return the facts that the criteria name: the columns somebody who typed them wants to see."""
    words = (word for text in spec.criteria for word in _WORD.findall(text))
    return tuple(name for name in dict.fromkeys(_DAILY.get(word, word) for word in words) if name in FACT)


def _fed() -> tuple[Screener, Run | None, screen_query.ScreenQuery]:
    shown, query = screener_of(evaluations.target(CUSTOM).spec), evaluations.table_query()
    return shown, catalogue.run_of(shown, query.run), query


def _asked(wanted: EvaluationTarget) -> tuple[str, LimitError | DatabaseError | None]:
    """Have the screen evaluated where that is due. Returns the request's mark, or why there is none."""
    if not evaluations.due(wanted.kind):
        return "", None
    try:
        return evaluations.ask(wanted), None
    except (LimitError, DatabaseError) as error:
        return "", error


def _drawn(
    form: Form, status: int = 200, *, save: SaveForm | None = None, table: Table | None = None, **page: Any
) -> Response:
    body = render_template(
        "screeners/custom.html",
        form=form,
        save=save or SaveForm(),
        table=table,
        live=table.live if table else None,
        pause_url=table.pause_url if table else "",
        removals=_removals(form),
        universes=services().catalog.universes().values(),
        **_WORDS,
        **page,
    )
    return make_response(body, status)


def _kept(query: screen_query.ScreenQuery) -> dict[str, str]:
    """Return what stays of the table's query when the screen becomes another one."""
    return query.with_(page=1, run=0, rows=(), q="", setup="", sector="").params()


def _removals(form: Form) -> list[str]:
    """Return for each criterion the address of the screen without it."""
    values = [field.value for field in form.criteria]
    others = [
        (field.name, field.value)
        for field in (form.universe, form.min_price, form.min_turnover)
        if field.value
    ]
    without = [values[:place] + values[place + 1 :] for place in range(len(values))]
    return [evaluations.address(PATH, [*(("c", value) for value in rest), *others]) for rest in without]
