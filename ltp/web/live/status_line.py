"""The status line of every page: the feed and the market in one line, and its update on open pages."""

from __future__ import annotations

from markupsafe import escape

from ltp.core.trading_day import session_date
from ltp.hub.hub import Hub
from ltp.web.market import phase_words, status


def line(hub: Hub) -> str:
    """Return the inner markup of the status line: "Feed live · NSE open", with the date of the prices while
    it is closed.
    """
    now, phase = status(hub), phase_words(hub.phase, "NSE_EQ")
    day = session_date(hub.session) if phase == "closed" else None
    dated = f" · prices of {day.day} {day:%b %Y}" if day else ""
    notice = f' · <a href="/status#h-calendar">{escape(hub.notice)}</a>' if hub.notice else ""
    return f'<span class="feed-{escape(now.feed)}">{escape(now.words)}</span>{dated} · NSE {escape(phase)}{notice}'


def partial(hub: Hub) -> str:
    """Return the status line as an update of an open page."""
    return f'<hx-partial id="status">{line(hub)}</hx-partial>'
