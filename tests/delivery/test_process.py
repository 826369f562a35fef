"""The process `python -m ltp alerts deliver`: woken by Redis, ended by SIGTERM, killed in the middle of a message."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from ltp.core.alerts.channel import WEBHOOK
from ltp.db.alerts import channels
from ltp.db.alerts.channels import Wanted
from ltp.db.alerts.tables import alert_deliveries
from ltp.db.engine import open_engine, writing
from tests.alert_rows import fire, states
from tests.delivery.receivers import Receiver, answers, receiver, request_of, status

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(url: str, database: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = os.environ | {"REDIS_URL": url, "DATABASE_URL": database, "ALERTS_ALLOW_INTERNAL": "true"}
    env |= {"PYTHONPATH": str(ROOT)}
    with log.open("ab") as output:
        command = [sys.executable, "-m", "ltp", "alerts", "deliver"]
        started = subprocess.Popen(command, env=env, cwd=log.parent, stdout=output, stderr=output)
    yield started
    if started.poll() is None:
        started.kill()
    started.wait(10)


def channel_to(engine: Engine, made: Receiver) -> int:
    target = f"http://127.0.0.1:{made.port}/T0KEN/abcdefab12"
    return channels.create(engine, Wanted("mine", WEBHOOK, target), internal=True).id


def subscribed(valkey: Any) -> Callable[[], bool]:
    return lambda: dict(valkey.client.pubsub_numsub("live_alerts"))[b"live_alerts"] > 0


@pytest.fixture
def engine(empty_database: str) -> Engine:
    return open_engine(empty_database)


def test_a_firing_leaves_when_it_is_announced_and_sigterm_ends_the_process(
    engine: Engine, empty_database: str, valkey: Any, tmp_path: Path, wait_for: Any
) -> None:
    log = tmp_path / "log"
    with receiver(answers(status(204))) as made, process(valkey.url, empty_database, log) as started:
        mine = channel_to(engine, made)
        wait_for(subscribed(valkey))
        fire(engine, mine, at=datetime.now(UTC))
        valkey.client.publish("live_alerts", "{}")
        wait_for(lambda: states(engine) == [("sent", "accepted with status 204")])
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 0
    assert b'"id": "ltp-1"' in made.requests[0]
    lines = log.read_text()
    assert f"Message ltp-1 with 1 firing to channel {mine}: accepted with status 204" in lines
    assert "T0KEN" not in lines


def test_without_redis_a_firing_leaves_a_second_later(
    engine: Engine, empty_database: str, tmp_path: Path, wait_for: Any, free_port: Any
) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    with receiver(answers(status(204))) as made, process(url, empty_database, tmp_path / "log"):
        fire(engine, channel_to(engine, made), at=datetime.now(UTC))
        wait_for(lambda: states(engine) == [("sent", "accepted with status 204")])


def test_a_message_of_a_killed_process_is_sent_again_under_its_id(
    engine: Engine, empty_database: str, valkey: Any, tmp_path: Path, wait_for: Any
) -> None:
    def script(made: Receiver, connected: socket.socket) -> None:
        made.requests.append(request_of(connected))
        if len(made.requests) == 1:
            made.over.wait(60)  # the process is killed while it waits for the answer
        connected.sendall(status(204))

    log = tmp_path / "log"
    with receiver(script) as made:
        with process(valkey.url, empty_database, log) as first:
            fire(engine, channel_to(engine, made), at=datetime.now(UTC))
            wait_for(lambda: made.requests)
            first.kill()
            first.wait(10)
        assert states(engine) == [("sending", "")]
        with writing(engine) as connection:  # in place of a wait of 20 s
            silent = datetime.now(UTC) - timedelta(seconds=30)
            connection.execute(update(alert_deliveries).values(beat_at=silent))
        with process(valkey.url, empty_database, log):
            wait_for(lambda: states(engine) == [("sent", "accepted with status 204")])
    ids = [
        line for each in made.requests for line in each.split(b"\r\n") if b"idempotency-key" in line.lower()
    ]
    assert ids == [b"Idempotency-Key: ltp-1"] * 2


def test_two_processes_send_each_firing_once(
    engine: Engine, empty_database: str, valkey: Any, tmp_path: Path, wait_for: Any
) -> None:
    with receiver(answers(status(204))) as made:
        mine = channel_to(engine, made)
        channels.change(engine, mine, "mine", 60, internal=True)
        with (
            process(valkey.url, empty_database, tmp_path / "a"),
            process(valkey.url, empty_database, tmp_path / "b"),
        ):
            wait_for(lambda: dict(valkey.client.pubsub_numsub("live_alerts"))[b"live_alerts"] == 2)
            for _ in range(8):
                fire(engine, mine, at=datetime.now(UTC))
                valkey.client.publish("live_alerts", "{}")
            wait_for(lambda: {state for state, _ in states(engine)} == {"sent"})
    assert len(made.requests) == 8
