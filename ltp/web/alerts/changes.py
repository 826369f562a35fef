"""What a person does to an alert beside editing it: mute, snooze, delete. Each by a form of its page."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.trading_day import IST
from ltp.db.alerts import rules
from ltp.errors import InputError
from ltp.web import params
from ltp.web.alerts.form import PATH
from ltp.web.services import services
from ltp.web.waits import WRITE_MS

bp = Blueprint("alert_changes", __name__)
_ID: Final = f"int(max={rules.MAX_ID}):alert_id"
_LONGEST: Final = timedelta(days=366)
HOUR, DAY, UNTIL = "hour", "day", "until"


@bp.post(f"{PATH}/<{_ID}>/<any(mute, unmute, snooze, delete):how>")
def change(alert_id: int, how: str) -> BaseResponse:
    engine = services().engine
    if how == "delete":
        version = params.whole(request.form.to_dict(), "version", rules.MAX_ID, 0)
        rules.remove(engine, alert_id, version or None, busy_timeout_ms=WRITE_MS)
        return redirect(PATH, 303)
    if how == "snooze":
        until = snoozed_until(request.form.to_dict(), datetime.now(IST))
        rules.snooze(engine, alert_id, until, busy_timeout_ms=WRITE_MS)
    else:
        rules.mute(engine, alert_id, muted=how == "mute", busy_timeout_ms=WRITE_MS)
    return redirect(_back(alert_id), 303)


@bp.get(f"{PATH}/<{_ID}>/<any(mute, unmute, snooze, delete):how>")
def opened(alert_id: int, how: str) -> BaseResponse:  # noqa: ARG001
    """Redirect to the alert: after a refusal a browser may load these addresses again."""
    return redirect(f"{PATH}/{alert_id}", 302)


def snoozed_until(given: dict[str, str], now: datetime) -> datetime:
    """Return the end of a snooze: in an hour, at midnight in India, or at the end of a typed day.

    Raises:
        InputError: names the field.
    """
    how = params.choice(given, "for", (HOUR, DAY, UNTIL), HOUR)
    if how == HOUR:
        return now + timedelta(hours=1)
    day = now.date() if how == DAY else params.day(given.get("until", ""), "until")
    until = datetime.combine(day + timedelta(days=1), time(), IST)
    if not now < until <= now + _LONGEST:
        raise InputError("until", day.isoformat(), f"it is a day from {now.date()} on, within a year")
    return until


def _back(alert_id: int) -> str:
    """Return the page on which the button was: the list with its filters, or the alert's own."""
    page = urlsplit(request.referrer or "")
    own = page.netloc == request.host and page.path == PATH
    return f"{PATH}?{page.query}".rstrip("?") if own else f"{PATH}/{alert_id}"
