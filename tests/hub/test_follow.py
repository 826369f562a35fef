"""A browser on a generator: first event, changes, heartbeats, and the reason with which each stream ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ltp import metrics
from ltp.hub.follow import follow
from ltp.hub.view import HEARTBEAT

BEAT = b'<hx-partial id="beat"><i>not live</i></hx-partial>'


class Reader:
    """A stream of one view, read by the test itself. `open`: whether the browser is counted in."""

    def __init__(self, rig: Any, view: Any, *, until_s: float = 2_000.0) -> None:
        self.open, self.draining, self.step_s = False, False, 0.0
        self.clock = rig.clock
        self.events: Iterator[bytes] = follow(
            view,
            self.join,
            self.leave,
            until_s=until_s,
            draining=lambda: self.draining,
            stall_timeout_s=15.0,
            monotonic=self.monotonic,
        )

    def monotonic(self) -> float:
        self.clock.s += self.step_s
        return float(self.clock.s)

    def join(self) -> bytes:
        self.open = True
        return b"first"

    def leave(self) -> None:
        self.open = False


def ends() -> dict[str, int]:
    return {name: n for name, n in metrics.snapshot().items() if name.startswith("stream_ends.")}


def ended(before: dict[str, int]) -> dict[str, int]:
    """Return the streams that ended since `before`, by reason."""
    new = {name.partition(".")[2]: n - before.get(name, 0) for name, n in ends().items()}
    return {reason: n for reason, n in new.items() if n}


@pytest.fixture
def read(rig: Any) -> Iterator[Callable[..., Reader]]:
    """Returns a reader of a view; closed after the test, so that its end is not counted during another."""
    readers: list[Reader] = []

    def read(view: Any, **options: Any) -> Reader:
        readers.append(Reader(rig, view, **options))
        return readers[-1]

    yield read
    for reader in readers:
        reader.events.close()  # type: ignore[attr-defined]


@pytest.fixture
def before() -> dict[str, int]:
    return ends()


def test_the_first_event_comes_at_once_and_the_browser_is_counted(rig: Any, read: Any) -> None:
    view = rig.view(1)
    reader = read(view)
    assert (view.followers, reader.open) == (0, False)
    assert next(reader.events) == b"first"
    assert (view.followers, rig.hub.streams, reader.open) == (1, 1, True)


def test_a_flush_is_yielded_as_it_is(rig: Any, read: Any) -> None:
    view = rig.view(1, columns=("chg",))
    reader = read(view)
    next(reader.events)
    rig.prices(k1=100)
    event = view.flush()
    assert next(reader.events) is event
    assert event == (
        b'id: %d\ndata: <hx-partial id="chg-NSE_EQ-1">100!</hx-partial>%b\n\n' % (rig.clock.us(), BEAT)
    )


def test_several_flushes_between_two_reads_are_one_event(rig: Any, read: Any) -> None:
    view = rig.view(1, 2, columns=("chg",))
    reader = read(view)
    next(reader.events)
    for price in (100, 101):
        rig.prices(k1=price)
        view.flush()
    rig.prices(k2=200)
    view.flush()
    event = next(reader.events)
    assert re.findall(rb'"chg-NSE_EQ-(\d)">(\d+)', event) == [(b"1", b"101"), (b"2", b"200")]


def test_a_quiet_view_yields_heartbeats(rig: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.hub.follow.HEARTBEAT_S", 0.01)  # the wait for a flush takes real time
    reader = read(rig.view(1))
    next(reader.events)
    reader.step_s = 0.005
    assert [next(reader.events) for _ in range(2)] == [HEARTBEAT, HEARTBEAT]
    assert HEARTBEAT == b"data: " + BEAT + b"\n\n"


def test_at_its_time_a_stream_rotates_with_a_farewell(rig: Any, read: Any, before: dict[str, int]) -> None:
    view = rig.view(1)
    reader = read(view, until_s=rig.clock.s + 60)
    next(reader.events)
    rig.clock.s += 60
    [farewell] = list(reader.events)
    retry = re.fullmatch(rb"retry: (\d+)\ndata: %b\n\n" % BEAT, farewell)
    assert retry
    assert 500 <= int(retry[1]) <= 1500
    assert (view.followers, reader.open, ended(before)) == (0, False, {"rotated": 1})


def test_a_drain_ends_the_stream_with_a_farewell(rig: Any, read: Any, before: dict[str, int]) -> None:
    reader = read(rig.view(1))
    next(reader.events)
    reader.draining = True
    [farewell] = list(reader.events)
    retry = re.fullmatch(rb"retry: (\d+)\ndata: %b\n\n" % BEAT, farewell)
    assert retry
    assert 1000 <= int(retry[1]) < 2000
    assert (reader.open, ended(before)) == (False, {"drained": 1})


@pytest.mark.parametrize(
    ("passed_s", "reason", "messages"), [(14.9, "left", []), (15.0, "stalled", ["1 browser cut: stalled"])]
)
def test_a_browser_that_closes_has_left_and_one_that_did_not_read_for_so_long_was_stalled(
    rig: Any,
    read: Any,
    before: dict[str, int],
    caplog: pytest.LogCaptureFixture,
    passed_s: float,
    reason: str,
    messages: list[str],
) -> None:
    caplog.set_level("INFO")
    view = rig.view(1)
    reader = read(view)
    next(reader.events)
    rig.clock.s += passed_s
    reader.events.close()  # type: ignore[attr-defined]
    assert (view.followers, reader.open, ended(before)) == (0, False, {reason: 1})
    assert caplog.messages == messages
