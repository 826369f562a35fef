"""A feed without sockets and without real time: waiting moves the clock, the broker follows a script."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ltp.core.ticks.tick import Tick
from ltp.dhan.packets import DisconnectPacket, TickerPacket, encode
from ltp.errors import FeedClosed
from ltp.feed.supervisor import Supervisor

EPOCH = 1_795_408_200.0  # 2026-11-23 10:00 in India, a Monday in session
IST_S = 19_800


def ticker(security_id: int, rupees: float = 100.0, at: float = EPOCH) -> bytes:
    return encode(TickerPacket(1, security_id, rupees, int(at) + IST_S))


class FakeClient:
    """Plays `script`: pairs of seconds after the connection and a message, an exception, "ping" or "half"."""

    def __init__(self, world: FeedWorld, script: list[tuple[float, object]]) -> None:
        self.world, self.opened = world, world.now
        self.script = sorted(script, key=lambda step: step[0])
        self.sent: list[dict] = []
        self.closed = False
        self.bytes_read = self.frames_read = self.pings = 0
        self.half_read = False

    def read(self, timeout_s: float) -> list[bytes]:
        assert not self.closed
        if not self.script or self.opened + self.script[0][0] > self.world.now + timeout_s:
            self.world.pass_time(timeout_s)
            return []
        at, event = self.script.pop(0)
        self.world.pass_time(max(0.0, self.opened + at - self.world.now))
        if isinstance(event, Exception):
            raise event
        self.bytes_read += 1
        self.half_read = event == "half"
        self.frames_read += not self.half_read
        return [event] if isinstance(event, bytes) else []

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    def ping(self) -> None:
        self.pings += 1

    def close(self, timeout_s: float) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def requested(self, code: int) -> list[str]:
        """Keys of every request with `code`, in order."""
        return [
            f"{row['ExchangeSegment']}:{row['SecurityId']}"
            for message in self.sent
            if message["RequestCode"] == code
            for row in message.get("InstrumentList", ())
        ]


class FeedWorld:
    """The arguments of a supervisor. `sessions`: scripts, or exceptions of `connect`; the last one repeats."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sessions: list[list[tuple[float, object]] | Exception] = [[]]
        self.clients: list[FakeClient] = []
        self.connects: list[float] = []
        self.ticks: list[Tick] = []
        self.rest_s = 0.02
        self.changes: list[tuple[float, str]] = []
        self.in_session = True
        self.judged: frozenset[str] = frozenset()
        self.deadline = 0.0
        self.version = 1
        self.refreshes = 0
        self.refreshed = True
        self.refusal = ""
        self.refusal_calls = 0
        self.dice = 0.5
        self._plans: list[tuple[float, Callable[[], object]]] = []
        self.supervisor = self.build()

    def build(self, **more: object) -> Supervisor:
        arguments = {
            "mode": "ticker",
            "connect": self.connect,
            "on_ticks": self.take,
            "in_session": lambda: self.in_session,
            "judged": lambda: self.judged,
            "not_before": self,
            "refresh_token": self.refresh,
            "on_change": self.note_change,
            "credentials_version": lambda: self.version,
            "account_refusal": self.refuse,
            "clock": lambda: EPOCH + self.now,
            "monotonic": lambda: self.now,
            "random": lambda: self.dice,
            "pause": self.pass_time,
        }
        self.supervisor = Supervisor(**{**arguments, **more})
        return self.supervisor

    def take(self, ticks: list[Tick]) -> float:
        """Take ticks as the ingest does; return its rest, in seconds."""
        self.ticks.extend(ticks)
        return self.rest_s

    def at(self, when: float, action: Callable[[], object]) -> None:
        self._plans.append((when, action))
        self._plans.sort(key=lambda plan: plan[0])

    def run(self, seconds: float, keys: tuple[str, ...] = ("NSE_EQ:1333",)) -> None:
        """Live for so many seconds with `keys` wanted, then stop."""
        self.supervisor.set_wanted(keys)
        self.supervisor.set_enabled(True)
        self.at(seconds, self.supervisor.stop)
        self.supervisor.run()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self._plans and self._plans[0][0] <= end:
            when, action = self._plans.pop(0)
            self.now = max(self.now, when)
            action()
        self.now = end

    def connect(self) -> FakeClient:
        self.connects.append(self.now)
        session = self.sessions.pop(0) if len(self.sessions) > 1 else self.sessions[0]
        if isinstance(session, Exception):
            raise session
        self.clients.append(FakeClient(self, session))
        return self.clients[-1]

    def refresh(self) -> bool:
        self.refreshes += 1
        self.version += self.refreshed
        return self.refreshed

    def refuse(self) -> str:
        self.refusal_calls += 1
        return self.refusal

    def note_change(self) -> None:
        feed = self.supervisor.status().feed
        if not self.changes or self.changes[-1][1] != feed:
            self.changes.append((self.now, feed))

    def read(self) -> float:
        return self.deadline

    def write(self, epoch_s: float) -> None:
        self.deadline = epoch_s

    @staticmethod
    def trades(
        start: int, stop: int, *packets: tuple[int, int], late_s: float = 0.0
    ) -> list[tuple[float, object]]:
        """Script a trade a second of each (segment number, security id), sent `late_s` after it was made."""
        return [
            (
                at + 0.1,
                encode(TickerPacket(segment, security_id, 100.0 + at % 7, int(EPOCH + at - late_s) + IST_S)),
            )
            for at in range(start, stop)
            for segment, security_id in packets
        ]

    @staticmethod
    def prices(*instants: float, security_id: int = 1333) -> list[tuple[float, object]]:
        return [(at, ticker(security_id)) for at in instants]

    @staticmethod
    def code50(at: float, reason: int) -> tuple[float, object]:
        return at, encode(DisconnectPacket(0, 0, reason))

    @staticmethod
    def drop(at: float, code: int = 0) -> tuple[float, object]:
        return at, FeedClosed("The broker dropped the connection without a close frame", code)


@pytest.fixture
def feed_world() -> FeedWorld:
    return FeedWorld()
