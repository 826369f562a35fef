"""The lists of rights are what the processes send: every function of the store runs, and the server is listened to."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ltp.core.alerts.notice import Notice
from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch
from ltp.core.ticks.depth import Depth, QuoteDetails
from ltp.core.ticks.tick import Tick
from ltp.store import alerts, demand, depth, forming, heartbeat, prices, recall, rights
from ltp.store.batch_publisher import BatchHeader, BatchPublisher, Beat
from ltp.store.client import connect
from ltp.store.encode import Coverage
from ltp.store.lease import Lease
from ltp.store.limits import NotBefore

KEY = "NSE_EQ:1"
NOW_US = 1_795_408_200_000_000
# Those of a connection and of a transaction, which the check itself sends, and the one that has a substitute.
_NOT_LISTED = {"CLIENT", "SELECT", "MULTI", "EXEC", "MSETEX"}
_BY_PREFIX = ("ltp:", "tick:", "depth:", "details:", "bars:")


def test_the_web_processes_send_what_their_list_has(valkey: Any) -> None:
    sent = heard(valkey, web)
    assert ("ZREMRANGEBYSCORE", "demand:bars") in sent
    assert sent - listed(rights.WEB) == set()


def test_the_worker_sends_what_its_list_has(valkey: Any) -> None:
    valkey.client.zadd("demand:rest", {KEY: time.time() + 60})
    sent = heard(valkey, worker)
    assert {
        ("ZREMRANGEBYSCORE", "demand:bars"),
        ("ZREMRANGEBYRANK", "demand:bars"),
        ("ZREMRANGEBYRANK", "demand:depth"),
        ("ZRANGE", "demand:depth"),
    } <= sent
    assert sent - listed(rights.WORKER) == set()


def web(client: Any) -> None:
    now = time.time()
    prices.read(client, [KEY])
    demand.want(client, {demand.PAGES: {KEY: 0}, demand.PROGRAMS: {KEY: 1}}, now, now + 60)
    demand.want_rest(client, [KEY], now + 60)
    depth.want(client, [KEY], now + 60)
    depth.read(client, "simulator", [KEY])
    forming.want(client, [KEY], now, now + 60)
    forming.read(client, KEY, "simulator")
    heartbeat.read(client)


def worker(client: Any) -> None:
    now = time.time()
    lease = Lease(client, "this worker")
    lease.acquire()
    lease.renew()
    publisher = BatchPublisher(client, "simulator", allowed=lambda: True)
    header, tick = (
        BatchHeader(NOW_US, "live", NOW_US - 5, {"NSE_EQ": "continuous"}),
        Tick(KEY, 1, None, NOW_US),
    )
    publisher.begin(header, [tick], Beat({"feed": "live"}, "2026-11-23T10:00:00+05:30", (tick,)))
    publisher.send(header, [tick], Coverage(0), dropped=[KEY])
    prices.stored(client)
    prices.forget(client, [KEY])
    publisher.begin(header, [tick], Beat({"feed": "live"}, "2026-11-23T10:00:00+05:30", (tick,)))
    prices.purge_ltp(client)
    recall.recall(client, "simulator", [KEY])
    demand.wanted(client, now)
    demand.forget(client, ["nonsense"])
    demand.take_rest(client, now, wait_s=0.1)
    demand.forget_all(client)
    depth.wanted(client, now, now + 120)
    depth.write(client, "simulator", [Depth(KEY, NOW_US)])
    depth.write_details(client, "simulator", [QuoteDetails(KEY, NOW_US)])
    forming.wanted(client, now)
    forming.publish(client, FormingBatch("simulator", {KEY: [Bar(1_795_924_500, 1, 1, 1, 1, 5)]}))
    depth.read(client, "simulator", [KEY])
    alerts.publish(client, Notice(1, 1, KEY, "A", "ltp > 1", "", datetime.now(UTC), 1, "trade"))
    NotBefore(client).write(now + 60)
    NotBefore(client).read()
    heartbeat.is_overdue(client)
    heartbeat.remove(client)
    lease.release()


def heard(valkey: Any, act: Callable[[Any], None]) -> set[tuple[str, str]]:
    """Return the commands that reach the server meanwhile, each with its first key."""
    client, sent = connect(valkey.url, timeout_s=2.0), set()
    with valkey.client.monitor() as monitor:
        act(client)
        client.echo("that was all")
        for each in monitor.listen():
            name, *rest = each["command"].split(" ")
            if name.upper() == "ECHO":
                break
            if each["client_type"] != "lua":  # sent by a script, for whose keys the list has the commands
                sent.add(pair(name, *rest))
    client.close()
    return {each for each in sent if each[0] not in _NOT_LISTED}


def listed(commands: rights.Commands) -> set[tuple[str, str]]:
    return {pair(*map(str, command)) for command in commands}


def pair(name: str, *arguments: str) -> tuple[str, str]:
    """Return a command and its first key, without the instrument; a script and SCAN have none."""
    name = name.upper()
    if name in {"EVAL", "SCAN"} or not arguments:
        return name, ""
    prefix = next((prefix for prefix in _BY_PREFIX if arguments[0].startswith(prefix)), "")
    return name, prefix or arguments[0]
