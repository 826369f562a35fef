"""A segment is measured against its own pace."""

from __future__ import annotations

import pytest

from ltp.core.ticks.silence import SegmentWatch

NSE, MCX = ["NSE_EQ:1333", "NSE_EQ:2885"], ["MCX_COMM:1"]
WANTED = {"NSE_EQ": NSE, "MCX_COMM": MCX}
BOTH = frozenset(WANTED)


def watched(
    watch: SegmentWatch, start: int, stop: int, every: dict[str, int], wanted: dict[str, list[str]] = WANTED
) -> None:
    """Look each second from `start` to before `stop`; all keys of a segment tick every so many seconds."""
    for now in range(start, stop):
        spoke = {segment: wanted[segment] for segment, step in every.items() if now % step == 0}
        watch.look(float(now), spoke, wanted, BOTH)


def test_a_segment_that_ticks_each_second_is_silent_after_ten():
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    watched(watch, 60, 69, {"NSE_EQ": 1})
    assert watch.silent == ()
    watched(watch, 69, 70, {"NSE_EQ": 1})
    assert (watch.silent, watch.all_silent()) == (("MCX_COMM",), False)
    watched(watch, 70, 71, {"NSE_EQ": 1, "MCX_COMM": 1})
    assert watch.silent == ()


def test_what_is_no_longer_wanted_is_not_missed():
    """Its going leaves the pace of the share that stays, which trades every 30 s."""
    busy, thin = "NSE_EQ:2885", "NSE_EQ:9"
    watch, both = SegmentWatch(), {"NSE_EQ": [busy, thin]}
    for now in range(300):
        spoke = [busy, thin] if now % 30 == 0 else [busy]
        watch.look(float(now), {"NSE_EQ": spoke}, both, BOTH)
    for now in range(300, 420):
        watch.look(float(now), {}, {"NSE_EQ": [thin]}, BOTH)
    assert watch.silent == ()


def test_a_segment_that_ticks_once_a_minute_is_silent_after_ten():
    watch = SegmentWatch()
    watched(watch, 0, 1201, {"NSE_EQ": 1, "MCX_COMM": 60})
    watched(watch, 1201, 1795, {"NSE_EQ": 1})
    assert watch.silent == ()
    watched(watch, 1795, 1820, {"NSE_EQ": 1})
    assert watch.silent == ("MCX_COMM",)
    watched(watch, 1820, 1821, {"NSE_EQ": 1, "MCX_COMM": 1})
    assert watch.silent == ()


def test_a_segment_that_becomes_slow_is_measured_by_its_new_pace():
    watch = SegmentWatch()
    watched(watch, 0, 600, {"NSE_EQ": 1, "MCX_COMM": 1})
    watched(watch, 600, 1201, {"NSE_EQ": 1, "MCX_COMM": 30})
    watched(watch, 1201, 1400, {"NSE_EQ": 1})
    assert watch.silent == ()


def test_a_segment_whose_pace_is_not_known_is_not_judged():
    watch = SegmentWatch()
    watched(watch, 0, 4, {"MCX_COMM": 1})
    watched(watch, 4, 1000, {"NSE_EQ": 1})
    assert watch.silent == ()


def test_a_window_in_which_silence_is_normal_begins_anew():
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    for now in range(60, 200):
        watch.look(float(now), {"MCX_COMM": MCX}, WANTED, frozenset({"MCX_COMM"}))
    watched(watch, 200, 300, {"MCX_COMM": 1})
    assert watch.silent == ()


def test_a_frozen_process_looks_once():
    """What came meanwhile is in that look."""
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    watch.look(600.0, WANTED, WANTED, BOTH)
    watched(watch, 601, 605, {"NSE_EQ": 1})
    assert watch.silent == ()


def test_a_new_connection_gives_time_but_does_not_hide_a_silence():
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    watched(watch, 60, 80, {"NSE_EQ": 1})
    watch.connected(200.0)
    watched(watch, 201, 205, {})
    assert watch.silent == ("MCX_COMM",)


@pytest.mark.parametrize(("opened", "expected"), [(60.0, "MCX_COMM"), (70.0, "")])
def test_a_connection_is_given_up_only_when_it_had_the_time_to_bring_something(opened: float, expected: str):
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    watched(watch, 60, 86, {"NSE_EQ": 1})
    watch.connected(opened)
    assert watch.overdue(86.0) == expected


def test_all_silent_is_retried_once_a_minute():
    watch = SegmentWatch()
    watched(watch, 0, 60, {"NSE_EQ": 1, "MCX_COMM": 1})
    watched(watch, 60, 90, {})
    assert watch.all_silent()
    for now in (90.0, 150.0, 210.0):
        assert watch.overdue(now) == "MCX_COMM"
        watch.reconnects(now)
        assert watch.overdue(now + 59) == ""
