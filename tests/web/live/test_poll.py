from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from ltp.hub.insets import Inset
from ltp.web.charts.live_charts import LiveCharts


def wait_ms(answer: str) -> int:
    found = re.search(r"load delay:(\d+)ms", answer)
    assert found
    return int(found[1])


def test_a_poll_brings_the_next_poller_all_cells_and_the_status(site: Any) -> None:
    answer = site.page("/screeners/swing/poll?q=hdfc&n=4")
    assert answer.startswith('<i>not live</i><span id="poller"')
    assert 'hx-get="/screeners/swing/poll?q=hdfc&amp;n=5"' in answer
    assert '<hx-partial id="ltp-NSE_EQ-1333"><b>₹1,650.35</b> <i>live</i></hx-partial>' in answer
    assert (
        '<hx-partial id="status"><span class="feed-live">Feed live</span> · NSE open</hx-partial>' in answer
    )


@pytest.mark.parametrize("path", ["", "/screeners/swing", "/screeners/longterm", "/instruments/NSE_EQ/1333"])
def test_every_live_page_has_a_stream_a_poll_and_a_beat(site: Any, path: str) -> None:
    page = site.page(path or "/")
    assert f'hx-sse:connect="{path}/stream' in page
    assert f'hx-get="{path}/poll' in page
    assert '<p id="beat" role="status"><i>not live</i></p>' in page
    assert 'id="beat"' not in page.partition('id="screen"')[0]
    site.page(f"{path}/poll")


def test_a_poll_has_no_partial_for_the_beat(site: Any) -> None:
    """It would remove the poller, which lies inside the beat."""
    partials = re.findall(r'<hx-partial id="([^"]+)"', site.page("/screeners/swing/poll"))
    assert "status" in partials
    assert "beat" not in partials


def test_the_server_sets_the_interval_and_lengthens_it_after_many_rounds(site: Any) -> None:
    first, later, late = (wait_ms(site.page(f"/poll?n={n}")) for n in (0, 40, 200))
    assert 1350 <= first <= 1650
    assert 2700 <= later <= 3300
    assert 5400 <= late <= 6600


@pytest.mark.parametrize("n", ["x", "-1", "0.5", "9" * 30])
def test_a_round_that_is_no_number_is_refused(site: Any, n: str) -> None:
    answer = site.client.get(
        f"/screeners/swing/poll?n={n}", headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert answer.status_code == 400
    assert answer.headers["HX-Reswap"] == "none"


def test_the_pollers_address_is_text_in_its_attribute(site: Any) -> None:
    answer = site.page("/screeners/swing/poll?q=%22%3E%3Cb%3E")
    assert '"><b>' not in answer.partition("</span>")[0]
    assert "q=%22%3E%3Cb%3E" in unescape(answer)


def test_open_pages_show_a_change_of_the_feed(site: Any) -> None:
    response = site.client.get("/screeners/swing/stream", buffered=False)
    events = (event.decode() for event in response.response)
    assert any(
        '<hx-partial id="status"><span class="feed-live">Feed live</span> · NSE open</hx-partial>' in event
        for event in events
    )
    site.market.publish(feed="silent", phase="closing_auction")
    assert any(
        "Feed silent: no prices are coming in</span> · NSE closing auction</hx-partial>" in event
        for event in events
    )
    response.close()


def test_a_client_with_too_much_open_polls_and_others_stream(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each choice of columns makes a view of its own, and the visitor chooses."""
    monkeypatch.setattr("ltp.hub.clients.CELLS_EACH", 20)
    greedy, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.1"}
    url = "/screeners/swing/stream?columns=ltp,"
    first = site.client.get(f"{url}chg", headers=greedy, buffered=False)
    next(iter(first.response))
    for columns in ("chgp", "chg,chgp", "volume"):
        answer = site.client.get(url + columns, headers=greedy, buffered=False)
        if answer.status_code == 503:
            break
        next(iter(answer.response))
    assert answer.status_code == 503
    assert (answer.headers["Retry-After"], answer.headers["HX-Reswap"]) == ("5", "none")
    answer = site.client.get(f"{url}volume", headers=other, buffered=False)
    assert answer.status_code == 200
    assert site.client.get("/screeners/swing/poll?columns=ltp,volume", headers=greedy).status_code == 200


def test_a_poll_has_the_small_parts_of_a_chart_and_the_large_ones_once(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inset, bars = Inset("chart", 500), f'<hx-partial id="chart-rows">{"1 " * 3_000}</hx-partial>'
    monkeypatch.setattr(LiveCharts, "inset", lambda *_, **__: inset)
    site.hub.set_inset(inset, "bars", bars)
    site.hub.set_inset(inset, "forming", '<hx-partial id="chart-now">1</hx-partial>')
    path = "/instruments/NSE_EQ/1333/poll?timeframe=1m"
    first = site.page(path)
    assert bars in first
    [following] = re.findall(r'hx-get="([^"]+)"', first)
    following = following.replace("&amp;", "&")
    assert re.fullmatch(r"/instruments/NSE_EQ/1333/poll\?timeframe=1m&seen=[0-9a-f]{8}&n=1", following)
    second = site.page(following)
    assert bars not in second
    assert '<hx-partial id="chart-now">1</hx-partial>' in second
    site.hub.set_inset(inset, "bars", bars.replace("1 ", "2 "))
    third = site.page(following)
    assert bars.replace("1 ", "2 ") in third
    assert third.count("seen=") == 1
