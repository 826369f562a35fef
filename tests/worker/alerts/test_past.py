"""Minutes in which no packet could show a touch."""

from __future__ import annotations

import pytest

from ltp.core.alerts.alert import BROKER_CANDLE, TRADE
from ltp.core.bars.bar import LIVE
from ltp.worker.alerts import past
from tests.worker.alerts.desk import KEY, OPEN, Desk, bar


def blind(desk: Desk) -> int:
    """Return an alert at a level that the day's range holds already, five minutes after it became blind."""
    desk.trade(1640, high=1660)
    id_ = desk.add("ltp > 1650", repeat="each")
    desk.look()
    desk.trade(1641)
    desk.look(60)
    desk.look(4 * 60)
    desk.trade(1642)
    return id_


def test_the_brokers_bar_of_a_blind_minute_fires(desk: Desk) -> None:
    desk.add("ltp < 1")
    desk.look()
    id_ = blind(desk)
    desk.bars[KEY] = [bar(1, 1659), bar(3, 1655, sources=LIVE), bar(4, 1651.5, 1640)]
    desk.look(31)
    desk.look(31)
    [row] = desk.rows()
    assert (row.alert_id, row.how, row.ltp) == (id_, BROKER_CANDLE, 16_515_000)
    assert row.at.timestamp() == OPEN + 4 * 60
    assert "by the broker's bar, between 09:19 and 09:20: 1651.50 meets ltp > 1650" in row.detail


def test_a_packet_that_shows_the_level_makes_the_question_needless(desk: Desk) -> None:
    desk.add("ltp < 1")
    desk.look()
    id_ = blind(desk)
    desk.trade(1655)
    desk.bars[KEY] = [bar(4, 1651.5, 1640)]
    desk.look(31)
    desk.look(31)
    assert [each[:2] for each in desk.fired()] == [(id_, TRADE)]


def test_of_an_edited_alert_nothing_is_asked(desk: Desk) -> None:
    desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.disconnect()
    desk.look(60)
    desk.connect()
    desk.trade(1641)
    desk.look()
    assert desk.past.waiting == 1
    desk.change(1, version=2, rule="ltp > 1700")
    desk.bars[KEY] = [bar(1, 1655)]
    desk.look(31)
    desk.look(31)
    assert (desk.past.waiting, desk.fired()) == (0, [])


def test_questions_have_a_bound(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MOST", 1)
    desk.add("ltp > 1650")
    desk.add("ltp > 1660")
    desk.look()
    desk.trade(1640)
    desk.disconnect()
    desk.look(60)
    desk.connect()
    desk.trade(1641)
    desk.look()
    assert (desk.past.waiting, desk.past.lost) == (1, 1)
