"""The worker as a process, between a simulated exchange and a real Valkey."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltp.feed.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
HDFC, TCS, SBI = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:3045"


class Bench:
    def __init__(
        self, valkey: Any, wait_for: Callable[..., Any], simulator: Simulator, state_dir: Path
    ) -> None:
        self.valkey, self.client, self.wait_for, self.simulator = valkey, valkey.client, wait_for, simulator
        self.log = state_dir / "log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.env = os.environ | {
            "DHANHQ_WS_URL": simulator.url,
            "DHANHQ_REST_URL": simulator.rest_url,
            "DHANHQ_WS_ENABLED": "true",
            "DHANHQ_CLIENT_ID": "1100001111",
            "DHANHQ_ACCESS_TOKEN": "canary-token",
            "MARKET_CALENDAR": "always_open",
            "REDIS_URL": valkey.url,
            "STATE_DIR": str(state_dir),
        }

    def start(self, **env: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "worker.py"], cwd=ROOT, env=self.env | env, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(20)

    def want(self, *keys: str, for_s: float = 60) -> None:
        self.client.zadd("demand:instruments", {key: time.time() + for_s for key in keys})

    def until(self, *names: str) -> None:
        """Wait until all of these keys exist."""
        self.wait_for(lambda: self.client.exists(*names) == len(names))

    def status(self, field: str) -> str:
        return (self.client.hget("market_stream:status", field) or b"").decode()

    def batches(self) -> Iterator[dict[str, Any]]:
        pubsub = self.client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe("live_ltp_updates")
        try:
            while True:
                message = self.wait_for(lambda: pubsub.get_message(timeout=0.05))
                yield json.loads(message["data"])
        finally:
            pubsub.close()


@pytest.fixture
def bench(valkey: Any, wait_for: Callable[..., Any], tmp_path: Path) -> Iterator[Bench]:
    simulator = Simulator().start()
    made = Bench(valkey, wait_for, simulator, tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    simulator.stop()


def test_from_the_feed_to_redis_and_a_clean_end(bench: Bench) -> None:
    """One life of a worker: everything that the contract promises, then SIGTERM."""
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


def test_a_wish_is_followed_and_given_up(bench: Bench) -> None:
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
    first = bench.start()
    bench.until("ltp:IDX_I:13")
    first.send_signal(signal.SIGSTOP)
    second = bench.start()
    bench.wait_for(lambda: str(second.pid).encode() in (bench.client.get("market_stream:lease") or b""))
    bench.wait_for(lambda: bench.status("feed") == "live")
    stream = bench.batches()
    epoch = next(stream)["epoch"]
    first.send_signal(signal.SIGCONT)
    bench.wait_for(lambda: b"The lease was lost" in bench.log.read_bytes())
    next(batch for batch in stream if not batch["ticks"])
    assert {next(stream)["epoch"] for _ in range(20)} == {epoch}
    stream.close()
    assert (bench.end(first), bench.end(second)) == (0, 0)


def test_prices_of_the_simulator_are_gone_when_the_real_exchange_is_configured(bench: Bench) -> None:
    bench.start()
    bench.until("tick:IDX_I:13")
    assert bench.end(bench.processes[0]) == 0
    process = bench.start(DHANHQ_WS_ENABLED="no", DHANHQ_WS_URL="", DHANHQ_REST_URL="")
    bench.wait_for(lambda: bench.status("source") == "dhanhq")
    assert bench.client.keys("tick:*") == bench.client.keys("ltp:*") == []
    assert bench.end(process) == 0


def test_without_permission_it_idles_and_says_so(bench: Bench) -> None:
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


def test_a_signal_that_the_kernel_gave_to_another_thread_ends_it_too(
    bench: Bench, signalled_elsewhere: Callable[[str, str, str], str]
) -> None:
    code = signalled_elsewhere("import worker", "_run", "sys.exit(worker.main())")
    with bench.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=bench.env, stdout=log, stderr=log
        )
    bench.processes.append(process)
    assert process.wait(30) == 0
    assert b"Stopped" in bench.log.read_bytes()


def test_a_bad_setting_is_one_sentence_and_exit_2(bench: Bench) -> None:
    process = bench.start(REDIS_URL="http://nowhere")
    assert process.wait(30) == 2
    (line,) = bench.log.read_text().splitlines()
    assert line.startswith("REDIS_URL=")


def test_a_refusal_for_too_many_requests_is_kept_over_a_restart(bench: Bench) -> None:
    """Coming back sooner is what gets an account blocked."""
    bench.simulator.faults.add("refuse", status=429, count=10)
    process = bench.start()
    bench.until("market_stream:not_before")
    assert 50 <= bench.client.ttl("market_stream:not_before") <= 90
    assert bench.end(process) == 0
    struck = bench.simulator.faults.active()[0].struck
    second = bench.start()
    bench.wait_for(lambda: bench.status("wanted") == "2" and bench.status("feed") == "down")
    assert bench.simulator.faults.active()[0].struck == struck == 1
    bench.wait_for(lambda: "nobody connects before" in bench.status("last_error"))
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


def test_a_feed_that_is_refused_for_good_is_said_to_be_stopped(bench: Bench) -> None:
    bench.simulator.faults.add("reject", reason=810, count=10)
    process = bench.start()
    bench.wait_for(lambda: bench.status("stopped") == "1")
    assert (bench.status("feed"), bench.status("connections")) == ("down", "0")
    assert "810" in bench.status("last_error")
    assert bench.end(process) == 0


def test_missing_credentials_are_named_and_a_token_file_that_appears_is_used(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("")
    process = bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(token))
    bench.wait_for(lambda: "DHANHQ_ACCESS_TOKEN" in bench.status("last_error"))
    assert bench.simulator.connections.report()["attempts"] == 0
    token.write_text("canary-token\n")
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert bench.end(process) == 0


def test_a_renewed_token_lies_in_the_file_for_the_next_start(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-token\n")
    file.chmod(0o600)
    bench.simulator.faults.add("reject", reason=807)
    process = bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(file))
    bench.wait_for(lambda: file.read_text() != "canary-token\n")
    bench.wait_for(lambda: bench.status("feed") == "live")
    renewed = file.read_text().strip()
    assert renewed.endswith(".unsigned")
    assert file.stat().st_mode & 0o777 == 0o600
    assert bench.end(process) == 0
    assert renewed not in bench.log.read_text()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"DHANHQ_ACCESS_TOKEN": ""},
            "DHANHQ_ACCESS_TOKEN='' is not accepted: to connect to DhanHQ DHANHQ_ACCESS_TOKEN must be set",
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


def test_a_token_file_that_comes_later_is_waited_for(bench: Bench, tmp_path: Path) -> None:
    bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(tmp_path / "token"))
    bench.wait_for(lambda: "DHANHQ_ACCESS_TOKEN_FILE" in bench.status("last_error"))
    (tmp_path / "token").write_text("canary-token")
    bench.wait_for(lambda: bench.status("feed") == "live")


def test_a_fresh_token_in_the_file_is_used_and_only_an_expired_one_renewed(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("canary-old")
    bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(file))
    bench.wait_for(lambda: bench.status("feed") == "live")

    file.write_text("canary-fresh\n")
    bench.simulator.connections.disconnect(807)
    bench.wait_for(lambda: b"the feed tries the new ones" in bench.log.read_bytes())
    bench.wait_for(lambda: bench.simulator.connections.report()["attempts"] == 2)
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert file.read_text() == "canary-fresh\n"

    bench.wait_for(lambda: bench.simulator.connections.disconnect(807))
    bench.wait_for(lambda: file.read_text().endswith(".unsigned\n"))
    bench.wait_for(lambda: bench.simulator.connections.report()["attempts"] == 3)
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert bench.status("stopped") == "0"
    assert "canary" not in bench.log.read_text()


HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,TICK_SIZE\n"
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
    told = next(batch for batch in stream if batch.get("reassigned"))
    assert now < told["reassigned"][contract] < time.time() * 1e6
    assert not any(tick["k"] == contract and tick["ltp"] == 212.5 for tick in told["ticks"])
    held = json.loads(bench.client.get(f"tick:{contract}") or "{}")
    assert held.get("ltp") != 212.5
    assert bench.client.get(f"ltp:{contract}") != b"212.50"
    stream.close()


@pytest.fixture
def ends_a_thread() -> str:
    """Return a program: the worker, of which a thread ends once the file named by END exists, whatever that
    thread catches.
    """
    return """
import ctypes, os, sys, threading, time
import worker
class Fault(BaseException):
    pass
def end(name):
    while not os.path.exists(os.environ["END"]):
        time.sleep(0.01)
    (ident,) = [thread.ident for thread in threading.enumerate() if thread.name == name]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Fault))
threading.Thread(target=end, args=sys.argv[1:], daemon=True).start()
sys.exit(worker.main())
"""


@pytest.mark.parametrize("name", ["flush", "feed", "rest", "chores", "leader", "APScheduler"])
def test_a_worker_of_which_a_thread_ends_gives_its_place_to_another(
    bench: Bench, ends_a_thread: str, name: str, tmp_path: Path
) -> None:
    environ = bench.env | {"END": str(tmp_path / "end")}
    with bench.log.open("ab") as log:
        command = [sys.executable, "-c", ends_a_thread, name]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
    bench.processes.append(process)
    bench.wait_for(lambda: bench.status("feed") == "live")
    (tmp_path / "end").touch()
    assert process.wait(30) == 1
    assert not bench.client.exists("market_stream:lease", "market_stream:heartbeat")
    lines = [json.loads(line) for line in bench.log.read_text().splitlines()]
    (fault,) = [line["message"] for line in lines if line["level"] in ("error", "critical")]
    assert fault.startswith(f"The thread {name} ended (Fault: ")
