"""Months of bars as tables of their own, on a real PostgreSQL."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from ltp.core.bars.bar import Bar
from ltp.core.trading_day import IST, day_start
from ltp.db import minute_bars, upgrade
from ltp.db.bars import five_minute_bars, partitions
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import minute_bars as table

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
END = 2**40


def at(text_: str) -> int:
    return int(datetime.fromisoformat(text_).replace(tzinfo=IST).timestamp())


def bar(text_: str, price: int = 100_0000) -> Bar:
    return Bar(at(text_), price, price, price, price, 7)


@pytest.fixture
def address(postgresql: Any, request: Any) -> Iterator[str]:
    """The address of a new database of this test."""
    name = f"bars_{abs(hash(request.node.name))}"
    server = create_engine(postgresql.url(), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgresql.url(database=name)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def server(address: str) -> Iterator[Engine]:
    engine = open_engine(address)
    yield engine
    engine.dispose()


def names(engine: Engine, of: str = "minute_bars") -> list[str]:
    wanted = text(
        "SELECT relid::regclass::text FROM pg_partition_tree(CAST(:of AS regclass)) WHERE isleaf ORDER BY 1"
    )
    with reading(engine) as connection:
        return list(connection.execute(wanted, {"of": of}).scalars())


def rows_of(engine: Engine, name: str) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def test_a_month_begins_at_midnight_in_india() -> None:
    november = partitions.of_month(table, date(2026, 11, 30))
    assert november == ("minute_bars_2026_11", at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    assert partitions.of_month(table, date(2026, 12, 31)).until == at("2027-01-01 00:00")
    assert partitions.of_month(table, date(2028, 2, 29)).until == at("2028-03-01 00:00")


def test_the_first_bar_of_a_month_makes_its_partition(server: Engine) -> None:
    assert names(server) == []
    bars = [bar("2026-11-30 23:54"), bar("2026-12-01 09:15"), bar("2016-03-07 09:15")]
    minute_bars.upsert(server, {HDFC: bars})
    assert names(server) == ["minute_bars_2016_03", "minute_bars_2026_11", "minute_bars_2026_12"]
    assert [rows_of(server, name) for name in names(server)] == [1, 1, 1]
    assert minute_bars.fetch(server, HDFC, 0, END) == [bars[2], *bars[:2]]
    assert minute_bars.last_start(server, HDFC) == bars[1].start
    minute_bars.upsert_session(server, day_start(date(2027, 1, 4)), {HDFC: [bar("2027-01-04 09:15")]})
    assert names(server)[-1] == "minute_bars_2027_01"


def test_partitions_are_made_ahead_once(server: Engine) -> None:
    for _ in range(2):
        minute_bars.make_ahead(server, at("2026-12-31 23:59"))
    assert names(server) == ["minute_bars_2026_12", "minute_bars_2027_01"]
    minute_bars.upsert(server, {HDFC: [bar("2027-01-01 09:15")]})
    assert names(server) == ["minute_bars_2026_12", "minute_bars_2027_01"]


def test_a_month_that_is_over_is_dropped_and_the_rest_of_another_deleted(server: Engine) -> None:
    each = [
        bar("2026-09-30 09:15"),
        bar("2026-10-30 09:15"),
        bar("2026-11-02 09:15"),
        bar("2026-11-30 09:15"),
    ]
    minute_bars.upsert(server, {HDFC: each, TCS: each[:1]})
    assert minute_bars.prune(server, at("2026-11-15 00:00")) == 4
    assert names(server) == ["minute_bars_2026_11"]
    assert minute_bars.fetch(server, HDFC, 0, END) == each[3:]
    minute_bars.upsert(server, {HDFC: each[:1]})  # made anew
    assert minute_bars.fetch(server, HDFC, 0, END) == [each[0], each[3]]


def test_a_month_with_kept_history_is_not_dropped(server: Engine) -> None:
    kept, other = bar("2016-03-07 09:15"), bar("2016-03-08 09:15")
    minute_bars.upsert_session(server, day_start(date(2016, 3, 7)), {HDFC: [kept]}, kept=True)
    minute_bars.upsert(server, {HDFC: [other, bar("2016-04-07 09:15")]})
    assert minute_bars.prune(server, at("2026-01-01 00:00")) == 2
    assert names(server) == ["minute_bars_2016_03"]
    assert minute_bars.fetch(server, HDFC, 0, END) == [kept]


def test_only_empty_months_go_when_asked(server: Engine) -> None:
    minute_bars.upsert(server, {HDFC: [bar("2026-09-30 09:15"), bar("2026-10-30 09:15")]})

    def rolled(_: str, __: int, ones: list[Bar]) -> list[Bar]:
        return ones

    made = five_minute_bars.make(server, [(HDFC, day_start(date(2026, 9, 30)))], rolled)
    assert made == (1, 1)
    minute_bars.drop_empty(server, END)
    assert names(server) == ["minute_bars_2026_10"]
    assert names(server, "five_minute_bars") == ["five_minute_bars_2026_09"]
    assert five_minute_bars.prune(server, END) == 1
    assert names(server, "five_minute_bars") == []


def test_writers_of_a_new_month_do_not_collide(server: Engine) -> None:
    """Eight threads write the first bars of three new months at once."""
    ready, failures = threading.Barrier(8), list[BaseException]()

    def write(number: int) -> None:
        engine = open_engine(server.url.render_as_string(hide_password=False))
        try:
            ready.wait(30)
            for month in (1, 2, 3):
                minute_bars.upsert(engine, {f"NSE_EQ:{number}": [bar(f"2027-0{month}-05 09:15")]})
                minute_bars.make_ahead(engine, at(f"2027-0{month}-05 09:15"))
        except BaseException as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert minute_bars.count_blocks(server) == 24
    assert names(server) == [f"minute_bars_2027_0{month}" for month in (1, 2, 3, 4)]


def test_a_reader_does_not_wait_for_a_new_month(server: Engine) -> None:
    """A partition is made in a transaction that is still open; a reader and its old bars are not in its way."""
    old = bar("2026-11-30 09:15")
    minute_bars.upsert(server, {HDFC: [old]})
    with writing(server) as connection:
        partitions.ensure(connection, table, [at("2026-12-01 09:15")])
        assert minute_bars.fetch(server, HDFC, 0, END) == [old]


def test_bars_of_an_older_version_are_copied(address: str, tmp_path: Path) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, before)
    [revision] = (before / "versions").glob("0013_*.py")
    revision.unlink()
    engine = create_engine(address)
    upgrade.to_head(engine, before)
    starts = [at("2026-10-31 23:45"), at("2026-11-01 00:00"), at("2026-12-01 09:15")]
    with engine.begin() as connection:
        for start in starts:
            values = {"start": start, "packed": b"\x00"}
            connection.execute(
                text("INSERT INTO minute_bars VALUES ('NSE_EQ', 1333, :start, :packed)"), values
            )
    engine.dispose()
    upgraded = open_engine(address)
    assert names(upgraded) == [f"minute_bars_2026_{month}" for month in (10, 11, 12)]
    assert minute_bars.fetch_starts(upgraded, HDFC) == starts
    assert names(upgraded, "five_minute_bars") == []
    minute_bars.upsert(upgraded, {HDFC: [bar("2026-12-01 09:15")]})
    assert minute_bars.fetch(upgraded, HDFC, 0, END) == [bar("2026-12-01 09:15")]
    upgraded.dispose()


def test_sqlite_has_no_partitions(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    minute_bars.make_ahead(engine, at("2026-12-31 23:59"))
    minute_bars.upsert(engine, {HDFC: [bar("2026-09-30 09:15")]})
    assert partitions.drop(engine, table, END) == 0
    minute_bars.drop_empty(engine, END)
    assert minute_bars.count_blocks(engine) == 1
