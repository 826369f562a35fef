"""The state of a screen's evaluation as its page shows it, and the request for one.

The worker evaluates. Pages read the state from the catalog's memory; only the request is written to SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from flask import request

from ltp.core.criteria.spec import Spec, text_of
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.db import evaluations
from ltp.db.evaluations import DONE, FAILED, QUEUED, RUNNING, SILENT_S, Evaluation
from ltp.web import clients, redirect_marks, urls
from ltp.web.screens.forms import sentence
from ltp.web.services import services

ASKED: Final = "asked"  # parameter: the mark of an evaluation that was requested
SAVED: Final = "saved"  # parameter: the mark of a screen that was saved
_NEWEST_KINDS: Final = 50  # one of the screens that ran last was evaluated on the newest candles
_RUN_READ_WITHIN: Final = timedelta(seconds=5)
_RETRY_AFTER: Final = timedelta(minutes=10)  # opening a page repeats a failed evaluation this often at most
# Parameters without a meaning for the next run.
_OF_ONE_RUN: Final = frozenset({ASKED, SAVED, "run", "rows", "page"})


class EvaluationState(NamedTuple):
    """The newest evaluation of a screen.

    `state`: queued, running, failed, or "" for none and for one that has ended well. `stored`: as SQL has it,
    None until this process has read it. `worker_alive`: does the worker publish? `run_url` (POST),
    `progress_url`: of the page at `page_url`.
    """

    state: str
    stored: Evaluation | None
    worker_alive: bool
    page_url: str
    run_url: str
    progress_url: str

    @property
    def open(self) -> bool:
        return self.state in {QUEUED, RUNNING}

    @property
    def failure(self) -> str:
        message = self.stored.message if self.stored else ""
        return sentence(message or "there was no sign of life for a minute")

    @property
    def left_s(self) -> int | None:
        """Estimated seconds to the end, None while there is no estimate."""
        stored = self.stored
        if stored is None or self.state != RUNNING or stored.per_s <= 0:
            return None
        return round(max(0, stored.total - stored.done) / stored.per_s)


def evaluation_of(kind: str, path: str, mark: str = "") -> EvaluationState:
    """Return the newest evaluation of a screen, for the page at `path` with the present parameters.

    Args:
        mark: from `request_evaluation`, if the present request has called it; else that of the address.
    """
    mark = mark or redirect_marks.from_request(ASKED)
    stored, requested_s = services().catalog.evaluation(kind), redirect_marks.signed_at(mark, _subject(kind))
    kept = pairs_for_next_run()
    marked = [*kept, (ASKED, mark)] if requested_s else kept
    unread = _is_unread(stored, requested_s)
    return EvaluationState(
        QUEUED if unread else _state(kind, stored),
        None if unread else stored,
        services().hub.link_age_s <= LINK_DEAD_AFTER_S,
        urls.address(path, kept),
        urls.address(f"{path}/run", kept),
        urls.address(f"{path}/progress", marked),
    )


def request_evaluation(kind: str, spec: Spec) -> str:
    """Request an evaluation unless one is open. Returns the mark that proves it to the screen's page.

    Raises:
        LimitError: too many are queued.
        DatabaseError: the request cannot be written.
    """
    mark = redirect_marks.sign(_subject(kind))
    evaluations.enqueue(services().engine, kind, text_of(spec), spec.universe, clients.client())
    return mark


def is_due(kind: str) -> bool:
    """Should opening the page of a custom screen evaluate it?

    Yes without a run, and with one that is older than the newest candles of any screen. A failed evaluation
    is not repeated for 10 minutes: a bookmark could do it each second.
    """
    catalog = services().catalog
    newest = catalog.evaluation(kind)
    if newest is not None and (newest.open or _has_just_failed(newest)):
        return False
    heads = catalog.runs(kind)
    if not heads:
        return True
    session, made_at = heads[0].as_of, max(head.created_at for head in heads)
    others = (head for each in catalog.kinds()[:_NEWEST_KINDS] for head in catalog.runs(each))
    return session is None or any(
        head.as_of and head.as_of > session and head.created_at > made_at for head in others
    )


def pairs_for_next_run() -> list[tuple[str, str]]:
    """Return the parameters of the present request that also apply to the next run."""
    return [pair for pair in request.args.items(multi=True) if pair[0] not in _OF_ONE_RUN]


def _state(kind: str, stored: Evaluation | None) -> str:
    if stored is None:
        return ""
    now, heads = datetime.now(UTC), services().catalog.runs(kind)
    if stored.state == RUNNING and now - stored.beat_at > timedelta(seconds=SILENT_S):
        return FAILED
    if stored.state == DONE:
        # This process may read the end of the evaluation a moment before its run.
        has_run = any(head.id == stored.run_id for head in heads)
        return "" if has_run or now - stored.beat_at > _RUN_READ_WITHIN else RUNNING
    if stored.state == FAILED and any(head.created_at > stored.beat_at for head in heads):
        return ""
    return stored.state


def _is_unread(stored: Evaluation | None, requested_s: int) -> bool:
    """Is `stored` older than a request of that second? An open one is not: the request has joined it."""
    if not requested_s:
        return False
    return stored is None or (not stored.open and stored.beat_at.timestamp() < requested_s)


def _has_just_failed(stored: Evaluation) -> bool:
    return stored.state == FAILED and abs(datetime.now(UTC) - stored.beat_at) < _RETRY_AFTER


def _subject(kind: str) -> str:
    return f"{ASKED} {kind}"
