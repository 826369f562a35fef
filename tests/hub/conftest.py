"""A hub with clock, batches and rounds under control of a test; browsers that accept only whole events."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.hub.send import Sender
from ltp.hub.view import View

COLUMNS = ("ltp", "chg")
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
START_S = 1_790_000_000.0
_FRAME = re.compile(rb"(id: [0-9]+\n)?(retry: [0-9]+\n)?(data: [^\r\n]+\n)+")
_CELL = re.compile(r'<hx-partial id="([^"]+)">(.*?)</hx-partial>')
_STATE = re.compile(r'<hx-partial hx-target="#([^"]+)>i" hx-swap="outerHTML">(.*?)</hx-partial>')


class Clock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def monotonic(self) -> float:
        return self.s

    def now(self) -> float:
        return START_S + self.s

    def us(self) -> int:
        return int(self.now() * 1e6)


def cell(quote: Quote, column: str) -> str:
    """Only the price flashes and shows the state; "volume" also shows the price; all others are "PRICE!"."""
    ltp = quote.tick.ltp if quote.tick else None
    if column != "ltp":
        return f"{ltp} of {quote.tick.volume if quote.tick else None}" if column == "volume" else f"{ltp}!"
    flash = {1: ' class="u"', -1: ' class="d"'}[quote.direction] if quote.moved else ""
    return f"<b{flash}>{ltp}</b><i>{quote.state}</i>"


class Browser:
    """Reads a stream strictly: anything but our whole events is an error. `cells`: the cells of the page by
    element, without flash.
    """

    def __init__(self) -> None:
        self.raw = b""
        self.frames: list[bytes] = []
        self.cells: dict[str, str] = {}
        self.ids: list[int] = []
        self.retry: int | None = None
        self.closed = False

    def feed(self, chunk: bytes) -> None:
        self.raw += chunk
        *whole, self.raw = self.raw.split(b"\n\n")
        for frame in whole:
            frame += b"\n"
            assert _FRAME.fullmatch(frame), f"not one of our events: {frame[:200]!r}"
            self._take(frame.decode())
            self.frames.append(frame)

    def _take(self, frame: str) -> None:
        for line in frame.splitlines():
            name, _, value = line.partition(": ")
            if name == "id":
                self.ids.append(int(value))
            elif name == "retry":
                self.retry = int(value)
        for name, markup in _STATE.findall(frame):
            self.cells[name] = re.sub(r"<i\b.*?</i>", markup, self.cells[name])
        for name, markup in _CELL.findall(frame):
            if name != "beat":
                self.cells[name] = re.sub(r' class="."', "", markup)


class SocketBrowser(Browser):
    def __init__(self, rig: Rig, view: View, last_event_id: str | None, buffers: int | None) -> None:
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.socket()
            if buffers:
                self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            self.peer.connect(listener.getsockname())
            served, _ = listener.accept()
        if buffers:
            served.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        self.fd = served.fileno()
        self.peer.setblocking(False)
        self._headless = False
        self._all = b""
        rig.hub.attach(served, HEAD, view, last_event_id=last_event_id)

    def read(self, most: int = 1 << 20) -> None:
        """Read at most `most` of the bytes that have arrived."""
        with contextlib.suppress(BlockingIOError):
            while most > 0 and not self.closed:
                chunk = self.peer.recv(min(most, 65_536))
                most -= len(chunk)
                self.closed = not chunk
                self._take_head(chunk)

    def _take_head(self, chunk: bytes) -> None:
        if not self._headless:
            self._all += chunk
            if len(self._all) < len(HEAD):
                return
            assert self._all.startswith(HEAD)
            self._headless, chunk = True, self._all[len(HEAD) :]
        self.feed(chunk)

    def leave(self) -> None:
        self.closed = True
        self.peer.close()


class GeneratorBrowser(Browser):
    """Reads in a thread of its own, as a development server does."""

    def __init__(self, rig: Rig, view: View, last_event_id: str | None, _buffers: int | None) -> None:
        super().__init__()
        self._events = rig.hub.follow(view, last_event_id=last_event_id)
        self._chunks: list[bytes] = []
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        rig.wait_for(lambda: self._chunks)

    def _run(self) -> None:
        for chunk in self._events:
            self._chunks.append(chunk)
            if self._leave.is_set():
                break
        self._events.close()
        self._chunks.append(b"")

    def read(self, most: int = 1 << 20) -> None:
        while self._chunks and not self.closed:
            chunk = self._chunks.pop(0)
            self.closed = not chunk
            self.feed(chunk)

    def leave(self) -> None:
        """Takes effect with the next event, as on a server that notices a closed connection by a write."""
        self._leave.set()


class Rig:
    def __init__(self, wait_for: Callable[..., Any], **options: Any) -> None:
        self.clock, self.wait_for = Clock(), wait_for
        self.cache: dict[str, CachedTick] = {}
        self.reads: list[list[str]] = []
        self.cache_down = False
        self.seq = 0
        self.browsers: list[Browser] = []
        settings: dict[str, Any] = {"min_interval_s": 0.2, "stall_timeout_s": 15.0, "max_streams": 100}
        settings |= {"subscribe": lambda: iter(())} | options
        self.hub = Hub(
            settings.pop("subscribe"),
            self.snapshot,
            cell,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            **settings,
        )

    def snapshot(self, keys: Sequence[str]) -> list[CachedTick]:
        self.reads.append(list(keys))
        if self.cache_down:
            raise StoreError("Redis is away")
        return [self.cache.get(key, CachedTick(key, None, False)) for key in keys]

    def tick(self, key: str, ltp: int, **more: Any) -> Tick:
        at = self.clock.us()
        return Tick(key, ltp, **({"received_at": at, "traded_at": at, "session": "2026-11-23"} | more))

    def batch(self, *ticks: Tick, **more: Any) -> Batch:
        self.seq += 1
        header = {
            "epoch": "e",
            "seq": self.seq,
            "at": self.clock.us(),
            "feed": "live",
            "since": 1,
            "source": "simulator",
        }
        return Batch(**(header | {"phase": {"NSE_EQ": "continuous"}} | more), ticks=list(ticks))

    def apply(self, *ticks: Tick, **more: Any) -> None:
        self.hub.apply(self.batch(*ticks, **more))

    def prices(self, **prices: int) -> None:
        """Apply one batch: prices(k1=100) sets NSE_EQ:1 to 100."""
        self.apply(*(self.tick(f"NSE_EQ:{name[1:]}", ltp) for name, ltp in prices.items()))

    def view(self, *ids: int, columns: Sequence[str] = COLUMNS) -> View:
        return self.hub.view([f"NSE_EQ:{id_}" for id_ in ids], columns)

    def round(self, passed_s: float = 0.0) -> None:
        self.clock.s += passed_s
        self.hub.sockets.collect_reports()
        self.hub.writer.round()

    def read_all(self) -> None:
        for browser in self.browsers:
            browser.read()

    def until(self, condition: Callable[[], Any], passed_s: float = 0.05) -> None:
        """Run rounds and read until the condition holds."""

        def reached() -> bool:
            self.round(passed_s)
            self.read_all()
            return bool(condition())

        self.wait_for(reached)

    def truth(self, view: View) -> dict[str, str]:
        """Return the cells that a page of this view has to show now."""
        quotes = [self.hub.board.get(key) for key in view.keys]
        return {
            f"{column}-{quote.key.replace(':', '-')}": cell(quote._replace(moved=False), column)
            for quote in quotes
            for column in view.columns
        }


def kernel_refusal() -> str:
    """Return why the kernel gives this process no io_uring, empty if it does.

    A system call of its own, without ltp.hub.ring: a fault in there must not look like a kernel without it.
    """
    setup, params = ctypes.CDLL(None, use_errno=True).syscall, ctypes.create_string_buffer(120)
    fd = setup(ctypes.c_long(425), ctypes.c_long(8), params)
    if fd < 0:
        return os.strerror(ctypes.get_errno())
    os.close(fd)
    return ""


@pytest.fixture(params=["io_uring", "one by one"])
def sending(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Runs a test once with io_uring and once with one write after another.

    Without io_uring the first is skipped. In CI it fails instead if the kernel has io_uring all the same: the
    tests would otherwise pass for ever on the plain loop alone.
    """
    if request.param == "one by one":

        def refused() -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr("ltp.hub.send.Ring", refused)
    elif reason := Sender().fallback_reason:
        refusal = kernel_refusal()
        if os.environ.get("CI") == "true" and not refusal:
            pytest.fail(f"the kernel has io_uring, but Sender does not use it: {reason}")
        not_tested = f"NOT TESTED: sending through io_uring ({refusal or reason})"
        warnings.warn(not_tested, stacklevel=1)  # pytest prints warnings in any case, reasons only with -rs
        pytest.skip(not_tested)
    yield
    assert "io_uring failed" not in "".join(record.getMessage() for record in caplog.get_records("call"))


@pytest.fixture
def make_rig(wait_for: Callable[..., Any]) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**options: Any) -> Rig:
        rigs.append(Rig(wait_for, **options))
        return rigs[-1]

    yield make
    for browser in itertools.chain.from_iterable(rig.browsers for rig in rigs):
        browser.leave()
    for rig in rigs:
        rig.hub.drain(0.0)


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()


@pytest.fixture
def fall_behind() -> Callable[[Rig, SocketBrowser, Sequence[int]], None]:
    """Changes the instruments of a view until `slow`, which reads nothing, has full buffers."""

    def fall_behind(rig: Rig, slow: SocketBrowser, ids: Sequence[int]) -> None:
        for ltp in range(100, 160):
            rig.prices(**{f"k{id_}": ltp for id_ in ids})
            rig.round(1.0)
            if slow.fd in rig.hub.sockets.slow_browsers:
                return
        pytest.fail("the buffers never filled")

    return fall_behind


def _opener(kind: type[Browser]) -> Callable[..., Any]:
    def open_(rig: Rig, view: View, last_event_id: Any = None, buffers: int | None = None) -> Any:
        id_ = None if last_event_id is None else str(last_event_id)
        browser = kind(rig, view, id_, buffers)
        rig.browsers.append(browser)
        return browser

    return open_


@pytest.fixture(params=[SocketBrowser, GeneratorBrowser], ids=["socket", "generator"])
def browse(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Opens a browser on a detached socket or on a generator: browse(rig, view, last_event_id)."""
    return _opener(request.param)


@pytest.fixture
def browse_socket() -> Callable[..., Any]:
    return _opener(SocketBrowser)
