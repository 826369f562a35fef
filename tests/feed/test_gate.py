from __future__ import annotations

import pytest

from ltp.errors import StoreError
from ltp.feed.gate import Gate


class World:
    """A clock of its own, a kept deadline, and credentials with a version."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.deadline = 0.0
        self.version = 1
        self.cut = False
        self.gate = Gate(self, lambda: self.version, lambda: self.now + 1e9, lambda: self.now)

    def read(self) -> float:
        if self.cut:
            raise StoreError("Redis is away")
        return self.deadline

    def write(self, epoch_s: float) -> None:
        if self.cut:
            raise StoreError("Redis is away")
        self.deadline = epoch_s

    def opens_after(self, longest_s: float) -> float:
        start = self.now
        while not self.gate.is_open():
            self.now += 0.5
            if self.now - start > longest_s:
                pytest.fail("still closed")
        return self.now - start


@pytest.fixture
def world() -> World:
    return World()


def test_open_when_nothing_is_against_it(world: World):
    assert world.gate.is_open()


def test_a_wait_ends_by_time_and_leaves_no_trace(world: World):
    world.gate.hold(7.0)
    assert world.opens_after(10) == 7.0
    assert world.deadline == 0.0


def test_a_kept_wait_is_written_as_an_instant(world: World):
    world.gate.hold(60.0, keep=True)
    assert world.deadline == 1e9 + 1060.0
    assert world.opens_after(70) == 60.0


def test_the_deadline_of_another_process_is_obeyed(world: World):
    world.deadline = 1e9 + 1042.0
    assert 42.0 <= world.opens_after(50) <= 43.0


def test_a_deleted_deadline_lets_through_within_seconds(world: World):
    world.deadline = 1e9 + 5000.0
    assert not world.gate.is_open()
    world.deadline = 0.0
    assert world.opens_after(10) <= 5.0


def test_a_deadline_that_cannot_be_read_counts_as_set(world: World):
    world.cut = True
    assert not world.gate.is_open()
    assert "Redis is away" in world.gate.obstacle
    world.cut = False
    assert world.opens_after(5) <= 1.0
    assert world.gate.obstacle == ""


def test_a_deadline_that_cannot_be_written_is_written_later(world: World):
    """Or a restart soon after would come too early."""
    world.cut = True
    world.gate.hold(60.0, keep=True)
    world.now += 10
    world.cut = False
    assert not world.gate.is_open()
    assert world.deadline == 1e9 + 1060.0


def test_a_deadline_that_has_passed_is_not_written_any_more(world: World):
    world.cut = True
    world.gate.hold(60.0, keep=True)
    world.now += 61
    world.cut = False
    assert world.gate.is_open()
    assert world.deadline == 0.0


def test_a_full_stop_ends_with_other_credentials_only(world: World):
    world.gate.stop(1)
    for _ in range(10):
        world.now += 600
        assert not world.gate.rearmed()
        assert not world.gate.is_open()
    world.version = 2
    world.now += 2
    assert world.gate.rearmed()
    assert not world.gate.stopped
    assert world.gate.is_open()


def test_credentials_that_changed_while_connecting_lift_the_stop(world: World):
    """The refused version counts, not the one at the moment of the stop."""
    world.version = 2
    world.gate.stop(1)
    world.now += 2
    assert world.gate.rearmed()


def test_credentials_are_looked_at_every_two_seconds(world: World):
    world.gate.stop(1)
    world.version = 2
    world.now += 1.9
    assert not world.gate.rearmed()
    world.now += 0.1
    assert world.gate.rearmed()
