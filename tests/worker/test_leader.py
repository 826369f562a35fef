from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from ltp.errors import StoreError
from ltp.store.client import connect
from ltp.store.lease import Lease
from ltp.worker.leader import Leader, identity, is_dead


class Fakes:
    def __init__(self, valkey: Any, name: str = "") -> None:
        self.now = 1_000.0
        self.changes = 0
        self.name = name or identity()
        self.leader = Leader(
            Lease(connect(valkey.url, timeout_s=2), self.name),
            on_change=self.changed,
            identity=self.name,
            monotonic=lambda: self.now,
        )

    def changed(self) -> None:
        self.changes += 1


def test_the_first_leads_and_the_second_stands_by(valkey: Any) -> None:
    first, second = Fakes(valkey, "h/b/1/1"), Fakes(valkey, "other/b/1/1")
    assert first.leader.step()
    assert not second.leader.step()
    assert (first.leader.may_write(), second.leader.may_write()) == (1, 0)
    assert (first.leader.may_feed(), second.leader.may_feed()) == (True, False)
    assert (first.changes, second.changes) == (1, 0)


def test_a_worker_suspended_past_its_lease_may_not_write_on_waking(valkey: Any) -> None:
    fakes = Fakes(valkey)
    fakes.leader.step()
    fakes.now += 9.5
    assert fakes.leader.may_write() == 0


def test_a_worker_that_lost_the_lease_gives_up_the_feed(valkey: Any) -> None:
    first, second = Fakes(valkey, "h/b/1/1"), Fakes(valkey, "other/b/1/1")
    first.leader.step()
    valkey.client.delete("market_stream:lease")
    assert second.leader.step()
    assert not first.leader.step()
    assert (first.leader.may_feed(), first.leader.may_write(), first.changes) == (False, 0, 2)
    assert second.leader.may_write() == 2


def test_a_lease_that_ran_out_unclaimed_is_taken_again_under_a_new_number(valkey: Any) -> None:
    fakes = Fakes(valkey)
    fakes.leader.step()
    valkey.client.delete("market_stream:lease")
    assert fakes.leader.step()
    assert fakes.leader.may_write() == 2


def test_redis_away_ends_writing_at_once_and_the_feed_only_after_a_minute(valkey: Any) -> None:
    fakes = Fakes(valkey)
    fakes.leader.step()
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        fakes.now += 9.5
        assert not fakes.leader.step()
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert (fakes.leader.may_write(), fakes.leader.may_feed(), fakes.changes) == (0, True, 1)
    fakes.now += 60
    assert not fakes.leader.may_feed()


def test_the_next_worker_leads_at_once_after_a_stop(valkey: Any) -> None:
    first, second = Fakes(valkey, "h/b/1/1"), Fakes(valkey, "other/b/1/1")
    first.leader.step()
    first.leader.stop()
    assert second.leader.step()


def test_the_lease_of_a_worker_killed_on_this_host_is_taken_at_once(valkey: Any) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    place = identity().rpartition("/")[0]
    valkey.client.set("market_stream:lease", f"{place}/{ended.pid} 7", px=10_000)
    assert Fakes(valkey).leader.step()


@pytest.mark.parametrize(
    ("holder", "dead"),
    [
        ("{place}/{own} 3", True),  # an earlier process with our number
        ("{place}/{parent} 3", False),
        ("elsewhere/boot/1/999999999 3", False),
        ("{place}/x 3", False),
        ("garbage", False),
        ("", False),
    ],
)
def test_only_a_process_that_ran_here_and_is_gone_is_dead(holder: str, dead: bool) -> None:
    place = identity().rpartition("/")[0]
    assert is_dead(holder.format(place=place, own=os.getpid(), parent=os.getppid()), identity()) is dead


def test_without_a_boot_id_no_holder_is_taken_for_dead() -> None:
    assert not is_dead("host//0/1 3", "host//0/1")


def test_a_permanent_refusal_is_reported_before_the_first_use_and_waited_for_after_it(
    valkey: Any, caplog: pytest.LogCaptureFixture
) -> None:
    refusals: list[str] = []
    failures: list[StoreError | None] = [
        StoreError("away"),
        StoreError("away"),
        StoreError("wrong", permanent=True),
        None,
    ]

    def check() -> None:
        failure = failures.pop(0)
        if failure is not None:
            raise failure

    client = connect(valkey.url, timeout_s=2)
    leader = Leader(
        Lease(client, "a"), on_change=lambda: None, identity="a", check=check, on_refusal=refusals.append
    )
    assert [leader.step(), leader.step()] == [False, False]
    assert [record.getMessage() for record in caplog.records] == ["away. The worker waits for Redis."]
    assert not leader.step()
    assert refusals == ["wrong"]
    assert leader.step()
    valkey.client.config_set("requirepass", "hush")
    try:
        client.connection_pool.disconnect()
        assert not leader.step()
    finally:
        valkey.client.config_set("requirepass", "")
    assert refusals == ["wrong"]
    assert caplog.records[-1].getMessage().endswith("The worker waits for Redis.")
