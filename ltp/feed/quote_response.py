"""The answers of DhanHQ's REST side, to ticks and errors. Pure: the answer is already in memory.

Recorded and documented answers leave one question open: `ohlc.close` is the previous close while the market
is open and may be today's close after it, so the change against it is trusted only where the answer proves
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ltp.core.money import Price, price_from_rupees
from ltp.core.ticks.depth import QuoteDetails
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import session_of
from ltp.dhan.clock import trade_time_to_utc
from ltp.dhan.codes import REASONS, REST_REASONS, Policy, Reason
from ltp.errors import FeedAuthError, FeedError

_MAX_COUNT: Final = 2**63
_AUTH_CODES: Final = {806, 807, 808, 809, 810, 901, 902, 903}


def read_quotes(body: Any, keys: Iterable[str], received_at_us: int) -> dict[str, Tick]:
    """Return a tick for each of `keys` that has a price in the answer; the others are left out.

    Source: DhanHQ v2 market quote, `/marketfeed/quote`; unknown ids are absent there, dead ones have price 0.
    """
    found = ((key, _tick(key, row, received_at_us)) for key, row in _rows(body, keys))
    return {key: tick for key, tick in found if tick is not None}


def read_details(body: Any, keys: Iterable[str], received_at_us: int) -> dict[str, QuoteDetails]:
    """Return the details of each of `keys` that is in the answer."""
    return {key: _details(key, row, received_at_us) for key, row in _rows(body, keys)}


def _details(key: str, row: dict[str, Any], received_at_us: int) -> QuoteDetails:
    oi_low, oi_high = _count(row.get("oi_day_low")), _count(row.get("oi_day_high"))
    return QuoteDetails(
        key,
        received_at_us,
        _price(row.get("lower_circuit_limit")),
        _price(row.get("upper_circuit_limit")),
        _price(row.get("average_price")),
        oi_low if oi_high else None,  # both are 0 where they are not known
        oi_high or None,
    )


def _rows(body: Any, keys: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and object of each of `keys` that is in the answer."""
    segments = body.get("data") if isinstance(body, dict) else None
    if not isinstance(segments, dict):
        return
    for key in keys:
        segment, _, security_id = key.partition(":")
        rows = segments.get(segment)
        row = rows.get(security_id) if isinstance(rows, dict) else None
        if isinstance(row, dict):
            yield key, row


def _tick(key: str, row: dict[str, Any], received_at_us: int) -> Tick | None:
    ltp = _price(row.get("last_price"))
    if ltp is None:
        return None
    ltt = trade_time_to_utc(row.get("last_trade_time"))
    ohlc = row.get("ohlc")
    if not isinstance(ohlc, dict):
        ohlc = {}
    return Tick(
        key,
        ltp,
        ltt,
        received_at_us,
        volume=_count(row.get("volume")),
        open=_price(ohlc.get("open")),
        high=_price(ohlc.get("high")),
        low=_price(ohlc.get("low")),
        prev_close=_prev_close(ltp, row, _price(ohlc.get("close"))),
        oi=_count(row.get("oi")),
        session="" if ltt is None else session_of(ltt),
        traded_at=0 if ltt is None else ltt * 1_000_000,
        rest=True,
    )


def _prev_close(ltp: Price, row: dict[str, Any], close: Price | None) -> Price | None:
    """Return the close of the session before that of `ltp`.

    `net_change` counts from that close at any hour. Where it is 0 or missing, `close` is returned, unless it
    equals the price of an instrument that traded: then it may be today's own close, and a wrong change of
    0.00% is worse than no change.
    """
    change = row.get("net_change")
    if isinstance(change, (int, float)) and 0 < abs(change) < 10_000_000:
        prev_close = ltp - round(change * 10_000)
        return prev_close if prev_close > 0 else None
    return None if close == ltp and _count(row.get("volume")) else close


def read_error(status: int, body: Any, retry_after_s: float = 0.0) -> FeedError | None:
    """Return the failure that an answer stands for, None for a success.

    Two shapes exist beside the HTTP status: `errorCode` with `errorMessage`, seen even with status 200, and
    `{"data": {"805": "..."}, "status": "failed"}`. The broker's own text is not repeated: it may quote the
    request with its token.
    """
    code, sentence, policy = _named(body)
    if code is None:
        if status < 400:
            return None
        code, sentence = status, f"The broker's REST side answered HTTP {status}"
        policy = (
            "refresh" if status in (401, 403) else "retry" if status == 429 or status >= 500 else "request"
        )
    kind = FeedAuthError if code in _AUTH_CODES or status in (401, 403) else FeedError
    return kind(sentence, code, permanent=policy in ("fatal", "request"), retry_after_s=retry_after_s)


def _named(body: Any) -> tuple[int | None, str, Policy]:
    if not isinstance(body, dict):
        return None, "", "retry"
    name = body.get("errorCode")
    failed = body.get("data") if body.get("status") == "failed" else None
    if name is None and isinstance(failed, dict) and failed:
        name = next(iter(failed))
    text = str(name or "")
    if text in REST_REASONS:
        named = REST_REASONS[text]
        return int(text.removeprefix("DH-")), f"{named.sentence} ({text})", named.policy
    if text.isascii() and text.isdigit() and len(text) < 5:
        reason = REASONS.get(int(text)) or Reason(int(text), "The broker refuses the request", "retry")
        return reason.code, f"{reason.sentence} (code {text})", reason.policy
    if text or body.get("status") == "failed":
        return 910, "The broker refuses the request for a reason it does not name", "retry"
    return None, "", "retry"


def _price(value: Any) -> Price | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return price_from_rupees(value) if abs(value) <= 10_000_000 else None


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MAX_COUNT:
        return None
    return int(value)
