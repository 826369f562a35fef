from __future__ import annotations

import pytest

from ltp.errors import InputError
from ltp.web.charts.query import ChartQuery, Choice, Usual, chart_pairs, choices, parse

PATH = "/instruments/NSE_EQ/1333"


def link(given: dict[str, str], group: str, label: str) -> Choice:
    [found] = [each for each in choices(PATH, given, parse(given))[group] if each.label == label]
    return found


def test_an_address_without_parameters_is_a_day_of_five_minutes() -> None:
    assert parse({}) == ChartQuery("5m", "day", (), vwap=False, logarithmic=False)
    assert [parse({"timeframe": name}).span for name in ("1d", "1w", "1M")] == ["1y", "1y", "3y"]


def test_every_parameter_is_read() -> None:
    given = {"timeframe": "15m", "range": "20d", "ema": "200,20", "vwap": "1", "scale": "log", "live": "0"}
    assert parse(given) == ChartQuery("15m", "20d", (20, 200), vwap=True, logarithmic=True)
    bands = parse({"bollinger": "1", "supertrend": "1", "timeframe": "1w"})
    assert (bands.bollinger, bands.supertrend, bands.vwap) == (True, True, False)
    assert parse(given).minutes == 15


@pytest.mark.parametrize(
    ("given", "where", "accepted"),
    [
        (
            {"timeframe": "2m"},
            "timeframe",
            "it is one of 1m, 3m, 5m, 10m, 15m, 25m, 30m, 60m, 75m, 125m, 1d, 1w, 1M",
        ),
        ({"range": "1y"}, "range", "with 5m bars it is one of day, 5d, 10d, 20d"),
        ({"timeframe": "1d", "range": "day"}, "range", "with 1d bars it is one of 3mo, 6mo, 1y, 3y"),
        ({"timeframe": "1w", "range": "6mo"}, "range", "with 1w bars it is one of 1y, 3y, max"),
        ({"timeframe": "1M", "vwap": "1"}, "vwap", "it is an average within a session, not for 1M bars"),
        ({"ema": "20,30"}, "ema", "it is one or more of 20, 50, 200, with commas between, or none"),
        ({"ema": "20,20"}, "ema", "it is one or more of 20, 50, 200, with commas between, or none"),
        ({"ema": "20,"}, "ema", "it is one or more of 20, 50, 200, with commas between, or none"),
        ({"vwap": "yes"}, "vwap", "it is one of 0, 1"),
        ({"bollinger": "2"}, "bollinger", "it is one of 0, 1"),
        ({"supertrend": "on"}, "supertrend", "it is one of 0, 1"),
        ({"timeframe": "1d", "vwap": "1"}, "vwap", "it is an average within a session, not for 1d bars"),
        ({"scale": "x"}, "scale", "it is one of linear, log"),
    ],
)
def test_a_refusal_names_the_parameter_and_its_values(
    given: dict[str, str], where: str, accepted: str
) -> None:
    with pytest.raises(InputError) as refused:
        parse(given)
    assert (refused.value.where, refused.value.accepted) == (where, accepted)


def test_a_link_changes_one_parameter_and_keeps_the_others() -> None:
    given = {"timeframe": "15m", "range": "5d", "ema": "20", "live": "0"}
    url = f"{PATH}?timeframe=60m&range=5d&ema=20&live=0"
    assert link(given, "Timeframe", "60m") == Choice("c-timeframe-60m", "60m", url, chosen=False)
    assert link(given, "Range", "5d").chosen
    assert link(given, "Show", "VWAP").url == f"{PATH}?timeframe=15m&range=5d&ema=20&live=0&vwap=1"


def test_an_overlay_is_taken_away_by_the_same_link() -> None:
    given = {"ema": "20,200", "scale": "log", "vwap": "1"}
    for label, left in (
        ("EMA 50", "ema=20,50,200&scale=log&vwap=1"),
        ("EMA 20", "ema=200&scale=log&vwap=1"),
        ("VWAP", "ema=20,200&scale=log"),
        ("Log scale", "ema=20,200&vwap=1"),
    ):
        found = link(given, "Show", label)
        assert (found.url, found.chosen) == (f"{PATH}?{left}", label != "EMA 50")


def test_an_address_has_no_defaults_and_nothing_that_its_timeframe_does_not_have() -> None:
    given = {"timeframe": "15m", "range": "5d", "vwap": "1", "ema": "50"}
    assert link(given, "Timeframe", "1d").url == f"{PATH}?timeframe=1d&ema=50"
    assert link(given, "Timeframe", "5m").url == f"{PATH}?range=5d&vwap=1&ema=50"
    assert link(given, "Range", "day").url == f"{PATH}?timeframe=15m&vwap=1&ema=50"
    assert link({"timeframe": "1d", "range": "3y"}, "Timeframe", "5m").url == PATH
    assert link({"timeframe": "1d", "range": "3y"}, "Timeframe", "1w").url == f"{PATH}?timeframe=1w&range=3y"
    assert link({"timeframe": "1w", "range": "3y"}, "Timeframe", "1M").url == f"{PATH}?timeframe=1M"
    assert [each.label for each in choices(PATH, {}, parse({"timeframe": "1d"}))["Show"]] == [
        "EMA 20",
        "EMA 50",
        "EMA 200",
        "Bollinger",
        "Supertrend",
        "Log scale",
    ]


def test_a_page_may_usually_show_other_bars_and_averages() -> None:
    usual = Usual("1d", (50, 200))
    assert parse({}, usual)[:3] == ("1d", "1y", (50, 200))
    assert parse({"ema": "none", "timeframe": "5m"}, usual)[:3] == ("5m", "day", ())
    for given, group, label, query in (
        ({}, "Show", "EMA 200", "?ema=50"),
        ({"ema": "50"}, "Show", "EMA 50", "?ema=none"),
        ({"ema": "50"}, "Show", "EMA 200", ""),
        ({"ema": "none"}, "Show", "EMA 20", "?ema=20"),
        ({"sort": "-chg", "timeframe": "1w"}, "Timeframe", "1d", "?sort=-chg"),
        ({}, "Timeframe", "5m", "?timeframe=5m"),
        ({"run": "7"}, "Range", "3y", "?run=7&range=3y"),
    ):
        found = choices(PATH, given, parse(given, usual))[group]
        assert [each.url for each in found if each.label == label] == [PATH + query]


def test_the_parameters_of_the_chart_are_told_from_those_of_the_list() -> None:
    given = {"scale": "log", "sort": "-chg", "supertrend": "1", "timeframe": "1w"}
    assert chart_pairs(given) == [("timeframe", "1w"), ("supertrend", "1"), ("scale", "log")]


def test_links_have_names_of_their_own() -> None:
    names = [each.name for group in choices(PATH, {}, parse({})).values() for each in group]
    assert {"c-timeframe-1m", "c-timeframe-1M"} <= set(names)
    assert len(names) == len(set(names))
