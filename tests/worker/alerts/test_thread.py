"""Alerts of a worker from the tick to SQL and the channel: what fires, once, and what a restart keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ltp.core.alerts.alert import (
    BETWEEN_PACKETS,
    FIRED,
    GAP_AT_OPEN,
    NO_DATA,
    NOT_MET,
    TRADE,
    WHILE_DISCONNECTED,
)
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.screener import Row
from ltp.core.ticks.tick import DayPrices
from ltp.db import candles, corporate_actions, runs, universes
from ltp.db.alerts import firings
from ltp.db.alerts import values as term_values
from ltp.db.alerts.tables import alerts
from ltp.db.alerts.values import TermValue
from ltp.db.engine import writing
from ltp.worker.alerts import decider, inbox, thread
from tests.db.alerts.conftest import row
from tests.worker.alerts.desk import KEY, OPEN, Desk, away, bar


def test_a_cross_fires_once_and_is_announced(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650", note="<img onerror>")
    desk.look()
    assert desk.thread.keys() == (KEY,)
    for price in (1640, 1649.95, 1650, 1650.05, 1649, 1651):
        desk.trade(price)
    assert desk.fired() == [(id_, TRADE, 1650.05)]
    [notice] = desk.published
    assert (notice.id, notice.alert, notice.symbol, notice.note) == (1, id_, "S1333", "<img onerror>")
    assert notice.detail == "1650.05 meets ltp > 1650"
    assert desk.state_of(id_) == ("ended", "it fired")
    desk.look()
    assert desk.thread.keys() == ()


def test_a_touch_exactly_and_one_between_two_packets(desk: Desk) -> None:
    touch, between = desk.add("ltp >= 1650"), desk.add("ltp > 1660")
    desk.look()
    desk.trade(1640)
    desk.trade(1650)
    desk.trade(1655, high=1662)
    assert desk.fired() == [(touch, TRADE, 1650.0), (between, BETWEEN_PACKETS, 1662.0)]


def test_a_thousand_touches_between_two_packets_are_a_thousand_firings_and_none_more(desk: Desk) -> None:
    values = [
        row(rule=f"ltp > {1650 + each / 100}", created_at=desk.instant, changed_at=desk.instant)
        for each in range(1_200)
    ]
    with writing(desk.engine) as connection:
        connection.execute(alerts.insert(), values)
        desk.count_change(connection)
    desk.look()
    desk.trade(1640)
    desk.trade(1641, high=1660)  # above the levels 1650 to 1659.99
    desk.trade(1642)
    assert sorted(desk.fired()) == [(each, BETWEEN_PACKETS, 1660.0) for each in range(1, 1_001)]
    assert len({notice.id for notice in desk.published}) == 1_000


def test_each_time_with_a_cool_down_and_hysteresis(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650", repeat="each", cool_down_s=60, hysteresis=0.5)
    desk.look()
    for price in (1640, 1651, 1649, 1651, 1640, 1651):
        desk.trade(price)
    assert [each[2] for each in desk.fired()] == [1651.0]
    desk.trade(1640, after_s=60)
    desk.trade(1652)
    assert [each[2] for each in desk.fired()] == [1651.0, 1652.0]
    outcomes = [each.outcome for each in desk.decisions(id_) if each.outcome != NOT_MET]
    assert outcomes == [FIRED, "cool-down", FIRED]


def test_an_edit_mute_or_snooze_counts_from_the_next_look(desk: Desk) -> None:
    muted, edited, note = (
        desk.add("ltp > 1650"),
        desk.add("ltp > 1650"),
        desk.add("ltp > 1650", repeat="each"),
    )
    desk.look()
    desk.trade(1640)
    desk.change(muted, state="muted", version=2)
    desk.change(edited, rule="ltp > 1700", version=2)
    desk.change(note, note="later", version=2)
    desk.trade(1651, after_s=0.5)  # before the look: the versions differ, so nothing fires as it was
    assert desk.fired() == []
    desk.look(0.5)  # the rule with another note is the same rule: its touch is not lost
    assert desk.fired() == [(note, TRADE, 1651.0)]
    assert [each.outcome for each in desk.decisions(muted)][-1] == "muted"
    desk.trade(1651.5)
    desk.trade(1645)
    desk.trade(1652)
    desk.trade(1701)
    assert desk.fired() == [(note, TRADE, 1651.0), (note, TRADE, 1652.0), (edited, TRADE, 1701.0)]


def test_an_edit_of_the_note_loses_no_touch_that_was_noticed_before_it_and_decided_after(desk: Desk) -> None:
    once, moved = desk.add("ltp > 1650"), desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.trade(1651, look=False)
    waiting = desk.inbox.take(0)
    desk.change(once, note="later", version=2)
    desk.change(moved, rule="ltp > 1700", version=2)
    desk.look()
    desk.trade(1640)
    desk.inbox.put(waiting)
    desk.look()
    assert desk.fired() == [(once, TRADE, 1651.0)]
    desk.trade(1652)
    assert len(desk.fired()) == 1


def test_a_new_alert_is_compared_with_the_last_packet_before_it(desk: Desk) -> None:
    desk.connect()
    day = DayPrices(1600_0000, 1645_0000, 1600_0000, 1590_0000)
    at = int(desk.now())
    desk.tap([])  # the connection
    desk.last = [
        (key, price * 10_000, at, at * 1_000_000, 1_000, day, None, "2026-11-30", at * 1_000_000, False)
        for key, price in (("NSE_EQ:1", 1640), ("NSE_EQ:2", 1655))
    ]
    rises, met = (desk.add("ltp > 1650", name=name) for name in ("NSE_EQ:1", "NSE_EQ:2"))
    desk.look()
    assert desk.fired() == []
    desk.trade(1651, key="NSE_EQ:1")
    desk.trade(1656, key="NSE_EQ:2")
    assert desk.fired() == [(rises, TRADE, 1651.0)]
    desk.trade(1640, key="NSE_EQ:2")
    desk.trade(1656, key="NSE_EQ:2")
    assert desk.fired() == [(rises, TRADE, 1651.0), (met, TRADE, 1656.0)]


def test_a_last_packet_of_an_earlier_connection_is_not_compared_with(desk: Desk) -> None:
    day = DayPrices(1600_0000, 1645_0000, 1600_0000, 1590_0000)
    at = int(desk.now())
    desk.last = [(KEY, 1640_0000, at, at * 1_000_000, 1_000, day, None, "", 0, False)]
    desk.at += 5
    desk.connect()
    desk.tap([])
    desk.add("ltp > 1650")
    desk.look()
    desk.trade(1651)
    assert desk.fired() == []


def test_a_worker_that_dies_with_a_hit_undecided_leaves_it_to_the_next(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650", repeat="each")
    desk.look()
    desk.trade(1640)
    desk.look(6)
    real, desk.inbox.take = desk.inbox.take, lambda _wait_s: []  # type: ignore[method-assign]
    desk.trade(1651)
    desk.look(6)  # states are stored
    desk.inbox.take = real  # type: ignore[method-assign]
    desk.lease = 2
    desk.begin()
    desk.look()
    desk.connect()
    desk.trade(1652)
    assert desk.fired() == [(id_, WHILE_DISCONNECTED, 1652.0)]


def test_a_touch_that_found_no_room_fires_with_the_next_packet(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [desk.add("ltp > 1650"), desk.add("ltp > 1650")]
    desk.look()
    desk.trade(1640)
    with monkeypatch.context() as full:
        full.setattr(inbox, "MOST", 1)
        desk.trade(1651)
    assert [each[0] for each in desk.fired()] == ids[:1]
    desk.trade(1652)
    assert desk.fired() == [(ids[0], TRADE, 1651.0), (ids[1], TRADE, 1652.0)]


def test_a_firing_that_found_no_room_fires_once_the_database_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [desk.add("ltp > 1650"), desk.add("ltp > 1650")]
    desk.look()
    desk.trade(1640)
    with monkeypatch.context() as broken:
        broken.setattr(firings, "store", away)
        broken.setattr(decider, "MAX_WAITING", 1)
        desk.trade(1651)
        desk.trade(1652)
    desk.look()
    desk.trade(1653)
    assert desk.fired() == [(ids[0], TRADE, 1651.0), (ids[1], TRADE, 1653.0)]


def test_a_restart_forgets_neither_the_price_nor_the_firing(desk: Desk) -> None:
    fires, waits = desk.add("ltp > 1650", repeat="each"), desk.add("ltp < 1600")
    desk.look()
    desk.trade(1640)
    desk.trade(1651)
    desk.stop()
    desk.lease = 2
    desk.begin()
    desk.look()
    desk.connect()
    desk.trade(1652)
    desk.trade(1590)
    desk.trade(1655)
    assert desk.fired() == [(fires, TRADE, 1651.0), (waits, TRADE, 1590.0), (fires, TRADE, 1655.0)]


def test_a_level_that_was_passed_while_the_worker_was_away_fires_with_the_first_packet(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.stop()
    desk.lease, desk.at = 2, desk.at + 120
    desk.begin()
    desk.look()
    desk.connect()
    desk.trade(1655)
    [row] = desk.rows()
    assert (row.alert_id, row.how, row.ltp) == (id_, WHILE_DISCONNECTED, 16_550_000)
    assert "while disconnected, between 09:16 and 09:18: 1655.00 meets ltp > 1650" in row.detail
    assert row.until - row.since > timedelta(seconds=120)


def test_a_gap_at_the_open_fires_once_and_says_so(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.next_day(1670)
    desk.trade(1670)
    desk.trade(1675)
    assert [each[:2] for each in desk.fired()] == [(id_, GAP_AT_OPEN)]


def test_a_touch_that_came_back_in_a_gap_is_found_in_the_bars(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650", repeat="each")
    other = desk.add("ltp < 1600")
    desk.look()
    desk.trade(1640)
    desk.disconnect()
    desk.look(60)
    desk.connect()
    desk.trade(1641)
    assert desk.fired() == []
    desk.look(40)
    assert desk.past.waiting == 2
    desk.bars[KEY] = [bar(1, 1641, 1639), bar(2, 1652.5, 1640), bar(3, 1642)]
    desk.look(40)
    [row] = desk.rows()
    assert (row.alert_id, row.how, row.ltp) == (id_, WHILE_DISCONNECTED, 16_525_000)
    assert row.at.timestamp() == OPEN + 120
    assert desk.past.waiting == 0
    assert [each.detail for each in desk.decisions(other)][-1] == "by the bars between 09:16 and 09:17"
    desk.trade(1655)
    assert [each[:2] for each in desk.fired()] == [(id_, WHILE_DISCONNECTED), (id_, TRADE)]


def test_bars_of_a_gap_do_not_repeat_what_packets_showed(desk: Desk) -> None:
    desk.add("ltp > 1650", repeat="each")
    desk.look()
    desk.trade(1640)
    desk.trade(1651)  # fires, in the minute in which the gap begins
    desk.trade(1640)
    desk.disconnect()
    desk.look(120)
    desk.connect()
    desk.trade(1641)
    desk.bars[KEY] = [bar(1, 1651, 1640), bar(2, 1645), bar(3, 1641)]
    desk.look(40)
    desk.look(40)
    assert [each[1] for each in desk.fired()] == [TRADE]


def test_without_bars_the_question_ends(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.disconnect()
    desk.look(60)
    desk.connect()
    desk.trade(1641)
    desk.look(3 * 3_600)
    assert desk.past.waiting == 0
    last = desk.decisions(id_)[-1]
    assert (last.outcome, last.detail) == (NO_DATA, "no bars between 09:16 and 09:17")


def test_while_the_database_is_away_firings_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, each = desk.add("ltp > 1650"), desk.add("ltp > 1650", repeat="each")
    desk.look()
    desk.trade(1640)
    with monkeypatch.context() as broken:
        broken.setattr(firings, "store", away)
        broken.setattr(thread.sources, "version", away)
        desk.trade(1651)
        desk.trade(1640)
        desk.trade(1652)
        assert (desk.fired(), desk.published, desk.thread.counts["waiting"]) == ([], [], 4)
    desk.look()
    assert desk.fired() == [(one, TRADE, 1651.0), (each, TRADE, 1651.0), (each, TRADE, 1652.0)]
    assert len(desk.published) == 3
    desk.look()
    assert len(desk.fired()) == 3


def test_a_second_worker_takes_over_and_the_first_writes_nothing(desk: Desk, empty_database: str) -> None:
    id_ = desk.add("ltp > 1650", repeat="each")
    desk.look()
    desk.trade(1640)
    desk.look(6)
    other = Desk(empty_database)
    other.lease, other.at, other.since = 2, desk.at, desk.since
    other.look()
    other.connect()
    other.trade(1641)
    desk.trade(1651)  # the first has not noticed yet that it leads no more
    other.at = desk.at - 1
    other.trade(1651)
    assert desk.fired() == [(id_, TRADE, 1651.0)]
    assert (len(desk.published), len(other.published)) == (0, 1)
    desk.trade(1640)
    desk.trade(1660)
    assert len(desk.fired()) == 1
    other.engine.dispose()


def test_without_the_lease_nothing_is_watched(desk: Desk) -> None:
    desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.lease = 0
    desk.trade(1651)
    assert (desk.fired(), desk.thread.keys()) == ([], ())


def test_prices_that_come_late_or_lie_outside_the_circuit_do_not_fire(desk: Desk) -> None:
    id_ = desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.limits[KEY] = (14_000_000, 16_800_000)
    desk.trade(1690)
    desk.limits.clear()
    desk.delays["NSE_EQ"] = 150.0
    desk.trade(1651)
    assert desk.fired() == []
    assert [each.detail for each in desk.decisions(id_) if each.outcome == NO_DATA] == [
        "1690.0 is outside the day's circuit limits", "prices of NSE_EQ come 150 s late",
    ]  # fmt: skip
    desk.trade(1652)
    desk.delays.clear()
    desk.look()
    desk.trade(1653)
    assert desk.fired() == [(id_, TRADE, 1653.0)]


def test_outside_its_phases_an_alert_is_quiet(desk: Desk) -> None:
    asked = desk.add("ltp > 1650", phases="continuous,post_close")
    desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.phase = "post_close"
    desk.at += 120
    desk.trade(1651)
    assert [each[0] for each in desk.fired()] == [asked]


def test_simulated_prices_beside_real_candles_fire_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    candles.upsert(desk.engine, "raw", {KEY: [Candle(desk.day, 10, 12, 9, 11, 100)]})
    desk.simulated = True
    desk.begin()
    desk.add("ltp > 1650")
    desk.look()
    desk.trade(1640)
    desk.trade(1651)
    assert desk.fired() == []
    assert "Alerts do not fire: prices are simulated, and the stored candles are real" in caplog.text


def test_each_of_a_list_and_of_a_screens_results_as_they_change(desk: Desk) -> None:
    universes.replace(desk.engine, "list-a", "A", "", [KEY, "NSE_EQ:5"])
    runs.insert_run(desk.engine, "swing", [Row("NSE_EQ:7", 1, "A")], sample=False)
    listed = desk.add("ltp > 1650", target="universe", name="list-a")
    desk.add("ltp > 1650", target="screen", name="swing")
    desk.add("ltp > 1650", target="universe", name="gone")
    desk.look()
    assert sorted(desk.thread.keys()) == [KEY, "NSE_EQ:5", "NSE_EQ:7"]
    desk.trade(1640)
    desk.trade(1651)
    desk.trade(1652, key="NSE_EQ:5")
    assert [each[:2] for each in desk.fired()] == [(listed, TRADE)]
    assert desk.state_of(listed)[0] == "on"
    universes.replace(desk.engine, "list-a", "A", "", ["NSE_EQ:9"])
    desk.look()
    assert sorted(desk.thread.keys()) == ["NSE_EQ:7", "NSE_EQ:9"]


def test_terms_plans_and_other_instruments(desk: Desk) -> None:
    row = Row(KEY, 1, "A", stop=16_000_000)
    runs.insert_run(desk.engine, "swing", [row], sample=False)
    term_values.replace(desk.engine, {(KEY, "high52"): TermValue(1660.0, desk.day)}, desk.instant)
    high = desk.add("ltp > high52")
    stop = desk.add("ltp < plan(swing, stop)")
    ratio = desk.add('ltp / of("NSE_EQ:5", ltp) > 2')
    unknown = desk.add("ltp > ema50")
    desk.look()
    assert sorted(desk.thread.keys()) == [KEY, "NSE_EQ:5"]
    desk.trade(1640)
    desk.trade(1661)
    desk.trade(1599)
    desk.high = desk.low = 0.0
    desk.trade(900, key="NSE_EQ:5")
    desk.trade(700, key="NSE_EQ:5")
    assert sorted(each[0] for each in desk.fired()) == sorted([high, stop, ratio])
    assert desk.rows()[0].detail == "1661.00 meets ltp > high52 (high52 is 1660)"
    desk.look(61)
    assert [each.detail for each in desk.decisions(unknown)][-1] == "ema50 is not known"


def test_a_share_that_split_makes_a_fixed_price_invalid(desk: Desk) -> None:
    term_values.replace(
        desk.engine, {(KEY, "low52"): TermValue(1500.0, desk.day - timedelta(days=3))}, desk.instant
    )
    fixed, change = desk.add("ltp < 1500"), desk.add("change_pct < -3")
    low = desk.add("ltp < low52", repeat="each")
    desk.look()
    desk.trade(1600)
    desk.next_day(320)
    day = desk.day
    corporate_actions.confirm(desk.engine, [Action(KEY, day, 5, 1, "confirmed")])
    desk.look()
    desk.trade(320)
    reason = "the share split 5:1 on 01 Dec 2026: check the price in the rule"
    assert desk.state_of(fixed) == ("invalid", reason)
    assert [each[0] for each in desk.fired()] == [change]
    desk.look(61)
    assert [each.detail for each in desk.decisions(low)][-1] == "low52 is not known"


def test_a_rule_that_is_not_accepted_and_a_last_day(desk: Desk) -> None:
    wrong = desk.add("ltp >")
    expired = desk.add("ltp > 1650", expires=desk.day - timedelta(days=1))
    today = desk.add("ltp > 1650", expires=desk.day)
    desk.look()
    assert desk.state_of(wrong)[0] == "invalid"
    assert "rule, character" in desk.state_of(wrong)[1]
    assert desk.state_of(expired) == ("ended", "its last day was 29 Nov 2026")
    assert desk.state_of(today) == ("on", "")


def test_shares_that_enter_and_leave_a_screen(desk: Desk) -> None:
    runs.insert_run(desk.engine, "swing", [Row("NSE_EQ:1", 1, "A"), Row("NSE_EQ:2", 2, "B")], sample=False)
    with writing(desk.engine) as connection:
        connection.exec_driver_sql("UPDATE screener_runs SET created_at = '2026-11-27 12:00:00'")
    enters = desk.add("enters(swing)", target="market", name="")
    leaves = desk.add("leaves(swing)", target="market", name="", repeat="each")
    desk.look()
    assert desk.fired() == []
    runs.insert_run(desk.engine, "swing", [Row("NSE_EQ:2", 1, "B"), Row("NSE_EQ:3", 2, "C")], sample=False)
    with writing(desk.engine) as connection:
        connection.exec_driver_sql("UPDATE screener_runs SET created_at = '2026-11-30 12:00:00' WHERE id = 2")
    desk.look()
    desk.look()
    desk.stop()
    desk.lease = 2
    desk.begin()
    desk.look()
    assert [(each.alert_id, each.security_id, each.how, each.detail) for each in desk.rows()] == [
        (enters, 3, "event", "S3 entered the screen swing"), (leaves, 1, "event", "S1 left the screen swing"),
    ]  # fmt: skip


def test_trouble_of_the_feed_fires_once_an_outage(desk: Desk) -> None:
    id_ = desk.add("feed_trouble()", target="market", name="", repeat="each")
    desk.look()
    for trouble in ("the feed is silent", "", "the feed is down: refused"):
        desk.trouble = trouble
        for _ in range(4):
            desk.look(30)
    desk.stop()
    desk.lease = 2
    desk.begin()
    for _ in range(4):
        desk.look(30)
    assert [(each.alert_id, each.how) for each in desk.rows()] == [(id_, "event")] * 2
    assert desk.rows()[1].detail.endswith(": the feed is down: refused")
