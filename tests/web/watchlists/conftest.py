"""Lists in the site of `tests/web/conftest.py`, and forms that its pages send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ltp.core.watchlists.watchlist import Line
from ltp.db.watchlists import lists

HDFC, MM, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:2031", "NSE_EQ:11536", "IDX_I:13"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def banks(site: Any) -> Any:
    """A list with a section, in an order that no column has."""
    lines = (
        Line(TCS),
        Line("SECTION:1", "Rest & <i>more"),
        Line(HDFC, "", "=1+1 <img onerror=x>", "red"),
        Line(NIFTY),
    )
    lists.create(site.engine, "Banks", lines, source="test")
    site.catalog.refresh()
    return site


@pytest.fixture
def post(site: Any) -> Callable[..., Any]:
    """Send a form of this site, without following its redirect."""

    def send(path: str, **form: Any) -> Any:
        return site.client.post(path, data=form, headers=SAME_ORIGIN)

    return send
