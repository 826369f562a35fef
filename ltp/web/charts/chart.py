"""The candle chart of an instrument's page: bars, drawing, table and links, or a sentence in their place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.bars.bar import Bar
from ltp.core.counted import counted
from ltp.core.history import periods
from ltp.core.instrument import Instrument
from ltp.core.market.kinds import CONTINUOUS
from ltp.core.money import group_indian, grouped_text, is_currency
from ltp.core.trading_day import IST
from ltp.errors import DatabaseError, StoreError
from ltp.store import forming
from ltp.web import market
from ltp.web.bars import kept_days, only_longer
from ltp.web.charts import bar_text, chart_bars, day_difference, drawing, forming_candle, plan_lines
from ltp.web.charts.bar_text import day_text, time_text
from ltp.web.charts.chart_bars import MOST, ChartBars, Newest
from ltp.web.charts.drawing import Canvas
from ltp.web.charts.forming_candle import NO_CANDLE, FormingCandle
from ltp.web.charts.plan_lines import NO_PLAN, PlanLines
from ltp.web.charts.query import SESSIONS, ChartQuery, Choice, choices
from ltp.web.charts.session_choice import note, tooltip_words
from ltp.web.services import services
from ltp.web.waits import bounded

_BUSY: Final = (
    "The bars cannot be read at the moment; prices are not affected. Load the page again for the chart."
)
_FIRST_COLUMN: Final = {periods.DAY: "Session", periods.WEEK: "Week from", periods.MONTH: "Month from"}
_KIND: Final = {periods.DAY: "daily", periods.WEEK: "weekly", periods.MONTH: "monthly"}
_UNOFFICIAL: Final = (
    "The forming bar is not official yet: open, high, low and volume are the exchange's of this moment, the close is"
    " the last price."
)
_DAMAGED: Final = "The stored daily candles of this instrument are damaged; import them again."


class Legend(NamedTuple):
    """An overlay with its last value. `text`: a dash while it has none."""

    kind: str
    name: str
    text: str


class ChartPart(NamedTuple):
    """The chart of a page for `instruments/_chart.html`.

    `choices`: links by group. `first_column`: the head of the table's first column. `why`: the reason for no
    chart, in which case the following are empty.
    `words`: the description of the chart. `shown`: how many bars it has. `notes`: sentences about bars that are not
    there. `forming`: the layer of the bar that is not over.
    """

    choices: dict[str, list[Choice]]
    first_column: str
    why: str
    words: str = ""
    notes: tuple[str, ...] = ()
    legends: tuple[Legend, ...] = ()
    plot: Markup = Markup()
    axis: Markup = Markup()
    width_class: str = ""
    rows: Markup = Markup()
    shown: int = 0
    forming: FormingCandle = NO_CANDLE
    state: ChartState | None = None


class ChartState(NamedTuple):
    """What a later drawing of the forming bar needs; see ChartBars."""

    canvas: Canvas
    forming: Bar | None
    stored: Bar | None
    followed: date | None


def chart_part(
    shown: Instrument, path: str, given: dict[str, str], query: ChartQuery, plan: PlanLines = NO_PLAN
) -> ChartPart:
    """Read and draw the chart of an instrument for a page.

    Args:
        given: all parameters of the page; the links keep them.
        plan: drawn over the bars.
    """
    newest = _newest(shown, query)
    loaded = f"Forming, as of {newest.now.astimezone(IST):%H:%M:%S} IST"  # until the stream says otherwise
    part = draw_chart(shown, query, newest, plan, loaded)
    return part._replace(choices=choices(path, given, query))


def draw_chart(
    shown: Instrument, query: ChartQuery, newest: Newest, plan: PlanLines = NO_PLAN, state: str = ""
) -> ChartPart:
    """Read and draw the chart of an instrument, without links.

    Args:
        state: of the forming bar, in words; "" for that of an open page.
    """
    empty = ChartPart({}, _FIRST_COLUMN.get(query.timeframe, "Start, IST"), "")
    try:
        read = chart_bars.read(shown.key, query, newest)
        older = read.last is None and not query.daily and only_longer(shown.key, query.minutes)
        differs = _difference(shown, query, read)
    except DatabaseError:
        return empty._replace(why=_BUSY)
    except ValueError:
        return empty._replace(why=_DAMAGED)
    if older:
        return empty._replace(why=_why_older(shown, query))
    if read.last is None:
        return empty._replace(why=_why_none(shown, newest.now, daily=query.daily))
    session = services().calendar().session_date(shown.segment, newest.now)
    plan = plan.placed(min(bar.low for bar in read.every), max(bar.high for bar in read.every))
    absent = session if session > read.last and not read.forming else None
    part = _drawn(empty, shown, query, read, absent, plan)
    if differs:
        part = part._replace(notes=(*part.notes, differs))
    if read.forming is None or part.state is None:
        return part
    candle = forming_candle.draw(read.forming, part.state.canvas, state or newest.state(daily=query.daily))
    return part._replace(forming=candle)


def _difference(shown: Instrument, query: ChartQuery, read: ChartBars) -> str:
    """Return the sentence on the official candle of the one session that is shown and over."""
    if query.daily or SESSIONS[query.span] > 1 or not read.bars or read.forming:
        return ""
    return day_difference.sentence(shown.key, read.bars, read.days[-1], currency=is_currency(shown.key))


def _newest(shown: Instrument, query: ChartQuery) -> Newest:
    """Return what is known now. Forming bars are there where an open page follows the instrument."""
    shared, now = services(), datetime.now(UTC)
    recent: Sequence[Bar] = ()
    if not query.daily:
        try:
            recent = bounded(forming.read, shared.redis, shown.key, shared.source())
        except StoreError:
            pass  # counted by the store; the chart has the stored bars
    return Newest(recent, shared.hub.quotes([shown.key])[0], now)


def _drawn(
    part: ChartPart,
    shown: Instrument,
    query: ChartQuery,
    read: ChartBars,
    absent: date | None,
    plan: PlanLines,
) -> ChartPart:
    """Return the part with its chart. `absent`: a session that has begun and is not in the bars."""
    currency, daily = is_currency(shown.key), query.daily
    texts = bar_text.texts(read.bars, read.days, daily=daily, currency=currency)
    for at, kind in enumerate(read.kinds):
        texts[at] = texts[at].beside(tooltip_words(kind))
    words = _words(query, read, currency=currency) + plan_lines.words(plan, currency=currency)
    # No empty place in weeks and months: the session may belong to the last bar, which is then partial.
    missing = f"{day_text(absent)}: no daily candle yet" if absent and query.timeframe == periods.DAY else ""
    drawn = drawing.draw(
        read.bars,
        read.days,
        [text.tooltip for text in texts],
        read.overlays,
        words,
        daily=daily,
        currency=currency,
        logarithmic=query.logarithmic,
        missing=missing,
        apart=[kind != CONTINUOUS for kind in read.kinds],
        plan=plan,
        forming=read.forming,
    )
    # Only numbers, dates and fixed words are in this markup.
    plot, axis, rows = (Markup(each) for each in (drawn.plot, drawn.axis, bar_text.rows(texts)))  # noqa: S704
    return part._replace(
        words=words,
        notes=(
            *_notes(query, read, absent),
            *plan_lines.notes(plan.far, read.every[-1].close, currency=currency),
        ),
        legends=_legends(read, plan, currency=currency),
        plot=plot,
        axis=axis,
        width_class=drawn.width_class,
        rows=rows,
        shown=len(texts),
        state=ChartState(drawn.canvas, read.forming, read.stored, read.followed),
    )


def _why_older(shown: Instrument, query: ChartQuery) -> str:
    days = counted(kept_days(query.minutes), "day")
    return f"Bars of {query.timeframe} are kept for {days}, and those of {shown.symbol} are older: choose 5m."


def _why_none(shown: Instrument, now: datetime, *, daily: bool) -> str:
    if daily:
        return f"No daily candles of {shown.symbol} are stored: they are imported after each session."
    name = market.SEGMENT_NAMES.get(shown.segment, shown.segment)
    if services().calendar().is_open(shown.segment, now):
        return f"No bars of {shown.symbol} are stored yet: the first one follows a full minute of its prices."
    return f"No bars of {shown.symbol} are stored yet, and none is being made: the market is closed ({name})."


def _words(query: ChartQuery, read: ChartBars, *, currency: bool) -> str:
    """Describe the chart for readers who do not see it."""
    bars, count = read.bars, len(read.bars)
    if not bars:
        return f"No bar of {query.minutes} minute{'s' * (query.minutes > 1)} is over yet"
    first, last = day_text(read.days[0]), day_text(read.last or read.days[-1])
    if query.daily:
        kind = f"{_KIND[query.timeframe]} candle" + "s" * (count > 1) + " (adjusted for splits)"
        when = f"from {first} to {last}"
    else:
        kind = "bar" + "s" * (count > 1) + f" of {query.minutes} minute" + "s" * (query.minutes > 1)
        end = time_text(bars[-1].start)
        to = end if first == last else f"{last}, {end}"
        when = f"from {first}, {time_text(bars[0].start)}, to {to} IST"
    prices = (min(bar.low for bar in bars), max(bar.high for bar in bars), bars[-1].close)
    low, high, close = (grouped_text(price, currency=currency) for price in prices)
    return f"{count} {kind} {when}: lowest {low}, highest {high}, last {close}"


def _notes(query: ChartQuery, read: ChartBars, absent: date | None) -> tuple[str, ...]:
    """Return sentences about bars that are not shown. `absent`: as in `_drawn`."""
    notes = []
    if not read.bars:
        notes.append("The first bar of this session is not over yet.")
    if read.forming and query.daily:
        notes.append(_UNOFFICIAL)
    if absent and query.daily:
        notes.append(f"The candle of {day_text(absent)} is missing: it is imported after the session.")
    elif absent:
        notes.append(f"No bars of the session of {day_text(absent)} are stored; these are older.")
    if read.found > len(read.bars):
        notes.append(
            f"Only the newest {MOST} of {group_indian(str(read.found))} bars are drawn;"
            " a longer timeframe, or a shorter range, shows all."
        )
    notes += filter(None, [note(read.kinds)])
    if query.vwap and not any(bar.volume for bar in read.every):
        notes.append("There is no VWAP, because these bars have no volume.")
    return tuple(notes)


def _legends(read: ChartBars, plan: PlanLines, *, currency: bool) -> tuple[Legend, ...]:
    lasts = [(line.kind, line.name, line.values[-1] if line.values else None) for line in read.overlays]
    lasts += [(f"level {level.kind}", level.name, level.price) for level in plan.all_levels]
    return tuple(
        Legend(kind, name, "–" if last is None else grouped_text(round(last), currency=currency))
        for kind, name, last in lasts
    )
