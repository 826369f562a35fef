"""The parameters of a candle chart in the address of a page, and the links that change one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ltp.core.bars.timeframe import NAMES, minutes_of
from ltp.core.history import periods
from ltp.core.market import kinds
from ltp.errors import InputError
from ltp.web import params, urls
from ltp.web.charts import session_choice

TIMEFRAMES: Final = (*NAMES, *periods.NAMES)
SESSIONS: Final = {"day": 1, "5d": 5, "10d": 10, "20d": 20}  # of an intraday range
# Of a range of days, weeks or months. "max": 38 years, more than NSE has existed.
DAYS: Final = {"3mo": 92, "6mo": 183, "1y": 365, "3y": 1_096, "max": 14_000}
_SPANS: Final = {
    periods.DAY: ("3mo", "6mo", "1y", "3y"),
    periods.WEEK: ("1y", "3y", "max"),
    periods.MONTH: ("1y", "3y", "max"),
}
_USUAL_SPANS: Final = {periods.DAY: "1y", periods.WEEK: "1y", periods.MONTH: "3y"}
AVERAGES: Final = (20, 50, 200)
_NONE: Final = "none"  # no average, on a page that usually has some
_SCALES: Final = ("linear", "log")
_NAMES: Final = (
    "timeframe",
    "range",
    "ema",
    "vwap",
    "bollinger",
    "supertrend",
    "scale",
    session_choice.PARAMETER,
)


class Usual(NamedTuple):
    """What a page shows without parameters. `averages`: as in ChartQuery."""

    timeframe: str = "5m"
    averages: tuple[int, ...] = ()


class ChartQuery(NamedTuple):
    """`span`: a name of SESSIONS or DAYS. `averages`: bars of the exponential averages, rising.

    `vwap`: never with bars of days and longer. `bollinger`: of 20 bars, 2 standard deviations. `supertrend`: of
    10 bars, 3 average true ranges. `usual`: of the page. `sessions`: the kinds of bars that are shown, see
    `session_choice`.
    """

    timeframe: str
    span: str
    averages: tuple[int, ...]
    vwap: bool
    logarithmic: bool
    bollinger: bool = False
    supertrend: bool = False
    usual: Usual = Usual()
    sessions: tuple[str, ...] = kinds.USUAL

    @property
    def daily(self) -> bool:
        """Whether the bars are made of daily candles: days, weeks or months."""
        return self.timeframe in periods.NAMES

    @property
    def minutes(self) -> int:
        """Length of a bar; not for daily candles."""
        return minutes_of(self.timeframe)


class Choice(NamedTuple):
    """A link that changes one parameter. `chosen`: the page has that value now."""

    name: str
    label: str
    url: str
    chosen: bool


def parse(given: dict[str, str], usual: Usual = Usual()) -> ChartQuery:  # noqa: B008 (never changed)
    """Read the parameters of a chart.

    Raises:
        InputError: names the one that is not accepted.
    """
    timeframe = params.choice(given, "timeframe", TIMEFRAMES, usual.timeframe)
    span = given.get("range", _usual_span(timeframe))
    if span not in _spans(timeframe):
        raise InputError("range", span, f"with {timeframe} bars it is one of {', '.join(_spans(timeframe))}")
    if timeframe in periods.NAMES and "vwap" in given:
        accepted = f"it is an average within a session, not for {timeframe} bars"
        raise InputError("vwap", given["vwap"], accepted)
    vwap, bollinger, supertrend = (
        params.choice(given, name, ("0", "1"), "0") == "1" for name in ("vwap", "bollinger", "supertrend")
    )
    logarithmic = params.choice(given, "scale", _SCALES, "linear") == "log"
    averages, sessions = _averages(given, usual), session_choice.parse(given, timeframe)
    return ChartQuery(timeframe, span, averages, vwap, logarithmic, bollinger, supertrend, usual, sessions)


def chart_pairs(given: dict[str, str]) -> list[tuple[str, str]]:
    """Return the parameters of the chart among those of a page."""
    return [(name, given[name]) for name in _NAMES if name in given]


def choices(path: str, given: dict[str, str], query: ChartQuery) -> dict[str, list[Choice]]:
    """Return the links by the group that they are shown in. They keep the other parameters of `given`."""

    def link(label: str, chosen: bool, **changed: str) -> Choice:
        word = label if "timeframe" in changed else label.lower().replace(" ", "")  # 1m and 1M are two
        name = "-".join(["c", *changed, word])
        pairs = [
            (name, value) for name, value in _fitting({**given, **changed}, query.usual).items() if value
        ]
        return Choice(name, label, urls.address(path, pairs), chosen)

    averages = [
        link(f"EMA {bars}", bars in query.averages, ema=_joined(set(query.averages) ^ {bars}) or _NONE)
        for bars in AVERAGES
    ]
    vwap = [] if query.daily else [link("VWAP", query.vwap, vwap="" if query.vwap else "1")]
    bands = [
        link("Bollinger", query.bollinger, bollinger="" if query.bollinger else "1"),
        link("Supertrend", query.supertrend, supertrend="" if query.supertrend else "1"),
    ]
    scale = link("Log scale", query.logarithmic, scale="" if query.logarithmic else "log")
    groups = {
        "Timeframe": [link(name, name == query.timeframe, timeframe=name) for name in TIMEFRAMES],
        "Range": [link(name, name == query.span, range=name) for name in _spans(query.timeframe)],
        "Show": [*averages, *vwap, *bands, scale],
    }
    if not query.daily:
        groups["Sessions"] = [
            link(label, kind in query.sessions, sessions=session_choice.changed(query.sessions, kind))
            for kind, label in session_choice.LABELS.items()
        ]
    return groups


def _fitting(given: dict[str, str], usual: Usual) -> dict[str, str]:
    """Return parameters without defaults, and without those that the timeframe does not have."""
    timeframe = given.get("timeframe", usual.timeframe)
    averages = _joined(usual.averages) or _NONE
    left_out = {"timeframe": usual.timeframe, "range": _usual_span(timeframe), "ema": averages}
    kept = {name: value for name, value in given.items() if left_out.get(name) != value}
    if kept.get("range") not in _spans(timeframe):
        kept.pop("range", None)
    if timeframe in periods.NAMES:
        kept.pop("vwap", None)
        kept.pop(session_choice.PARAMETER, None)
    return kept


def _averages(given: dict[str, str], usual: Usual) -> tuple[int, ...]:
    text = given.get("ema", _joined(usual.averages) or _NONE)
    names = [] if text == _NONE else text.split(",")
    if len(set(names)) < len(names) or not set(names) <= set(map(str, AVERAGES)):
        accepted = ", ".join(map(str, AVERAGES))
        raise InputError("ema", text, f"it is one or more of {accepted}, with commas between, or {_NONE}")
    return tuple(sorted(map(int, names)))


def _joined(averages: Sequence[int] | set[int]) -> str:
    return ",".join(map(str, sorted(averages)))


def _spans(timeframe: str) -> Sequence[str]:
    return _SPANS.get(timeframe, tuple(SESSIONS))


def _usual_span(timeframe: str) -> str:
    return _USUAL_SPANS.get(timeframe, "day")
