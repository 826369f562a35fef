from __future__ import annotations

from ltp.feed.status import FeedStatus, StatusBoard


def test_a_status_is_built_when_something_changed_or_half_a_second_passed():
    """Building one copies thousands of keys, and the feed asks after each read."""
    now, built, shown = 0.0, [], []
    board = StatusBoard(lambda: shown.append(board.read()), lambda: now)

    def build() -> FeedStatus:
        built.append(now)
        return FeedStatus(wanted=len(built))

    for at, feed, stopped in (
        (0.0, "down", False),
        (0.125, "down", False),
        (0.25, "live", False),
        (0.625, "live", False),
        (0.75, "live", False),
        (0.875, "live", True),
        (1.0, "live", True),
    ):
        now = at
        board.show(feed, stopped, "gone" if at == 1.0 else "", build)
    assert built == [0.0, 0.25, 0.75, 0.875, 1.0]
    assert [(status.feed, status.stopped_for_good, status.wanted) for status in shown] == [
        ("down", False, 1),
        ("live", False, 2),
        ("live", True, 4),
        ("live", True, 5),
    ]


def test_before_anything_was_shown_the_feed_is_off():
    assert StatusBoard(lambda: None, lambda: 0.0).read() == FeedStatus(feed="off")
