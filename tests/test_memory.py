"""Memory of a burst is returned, and nothing is done while there is none to return."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import pytest

from ltp.memory import Memory, resident, trim

MB = 1 << 20


class Process:
    def __init__(self) -> None:
        self.now_s, self.bytes, self.trims = 0.0, 100 * MB, 0
        self.memory = Memory(lambda: self.now_s, lambda: self.bytes, self.trim)

    def trim(self) -> None:
        self.trims += 1
        self.bytes = 100 * MB

    def look(self, now_s: float, megabytes: int) -> int:
        self.now_s, self.bytes = now_s, megabytes * MB
        self.memory.look()
        return self.trims


def test_it_gives_back_after_half_a_minute_and_only_after_growth() -> None:
    process = Process()
    assert process.look(29, 300) == 0
    assert process.look(31, 300) == 1
    assert process.look(59, 300) == 1
    assert process.look(62, 104) == 1
    assert process.look(93, 110) == 2


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library returns memory by itself"
)
@pytest.mark.skipif(sys.platform != "linux", reason="where malloc_trim is")
def test_memory_that_the_c_library_holds_is_returned() -> None:
    libc: Any = ctypes.CDLL(None)
    libc.malloc.restype = libc.calloc.restype = ctypes.c_void_p
    blocks = [libc.calloc(1, 64_000) for _ in range(1_600)]  # each too small to be returned by itself
    for block in blocks[:-1]:
        ctypes.memset(block, 1, 64_000)
    before = resident()
    for block in blocks[:-1]:  # the last one keeps the end of the heap
        libc.free(ctypes.c_void_p(block))
    trim()
    assert before - resident() > 50 * MB
    libc.free(ctypes.c_void_p(blocks[-1]))
