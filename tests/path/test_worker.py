"""The worker as a process: keys and messages of its life, standby, faults of its neighbours, its ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.path.worker_bench import HDFC, ROOT, SBI, TCS, Bench


def test_from_the_feed_to_redis_and_a_clean_end(bench: Bench) -> None:
    """One life of a worker: every key and message of the contract, then SIGTERM."""
    bench.want(HDFC, TCS, "NSE_EQ:99999999")
    process = bench.start()
    bench.until(f"ltp:{HDFC}", f"ltp:{TCS}", "ltp:IDX_I:13", f"tick:{HDFC}", "market_stream:heartbeat")
    assert 0 < bench.client.ttl(f"ltp:{HDFC}") <= 30
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert (bench.status("subscribed"), bench.status("source"), bench.status("stopped")) == (
        "4",
        "simulator",
        "0",
    )
    assert not bench.client.exists("ltp:NSE_EQ:99999999")

    stream = bench.batches()
    first, second = next(stream), next(stream)
    assert (second["epoch"], second["seq"], second["v"]) == (first["epoch"], first["seq"] + 1, 2)
    assert second["at"] > first["at"]

    assert bench.end(process) == 0
    last = next(batch for batch in stream if batch["feed"] == "off")
    stream.close()
    assert last["epoch"] == first["epoch"]
    assert not bench.client.exists("market_stream:lease", "market_stream:heartbeat")
    assert "canary-token" not in bench.log.read_text()


def test_every_price_in_redis_is_the_exchanges(bench: Bench) -> None:
    bench.want(HDFC)
    bench.start()
    bench.until(f"ltp:{HDFC}")
    for price in (16_500_100, 16_499_500, 23_599_900):
        bench.simulator.trade(HDFC, price, hold_s=60)
        text = f"{price // 10_000}.{price % 10_000 // 100:02d}".encode()
        bench.wait_for(lambda text=text: bench.client.get(f"ltp:{HDFC}") == text)
        assert json.loads(bench.client.get(f"tick:{HDFC}"))["ltp"] == price / 10_000


def test_an_instrument_in_demand_is_subscribed_until_the_demand_ends(bench: Bench) -> None:
    bench.start()
    bench.until("ltp:IDX_I:13")
    bench.wait_for(lambda: bench.want(SBI, for_s=2) or bench.client.exists(f"ltp:{SBI}"))
    bench.wait_for(lambda: not bench.client.exists(f"ltp:{SBI}"))
    assert bench.client.exists(f"tick:{SBI}")


def test_a_price_asked_for_by_rest_comes_and_is_not_vouched_for(bench: Bench) -> None:
    bench.start()
    bench.until("ltp:IDX_I:13")
    bench.wait_for(lambda: b"Account: data plan" in bench.log.read_bytes())
    bench.client.zadd("demand:rest", {SBI: time.time() + 30})
    bench.until(f"tick:{SBI}")
    assert json.loads(bench.client.get(f"tick:{SBI}"))["rest"] is True
    assert not bench.client.exists(f"ltp:{SBI}")


def test_an_emptied_server_is_filled_again(bench: Bench) -> None:
    bench.want(HDFC)
    bench.start()
    bench.until(f"ltp:{HDFC}")
    bench.client.flushall()
    bench.until(f"ltp:{HDFC}", f"tick:{HDFC}", "market_stream:heartbeat", "market_stream:lease")


def test_of_two_workers_one_connects_and_the_other_takes_over(bench: Bench) -> None:
    first = bench.start()
    bench.until("ltp:IDX_I:13")
    second = bench.start()
    bench.wait_for(lambda: b"Standing by" in bench.log.read_bytes())
    holder = bench.client.get("market_stream:lease")
    assert str(first.pid).encode() in holder
    assert bench.simulator.connections.report()["attempts"] == 1
    first.kill()
    first.wait()
    bench.wait_for(lambda: str(second.pid).encode() in (bench.client.get("market_stream:lease") or b""))
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert bench.end(second) == 0


def test_a_worker_that_woke_up_after_losing_the_lease_writes_nothing(bench: Bench) -> None:
    """The lease really runs out, after ten seconds: until then the first worker may write by its own clock."""
    first = bench.start()
    bench.until("ltp:IDX_I:13")
    first.send_signal(signal.SIGSTOP)
    second = bench.start()
    bench.wait_for(lambda: str(second.pid).encode() in (bench.client.get("market_stream:lease") or b""))
    bench.wait_for(lambda: bench.status("feed") == "live")
    stream = bench.batches()
    epochs = {next(stream)["epoch"]}
    first.send_signal(signal.SIGCONT)
    bench.wait_for(lambda: b"The lease was lost" in bench.log.read_bytes())
    noticed_at = time.time() * 1e6
    for batch in stream:
        epochs.add(batch["epoch"])
        if batch["at"] > noticed_at:
            break
    stream.close()
    assert len(epochs) == 1
    assert (bench.end(first), bench.end(second)) == (0, 0)


def test_prices_of_the_simulator_are_gone_when_the_real_exchange_is_configured(bench: Bench) -> None:
    bench.start()
    bench.until("tick:IDX_I:13")
    assert bench.end(bench.processes[0]) == 0
    process = bench.start(DHANHQ_WS_ENABLED="no", DHANHQ_WS_URL="", DHANHQ_REST_URL="")
    bench.wait_for(lambda: bench.status("source") == "dhanhq")
    assert bench.client.keys("tick:*") == bench.client.keys("ltp:*") == []
    assert bench.end(process) == 0


def test_without_permission_it_idles_and_names_the_setting(bench: Bench) -> None:
    process = bench.start(DHANHQ_WS_ENABLED="no")
    bench.until("market_stream:heartbeat", "market_stream:status")
    assert bench.status("feed") == "off"
    assert "DHANHQ_WS_ENABLED" in bench.status("last_error")
    assert next(bench.batches())["feed"] == "off"
    assert bench.end(process) == 0
    assert b"the worker idles" in bench.log.read_bytes()


def test_redis_away_at_the_start_is_waited_for(bench: Bench, free_port: Callable[[], int]) -> None:
    process = bench.start(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    bench.wait_for(lambda: b"The worker waits for Redis" in bench.log.read_bytes())
    assert process.poll() is None
    assert bench.end(process) == 0


def test_a_frozen_redis_does_not_hold_up_the_end(bench: Bench) -> None:
    process = bench.start()
    bench.until("ltp:IDX_I:13")
    os.kill(bench.valkey.pid, signal.SIGSTOP)
    try:
        assert bench.end(process) == 0
    finally:
        os.kill(bench.valkey.pid, signal.SIGCONT)


def test_a_bad_setting_is_one_sentence_and_exit_2(bench: Bench) -> None:
    process = bench.start(REDIS_URL="http://nowhere")
    assert process.wait(30) == 2
    (line,) = bench.log.read_text().splitlines()
    assert line.startswith("REDIS_URL=")


def test_a_refusal_for_too_many_requests_is_kept_over_a_restart(bench: Bench) -> None:
    """Connecting sooner gets an account blocked."""
    bench.simulator.faults.add("refuse", status=429, count=10)
    process = bench.start()
    bench.until("market_stream:not_before")
    assert 50 <= bench.client.ttl("market_stream:not_before") <= 90
    assert bench.end(process) == 0
    struck = bench.simulator.faults.active()[0].struck
    second = bench.start()
    bench.wait_for(lambda: bench.status("wanted") == "2" and bench.status("feed") == "down")
    assert bench.simulator.faults.active()[0].struck == struck == 1
    bench.wait_for(lambda: "the feed stays away until" in bench.status("last_error"))
    assert bench.status("expected") == "1"
    assert bench.end(second) == 0


def test_a_dropped_connection_is_made_again_with_everything_on_it(bench: Bench) -> None:
    bench.want(HDFC)
    bench.start()
    bench.wait_for(lambda: bench.status("subscribed") == "3" and bench.status("feed") == "live")
    bench.simulator.connections.drop("reset", 1001)
    bench.wait_for(lambda: bench.status("reconnects") == "1")
    bench.wait_for(lambda: bench.status("subscribed") == "3" and bench.status("feed") == "live")
    bench.simulator.trade(HDFC, 23_599_900, hold_s=60)
    bench.wait_for(lambda: bench.client.get(f"ltp:{HDFC}") == b"2359.99")


def test_a_feed_that_is_refused_for_good_has_the_status_stopped(bench: Bench) -> None:
    bench.simulator.faults.add("reject", reason=810, count=10)
    process = bench.start()
    bench.wait_for(lambda: bench.status("stopped") == "1")
    assert (bench.status("feed"), bench.status("connections")) == ("down", "0")
    assert "810" in bench.status("last_error")
    assert bench.end(process) == 0


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"DHANHQ_ACCESS_TOKEN": ""},
            "DHANHQ_ACCESS_TOKEN='' is not accepted: to connect to the broker DHANHQ_ACCESS_TOKEN must be set",
        ),
        (
            {"REDIS_URL": "redis://h?protocol=3"},
            "REDIS_URL='redis://***' is not accepted: protocol is not allowed in an address",
        ),
        (
            {"MARKET_CALENDAR": "nse", "MARKET_CALENDAR_OVERRIDES": "/no/file"},
            "MARKET_CALENDAR_OVERRIDES='/no/file' is not accepted",
        ),
    ],
)
def test_a_setting_it_cannot_work_with_ends_it_with_a_sentence(
    bench: Bench, setting: dict[str, str], sentence: str
) -> None:
    process = bench.start(**setting)
    assert process.wait(30) == 2
    assert bench.log.read_text().splitlines()[-1].startswith(sentence)


HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,"
    "DISPLAY_NAME,INSTRUMENT_TYPE,SERIES,LOT_SIZE,TICK_SIZE\n"
    "NSE,E,1333,INE040A01034,EQUITY,,HDFCBANK,HDFC BANK LTD,HDFC Bank,ES,EQ,1,5\n"
    "NSE,I,13,NA,INDEX,13,NIFTY,NIFTY,Nifty 50,INDEX,NA,1,0.05\n"
)
CALL = "NSE,D,45000,NA,OPTIDX,26000,NIFTY,NIFTY-Nov2026-26000-CE,NIFTY 24 NOV 26000 CALL,OP,NA,65,5\n"
PUT = (
    "NSE,D,45000,NA,OPTIDX,26009,BANKNIFTY,BANKNIFTY-Dec2026-60000-PE,BANKNIFTY 29 DEC 60000 PUT,OP,NA,35,5\n"
)


def test_a_contract_whose_id_is_given_again_leaves_no_price(bench: Bench, tmp_path: Path) -> None:
    contract = "NSE_FNO:45000"

    def take(row: str) -> None:
        file = tmp_path / "master.csv"
        file.write_text(HEADER + row)
        subprocess.run(
            [sys.executable, "-m", "ltp", "instruments", "import", "--force", str(file)],
            cwd=ROOT,
            env=bench.env,
            check=True,
        )

    take(CALL)
    now = int(time.time() * 1e6)
    known = {
        "k": contract,
        "ltp": 212.5,
        "ltt": now // 10**6,
        "received_at": now,
        "session": "2026-11-23",
        "traded_at": now,
    }
    bench.client.set("market_stream:source", "simulator")
    bench.client.set(f"tick:{contract}", json.dumps(known))
    bench.client.set(f"ltp:{contract}", "212.50")
    bench.want(HDFC, contract)
    bench.start()
    bench.until(f"ltp:{HDFC}")
    stream = bench.batches()
    next(stream)
    take(PUT)
    batch = next(batch for batch in stream if batch.get("reassigned"))
    assert now < batch["reassigned"][contract] < time.time() * 1e6
    assert not any(tick["k"] == contract and tick["ltp"] == 212.5 for tick in batch["ticks"])
    cached = json.loads(bench.client.get(f"tick:{contract}") or "{}")
    assert cached.get("ltp") != 212.5
    assert bench.client.get(f"ltp:{contract}") != b"212.50"
    stream.close()
