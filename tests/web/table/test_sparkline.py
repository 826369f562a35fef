from __future__ import annotations

from ltp.web.table.sparkline import PLACES, day_line, sparkline


def test_a_line_has_a_description() -> None:
    drawn = sparkline((100.0, 110.5, 105.0))
    assert 'role="img" aria-label="3 days: low 100.00, high 110.50, last 105.00"' in drawn
    assert '<polyline points="2,18.0 48,2.0 94,10.4"/>' in drawn
    assert 'class="spark g"' in drawn
    assert "style=" not in drawn


def test_its_colour_is_the_direction() -> None:
    assert 'class="spark l"' in sparkline((2.0, 1.0))
    assert 'class="spark "' in sparkline((2.0, 3.0, 2.0))


def test_a_flat_line_lies_in_the_middle_and_one_close_is_none() -> None:
    assert 'points="2,10 94,10"' in sparkline((5.0, 5.0))
    assert sparkline((5.0,)) == sparkline(()) == ""


def test_a_line_of_today_fills_the_width_as_the_day_goes_on() -> None:
    drawn = day_line({0: 100_0000, 46: 110_0000, PLACES - 1: 105_0000}, 106_0000, "15:30")
    assert 'points="2,18.0 48,2.0 94,10.0"' in drawn
    assert 'aria-label="Today to 15:30: low 100.00, high 110.00, last 105.00"' in drawn
    assert 'points="2,18.0 12,2.0"' in day_line({0: 100_0000, 10: 110_0000}, None, "10:00")


def test_its_colour_is_that_of_the_change_since_the_session_before() -> None:
    closes = {0: 100_0000, 9: 110_0000}
    for before, kind in ((120_0000, "l"), (110_0000, ""), (90_0000, "g"), (None, "g")):
        assert f'class="spark {kind}"' in day_line(closes, before, "10:00")


def test_a_line_of_today_needs_two_points() -> None:
    assert day_line({5: 1_0000}, None, "09:20") == day_line({}, None, "05:30") == ""
    assert 'points="2,10 5,10"' in day_line({0: 5_0000, 3: 5_0000}, None, "09:20")
    assert "low 83.2475, high 83.2500" in day_line({0: 83_2475, 3: 83_2500}, None, "09:20", currency=True)
