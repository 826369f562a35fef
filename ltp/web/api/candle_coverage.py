"""`/api/v1/candles/coverage`: which minutes of a session the feed covered of one instrument."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Final

from flask import Blueprint, Response, request

from ltp.core.instrument import parse_key, split_key
from ltp.core.trading_day import IST
from ltp.errors import NotFoundError
from ltp.web import coverage, params
from ltp.web.services import services

bp = Blueprint("candle_coverage", __name__)
PATH: Final = "/api/v1/candles/coverage"


@bp.get(PATH)
def covered() -> Response:
    given = params.single(request.args.items(multi=True))
    key, now = parse_key(given.get("key", ""), "key"), datetime.now(UTC)
    if services().catalog.instrument(key) is None:
        raise NotFoundError("instrument", key)
    found = coverage.of_session(key, _day(given.get("day"), key, now), now)
    document = {
        "key": key,
        "day": found.day.isoformat(),
        "minutes": found.minutes,
        "covered": found.covered,
        "gaps": [
            {"from": _instant(gap.start), "to": _instant(gap.until), "filled": gap.filled}
            for gap in found.gaps
        ],
    }
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, content_type="application/json", headers={"Cache-Control": "no-store"})


def _day(text: str | None, key: str, now: datetime) -> date:
    """Return the day asked for, by default that of the newest session.

    Raises:
        InputError: it is no day.
        NotFoundError: no day is asked for, and the calendar knows no session.
    """
    if text is None:
        return services().calendar().session_date(split_key(key)[0], now)
    return params.day(text, "day")


def _instant(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, IST).isoformat()
