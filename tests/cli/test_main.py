"""The commands config, status and simulate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import requests

from ltp.batch.simulated_listings import SimulatedListings
from ltp.cli.main import main
from ltp.core.market.session import Calendar
from ltp.feed import simulator
from ltp.settings import Settings
from ltp.store import heartbeat

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def address(database_url: str) -> str:
    return database_url


def test_config_prints_every_setting_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DHANHQ_CLIENT_ID", "1100")
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN", "CANARY")
    monkeypatch.setenv("REDIS_URL", "redis://u:CANARY@h/0")
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    assert "CANARY" not in out
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == [name.upper() for name in Settings.model_fields]
    places = {line.index(Settings.model_fields[line.split()[0].lower()].description or "?") for line in lines}
    assert len(places) == 1, "the third column is not aligned"


def test_a_bad_setting_is_one_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "abc")
    assert main(["config"]) == 2
    assert capsys.readouterr().err == "PORT='abc' is not accepted: a whole number from 1 to 65535\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://h?decode_responses=true"),
        ("REDIS_URL_FILE", "/nowhere"),
        ("DATABASE_URL", "postgres://u:CANARY@h/d"),
        ("DATABASE_URL", "sqlite:////tmp/x?CANARY=1"),
        ("BIND", "0.0.0.0:80"),
        ("SCREENER_UNIVERSE", "nifty5"),
        ("MARKET_CALENDAR_OVERRIDES", "/nowhere"),
        ("PORTT", "8000"),
        ("DHANHQ_WS_ENABLED", "ture"),
        ("DHANHQ_ACCESS_TOKEN", '"CANARY"'),
        ("STATE_DIR", "/dev/null"),
    ],
)
def test_config_judges_every_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["config"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert name in err
    assert "CANARY" not in err


def test_config_judges_the_file_of_late_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "late.toml").write_text("[[holiday\n")
    monkeypatch.setenv("MARKET_CALENDAR_OVERRIDES", str(tmp_path / "late.toml"))
    monkeypatch.setenv("MARKET_CALENDAR", "always_open")
    assert main(["config"]) == 2
    assert capsys.readouterr().err.startswith("MARKET_CALENDAR_OVERRIDES=")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["screeners", "import", "intraday", "x.csv"],
        ["simulate"],
        ["simulate", "--port", "0"],
        ["simulate", "--port", "70000"],
        ["simulate", "--port", "1", "--speed", "nan"],
        ["simulate", "--port", "1", "--speed", "-1"],
        ["simulate", "--port", "1", "--calendar", "lse"],
        ["simulate", "--port", "1", "--extra-instruments", "-5"],
    ],
)
def test_an_unknown_command_or_option_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_status_prints_the_workers_status(
    valkey: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", valkey.url)
    assert main(["status"]) == 1
    assert capsys.readouterr().err == "No worker is running: there is no heartbeat in Redis.\n"
    pipe = valkey.client.pipeline(transaction=False)
    heartbeat.write(pipe, datetime.now(UTC).isoformat())
    heartbeat.write_status(pipe, {"subscribed": "104", "feed": "live"})
    pipe.execute()
    assert main(["status"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["heartbeat", "feed", "subscribed"]
    assert lines[0][-3:] == ["(0", "s", "ago)"] or lines[0][-3:] == ["(1", "s", "ago)"]
    assert lines[2] == ["subscribed", "104"]


def test_status_without_redis_is_a_sentence(
    free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:CANARY@127.0.0.1:{free_port()}/0")
    assert main(["status"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("reading the heartbeat failed")
    assert "CANARY" not in err


def test_simulate_hands_its_options_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(simulator, "run", lambda port, **options: seen.update(port=port, **options))
    words = (
        "simulate --port 9001 --host 127.0.0.2 --calendar nse --seed 7 --replay bars.csv --from 10:15 --speed 10 "
        "--extra-instruments 3"
    )
    assert main(words.split()) == 0
    in_session, known = seen.pop("in_session"), seen.pop("known")
    assert seen == {
        "port": 9001,
        "host": "127.0.0.2",
        "calendar": "nse",
        "seed": 7,
        "replay": Path("bars.csv"),
        "start": time(10, 15),
        "speed": 10.0,
        "extra_instruments": 3,
    }
    sunday = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert in_session("NSE_EQ", sunday.timestamp()) is Calendar.load().is_open("NSE_EQ", sunday) is False
    assert in_session("NOWHERE", sunday.timestamp()) is False
    assert isinstance(known, SimulatedListings)


def test_a_reader_of_the_output_that_ends_ends_the_command_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ltp", "config"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_simulator_runs_until_sigterm(free_port: Callable[[], int], wait_for: Callable[..., Any]) -> None:
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "ltp", "simulate", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
    )

    def answers() -> bool:
        try:
            return requests.get(
                f"http://127.0.0.1:{port}/v2/profile", headers={"access-token": "x"}, timeout=2
            ).ok
        except requests.RequestException:
            return False

    try:
        wait_for(answers, timeout_s=30)
        taken = subprocess.run(
            [sys.executable, "-m", "ltp", "simulate", "--port", str(port)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert taken.returncode == 2
        assert len(taken.stderr.strip().splitlines()) == 1
        assert str(port) in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
