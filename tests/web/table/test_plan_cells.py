from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ltp.core.history.plan import Plan, plans_of
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import State, Tick
from ltp.web.table.plan_cells import PlanCells, value

KEY = "NSE_EQ:1333"


def _run(
    run_id: int = 17, *, kind: str = "swing", as_of: date | None = date(2026, 11, 20), **plan: int | None
) -> Run:
    prices = {
        "entry": 1000_0000,
        "entry_low": 990_0000,
        "entry_high": 1010_0000,
        "stop": 950_0000,
        "target": 1100_0000,
    } | plan
    row = Row(KEY, 1, "HDFCBANK", **prices)  # type: ignore[arg-type]
    return Run(run_id, kind, datetime(2026, 11, 20, 12, tzinfo=UTC), False, "", (row,), as_of)


def _quote(
    rupees: float | None,
    *,
    low: float | None = None,
    high: float | None = None,
    opened: float | None = None,
    session: str = "2026-11-23",
    state: State = "live",
) -> Quote:
    def price(value: float | None) -> int | None:
        return None if value is None else round(value * 10_000)

    return Quote(
        KEY,
        Tick(KEY, price(rupees), open=price(opened), low=price(low), high=price(high), session=session),
        state,
    )


def _draw(column: str, quote: Quote, run: Run | None = None, **changes: str) -> str:
    run = run or _run()
    plans = {key: plan._replace(**changes) for key, plan in plans_of(run).items()}  # type: ignore[arg-type]
    cell = PlanCells({run.id: plans}.__getitem__).draw_function(f"{column}@{run.id}")
    assert cell is not None
    return cell(quote)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        (_quote(1040, low=1030, high=1050), "waiting"),
        (_quote(1005, low=1004, high=1020), '<b class="z">in entry zone</b>'),
        (_quote(1040, low=1009, high=1050), '<b class="z">entry touched</b>'),
        (_quote(1040, low=1000, high=1100, opened=1010), '<b class="g">target hit</b>'),
        (_quote(1040, low=1000, high=1100, opened=1011), '<b class="w">missed</b>'),
        (_quote(1040, low=1011, high=1100), '<b class="w">missed</b>'),
        (_quote(960, low=950, high=1000), '<b class="l">stop hit</b>'),
        (_quote(960, low=950, high=989), '<b class="w">invalidated before entry</b>'),
        (_quote(1000, low=940, high=1001, opened=949), '<b class="w">invalidated before entry</b>'),
        (_quote(1000, low=950, high=1100), '<b class="l">stop hit</b>'),
        (_quote(1251), '<b class="w">stale plan</b>'),
        (_quote(749), '<b class="w">stale plan</b>'),
        (_quote(None), "–"),
    ],
)
def test_the_state_of_a_plan_by_the_prices_of_the_day(quote: Quote, text: str) -> None:
    assert _draw("state", quote) == text


@pytest.mark.parametrize(
    ("stage", "quote", "text"),
    [
        ("entered", _quote(1040, low=1030, high=1050), '<b class="z">entry touched</b>'),
        ("entered", _quote(1000, low=995, high=1050), '<b class="z">in entry zone</b>'),
        ("entered", _quote(960, low=950, high=989), '<b class="l">stop hit</b>'),
        ("entered", _quote(1100, low=1030, high=1100), '<b class="g">target hit</b>'),
        ("stop hit", _quote(1100, low=1000, high=1100), '<b class="l">stop hit</b>'),
        ("target hit", _quote(940, low=940, high=1000), '<b class="g">target hit</b>'),
        ("missed", _quote(1000, low=940, high=1000), '<b class="w">missed</b>'),
        ("invalidated before entry", _quote(1000), '<b class="w">invalidated before entry</b>'),
        ("stop hit", _quote(1300), '<b class="w">stale plan</b>'),
    ],
)
def test_the_prices_of_the_day_continue_from_the_stage_by_the_candles(
    stage: str, quote: Quote, text: str
) -> None:
    assert _draw("state", quote, stage=stage) == text


@pytest.mark.parametrize(
    ("rupees", "text"),
    [
        (1040, "waiting"),
        (1000, '<b class="z">in entry zone</b>'),
        (950, '<b class="l">stop hit</b>'),
        (1100, '<b class="g">target hit</b>'),
    ],
)
def test_for_an_imported_list_only_the_present_price_counts(rupees: float, text: str) -> None:
    assert _draw("state", _quote(rupees, low=940, high=1120, opened=990), _run(as_of=None)) == text


def test_a_price_below_the_invalidation_does_not_end_a_long_term_plan() -> None:
    run = _run(kind="longterm", target=None)
    assert _draw("state", _quote(960, low=940, high=970), run) == "waiting"
    assert _draw("state", _quote(949, low=940, high=970), run) == '<b class="w">below invalidation</b>'
    assert _draw("state", _quote(949, low=940, high=970, state="stale"), run) == '<b class="w">stale</b>'


def test_a_plan_ends_with_a_split() -> None:
    assert (
        _draw("state", _quote(1000, session="2026-11-24"), ends="2026-11-24") == '<b class="w">stale plan</b>'
    )
    assert _draw("to_entry", _quote(1000, session="2026-11-24"), ends="2026-11-24") == "–"
    assert _draw("state", _quote(1040, session="2026-11-23"), ends="2026-11-24") == "waiting"


def test_the_range_of_the_plans_own_day_does_not_count() -> None:
    assert _draw("state", _quote(1040, low=940, high=1050, session="2026-11-20")) == "waiting"


def test_a_stale_price_keeps_final_states_and_hides_passing_ones() -> None:
    assert _draw("state", _quote(1040, low=949, high=1050, state="stale")) == '<b class="l">stop hit</b>'
    assert _draw("state", _quote(1005, low=1004, high=1020, state="stale")) == '<b class="w">stale</b>'


@pytest.mark.parametrize(
    ("column", "text"),
    [("to_entry", "-3.85%"), ("to_stop", "-8.65%"), ("to_target", "+5.77%"), ("r_now", "+0.80")],
)
def test_distances_are_signed_and_of_the_price(column: str, text: str) -> None:
    assert _draw(column, _quote(1040)) == text


def test_a_loss_is_negative_r() -> None:
    assert _draw("r_now", _quote(975, low=970, high=1000)) == '<b class="l">-0.50</b>'
    assert _draw("r_now", _quote(1000)) == "0.00"


def test_r_has_the_colour_of_a_gain_only_once_the_entry_was_reached() -> None:
    assert _draw("r_now", _quote(1040, low=1005, high=1045)) == '<b class="g">+0.80</b>'
    assert _draw("r_now", _quote(1040, low=1020, high=1045)) == "+0.80"
    assert _draw("r_now", _quote(1040, low=1020, high=1045), stage="entered") == '<b class="g">+0.80</b>'
    for ended in ("missed", "invalidated before entry"):
        assert _draw("r_now", _quote(1040, low=1005, high=1045), stage=ended) == "+0.80"


@pytest.mark.parametrize("column", ["to_entry", "to_stop", "to_target", "r_now"])
@pytest.mark.parametrize("quote", [_quote(1040, state="stale"), _quote(1300), _quote(None), _quote(600)])
def test_there_is_no_distance_from_a_stale_price_or_in_a_stale_plan(column: str, quote: Quote) -> None:
    assert _draw(column, quote) == "–"


def test_a_plan_that_lacks_a_level_shows_a_dash_there_only() -> None:
    run, columns = _run(stop=None, target=None), ("state", "to_entry", "to_stop", "to_target", "r_now")
    assert [_draw(column, _quote(1040), run) for column in columns] == ["waiting", "-3.85%", "–", "–", "–"]


def test_two_runs_have_two_plans_for_one_instrument() -> None:
    other = _run(2, entry=1100_0000, entry_low=None, entry_high=None, target=1300_0000)
    plans = {1: plans_of(_run(1)), 2: plans_of(other), 3: {}}
    cells = PlanCells(plans.__getitem__)
    drawn = [cells.draw_function(f"to_entry@{run_id}") for run_id in (1, 2, 3)]
    assert [cell(_quote(1040)) for cell in drawn if cell] == ["-3.85%", "+5.77%", "–"]


def test_a_column_may_be_drawn_before_its_run_is_known() -> None:
    plans: dict[int, dict[str, Plan]] = {}
    cell = PlanCells(lambda run_id: plans.get(run_id, {})).draw_function("to_entry@17")
    assert cell is not None
    assert cell(_quote(1040)) == "–"
    plans[17] = plans_of(_run())
    assert cell(_quote(1040)) == "-3.85%"
    plans[17][KEY] = plans[17][KEY]._replace(entry=1040_0000)
    assert cell(_quote(1040)) == "0.00%"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("state", "waiting"), ("to_entry", -3.85), ("to_stop", -8.65), ("to_target", 5.77), ("r_now", 0.8)],
)
def test_the_value_of_a_cell_for_sorting_and_for_files(name: str, expected: float | str) -> None:
    plan = Plan(1000_0000, 990_0000, 1010_0000, 950_0000, 1100_0000, "2026-11-20")
    assert value(name, plan, _quote(1040)) == expected
    assert value(name, plan, _quote(None)) is None
    assert value(name, plan, _quote(1040, state="stale")) == ("stale" if name == "state" else None)


@pytest.mark.parametrize("column", ["ltp", "to_entry", "to_entry@", "to_entry@x", "to_entry@²", "nothing@1"])
def test_other_columns_have_no_draw_function(column: str) -> None:
    assert PlanCells(lambda _: {}).draw_function(column) is None
