"""`python app.py`: the whole product from one command, without any setting."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("DHANHQ_", "REDIS_", "DATABASE_", "MARKET_"))
}


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.fixture
def start(tmp_path, free_port):
    """A function that starts the whole product on a free port with a state folder of its own, and returns
    port and process. Its output goes to a file: a pipe that is not read fills, and stops the product.
    """
    with ExitStack() as ends:

        def start(**settings):
            port = free_port()
            env = CLEAN | {"PORT": str(port), "STATE_DIR": str(tmp_path)} | settings
            with (tmp_path / "log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=log
                )
            ends.callback(process.wait, 60)
            ends.callback(process.terminate)
            return port, process

        yield start


def children(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def worker_of(process: subprocess.Popen) -> psutil.Process | None:
    for child in children(process):
        try:
            if "worker.py" in " ".join(child.cmdline()):
                return child
        except psutil.Error:  # it ended after it was listed
            continue
    return None


def is_live(port: int, path: str = "/instruments/NSE_EQ/1333") -> bool:
    status, page = get(port, path)
    return status == 200 and "<i>live</i>" in page


def test_one_command_fills_both_screeners_names_the_simulation_and_ends_whole(start, wait_for):
    port, process = start(WEB_CONCURRENCY="2")
    wait_for(lambda: all(is_live(port, f"/screeners/{kind}") for kind in ("swing", "longterm")), 100)
    page = get(port, "/screeners/swing")[1]
    assert "Simulated prices" in page
    assert page.count('id="ltp-NSE_EQ-') >= 50
    health = json.loads(get(port, "/api/v1/health/market_stream")[1])
    assert (health["status"], health["source"], health["feed"]) == ("healthy", "simulator", "live")
    family = children(process)
    assert len(family) >= 6  # valkey, simulator, worker, gunicorn and its two workers
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_the_simulated_exchange_keeps_the_hours_of_the_calendar_setting(start, tmp_path, wait_for):
    late = tmp_path / "late.toml"
    days = ", ".join(f'{{ date = {date.today() + timedelta(days=n)}, name = "Shut" }}' for n in (-1, 0, 1))
    late.write_text(f'[[holidays]]\nsegments = ["NSE_EQ", "IDX_I"]\ndays = [{days}]\n')
    port, _ = start(MARKET_CALENDAR="nse", MARKET_CALENDAR_OVERRIDES=str(late), SCREENER_UNIVERSE="off")
    wait_for(lambda: "<i>closed " in get(port, "/instruments/NSE_EQ/1333")[1], 60)
    keys = "keys=NSE_EQ:1333,IDX_I:13"
    wait_for(lambda: json.loads(get(port, f"/api/v1/current_prices?{keys}")[1])["count"] == 2)
    answer = json.loads(get(port, f"/api/v1/current_prices?{keys}")[1])
    assert list(answer["states"].values()) == ["closed", "closed"]
    assert len(answer["as_of"]) == 2
    assert max(answer["as_of"].values()) < f"{date.today() - timedelta(days=1)}"


def test_a_killed_worker_is_started_again(start, wait_for):
    port, process = start(SCREENER_UNIVERSE="off")
    wait_for(lambda: is_live(port), 60)
    worker = wait_for(lambda: worker_of(process))
    worker.kill()
    wait_for(lambda: (again := worker_of(process)) and again.pid != worker.pid)
    wait_for(lambda: get(port, "/api/v1/health/market_stream")[0] == 200 and is_live(port))


def test_a_taken_port_is_one_clear_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = CLEAN | {"PORT": str(port), "STATE_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"PORT='{port}' is not accepted: 127.0.0.1:{port} cannot be listened on"
        " (Address already in use); choose another\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DHANHQ_WS_MODE", "everything"),
        ("STATE_DIR", "/proc/state"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://localhost?nonsense=1"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL_FILE", "/nowhere"),
        ("MARKET_CALENDAR_OVERRIDES", "/nowhere"),
        ("BIND", "203.0.113.7"),
        ("BIND", "0.0.0.0:80"),
        ("BIND", "nowhere.invalid"),
        ("MAX_STREAMS", "2147483647"),
        ("SCREENER_UNIVERSE", "nifty5"),
        ("DHANHQ_WS_ENABLED", "ture"),
        ("DHANHQ_ACCESS_TOKEN", "'quoted'"),
        ("REDIS_URL", "redis://:p@ss#w/rd@host"),
        ("REDIS_URL", "rediss://host?ssl_cert_reqs=CERT_NONE"),
        ("PORTT", "8000"),
    ],
)
def test_a_setting_that_is_not_accepted_is_one_clear_sentence(tmp_path, free_port, name, value):
    env = CLEAN | {"STATE_DIR": str(tmp_path), "PORT": str(free_port())} | {name: value}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("DHANHQ_WS_ENABLED", "true", "DHANHQ_CLIENT_ID and DHANHQ_ACCESS_TOKEN must be set"),
        ("DHANHQ_CLIENT_ID", "1000", "DHANHQ_ACCESS_TOKEN must be set"),
        ("DHANHQ_ACCESS_TOKEN_FILE", "/nowhere", "DHANHQ_CLIENT_ID must be set"),
    ],
)
def test_a_feed_without_credentials_is_not_simulated_instead(tmp_path, free_port, name, value, missing):
    env = CLEAN | {"STATE_DIR": str(tmp_path), "PORT": str(free_port()), name: value}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("BIND", "203.0.113.7"), ("BIND", "nowhere.invalid"), ("REDIS_URL", "redis://h?protocol=3")],
)
def test_the_web_server_alone_names_the_setting(tmp_path, free_port, name, value):
    env = CLEAN | {"STATE_DIR": str(tmp_path), "PORT": str(free_port()), "WEB_CONCURRENCY": "1", name: value}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert name in done.stderr


def test_the_web_server_alone_names_a_database_that_it_cannot_use_once(tmp_path, free_port):
    env = CLEAN | {"STATE_DIR": str(tmp_path), "PORT": str(free_port()), "DATABASE_URL": "nonsense"}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("DATABASE_URL takes an address") == 1
    # Of two workers that end so, gunicorn would report the second as a fault.
    assert "Booting worker" not in done.stderr


def test_on_a_terminal_the_start_ends_with_the_address(tmp_path, free_port, wait_for):
    port = free_port()
    env = CLEAN | {"PORT": str(port), "STATE_DIR": str(tmp_path), "WEB_CONCURRENCY": "1"}
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = bytearray()

    def ready() -> bool:
        if select.select([ours], [], [], 0)[0]:
            shown.extend(os.read(ours, 65_536))
        return b"Ready:" in shown and b"Feed is live" in shown and shown.endswith(b"\n")

    try:
        wait_for(ready, 100)
        assert get(port, "/healthz")[0] == 200
        lines = shown.decode().split("\r\n")
        assert f"Ready: http://127.0.0.1:{port}/screeners/swing (simulated prices; Ctrl-C ends it)" in lines
        assert not [line for line in lines if line.startswith("{") or "overcommit" in line]
        assert [line for line in lines if re.match(r"[\d:.]{12} worker    info    Feed is live", line)]
    finally:
        process.terminate()
        # A terminal that is not read would fill up, and the process wait for room in it.
        threading.Thread(target=drain, args=(ours,), daemon=True).start()
        process.wait(60)


def drain(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 65_536):
            continue
