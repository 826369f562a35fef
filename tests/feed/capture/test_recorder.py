"""From the feed's thread to files: what is written, what is lost, and that the feed goes on."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltp import metrics
from ltp.core.backoff import CloseReason
from ltp.core.ticks.tick import TickFields
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    LOST,
    SUBSCRIBED,
    CaptureFile,
    Record,
)
from ltp.feed.capture.recorder import Recorder, recorder_into
from ltp.feed.capture.ticks import steps
from ltp.feed.client import FeedClient
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.replay import load
from ltp.feed.supervisor import Supervisor

MIDNIGHT = 1_796_063_400_000_000  # 2026-12-01T00:00:00+05:30
CLIENT, TOKEN = "1100220033", "eyJhbGciOiJIUzUxMiJ9-recognisable-token"
KEYS = ("NSE_EQ:1333", "NSE_EQ:11536")
TRADED = [16_503_500, 16_504_000, 16_502_500]
FRAME = b"\x63" * 100


class Stopped(Recorder):
    """A recorder whose thread never runs; the test calls `write`."""

    def start(self) -> None:
        pass


@pytest.fixture
def recorder(tmp_path: Path) -> Stopped:
    return Stopped(tmp_path / "frames", source="dhanhq", mode="quote", most_waiting=1_000)


def read(folder: Path) -> dict[str, list[Record]]:
    """Return the records by the date and time in the names of the files, in order."""
    found = {}
    for path in sorted(folder.glob("*.ltpcap")):
        with CaptureFile(path) as file:
            found[path.name[:17]] = list(file.records())
            assert not file.cut
    return found


def test_without_a_connection_there_is_no_file(recorder: Recorder, tmp_path: Path) -> None:
    recorder.write()
    assert list(tmp_path.iterdir()) == []
    assert recorder_into(None, source="dhanhq", mode="quote") is None


def test_a_day_begins_a_file_that_can_be_read_alone(recorder: Recorder, tmp_path: Path) -> None:
    recorder.connected(MIDNIGHT - 60_000_000, 2)
    recorder.subscribed(MIDNIGHT - 60_000_000, ["NSE_EQ:1333", "NSE_EQ:9"], [])
    recorder.subscribed(MIDNIGHT - 50_000_000, ["NSE_EQ:11536"], ["NSE_EQ:9"])
    recorder.received(MIDNIGHT - 1, [FRAME])
    recorder.received(MIDNIGHT, [FRAME])
    recorder.ended(MIDNIGHT + 5, CloseReason("off"))
    recorder.write()
    files = read(tmp_path / "frames")
    assert list(files) == ["2026-11-30-235900", "2026-12-01-000000"]
    start, connected, subscribed, frames, ended = files["2026-12-01-000000"]
    assert start.members == {"source": "dhanhq", "mode": "quote"}
    assert connected == Record(CONNECTED, MIDNIGHT, files["2026-11-30-235900"][1].payload)
    assert connected.members == {"since": MIDNIGHT - 60_000_000, "instruments": 2}
    assert subscribed == Record(SUBSCRIBED, MIDNIGHT, b"NSE_EQ:1333 NSE_EQ:11536")
    assert (frames.at_us, frames.messages) == (MIDNIGHT, files["2026-11-30-235900"][-1].messages)
    assert ended.members == {"kind": "off", "code": 0, "sentence": ""}


def test_a_file_of_the_next_day_without_a_connection_names_none(recorder: Recorder, tmp_path: Path) -> None:
    recorder.connected(MIDNIGHT - 60, 1)
    recorder.ended(MIDNIGHT - 50, CloseReason("off"))
    recorder.connected(MIDNIGHT + 7, 1)
    recorder.write()
    records = read(tmp_path / "frames")["2026-12-01-000000"]
    assert [(record.kind, record.at_us) for record in records][1:] == [(CONNECTED, MIDNIGHT + 7)]


def test_frames_without_room_are_counted_and_logged_once(
    recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = metrics.value("capture_reads_lost")
    recorder.connected(MIDNIGHT, 1)
    for number in range(20):
        recorder.received(MIDNIGHT + number, [FRAME])
    recorder.write()
    recorder.received(MIDNIGHT + 20, [FRAME])
    for _ in range(2):
        for number in range(20):
            recorder.received(MIDNIGHT + 30 + number, [FRAME])
        recorder.write()
    lost = metrics.value("capture_reads_lost") - before
    records = [
        record for record in read(tmp_path / "frames")["2026-12-01-000000"] if record.kind in (FRAMES, LOST)
    ]
    kept = [record for record in records if record.kind == FRAMES]
    told = [record.members["reads"] for record in records if record.kind == LOST]
    assert lost > 20
    assert len(kept) + lost == 61
    assert sum(told) < lost, "the last ones have no record behind them yet"
    assert records[len([r for r in records if r.at_us < MIDNIGHT + 20])].kind == LOST
    assert len([record for record in caplog.records if "too slow" in record.message]) == 1


def test_a_full_disk_stops_the_capture_and_nothing_else(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.connected(MIDNIGHT, 1)
    recorder.write()
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 (the recorder closes it)
    monkeypatch.setattr(recorder._writer, "_file", full)
    for number in range(3):
        recorder.received(MIDNIGHT + number, [FRAME])
        recorder.write()
    full.close()
    [line] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "no longer captured, prices go on" in line.message
    assert "No space left" in line.message
    assert len(recorder._waiting) == 0, "nothing is kept for a file that is not written"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    recorder = Stopped(tmp_path / "file" / "frames", source="dhanhq", mode="quote")
    recorder.connected(MIDNIGHT, 1)
    recorder.write()
    recorder.received(MIDNIGHT, [FRAME])
    recorder.write()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


class Feed:
    """A supervisor on a simulated exchange, whose ticks are kept."""

    def __init__(self, simulator: Simulator, recorder: Recorder | None = None) -> None:
        self.simulator, self.ticks = simulator, list[TickFields]()
        self.supervisor = Supervisor(
            mode="quote",
            connect=self.connect,
            on_ticks=self.take,
            in_session=lambda: False,
            judged=frozenset,
            not_before=self,
            refresh_token=lambda: False,
            on_change=lambda: None,
            recorder=recorder,
        )
        self.supervisor.set_wanted(KEYS)
        self.supervisor.set_enabled(True)
        self.supervisor.start()

    def connect(self) -> FeedClient:
        client = FeedClient()
        client.connect(self.simulator.url, CLIENT, TOKEN, 5.0)
        return client

    def take(self, ticks: list[TickFields]) -> float:
        self.ticks.extend(ticks)
        return 0.0

    def read(self) -> float:
        return 0.0

    def write(self, epoch_s: float) -> None:
        pass

    def prices(self, key: str) -> list[int | None]:
        return [tick[1] for tick in self.ticks if tick[0] == key]


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    started: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        started.append(Simulator(rate=0, **options).start())
        return started[-1]

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def capture(
    simulate: Callable[..., Simulator], tmp_path: Path, wait_for: Callable[..., Any]
) -> tuple[Path, list[TickFields]]:
    """A file captured of a simulated exchange on which the first share traded at TRADED, and its ticks."""
    simulator = simulate()
    feed = Feed(simulator, recorder_into(tmp_path, source="simulator", mode="quote"))
    try:
        wait_for(lambda: {tick[0] for tick in feed.ticks} == set(KEYS))
        for price in TRADED:
            simulator.trade(KEYS[0], price)
        wait_for(lambda: feed.prices(KEYS[0])[-3:] == TRADED)
    finally:
        feed.supervisor.stop()
    [path] = tmp_path.iterdir()
    return path, feed.ticks


def test_a_feed_is_captured_without_its_credentials(capture: tuple[Path, list[TickFields]]) -> None:
    path, ticks = capture
    assert path.name.endswith(f"-{os.getpid()}.ltpcap")
    with CaptureFile(path) as file:
        records = list(file.records())
        assert [tuple(tick) for step in steps(file) for tick in step.ticks] == [tuple(tick) for tick in ticks]
    [connected] = [record for record in records if record.kind == CONNECTED]
    assert connected.members["instruments"] == 2
    assert [record.keys for record in records if record.kind == SUBSCRIBED] == [list(KEYS)]
    assert records[-1].kind == ENDED
    assert records[-1].members["kind"] == "off"
    plain = path.read_bytes() + b"".join(record.payload for record in records)
    assert b"NSE_EQ:1333" in plain
    for secret in (TOKEN, TOKEN[5:15], CLIENT):
        assert secret.encode() not in plain


def test_a_captured_feed_comes_again_with_times_of_now(
    capture: tuple[Path, list[TickFields]], simulate: Callable[..., Simulator], wait_for: Callable[..., Any]
) -> None:
    path, captured = capture
    now = [time.time() + 3_600.0]
    feed = Feed(simulate(replay=load(path, 1.0), clock=lambda: now[0]))
    try:
        wait_for(lambda: feed.ticks)
        began, now[0] = now[0], now[0] + 60
        wait_for(lambda: feed.prices(KEYS[0])[-3:] == TRADED)
    finally:
        feed.supervisor.stop()
    traded_at = {tick[1]: tick[2] for tick in captured if tick[0] == KEYS[0]}
    replayed_at = {tick[1]: tick[2] for tick in feed.ticks if tick[0] == KEYS[0]}
    moved = {replayed_at[price] - traded_at[price] for price in TRADED}  # type: ignore[operator]
    assert len(moved) == 1, "all trade times move by the same"
    assert began - 2 <= replayed_at[TRADED[0]] <= began + 60  # type: ignore[operator]
