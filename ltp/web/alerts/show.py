"""`/alerts/<id>`: one alert with its firings; `/alerts/<id>/why`: what its rule saw and why it did not fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from flask import Blueprint, render_template
from markupsafe import Markup

from ltp.core.alerts.alert import (
    COOLING,
    FIRED,
    IS_MUTED,
    NO_DATA,
    NOT_MET,
    OFF,
    OUT_OF_PHASE,
    Alert,
)  # fmt: skip
from ltp.core.market.kinds import USUAL
from ltp.core.trading_day import IST
from ltp.db.alerts import decisions, history, rules
from ltp.db.alerts.decisions import Decision
from ltp.db.alerts.history import Fired
from ltp.errors import NotFoundError
from ltp.web import market
from ltp.web.alerts import lines, prospect, targets
from ltp.web.alerts.form import PATH
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patient

bp = Blueprint("alert", __name__)
_ID: Final = f"int(max={rules.MAX_ID}):alert_id"
FIRINGS: Final = 200
OUTCOMES: Final = {
    FIRED: "fired",
    OFF: "off: it had ended, or its last day was over",
    IS_MUTED: "muted or snoozed",
    OUT_OF_PHASE: "not in a phase that was chosen",
    COOLING: "cool-down, or it had fired for this time",
    NO_DATA: "no data",
    NOT_MET: "not met",
}


class DecisionLine(NamedTuple):
    title: str
    at: Markup
    until: Markup
    outcome: str
    fired: bool
    value: str
    bound: str
    detail: str


@bp.get(f"{PATH}/<{_ID}>")
@patient
def page(alert_id: int) -> str:
    engine = services().engine
    fired = history.firings(engine, alert_id, most=FIRINGS, busy_timeout_ms=BUSY_TIMEOUT_MS)
    try:
        alert = rules.fetch(engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
    except NotFoundError:
        if not fired:
            raise
        return render_template(
            "alerts/deleted.html", id=alert_id, firings=lines.firing_lines(fired), live=None
        )
    return render_template(
        "alerts/show.html",
        line=_line(alert, fired),
        firings=lines.firing_lines(fired),
        most=FIRINGS,
        channels=_channel_names(alert),
        phases=[market.phase_words({"": each}, "") for each in (alert.terms.phases or USUAL)],
        tomorrow=(datetime.now(IST).date() + timedelta(days=1)).isoformat(),
        live=None,
    )


@bp.get(f"{PATH}/<{_ID}>/why")
@patient
def why(alert_id: int) -> str:
    engine = services().engine
    alert = rules.fetch(engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = decisions.fetch(engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
    since = datetime.now(UTC) - timedelta(days=decisions.KEPT_D)
    return render_template(
        "alerts/why.html",
        line=_line(alert, []),
        decisions=[_decision_line(each) for each in found if each.until >= since],
        days=decisions.KEPT_D,
        most=decisions.KEPT,
        live=None,
    )


def _line(alert: Alert, fired: list[Fired]) -> lines.AlertLine:
    last = {alert.id: fired[0]} if fired else {}
    return lines.alert_lines([alert], prospect.prospects([alert]), last)[0]


def _channel_names(alert: Alert) -> list[str]:
    if not alert.terms.channels:
        return []
    names = history.channels(services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return [names.get(id_, f"deleted channel {id_}") for id_ in alert.terms.channels]


def _decision_line(each: Decision) -> DecisionLine:
    return DecisionLine(
        targets.symbol_of(each.key) if each.key else "the market",
        lines.second(each.at),
        lines.second(each.until),
        OUTCOMES.get(each.outcome, each.outcome),
        each.outcome == FIRED,
        _number(each.value),
        _number(each.bound),
        each.detail,
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")
