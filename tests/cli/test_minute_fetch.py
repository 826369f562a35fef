"""`python -m ltp candles minutes fetch`, as an operator types it, from the simulated exchange."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

import pytest
from sqlalchemy import Engine

from ltp.cli import minute_fetch
from ltp.cli.main import main
from ltp.core.bars.bar import BROKER, Bar
from ltp.core.trading_day import DAY_S, IST, date_of, midnight_of
from ltp.db import candle_source, minute_bars, universes
from ltp.db.bars import coverage
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine, writing
from ltp.feed.simulator import Simulator

HDFC, TCS, NOBODY = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:4"
FETCH = ["candles", "minutes", "fetch"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    simulator = Simulator(rate=0.0).start()
    for name, value in (("REST_URL", simulator.rest_url), ("CLIENT_ID", "1000"), ("ACCESS_TOKEN", "CANARY")):
        monkeypatch.setenv(f"DHANHQ_{name}", value)
    monkeypatch.setenv("MARKET_CALENDAR", "always_open")
    yield simulator
    simulator.stop()


@pytest.fixture
def day() -> date:
    """A weekday that is over: the simulated exchange has no bars of others."""
    before = datetime.now(UTC).astimezone(IST).date() - timedelta(days=2)
    return before - timedelta(days=max(0, before.weekday() - 4))


def opening(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 9, 15, tzinfo=IST).timestamp())


def stored(engine: Engine, key: str) -> list[Bar]:
    return minute_bars.fetch(engine, key, 0, 2**40)


def test_the_bars_of_named_instruments_are_fetched_once(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    fetch = [*FETCH, "HDFCBANK", HDFC, "NIFTY", "--from", f"{day}", "--to", f"{day}"]
    assert main(fetch) == 0
    assert capsys.readouterr().out == (
        f"750 bars of 2 instruments fetched of {day}, 750 of them new or changed; 0 have none, 0 failed, "
        "0 were up to date.\n"
    )
    assert [bar.sources for bar in stored(engine, HDFC)] == [BROKER] * 375
    assert minute_bars.count_blocks(engine) == 2  # a session that is over is compressed
    assert main(["candles", "minutes", "verify"]) == 0
    capsys.readouterr()
    assert main(fetch) == 0
    assert capsys.readouterr().out.startswith("0 bars of 0 instruments fetched")
    assert main([*fetch, "--again"]) == 0
    assert capsys.readouterr().out.startswith(
        f"750 bars of 2 instruments fetched of {day}, 0 of them new or changed"
    )


def test_without_names_the_instruments_that_have_bars_of_the_day_are_compared(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    assert main([*FETCH, TCS, "--to", f"{day}"]) == 0
    truth = stored(engine, TCS)[:3]
    minute_bars.upsert_session(
        engine,
        opening(day) - 555 * 60,
        {HDFC: [Bar(opening(day), 1, 1, 1, 1, 1)], TCS: []},
        simulated=True,
    )
    capsys.readouterr()
    assert main([*FETCH, "--to", f"{day}"]) == 0
    assert capsys.readouterr().out == (
        f"375 bars of 1 instrument fetched of {day}, 375 of them new or changed; 0 have none, 0 failed, "
        "1 was up to date. Of 1 minute that had been built here, equal: open 0.0%, high 0.0%, low 0.0%, "
        "close 0.0%, volume 0.0%.\n"
    )
    assert stored(engine, TCS)[:3] == truth
    assert len(stored(engine, HDFC)) == 375


def test_a_universe_over_several_days(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    first = day - timedelta(days=7)
    assert main([*FETCH, "--universe", "list-two", "--from", f"{first}", "--to", f"{day}"]) == 0
    assert f"{375 * 2 * 6:,} bars of 2 instruments fetched from {first} to {day}, " in capsys.readouterr().out


def test_an_instrument_that_cannot_be_fetched_is_named(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    minute_bars.upsert(
        engine,
        {NOBODY: [Bar(opening(day), 1, 1, 1, 1, 1)], HDFC: [Bar(opening(day), 1, 1, 1, 1, 1)]},
        simulated=True,
    )
    assert main([*FETCH, "--to", f"{day}"]) == 1
    captured = capsys.readouterr()
    assert "Not fetched: NSE_EQ:4: the instrument master does not know it\n" in captured.err
    assert captured.out.startswith("375 bars of 1 instrument fetched")


def test_simulated_bars_do_not_join_real_ones(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    minute_bars.upsert(engine, {HDFC: [Bar(opening(day), 1, 1, 1, 1, 1)]})
    assert main([*FETCH, "--to", f"{day}"]) == 2
    assert "the database holds real ones" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["NOBODYS"], "NOBODYS"),
        (["HDFCBANK", "--universe", "all"], "without keys"),
        (["--from", "yesterday"], "a day such as 2026-11-30"),
        (["--to", "2999-01-01"], "not after today"),
        (["--from", "2999-01-01"], "not after"),
        (["--from", "2001-01-01"], "five years"),
        (["--universe", "nowhere"], "nowhere"),
    ],
)
def test_other_arguments_are_refused(
    simulator: Simulator, arguments: list[str], named: str, capsys: Captured
) -> None:
    assert main([*FETCH, *arguments]) == 2
    assert named in capsys.readouterr().err


def test_without_credentials_nothing_is_fetched(
    day: date, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("MARKET_CALENDAR", "always_open")
    assert main([*FETCH, "HDFCBANK", "--from", f"{day}", "--to", f"{day}"]) == 2
    assert "DHANHQ_ACCESS_TOKEN" in capsys.readouterr().err


def test_a_session_whose_bars_are_gone_can_be_fetched_again(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    """Every night bars of old sessions are deleted; what is known of their fetches stays."""
    fetch = [*FETCH, HDFC, "--from", f"{day}", "--to", f"{day}"]
    assert main(fetch) == 0
    minute_bars.prune(engine, midnight_of(opening(day)) + DAY_S)
    assert stored(engine, HDFC) == []
    capsys.readouterr()
    assert main(fetch) == 0
    assert capsys.readouterr().out.startswith("375 bars of 1 instrument fetched")
    assert len(stored(engine, HDFC)) == 375


def test_days_that_are_not_kept_are_refused_or_noted(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).astimezone(IST).date()
    first = day - timedelta(days=7)
    monkeypatch.setenv("MINUTE_BARS_DAYS", "1")
    monkeypatch.setenv("LONGER_BARS_DAYS", str((today - day).days))
    assert main([*FETCH, HDFC, "--from", f"{day}", "--to", f"{day}"]) == 2
    assert f"bars of days before {day + timedelta(days=1)} are not kept" in capsys.readouterr().err
    assert stored(engine, HDFC) == []
    monkeypatch.setenv("LONGER_BARS_DAYS", str((today - first).days + 1))
    fetch = [*FETCH, HDFC, "--from", f"{first}", "--to", f"{day}"]
    assert main(fetch) == 0
    note = f"Bars of days before {today} become five-minute bars at 01:00 in India, see MINUTE_BARS_DAYS.\n"
    assert capsys.readouterr().out.endswith(note)
    assert main([*fetch, "--missing"]) == 0
    assert capsys.readouterr().out.startswith("0 bars of 0 instruments")


class Noon(datetime):
    """A clock that stands at noon of today."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Noon:  # type: ignore[override]
        return cls.fromtimestamp(NOON, tz)


NOON = midnight_of(int(datetime.now(UTC).timestamp())) + DAY_S // 2


def test_uncovered_minutes_of_today_are_filled(
    simulator: Simulator, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(minute_fetch, "datetime", Noon)
    nothing = "The feed left no minutes of today uncovered that are to be filled.\n"
    assert main([*FETCH, "--uncovered"]) == 0
    assert capsys.readouterr().out == nothing
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=True)
    midnight = NOON - DAY_S // 2
    spans = [Connected(1, midnight, NOON - 900), Connected(1, NOON - 600, NOON)]
    coverage.store(engine, spans, [Subscription(HDFC, midnight, midnight + DAY_S, 1)], simulated=True)
    assert main([*FETCH, "--uncovered"]) == 0
    assert f"of 1 instrument fetched of uncovered minutes of {date_of(NOON)}" in capsys.readouterr().out
    assert coverage.refilled_until(engine, HDFC, date_of(NOON)) == NOON - 60
    assert main([*FETCH, "--uncovered"]) == 0
    assert capsys.readouterr().out == nothing


def test_gaps_of_some_instruments_are_filled_though_another_failed(
    simulator: Simulator, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(minute_fetch, "datetime", Noon)
    assert main([*FETCH, "--uncovered"]) == 0
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=True)
    midnight = NOON - DAY_S // 2
    spans = [Connected(1, midnight, NOON - 900), Connected(1, NOON - 600, NOON)]
    keys = (HDFC, "NSE_EQ:999999")
    subscribed = [Subscription(key, midnight, midnight + DAY_S, 1) for key in keys]
    coverage.store(engine, spans, subscribed, simulated=True)
    assert main([*FETCH, "--uncovered"]) == 3
    assert "NSE_EQ:999999: the instrument master does not know it" in capsys.readouterr().err
    assert main([*FETCH, "--uncovered"]) == 1  # no other is left


@pytest.mark.parametrize("option", [[HDFC], ["--again"], ["--to", "2026-11-20"], ["--universe", "nifty50"]])
def test_uncovered_minutes_take_no_other_option(option: list[str], capsys: Captured) -> None:
    assert main([*FETCH, "--uncovered", *option]) == 2
    assert (
        "--uncovered: '' is not accepted; it is of today's uncovered minutes alone" in capsys.readouterr().err
    )
