from __future__ import annotations

from ltp.web.table.sparkline import sparkline


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
