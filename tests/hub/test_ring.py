"""The ring against a kernel played by the test: the entries it submits, and answers that are late, few or
out of order.

test_send and test_sockets run it against the real kernel.
"""

from __future__ import annotations

import errno
import os
import struct
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from ltp.hub.ring import ENTRIES, Ring

SENT_TAIL, ANSWER_HEAD, ANSWER_TAIL, ANSWERS = 64, 128, 192, 256
ORDER = ANSWERS + 16 * 2 * ENTRIES
SUBMISSIONS = 0x10000000


class Kernel:
    """Answers each call with `answer`: takes sends (slot, descriptor, address, size), returns pairs (slot,
    result) in any order. `counters`: of entries so far.
    """

    def __init__(
        self, answer: Callable[[list[tuple[int, ...]]], list[tuple[int, int]]], counters: int
    ) -> None:
        self.fd = os.memfd_create("ring")
        os.truncate(self.fd, SUBMISSIONS + 64 * ENTRIES)
        for at in (SENT_TAIL, ANSWER_HEAD, ANSWER_TAIL):
            os.pwrite(self.fd, struct.pack("I", counters), at)
        self.answer, self.taken, self.calls = answer, counters, 0

    def params(self) -> tuple[int, ...]:
        offsets = (0, SENT_TAIL, 0, 0, 0, 0, ORDER), (ANSWER_HEAD, ANSWER_TAIL, 0, 0, 0, ANSWERS, 0)
        return (*[0] * 10, *offsets[0], *[0] * 3, *offsets[1], *[0] * 3)

    def word(self, at: int) -> int:
        return int(struct.unpack("I", os.pread(self.fd, 4, at))[0])

    def __call__(self, number: int, fd: int, n: int, *_rest: int) -> int:
        assert (number, fd) == (426, self.fd)
        self.calls += 1
        tail = self.word(SENT_TAIL)
        assert (tail - self.taken) & 0xFFFFFFFF == n
        answered = self.word(ANSWER_TAIL)
        for slot, result in self.answer(
            [self.submission((self.taken + each) % ENTRIES) for each in range(n)]
        ):
            at = ANSWERS + answered % (2 * ENTRIES) * 16
            os.pwrite(self.fd, struct.pack("=QiI", slot, result, 0), at)
            answered += 1
        os.pwrite(self.fd, struct.pack("I", answered & 0xFFFFFFFF), ANSWER_TAIL)
        self.taken = tail
        return n

    def submission(self, slot: int) -> tuple[int, ...]:
        found = struct.unpack("=BBHiQQIIQ24x", os.pread(self.fd, 64, SUBMISSIONS + 64 * slot))
        operation, flags, _, fd, _, address, size, how, name = found
        assert (operation, flags, how, name) == (26, 0, 0x4040, slot)
        return slot, fd, address, size


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ring, Kernel]]:
    def make(answer: Any, counters: int = 0) -> tuple[Ring, Kernel]:
        kernel = Kernel(answer, counters)
        monkeypatch.setattr(Ring, "_set_up", lambda _ring: (kernel.fd, kernel.params()))
        ring = Ring()
        monkeypatch.setattr(ring, "_call", kernel)
        return ring, kernel

    return make


def all_of_it(sends: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    return [(slot, size) for slot, _, _, size in sends]


def send(ring: Ring, count: int, first: int = 0) -> list[tuple[int, int]]:
    fds = range(first, first + count)
    return ring.send(
        array("i", fds), array("Q", [1 << 40 | fd for fd in fds]), array("i", [1000 + fd for fd in fds])
    )


def test_each_entry_names_its_descriptor_address_and_size_however_often_the_ring_wraps(made: Any) -> None:
    seen: list[tuple[int, ...]] = []

    def answer(sends: list[tuple[int, ...]]) -> list[tuple[int, int]]:
        seen.extend(sends)
        return all_of_it(sends)

    ring, kernel = made(answer)
    for call in range(5):
        assert send(ring, 700, first=call * 700) == []
    assert [each[1:] for each in seen] == [(fd, 1 << 40 | fd, 1000 + fd) for fd in range(3500)]
    assert kernel.calls == 5 + 3  # one more wherever the entries start again at zero


def test_answers_are_matched_by_their_names_and_not_by_their_order(made: Any) -> None:
    def reversed_order(sends: list[tuple[int, ...]]) -> list[tuple[int, int]]:
        answers = dict(all_of_it(sends)) | {sends[2][0]: 7, sends[5][0]: -errno.EPIPE}
        return list(reversed(answers.items()))

    ring, kernel = made(all_of_it)
    send(ring, 3, first=50)
    kernel.answer = reversed_order
    assert send(ring, 9) == [(2, 7), (5, -errno.EPIPE)]
    assert ring.broken == ""


def test_missing_answers_break_the_ring_and_count_as_cancelled_sends(made: Any) -> None:
    ring, _ = made(lambda sends: all_of_it(sends)[:3])
    assert send(ring, 5) == [(3, -errno.ECANCELED), (4, -errno.ECANCELED)]
    assert ring.broken == "5 of 5 sends taken, 3 answered"


def test_a_ring_that_breaks_before_it_wraps_submits_nothing_more(made: Any) -> None:
    ring, kernel = made(all_of_it)
    send(ring, ENTRIES - 2)
    kernel.answer = lambda _sends: []
    assert send(ring, 4) == [(index, -errno.ECANCELED) for index in range(4)]
    assert kernel.calls == 2


def test_the_counters_of_the_ring_wrap_at_32_bits(made: Any) -> None:
    ring, _ = made(all_of_it, counters=2**32 - ENTRIES)
    for _ in range(3):
        assert send(ring, ENTRIES - 1) == []
    assert ring.broken == ""


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ltp.hub.ring.sys.platform", "darwin", "not known on darwin"),
        ("ltp.hub.ring.platform.machine", lambda: "s390x", "not known on linux s390x"),
        ("ltp.hub.ring._SETUP", 1_000_000, "Function not implemented"),
    ],
)
def test_without_io_uring_the_error_names_the_reason(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any, reason: str
) -> None:
    monkeypatch.setattr(name, value)
    with pytest.raises(OSError, match=reason):
        Ring()
