"""The relay: rereads the cache after every gap, notices silence, and survives every fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ltp import metrics
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.hub.relay import Relay


def batch(seq: int, epoch: str = "e") -> Batch:
    return Batch(epoch, seq, seq, "live", 1, "simulator", {}, [])


class Followed:
    """A relay over scripted subscriptions. `log`: its reads and the batches it applied, in order."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.log: list[Any] = []
        self.clock_s = 0.0
        self.scripts = list(scripts)
        self.reread_fails = 0
        self.relay = Relay(
            self.subscribe, self.apply, self.reread, lambda: None, monotonic=lambda: self.clock_s
        )

    def subscribe(self) -> Iterator[Batch | None]:
        if not self.scripts:
            self.relay.stop()
            return
        for item in self.scripts.pop(0):
            if isinstance(item, Exception):
                raise item
            if isinstance(item, float):
                self.clock_s += item
                yield None
            else:
                yield item

    def apply(self, batch: Batch) -> None:
        if batch.seq == 13:
            raise ValueError("a fault of ours")
        self.log.append(batch.seq)

    def reread(self) -> None:
        if self.reread_fails:
            self.reread_fails -= 1
            raise StoreError("Redis is away")
        self.log.append("read")

    def run(self) -> list[Any]:
        self.relay.start()
        self.relay.join(10)
        assert not self.relay.is_alive()
        return self.log


def test_the_cache_is_read_after_the_confirmation_and_before_the_first_batch() -> None:
    assert Followed([None, batch(7), batch(8)]).run() == ["read", 7, 8]


@pytest.mark.parametrize(
    ("second", "reason"),
    [(batch(9), "lost"), (batch(7), "lost"), (batch(8, "f"), "epoch"), (batch(1, "f"), "epoch")],
)
def test_a_lost_batch_or_a_new_epoch_is_repaired_before_the_next_batch_is_applied(
    second: Batch, reason: str
) -> None:
    before = metrics.value(f"relay_rereads.{reason}")
    assert Followed([None, batch(7), second]).run() == ["read", 7, "read", second.seq]
    assert metrics.value(f"relay_rereads.{reason}") == before + 1


def test_an_epoch_that_begins_after_the_cache_was_read_is_read_again() -> None:
    """Its first batch carries no ticks: prices that changed before it are in the cache alone."""
    assert Followed([None, batch(1), batch(2)]).run() == ["read", "read", 1, 2]
    assert Followed([None, batch(7), StoreError("cut")], [None, batch(1, "f"), batch(2, "f")]).run() == [
        "read",
        7,
        "read",
        "read",
        1,
        2,
    ]


def test_five_seconds_without_a_batch_drop_the_subscription() -> None:
    before = metrics.value("relay_reconnects.silent")
    followed = Followed([None, batch(4), 3.0, 3.0, batch(5)], [None, batch(8)])
    assert followed.run() == ["read", 4, "read", 8]
    assert metrics.value("relay_reconnects.silent") == before + 1


def test_a_pause_shorter_than_five_seconds_is_no_gap() -> None:
    assert Followed([None, batch(4), 4.0, batch(5), 4.0, batch(6)]).run() == ["read", 4, 5, 6]


@pytest.mark.parametrize(
    "fault", [StoreError("cut"), RuntimeError("a fault of ours")], ids=["store", "failed"]
)
def test_a_subscription_that_fails_is_made_again(fault: Exception) -> None:
    before = metrics.value("relay_reconnects.store"), metrics.value("relay_reconnects.failed")
    assert Followed([None, batch(4), fault], [fault], [None, batch(5)]).run() == ["read", 4, "read", 5]
    after = metrics.value("relay_reconnects.store"), metrics.value("relay_reconnects.failed")
    assert sum(after) - sum(before) == 2


def test_a_batch_that_cannot_be_applied_restarts_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    assert Followed([None, batch(13)], [None, batch(14)]).run() == ["read", "read", 14]
    assert "The relay failed" in caplog.text


def test_nothing_is_applied_while_the_gap_cannot_be_repaired() -> None:
    followed = Followed([None, batch(1)], [None, batch(2)])
    followed.reread_fails = 1
    assert followed.run() == ["read", 2]


def test_a_dropped_subscription_is_closed() -> None:
    closed = []

    def subscription() -> Iterator[Batch | None]:
        try:
            yield None
            raise StoreError("cut")
        finally:
            closed.append(True)

    applied: list[Batch] = []
    relay = Relay(subscription, applied.append, lambda: None, lambda: None)
    assert relay.follow_once() == "store"
    assert closed == [True]


def test_the_back_off_is_jittered_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[float, float]] = []
    monkeypatch.setattr("ltp.hub.relay.random.uniform", lambda low, high: waits.append((low, high)) or 0.0)
    Followed(*[[StoreError("cut")]] * 8).run()
    assert waits[0] == (0.1, 0.2)
    assert waits[-1] == (0.1, 2.0)
    assert [high for _, high in waits] == sorted(high for _, high in waits)
