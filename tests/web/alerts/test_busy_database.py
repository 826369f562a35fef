"""Alert pages while a writer holds the database for a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ltp.db.alerts import decisions, history, rules
from ltp.errors import DatabaseError
from ltp.web.waits import TRIES

PAGES = ("/alerts", "/alerts/1", "/alerts/1/why", "/alerts/1/edit", "/alerts.atom", "/api/v1/alerts")
PLAIN = {"key": "NSE_EQ:1333", "rule": "ltp > 1650"}


def busy(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the first reads of alerts fail."""
    left = [times]

    def failing(read: Callable[..., Any]) -> Callable[..., Any]:
        def once_more(*args: Any, **more: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise DatabaseError("The database cannot be read: database is locked")
            return read(*args, **more)

        return once_more

    for module, name in ((rules, "listed"), (rules, "fetch"), (history, "firings"), (decisions, "fetch")):
        monkeypatch.setattr(module, name, failing(getattr(module, name)))


@pytest.mark.parametrize("page", [*PAGES, "/api/v1/alerts/1", "/api/v1/alerts/1/history"])
def test_a_page_waits_for_a_short_write_and_not_for_ever(
    site: Any, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    assert site.client.post("/api/v1/alerts", json=PLAIN).status_code == 201
    busy(monkeypatch, 2)
    assert site.client.get(page).status_code == 200
    busy(monkeypatch, TRIES * 2)
    assert site.client.get(page).status_code == 503
