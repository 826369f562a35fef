from __future__ import annotations

import pytest

from ltp.core.bars.coverage import Span, common, ended, gaps, has_whole_minute, joined, minutes

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30


def span(start: float, until: float) -> Span:
    """Minutes after the open."""
    return Span(OPEN + int(start * 60), OPEN + int(until * 60))


def windows(*pairs: tuple[int, int]) -> list[tuple[int, int]]:
    return [(OPEN + start * 60, OPEN + end * 60) for start, end in pairs]


def test_spans_that_touch_or_overlap_are_one() -> None:
    assert joined([span(5, 9), span(0, 2), span(2, 3), span(6, 7), span(4, 4)]) == [span(0, 3), span(5, 9)]
    assert joined([]) == []


def test_time_in_both_is_common() -> None:
    connections, subscriptions = [span(0, 10), span(12, 20)], [span(5, 13), span(14, 15), span(15, 30)]
    assert common(connections, subscriptions) == [span(5, 10), span(12, 13), span(14, 20)]
    assert common(subscriptions, connections) == common(connections, subscriptions)
    assert common([span(0, 5)], [span(5, 9)]) == common([], [span(5, 9)]) == []


def test_a_minute_that_is_covered_in_part_is_a_gap() -> None:
    assert gaps([span(0, 3.5), span(3.6, 10)], windows((0, 10))) == [span(3, 4)]
    assert gaps([span(-5, 30)], windows((0, 10))) == []
    assert gaps([], windows((0, 10))) == [span(0, 10)]


def test_a_reconnect_on_the_full_minute_leaves_no_gap() -> None:
    assert gaps([span(0, 4), span(4, 10)], windows((0, 10))) == []


def test_a_minute_of_two_halves_is_whole_only_without_a_gap_between() -> None:
    assert gaps([span(0, 4.5), span(4.5, 10)], windows((0, 10))) == []
    assert gaps([span(0, 4.5), span(4.55, 10)], windows((0, 10))) == [span(4, 5)]


def test_the_time_between_windows_is_no_gap() -> None:
    covered = [span(0, 2), span(8, 12)]
    assert gaps(covered, windows((0, 4), (6, 10))) == [span(2, 4), span(6, 8)]
    assert gaps(covered, windows((0, 4), (4, 10))) == [span(2, 8)]


def test_minutes_are_counted() -> None:
    assert minutes([span(0, 3), span(5, 6)]) == 4


def test_windows_end_with_the_last_whole_minute() -> None:
    assert ended(windows((0, 10), (20, 30)), OPEN + 5 * 60 + 59) == windows((0, 5))
    assert ended(windows((0, 10), (20, 30)), OPEN + 21 * 60) == windows((0, 10), (20, 21))
    assert ended(windows((0, 10)), OPEN) == []


@pytest.mark.parametrize(
    ("start", "until", "whole"), [(0, 1, True), (0.1, 1.9, False), (0.1, 2, True), (0, 0.9, False)]
)
def test_a_span_may_have_no_whole_minute(start: float, until: float, whole: bool) -> None:
    assert has_whole_minute(span(start, until)) is whole
