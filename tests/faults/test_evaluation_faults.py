"""The worker ends, or the disk is full, during an evaluation: the last run stays, and a new one follows."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError

from ltp.core.criteria.spec import Spec, kind_of
from ltp.core.history.candle import Candle
from ltp.db import candles, evaluations, runs, universes
from ltp.db.engine import open_engine, reading
from ltp.db.schema import screenings as table

NEWEST = date(2026, 11, 20)
SPEC = Spec(("close > ema50",), "list-rising")
PAGE, RUN = (f"/screeners/custom{tail}?c=close+%3E+ema50&universe=list-rising" for tail in ("", "/run"))


def rising() -> Iterator[Candle]:
    price = 1_000.0
    for back in range(300, 0, -1):
        price *= 1.002 if back % 4 else 0.998
        close = round(price * 100) * 100
        yield Candle(NEWEST - timedelta(days=back), close, close + 20_000, close - 20_000, close, 1_000_000)


class Screen:
    """A screen that finds all of its shares, and its evaluation by the real worker."""

    def __init__(self, site: Any, engine: Engine, wait_for: Any) -> None:
        self.site, self.stack, self.engine, self.wait_for = site, site.stack, engine, wait_for

    def newest(self) -> Any:
        with reading(self.engine) as connection:
            return evaluations.newest_in(connection).get(kind_of(SPEC))

    def run_id(self) -> int | None:
        with reading(self.engine) as connection:
            heads = runs.heads_in(connection).get(kind_of(SPEC), ())
        return heads[0].id if heads else None

    def evaluate(self) -> None:
        # Each web process reads the lists every two seconds: one may know this list before the other.
        self.wait_for(lambda: self.site.post(RUN)[0] == 200)

    def has_new_run(self, than: int | None) -> bool:
        return self.run_id() not in (None, than)

    def child(self) -> psutil.Process | None:
        found = [
            each
            for each in psutil.Process(self.stack.processes["worker"].pid).children()
            if "--request" in arguments(each)
        ]
        return found[0] if found else None

    def stopped_midway(self) -> psutil.Process | None:
        """Return the evaluating process, halted after its claim; None where it ended before that."""
        if not (newest := self.newest()) or not newest.open:
            self.evaluate()
        child = self.wait_for(self.child)
        while arguments(child) and self.newest().state == "queued":
            continue
        try:
            child.send_signal(signal.SIGSTOP)
            with self.engine.execution_options(ltp_busy_timeout_ms=50).begin() as connection:
                halted = (
                    connection.execute(
                        update(table).where(table.c.state == "running").values(message="")
                    ).rowcount
                    == 1
                )
            if halted:
                return child
            child.send_signal(signal.SIGCONT)
        except psutil.NoSuchProcess:
            pass
        except OperationalError:  # halted during a write, it would keep the database locked
            child.send_signal(signal.SIGCONT)
        return None


def arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(scope="module")
def engine(site: Any) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{site.stack.folder / 'ltp.sqlite3'}")
    with reading(engine) as connection:
        shares = [
            row.security_id
            for row in connection.exec_driver_sql(
                "SELECT security_id FROM instruments WHERE segment = 'NSE_EQ' ORDER BY symbol LIMIT 300"
            )
        ]
    history = {f"NSE_EQ:{security_id}": list(rising()) for security_id in shares}
    candles.upsert(engine, "adjusted", history)
    universes.replace(engine, SPEC.universe, "Rising shares", "the tests", history)
    site.stack.until(lambda: SPEC.universe in site.page("/screeners/custom"), "the universe")
    yield engine
    engine.dispose()


@pytest.fixture
def screen(site: Any, engine: Engine, wait_for: Any) -> Screen:
    """A screen with one run, and a worker that runs."""
    screen = Screen(site, engine, wait_for)
    if "worker" not in site.stack.processes:
        site.stack.start_worker()
    if screen.run_id() is None:
        screen.evaluate()
        wait_for(screen.run_id)
        wait_for(lambda: "<tbody" in site.page(PAGE))
    return screen


def test_an_evaluation_of_a_worker_that_is_killed_is_given_up_and_can_be_repeated(
    screen: Screen, wait_for: Any
) -> None:
    before = screen.run_id()
    child = wait_for(screen.stopped_midway, 90)
    screen.stack.kill("worker")
    child.send_signal(signal.SIGCONT)
    wait_for(lambda: not arguments(child))
    assert screen.newest().state == "running"
    with screen.engine.begin() as connection:  # as after a minute without a heartbeat
        connection.execute(
            update(table)
            .where(table.c.state == "running")
            .values(beat_at=datetime.now(UTC) - timedelta(minutes=2))
        )
    wait_for(lambda: "no sign of life for a minute" in screen.site.page(PAGE))
    assert "<tbody" in screen.site.page(PAGE)
    assert screen.run_id() == before
    screen.stack.start_worker()
    screen.evaluate()
    wait_for(lambda: screen.has_new_run(before))
    wait_for(lambda: "no sign of life" not in screen.site.page(PAGE))


def test_a_full_disk_costs_no_price_and_an_evaluation_waits_for_room(screen: Screen, wait_for: Any) -> None:
    before, worker = screen.run_id(), psutil.Process(screen.stack.processes["worker"].pid)
    room = worker.rlimit(psutil.RLIMIT_FSIZE)
    # The kernel refuses every write to a file by the worker and its children, as on a full disk.
    worker.rlimit(psutil.RLIMIT_FSIZE, (0, room[1]))
    try:
        screen.evaluate()
        wait_for(screen.child)
        wait_for(lambda: screen.child() is None)
        stamp = screen.site.document()["timestamp"]
        wait_for(lambda: screen.site.document()["timestamp"] > stamp and screen.site.state() == "live")
        assert screen.run_id() == before
        assert "<tbody" in screen.site.page(PAGE)
    finally:
        worker.rlimit(psutil.RLIMIT_FSIZE, room)
    wait_for(lambda: screen.newest().state in ("done", "failed"))
    if screen.newest().state == "failed":
        screen.evaluate()
    wait_for(lambda: screen.has_new_run(before))
    assert screen.stack.processes["worker"].poll() is None
