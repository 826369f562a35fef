"""Runs with every optional field, a failed evaluation and one under way, for a site that shows all parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, update

from ltp.batch.minutes.summary import summarize_minutes
from ltp.core.alerts.alert import EACH, KEY, ONCE, Target, Terms
from ltp.core.alerts.channel import WEBHOOK
from ltp.core.alerts.delivery import refused
from ltp.core.bars.bar import Bar
from ltp.core.bars.comparison import Comparison
from ltp.core.criteria.facts import FACTS
from ltp.core.criteria.spec import Spec, kind_of, text_of
from ltp.core.history.candle import Candle
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.screener import Outcome, Row
from ltp.core.trading_day import IST
from ltp.core.watchlists.watchlist import FLAGS, Line
from ltp.db import candles, evaluations, minute_bars, runs, saved_screens
from ltp.db.alerts import channels, deliveries, rules
from ltp.db.alerts.tables import alert_decisions, alert_deliveries, alert_firings
from ltp.db.bars import bar_audits
from ltp.db.engine import Engine, open_engine, writing
from ltp.db.history import jobs
from ltp.db.history.tables import history_jobs
from ltp.db.schema import screenings as table
from ltp.db.watchlists import lists
from ltp.feed.simulator.universe import listings
from tests.path.stack import SETUPS, row_of

SHARES = [listing for listing in listings() if listing.member_of == "NIFTY 50"][:11]
SESSIONS = (date(2026, 11, 19), date(2026, 11, 20))
RISING = Spec(("close > ema50",))
FALLING = Spec(("close < ema50", "rsi14 < 40"), min_price=100_0000)
STEADY = Spec(("adx14 > 25",))


def fill(database_url: str) -> None:
    """Store two runs of each built-in screener, one of a custom screen, and of two saved screens: the
    evaluation of one failed, the other is under way. The second share has bars of every mark and a year of candles.
    """
    engine = open_engine(database_url)
    minute_bars.upsert(engine, {SHARES[1].key: _bars()})
    candles.upsert(engine, "raw", {SHARES[1].key: _candles(SHARES[1].base_price)})
    bar_audits.add(engine, SHARES[1].key, [(SESSIONS[1], Comparison(90, 90, 89, 88, 90, 70), True)])
    for later, as_of in enumerate(SESSIONS):
        rows = [_row(rank, later) for rank in range(1 + later, 10 + later)]
        for kind in ("swing", "longterm"):
            runs.insert_run(
                engine, kind, rows, sample=False, as_of=as_of, universe="nifty50", evaluated=50, took_s=1.2
            )
    for spec in (RISING, FALLING, STEADY):
        found = [_row(rank, 0) for rank in (1, 2, 3)]
        runs.insert_run(
            engine, kind_of(spec), found, sample=False, as_of=SESSIONS[1], spec=text_of(spec), evaluated=50
        )
    for slug, spec in (("falling", FALLING), ("steady", STEADY)):
        saved_screens.save(engine, slug, slug.title(), spec)
    _make_lists(engine)
    failed = evaluations.begin(engine, kind_of(FALLING), text_of(FALLING))
    under_way = evaluations.begin(engine, kind_of(STEADY), text_of(STEADY))
    assert failed
    assert under_way
    evaluations.fail(engine, failed, "no share has candles")
    best = [evaluations.TopRow(row.key, row.symbol, row.score, row.setup) for row in found]
    evaluations.beat(engine, under_way, done=20, total=50, found=3, per_s=10.0, best=best)
    _fill_history(engine)
    _add_channel(engine)
    _fill_alerts(engine)
    engine.dispose()


def _add_channel(engine: Engine) -> None:
    """Store an alert channel that is off, so that nothing is sent to it, with a test that failed."""
    wanted = channels.Wanted("Desk", WEBHOOK, "https://hooks.example.com/T0/abcdefab12")
    made = channels.create(engine, wanted, internal=False)
    channels.switch(engine, made.id, on=False)
    deliveries.queue_test(engine, made.id)
    claimed = deliveries.claim(engine, made.id, datetime.now(UTC))
    assert claimed
    deliveries.end(engine, claimed, refused("refused with status 410", 410), datetime.now(UTC))


def _fill_alerts(engine: Engine) -> None:
    """An alert with a firing, its delivery and a decision, and one that is muted."""
    now, key = datetime.now(UTC), SHARES[1].key
    terms = Terms(Target(KEY, key), "ltp > 100000", EACH, 900, 0.5, date(2099, 12, 31), note="sell half")
    rules.create(engine, terms)
    rules.mute(engine, rules.create(engine, terms._replace(repeat=ONCE)).id, muted=True)
    place = {
        "alert_id": 1,
        "segment": split_key(key)[0],
        "security_id": split_key(key)[1],
        "at": now,
        "detail": "",
    }
    fired = {"version": 1, "token": "1", "symbol": "ADANIPORTS", "rule": terms.rule, "note": terms.note}
    fired |= {"noticed_at": now, "ltp": 1_000_005_000, "how": "trade", "fence": 0}
    sent = {
        "firing_id": 1,
        "channel_id": 1,
        "state": "failed",
        "attempts": 3,
        "next_at": now,
        "outcome": "no answer",
    }
    with writing(engine) as connection:
        connection.execute(insert(alert_firings).values(place | fired))
        connection.execute(insert(alert_deliveries).values(sent))
        connection.execute(
            insert(alert_decisions).values(place | {"until": now, "outcome": "fired", "value": 100_000.5})
        )


def _fill_history(engine: Engine) -> None:
    """Count what is stored; store a job that failed, one that is paused and one that is under way."""
    summarize_minutes(engine, Calendar.load(), now=datetime.now(UTC))
    now = datetime.now(UTC)
    row = {"universe": "", "keys": SHARES[1].key, "first_day": SESSIONS[0], "last_day": SESSIONS[1]}
    row |= {"action": jobs.FETCH, "client": "", "asked_at": now, "beat_at": now, "deaths": 0, "place": ""}
    row |= {"done": 0, "total": 0, "per_min": 0.0, "line": ""}
    failed = {"state": jobs.FAILED, "ended_at": now, "line": "The broker refuses the token; write a new one"}
    under_way = {
        "action": jobs.REFILL,
        "state": jobs.RUNNING,
        "done": 1_200,
        "total": 2_500,
        "per_min": 212.0,
    }
    with writing(engine) as connection:  # at once: a queued job would be taken by the site's worker
        for values in (failed, {"state": jobs.PAUSED}, under_way):
            connection.execute(insert(history_jobs).values(row | values))


def renew_heartbeat(database_url: str) -> None:
    """Renew the heartbeat of the evaluation and of the job under way: after a minute without one the one
    counts as failed, and the other waits for the worker again.
    """
    engine = open_engine(database_url)
    with writing(engine) as connection:
        steady = table.c.kind == kind_of(STEADY)
        connection.execute(
            update(table).where(steady).values(state=evaluations.RUNNING, beat_at=datetime.now(UTC))
        )
        refill = history_jobs.c.action == jobs.REFILL
        connection.execute(
            update(history_jobs).where(refill).values(state=jobs.RUNNING, beat_at=datetime.now(UTC))
        )
    engine.dispose()


def _bars() -> list[Bar]:
    start = int(datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp())
    return [
        Bar(start + at * 60, 100_0000, 104_0000, 98_0000, 99_0000 + at % 3 * 1_0000, 500 + at, None, at % 16)
        for at in range(90)
    ]


def _candles(price: int) -> list[Candle]:
    found = []
    for at in range(300):
        close = price * (95 + at * 7 % 11) // 100
        day = SESSIONS[1] - timedelta(days=299 - at)
        found.append(
            Candle(day, price, max(price, close) + 1_0000, min(price, close) - 1_0000, close, 1_000 + at)
        )
    return found


def _row(rank: int, later: int) -> Row:
    share = SHARES[rank - 1]
    price, rupees = share.base_price, share.base_price / 10_000
    return row_of(rank, share)._replace(
        setup=SETUPS[(rank + later) % len(SETUPS)],
        score=90.0 - rank + later * (rank % 3),
        base_score=80.0,
        mtf_score=75.5,
        entry_low=price * 98 // 100,
        entry_high=price,
        quantity=40,
        risk=8_400_0000,
        invalid="A close below the EMA 50",
        allocation_pct=4.5,
        allocation=45_000_0000,
        horizon="6 to 12 months",
        facts={fact.name: "up" if fact.unit == "text" else rank - 4.5 for fact in FACTS},
        criteria=(
            Outcome("ADX", False, 17.5, "> 20", -2.5),
            Outcome("Trend", True, 1.0),
            Outcome("RS", False, None, "> 0"),
        ),
        spark=tuple(
            rupees * (1 + (day * 7 + rank) % 11 / 100 + day * (rank % 3 - 1) / 500) for day in range(60)
        ),
        flags=("A split is not confirmed.",) if rank == 2 else (),
    )


def _make_lists(engine: Engine) -> None:
    """Store a list with a section, and each flag with a note; and a deleted one."""
    flagged = [
        Line(share.key, "", f"A note on {flag}", flag) for share, flag in zip(SHARES, FLAGS, strict=False)
    ]
    lines = [flagged[0], Line("SECTION:1", "The others"), *flagged[1:], Line(SHARES[9].key)]
    lists.create(engine, "Every field", lines, slug="every", source="test")
    lists.create(engine, "Old", source="test")
    lists.remove(engine, "old")
