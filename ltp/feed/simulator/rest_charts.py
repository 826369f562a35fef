"""DhanHQ's other REST endpoints over the simulated exchange: charts, profile and token renewal.

Errors have the shape of the trading side (`{"errorType": ..., "errorCode": "DH-905", "errorMessage": ...}`).
Chart times are true UTC; a daily bar is stamped 00:00 in India. `toDate` of a daily chart is exclusive; a
bare date that ends an intraday request includes that day, as recorded answers show.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from ltp.core.money import rupees
from ltp.core.trading_day import IST
from ltp.feed.simulator.account import Account
from ltp.feed.simulator.book import Book, midnight
from ltp.feed.simulator.exchange import Exchange
from ltp.feed.simulator.history import StampedBar, daily_bars, minute_bars
from ltp.feed.simulator.rest import Pace

INTERVALS: Final = (1, 5, 15, 25, 60)
MAX_INTRADAY_S: Final = 90 * 86_400
_PER_SECOND: Final = 5
_ERRORS: Final = {
    "DH-901": (
        401,
        "Invalid_Authentication",
        "Client ID or user generated access token is invalid or expired.",
    ),
    "DH-904": (
        429,
        "Input_Exception",
        "Too many requests on server from single user breaching rate limits. Try throttling API calls.",
    ),
    "DH-905": (400, "Input_Exception", "Missing required fields, bad values for parameters etc."),
    "DH-907": (
        400,
        "Input_Exception",
        "System is unable to fetch data due to incorrect parameters or no data present.",
    ),
}


def error(code: str) -> Response:
    """Return an error in the shape of the trading side."""
    status, kind, sentence = _ERRORS[code]
    response = jsonify({"errorType": kind, "errorCode": code, "errorMessage": sentence})
    response.status_code = status
    return response


def charts(
    exchange: Exchange, account: Account, clock: Callable[[], float], monotonic: Callable[[], float]
) -> Blueprint:
    blueprint = Blueprint("simulator_charts", __name__)
    pace = Pace(_PER_SECOND, 1.0, monotonic)

    def answer(
        bars_of: Callable[[Book, dict[str, Any]], list[StampedBar] | None], *, minutes: bool = False
    ) -> Response:
        token = request.headers.get("access-token", "")
        if not account.accepts(token):
            return error("DH-901")
        if not pace.allows(token):
            return error("DH-904")
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or not body.get("instrument"):
            return error("DH-905")
        key = f"{body.get('exchangeSegment')}:{body.get('securityId')}"
        exchange.admit([key], clock())
        with exchange.lock:
            book = exchange.books.get(key)
            if book is None or (minutes and not book.listing.charted):
                return error("DH-907")
            bars = bars_of(book, body)
        if bars is None:
            return error("DH-905")
        return jsonify(_arrays(bars, with_oi=body.get("oi") is True))

    @blueprint.post("/charts/historical")
    def historical() -> Response:
        return answer(_historical)

    @blueprint.post("/charts/intraday")
    def intraday() -> Response:
        return answer(lambda book, body: _intraday(exchange, book, body, clock()), minutes=True)

    return blueprint


def account_pages(account: Account, clock: Callable[[], float]) -> Blueprint:
    blueprint = Blueprint("simulator_account", __name__)

    @blueprint.get("/profile")
    def profile() -> Response:
        if not account.accepts(request.headers.get("access-token", "")):
            return error("DH-901")
        valid_until = datetime.fromtimestamp(clock() + 86_400, IST)
        return jsonify(
            {
                "dhanClientId": request.headers.get("client-id", "1000000001"),
                "tokenValidity": f"{valid_until:%d/%m/%Y %H:%M}",
                "activeSegment": "Equity, Derivative, Currency, Commodity",
                "ddpi": "Active",
                "mtf": "Active",
                "dataPlan": "Active",
                "dataValidity": f"{valid_until:%Y-%m-%d %H:%M:%S}.0",
            }
        )

    @blueprint.get("/RenewToken")
    def renew() -> Response:
        token, client_id = request.headers.get("access-token", ""), request.headers.get("dhanClientId", "")
        if not account.accepts(token):
            return error("DH-901")
        if not client_id:
            return error("DH-905")
        fresh, expires_at = account.renew(token, client_id)
        return jsonify(
            {
                "dhanClientId": client_id,
                "dhanClientName": "SIMULATOR",
                "dhanClientUcc": "SIM0000001",
                "givenPowerOfAttorney": False,
                "accessToken": fresh,
                "expiryTime": datetime.fromtimestamp(expires_at, IST)
                .replace(tzinfo=None)
                .isoformat(timespec="milliseconds"),
            }
        )

    return blueprint


def _historical(book: Book, body: dict[str, Any]) -> list[StampedBar] | None:
    try:
        first, end = (
            date.fromisoformat(str(body.get("fromDate"))),
            date.fromisoformat(str(body.get("toDate"))),
        )
    except ValueError:
        return None
    return daily_bars(book, first, end) if first <= end else None


def _intraday(exchange: Exchange, book: Book, body: dict[str, Any], now: float) -> list[StampedBar] | None:
    interval = str(body.get("interval"))
    begin, end = _instant(body.get("fromDate"), 0), _instant(body.get("toDate"), 1)
    if (
        interval not in map(str, INTERVALS)
        or begin is None
        or end is None
        or not begin <= end <= begin + MAX_INTRADAY_S
    ):
        return None
    segment = book.listing.instrument.segment
    return minute_bars(book, begin, end, now, int(interval), is_open=lambda at: exchange.open(segment, at))


def _instant(text: object, days_after: int) -> float | None:
    """Read a moment in India; a bare date is its midnight, `days_after` days later."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            moment = datetime.strptime(str(text), form).replace(tzinfo=IST)
        except ValueError:
            continue
        return moment.timestamp() if "H" in form else midnight(moment.date() + timedelta(days=days_after))
    return None


def _arrays(bars: list[StampedBar], *, with_oi: bool) -> dict[str, list[float]]:
    arrays: dict[str, list[float]] = {
        "open": [rupees(bar.open) for _, bar in bars],
        "high": [rupees(bar.high) for _, bar in bars],
        "low": [rupees(bar.low) for _, bar in bars],
        "close": [rupees(bar.close) for _, bar in bars],
        "volume": [float(bar.volume) for _, bar in bars],
        "timestamp": [float(stamp) for stamp, _ in bars],
    }
    return arrays | {"open_interest": [0.0] * len(bars)} if with_oi else arrays
