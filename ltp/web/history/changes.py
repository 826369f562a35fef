"""The forms of `/candles`: a new job, its buttons, and the lists that are fetched after each session."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.instrument import parse_key
from ltp.db.history import jobs, schedules
from ltp.errors import InputError, NotFoundError
from ltp.web import clients, redirect_marks, urls
from ltp.web.history import form, overview
from ltp.web.history.job_lines import AGAIN
from ltp.web.history.overview import ASKED, PATH, SUBJECT
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently

bp = Blueprint("history_changes", __name__)
_JOB: Final = f"{PATH}/jobs/<int(max={jobs.MAX_ID}):job_id>/<how>"
_SEGMENTS = ("NSE_EQ", "IDX_I", "BSE_EQ")


@bp.post(f"{PATH}/jobs")
def add() -> BaseResponse:
    """Queue the job of the form and redirect to the page; a refusal is shown beside the form."""
    typed = form.typed(request.form)
    try:
        lists = services().catalog.universes().keys()
        asked = form.parse(typed, lists, _key_of, overview.today(), overview.kept_days())
    except InputError as error:
        refused = typed._replace(error=f"{error}.", field=error.where)
        response = overview.render(refused, 400)
        # The address of this view accepts only POST, so the browser must show another.
        response.headers["HX-Push-Url"] = PATH
        return response
    return _queued(asked)


@bp.post(_JOB)
def change(job_id: int, how: str) -> BaseResponse:
    """Pause, resume, cancel or repeat a job. Where its state has changed meanwhile, nothing is done: the page
    shows the new one.
    """
    engine = services().engine
    if how == AGAIN:
        job = patiently(lambda: jobs.fetch(engine, job_id, busy_timeout_ms=BUSY_TIMEOUT_MS))
        return _queued(job.request)
    if how not in jobs.CHANGES:
        raise NotFoundError("button", how)
    patiently(lambda: jobs.change(engine, job_id, how, busy_timeout_ms=BUSY_TIMEOUT_MS))
    return redirect(f"{PATH}#jobs", 303)


@bp.post(f"{PATH}/schedules")
def schedule() -> BaseResponse:
    """Set which lists are fetched after each session: those that are ticked."""
    ticked = set(request.form.getlist("list"))
    engine = services().engine
    before = patiently(lambda: schedules.scheduled(engine, busy_timeout_ms=BUSY_TIMEOUT_MS))
    for name in services().catalog.universes():
        if (name in ticked) != (name in before):
            change = partial(schedules.change, engine, name, busy_timeout_ms=BUSY_TIMEOUT_MS)
            patiently(partial(change, fetched=name in ticked))
    return redirect(f"{PATH}#schedules", 303)


@bp.get(f"{PATH}/jobs")
@bp.get(f"{PATH}/schedules")
@bp.get(_JOB)
def opened(job_id: int = 0, how: str = "") -> BaseResponse:  # noqa: ARG001
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(PATH, 302)


def _queued(asked: jobs.Request) -> BaseResponse:
    client = clients.client()
    patiently(lambda: jobs.enqueue(services().engine, asked, client, busy_timeout_ms=BUSY_TIMEOUT_MS))
    return redirect(urls.address(PATH, [(ASKED, redirect_marks.sign(SUBJECT))]) + "#jobs", 303)


def _key_of(name: str) -> str | None:
    catalog = services().catalog
    name = name.upper()
    try:
        known = catalog.instrument(parse_key(name))
    except InputError:
        found = (catalog.find(segment, name) for segment in _SEGMENTS)
        known = next((each for each in found if each), None)
    return known.key if known else None
