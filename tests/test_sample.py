from __future__ import annotations

import pytest

from ltp import sample
from ltp.core.screener import Row
from ltp.db import screeners
from ltp.db.engine import open_engine
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.universe import listings


@pytest.fixture(scope="module")
def simulator():
    simulator = Simulator(port=0)
    simulator.start()
    yield simulator
    simulator.stop()


MEMBERS = [listing for listing in listings() if listing.member_of == "NIFTY 50"]


def test_a_sample_stands_around_the_given_prices():
    prices = {listing.key: listing.base_price for listing in MEMBERS}
    rows = sample.rows(MEMBERS, prices)
    assert [row.rank for row in rows] == list(range(1, 51))
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)
    for row in rows:
        assert row.stop < row.entry < row.target
        assert abs(row.entry - prices[row.key]) <= 0.021 * prices[row.key]


def test_a_member_without_a_price_is_left_out():
    assert [row.key for row in sample.rows(MEMBERS, {"NSE_EQ:1333": 16_503_500})] == ["NSE_EQ:1333"]


def test_the_sample_is_stored_and_marked_and_replaced_on_the_next_start(tmp_path, simulator, wait_for):
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    engine = open_engine(url)
    sample.load(url, simulator.rest_url)
    first = screeners.latest_run_id(engine, "swing")

    def replaced() -> bool:  # the exchange answers one call a second
        sample.load(url, simulator.rest_url)
        return screeners.latest_run_id(engine, "swing") > first

    wait_for(replaced)
    run = screeners.fetch_run(engine, screeners.latest_run_id(engine, "swing"))
    assert run.sample
    assert len(run.rows) == 50
    assert len(screeners.fetch_run(engine, screeners.latest_run_id(engine, "longterm")).rows) == 50


def test_results_that_a_user_imported_are_never_replaced(tmp_path, simulator):
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    imported = screeners.insert_run(open_engine(url), "swing", [Row("NSE_EQ:1333", 1, "HDFCBANK")], sample=False)
    sample.load(url, simulator.rest_url)
    assert screeners.latest_run_id(open_engine(url), "swing") == imported


def test_a_simulator_that_does_not_answer_leaves_no_sample_and_no_error(tmp_path, free_port):
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    sample.load(url, f"http://127.0.0.1:{free_port()}/v2")
    assert screeners.latest_run_id(open_engine(url), "swing") is None
