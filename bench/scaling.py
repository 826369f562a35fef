"""Internet scale on paper: the measured figures extrapolated to a million browsers, and a simulation that
checks the arithmetic.

`python -m bench.scaling` writes docs/scaling.md again from results.json.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
BROWSERS: Final = 1_000_000
EVENTS_PER_S: Final = 2.0
CORES: Final = 2
USED: Final = 0.6  # of a core, so that a burst of connections or a dead neighbour fits into the rest
TICKS_PER_S: Final = 5_000  # of a busy market, after conflation
BATCHES_PER_S: Final = 50
HOSTS: Final = 1_000
GBIT: Final = 1e9 / 8
NIC_USED: Final = 0.7
_PACKET_BYTES: Final = 1_448
_HEADER_BYTES: Final = 66 + 24  # Ethernet, IP, TCP with timestamps; preamble, checksum, gap
_PAGES_A_HOST: Final = 2_000
_SIMULATED_S: Final = 20.0


@dataclass(frozen=True)
class Costs:
    """`send_us`: per delivered event. `build_us`: per event of a page, for all its browsers. `tick_us`: per
    tick in each web process. `event_bytes`, `kb_per_browser`: as measured. `message_us`, `message_bytes`: of
    Redis, per delivered message of 100 ticks.
    """

    send_us: float
    build_us: float
    tick_us: float
    event_bytes: float
    kb_per_browser: float
    message_us: float
    message_bytes: float

    @classmethod
    def of(cls, cases: Mapping[str, Any]) -> Costs:
        def figure(case: str, name: str) -> float:
            return float(cases[case]["ours"][name]["median"])

        few, many = figure("views-2k", "cpu_us"), figure("views-10k", "cpu_us")
        return cls(
            send_us=figure("fan-out-10k", "cpu_us"),
            # 10 and 50 browsers share the event of a page: the difference is the cost of the event itself.
            build_us=max(0.0, (few - many) / (1 / 10 - 1 / 50)),
            tick_us=figure("relay", "cpu_us"),
            event_bytes=figure("fan-out-10k", "event_bytes"),
            kb_per_browser=figure("memory", "kb_per_browser"),
            message_us=figure("redis-fan-out", "cpu_us"),
            message_bytes=figure("redis-fan-out", "message_bytes"),
        )


def browsers_a_core(costs: Costs) -> float:
    """Return how many browsers one web process carries at USED of its core, with its share of the pages."""
    fixed_us = TICKS_PER_S * costs.tick_us + _PAGES_A_HOST / CORES * EVENTS_PER_S * costs.build_us
    return max(0.0, (USED * 1e6 - fixed_us) / (EVENTS_PER_S * costs.send_us))


def wire_bytes(payload: float) -> float:
    """Return the size of a payload on the wire, packet headers included."""
    return payload + -(-payload // _PACKET_BYTES) * _HEADER_BYTES


def simulate(
    costs: Costs, browsers: int, *, seconds: float = _SIMULATED_S, seed: int = 1
) -> tuple[float, float]:
    """Play one web process: pages of very different popularity, each with events at its own time, served one
    after another.

    Returns:
        The share of the core that was used, and the 99th percentile in ms of the wait until the last browser
            of a page has its event.
    """
    chance = random.Random(seed)
    pages = _PAGES_A_HOST // CORES
    weights = [1 / rank for rank in range(1, pages + 1)]
    shown = [browsers * weight / sum(weights) for weight in weights]
    due = [(chance.random() / EVENTS_PER_S, page) for page in range(pages)]
    heapq.heapify(due)
    ticks_us = TICKS_PER_S / BATCHES_PER_S * costs.tick_us
    free_s, next_batch_s, busy_s, waits = 0.0, 0.0, 0.0, []
    while due[0][0] < seconds:
        at, page = heapq.heappop(due)
        while next_batch_s <= at:
            free_s, busy_s = max(free_s, next_batch_s) + ticks_us / 1e6, busy_s + ticks_us / 1e6
            next_batch_s += 1 / BATCHES_PER_S
        work_s = (costs.build_us + shown[page] * costs.send_us) / 1e6
        free_s, busy_s = max(free_s, at) + work_s, busy_s + work_s
        waits.append((free_s - at, shown[page]))
        heapq.heappush(due, (at + 1 / EVENTS_PER_S, page))
    return busy_s / seconds, _weighted_p99(waits) * 1e3


def _weighted_p99(waits: list[tuple[float, float]]) -> float:
    """Weigh each event by its browsers, because they wait."""
    left = 0.01 * sum(weight for _, weight in waits)
    for wait, weight in sorted(waits, reverse=True):
        left -= weight
        if left <= 0:
            return wait
    return 0.0


def page(cases: Mapping[str, Any]) -> str:
    """Return docs/scaling.md for these results, or an error that names a missing case."""
    try:
        costs = Costs.of(cases)
    except KeyError as missing:
        return f"# Scaling\n\nThe last run of `make bench` has no figure for {missing}; run it again.\n"
    return Template((HERE / "scaling.md.in").read_text()).substitute(_values(costs))


def _values(costs: Costs) -> dict[str, str]:
    return {**_measured(costs), **_host(costs), **_million(costs), **_redis(costs)}


def _measured(costs: Costs) -> dict[str, str]:
    return {
        "send_us": f"{costs.send_us:.1f}",
        "build_us": f"{costs.build_us:.0f}",
        "tick_us": f"{costs.tick_us:.1f}",
        "event_bytes": f"{costs.event_bytes:,.0f}",
        "kb_per_browser": f"{costs.kb_per_browser:.1f}",
        "message_us": f"{costs.message_us:.1f}",
        "message_kb": f"{costs.message_bytes / 1e3:.0f}",
        "used": f"{USED:.0%}",
        "ticks_per_s": f"{TICKS_PER_S:,}",
        "pages": f"{_PAGES_A_HOST:,}",
    }


def _host(costs: Costs) -> dict[str, str]:
    a_core = browsers_a_core(costs)
    used, p99_ms = simulate(costs, int(a_core))
    return {
        "a_core": f"{a_core:,.0f}",
        "a_host": f"{a_core * CORES:,.0f}",
        "host_mb": f"{a_core * CORES * costs.kb_per_browser / 1e3:,.0f}",
        "host_gbit": f"{a_core * CORES * EVENTS_PER_S * wire_bytes(costs.event_bytes) / GBIT:.2f}",
        "simulated_used": f"{used:.0%}",
        "simulated_p99_ms": f"{p99_ms:,.0f}",
    }


def _million(costs: Costs) -> dict[str, str]:
    egress = BROWSERS * EVENTS_PER_S * wire_bytes(costs.event_bytes)
    by_cpu = BROWSERS / max(1.0, browsers_a_core(costs) * CORES)
    return {
        "hosts_by_cpu": f"{by_cpu:,.0f}",
        "hosts_1g": f"{max(by_cpu, egress / (NIC_USED * GBIT)):,.0f}",
        "hosts_10g": f"{max(by_cpu, egress / (NIC_USED * 10 * GBIT)):,.0f}",
        "egress_gbit": f"{egress / GBIT:,.0f}",
        "egress_tb_day": f"{egress * 6.25 * 3600 / 1e12:,.0f}",
    }


def _redis(costs: Costs) -> dict[str, str]:
    """One Redis is limited by its one thread and its network card."""
    subscribers, message = HOSTS * CORES, wire_bytes(costs.message_bytes)
    by_thread = USED * 1e6 / (BATCHES_PER_S * max(costs.message_us, 0.1)) / CORES
    by_card = NIC_USED * 10 * GBIT / (BATCHES_PER_S * message) / CORES
    hosts = max(1.0, min(by_thread, by_card))
    return {
        "subscribers": f"{subscribers:,}",
        "redis_cores": f"{subscribers * BATCHES_PER_S * costs.message_us / 1e6:.1f}",
        "redis_gbit": f"{subscribers * BATCHES_PER_S * message / GBIT:,.1f}",
        "tier_hosts": f"{hosts:,.0f}",
        "tier_reason": "its one thread" if by_thread < by_card else "its network card",
        "relays": f"{math.ceil(HOSTS / hosts):,}",
    }


def main() -> None:
    cases = json.loads((HERE / "results.json").read_text())["cases"]
    (HERE.parent / "docs" / "scaling.md").write_text(page(cases))
    json.dump(_values(Costs.of(cases)), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
