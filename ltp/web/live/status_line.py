"""The status line of every page, feed and market in one line, and its update on open pages."""

from __future__ import annotations

from markupsafe import escape

from ltp.core.trading_day import session_date
from ltp.hub.hub import Hub
from ltp.web.market import phase_words, status


def render(hub: Hub) -> str:
    """Return the inner markup: "Feed live · NSE open", and the date of the prices if the market is closed."""
    now, phase = status(hub), phase_words(hub.phase, "NSE_EQ")
    day = session_date(hub.session) if phase == "closed" else None
    dated = f" · prices of {day.day} {day:%b %Y}" if day else ""
    notice = f' · <a href="/status#h-calendar">{escape(hub.notice)}</a>' if hub.notice else ""
    feed = f'<span class="feed-{escape(now.feed)}">{escape(now.words)}</span>'
    return f"{feed}{dated} · NSE {escape(phase)}{notice}"


def render_partial(hub: Hub) -> str:
    """Return the status line as the update of an open page."""
    return f'<hx-partial id="status">{render(hub)}</hx-partial>'
