"""The cache hangs, dies and comes back empty: pages are served, no old price is live, no process restarts."""

from __future__ import annotations

import os
import signal
from typing import Any

import redis


def pid_of(site: Any) -> int:
    with redis.Redis.from_url(site.stack.env["REDIS_URL"]) as client:
        return int(client.info("server")["process_id"])


def ready(site: Any) -> bool:
    return site.get("/readyz")[0] == 200


def shows_an_old_price(site: Any) -> bool:
    """Whether one page has a price and calls it stale. Two requests could reach two web processes, and only
    one that showed the instrument before has its price.
    """
    price, state = site.price()
    return "₹" in price and state == "stale"


def test_a_cache_that_hangs_makes_prices_stale_until_it_answers_again(site: Any, wait_for: Any) -> None:
    pid = pid_of(site)
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: shows_an_old_price(site))
        assert not ready(site)
        assert site.get("/healthz")[0] == 200
        wait_for(lambda: site.document()["states"]["NSE_EQ:1333"] == "stale")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: site.state() == "live" and ready(site))


def test_a_cache_that_dies_and_comes_back_empty_is_filled_again(site: Any, wait_for: Any) -> None:
    site.stack.valkey.terminate()
    try:
        wait_for(lambda: shows_an_old_price(site))
        assert not ready(site)
    finally:
        site.stack.valkey.start()
    wait_for(lambda: site.state() == "live" and ready(site))
    with redis.Redis.from_url(site.stack.env["REDIS_URL"]) as client:
        wait_for(lambda: client.exists("ltp:NSE_EQ:1333", "tick:NSE_EQ:1333", "market_stream:heartbeat") == 3)
    assert all(process.poll() is None for process in site.stack.processes.values())
