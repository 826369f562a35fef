from __future__ import annotations

from ltp.core.bars.bar import Bar
from ltp.web.charts.overlays import Overlay, over_continuous, overlays, spread, warm_up
from ltp.web.charts.query import parse

OPEN = 1_795_751_100  # 09:15 of 27 November 2026 in India


def bars(count: int) -> list[Bar]:
    """Return bars that rise by ten rupees each, two rupees high."""
    return [
        Bar(OPEN + at * 300, price, price + 1_0000, price - 1_0000, price, 100)
        for at, price in enumerate(range(100_0000, 100_0000 + count * 10_0000, 10_0000))
    ]


def test_the_warm_up_is_that_of_the_slowest_line() -> None:
    for given, expected in (
        ({}, 0),
        ({"bollinger": "1"}, 19),
        ({"supertrend": "1", "bollinger": "1"}, 100),
        ({"ema": "50"}, 100),
        ({"ema": "20,200", "supertrend": "1"}, 400),
    ):
        assert warm_up(parse(given)) == expected


def test_the_first_shown_bar_has_a_value_where_the_warm_up_is_there() -> None:
    query = parse({"bollinger": "1", "supertrend": "1", "ema": "20"})
    names = [(each.kind, each.name) for each in overlays(bars(130), 100, query)]
    assert names == [
        ("ema20", "EMA 20"),
        ("bollinger", "Bollinger 20, 2: upper"),
        ("bollinger middle", "average"),
        ("bollinger", "lower"),
        ("supertrend", "Supertrend 10, 3: below the price"),
        ("supertrend above", "above the price"),
    ]
    *lines, above = overlays(bars(130), 100, query)
    assert all(len(each.values) == 30 and None not in each.values for each in lines)
    assert above.values == [None] * 30


def test_values_are_those_of_their_bars() -> None:
    upper, average, lower, below, _ = overlays(bars(130), 100, parse({"bollinger": "1", "supertrend": "1"}))
    # Closes rise by 10: the average of 20 is 95 below the last; their deviation is 10 √((20² − 1) / 12) = 57.66.
    assert average.values[0] == 1_100_0000 - 95_0000
    assert [round((line.values[0] or 0) / 1_0000, 2) for line in (upper, lower)] == [1_120.33, 889.67]
    assert upper.shaded_to == lower.values
    # Each range is 11, from the close before to the high: 33 below the middle.
    assert (below.values[0], below.values[29]) == (1_100_0000 - 33_0000, 1_390_0000 - 33_0000)


def test_with_a_short_history_a_line_begins_later() -> None:
    upper, *_, below, above = overlays(bars(25), 5, parse({"bollinger": "1", "supertrend": "1"}))
    assert [value is None for value in upper.values] == [True] * 14 + [False] * 6
    # The 11th bar begins above the price, as the steady rise has not crossed its band yet.
    shown = [(under is None, over is None) for under, over in zip(below.values, above.values, strict=True)]
    assert shown[:5] == [(True, True)] * 5
    assert shown[5] == (True, False)
    assert shown[-1] == (False, True)


def test_a_line_stands_still_over_bars_of_auctions() -> None:
    [line] = spread([Overlay("ema20", "EMA 20", [2, 8])], [1, 4], [0] * 5)
    assert line.values == [None, 2, 2, 2, 8]
    [band] = spread([Overlay("bollinger", "upper", [5], shaded_to=[3])], [0], [0, 0])
    assert (band.values, band.shaded_to) == ([5, 5], [3, 3])


def test_a_line_of_a_session_does_not_go_on_in_the_next() -> None:
    """The average of one day is no value at the pre-open of the next."""
    lines = [Overlay("vwap", "VWAP", [10, 20], by_session=True), Overlay("ema20", "EMA 20", [30, 40])]
    session, average = spread(lines, [0, 3], [0, 0, 1, 1, 1])
    assert session.values == [10, 10, None, 20, 20]
    assert average.values == [30, 30, 30, 40, 40]


def test_overlays_are_made_of_the_continuous_session() -> None:
    bars = [Bar(60 * minute, *[100_0000 + minute] * 4, 10) for minute in range(30)]
    query = parse({"ema": "20"})
    kinds = ["pre_open", *["continuous"] * 28, "closing_auction"]
    [line] = over_continuous(bars, kinds, 25, query)
    [alone] = overlays(bars[1:29], 24, query)
    assert line.values == [*alone.values, alone.values[-1]]
    assert over_continuous(bars, ["continuous"] * 30, 25, query) == overlays(bars, 25, query)
