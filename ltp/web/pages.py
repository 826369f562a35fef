"""The modules of all pages and of the API, each with its blueprint; `app.py:create_app` registers them."""

from __future__ import annotations

from typing import Final

from ltp.web import home, instruments, status
from ltp.web.alerts import changes as alert_changes
from ltp.web.alerts import channels as alert_channels
from ltp.web.alerts import feed as alert_feed
from ltp.web.alerts import form as alert_form
from ltp.web.alerts import index as alert_index
from ltp.web.alerts import seen as alert_notices
from ltp.web.alerts import show as alert_show
from ltp.web.api import alerts as alerts_api
from ltp.web.api import candle_coverage, candles, current_prices, health
from ltp.web.help import page as help_page
from ltp.web.history import audit, changes, members, overview
from ltp.web.screens import changes_feed, custom, detail, evaluations, index, saved, show
from ltp.web.search import pages as search_pages
from ltp.web.subscriptions import api as subscriptions_api
from ltp.web.subscriptions import changes as pin_changes
from ltp.web.subscriptions import page as subscriptions
from ltp.web.views import pages as views
from ltp.web.watchlists import add as watchlist_add
from ltp.web.watchlists import api as watchlist_api
from ltp.web.watchlists import changes as watchlist_changes
from ltp.web.watchlists import edit as watchlist_edit
from ltp.web.watchlists import index as watchlist_index
from ltp.web.watchlists import paste as watchlist_paste
from ltp.web.watchlists import show as watchlist_show

PAGES: Final = (
    home,
    show,
    detail,
    custom,
    saved,
    index,
    changes_feed,
    evaluations,
    instruments,
    search_pages,
    audit,
    overview,
    changes,
    members,
    alert_channels,
    views,
    watchlist_index,
    watchlist_add,
    watchlist_paste,
    watchlist_api,
    watchlist_show,
    watchlist_edit,
    watchlist_changes,
    status,
    alert_index,
    alert_form,
    alert_show,
    alert_changes,
    alert_notices,
    alert_feed,
    alerts_api,
    subscriptions,
    pin_changes,
    subscriptions_api,
    help_page,
    candle_coverage,
    candles,
    current_prices,
    health,
)
