"""io_uring: events to many descriptors in one call into the kernel, without a compiler.

No send is ever left pending: each carries MSG_DONTWAIT, so it is answered within the call that submits it.
Otherwise the ring counts as broken and is not used again.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import struct
import sys
import weakref
from array import array
from collections.abc import Sequence
from typing import Any, Final

ENTRIES: Final = 1_024  # sends of one call; with their answers they fit the processor's second-level cache
_SETUP, _ENTER = 425, 426  # the same on both machines below
_MACHINES: Final = ("x86_64", "aarch64")
_GETEVENTS: Final = 1
_SUBMISSIONS_AT, _RINGS_AT = 0x10000000, 0
_SEND: Final = 26
_DONTWAIT, _NOSIGNAL = 0x40, 0x4000
_SINGLE_ISSUER, _DEFER_TASKRUN, _COOP_TASKRUN = 1 << 12, 1 << 13, 1 << 8
# Setup flags, those of the newest kernel first; all but the last save the kernel work.
_SETUP_FLAGS: Final = (_SINGLE_ISSUER | _DEFER_TASKRUN, _COOP_TASKRUN, 0)
# Features that the code below relies on. The last came with Linux 5.12, later than IORING_OP_SEND and than
# the immediate answer to a send with MSG_DONTWAIT.
_SINGLE_MMAP, _NODROP, _SUBMIT_STABLE, _NATIVE_WORKERS = 1 << 0, 1 << 1, 1 << 2, 1 << 9
_PARAMS: Final = struct.Struct("=2I I 2I I 4I 7I 3I 7I 3I")  # struct io_uring_params
_LOST: Final = -errno.ECANCELED


class Ring:
    """Used only by the thread that makes it, after any fork.

    `broken`: why it must not be used any more, empty while it works.
    """

    def __init__(self) -> None:
        """Raise OSError, with the reason, if the kernel has no io_uring or refuses it to this process."""
        machine = platform.machine()
        if sys.platform != "linux" or machine not in _MACHINES or ctypes.sizeof(ctypes.c_void_p) != 8:
            raise OSError(errno.ENOSYS, f"not known on {sys.platform} {machine}")
        self._call: Any = ctypes.CDLL(None, use_errno=True).syscall
        self._call.argtypes, self._call.restype = [ctypes.c_long] * 7, ctypes.c_long
        self._fd, params = self._set_up()
        weakref.finalize(self, os.close, self._fd)
        self._map(params)
        self._tail = self._sent_tail[0]
        self.broken = ""

    def send(self, fds: array[int], addresses: array[int], sizes: array[int]) -> list[tuple[int, int]]:
        """Send `sizes[i]` bytes at `addresses[i]` to `fds[i]`; no descriptor may occur twice.

        Returns:
            For each short send its index, and how many bytes were taken, or minus the error number.
        """
        short: list[tuple[int, int]] = []
        for at, first, n in self._stretches(len(fds)):
            self._fds[first : first + n] = fds[at : at + n]
            self._addresses[first : first + n] = addresses[at : at + n]
            self._sizes[first : first + n] = sizes[at : at + n]
            short += self._submit(at, n, sizes)
            if self.broken:
                short += [(index, _LOST) for index in range(at + n, len(fds))]
                break
        return short

    def _stretches(self, total: int) -> Sequence[tuple[int, int, int]]:
        """Divide `total` sends where the entries of the ring start again at zero."""
        stretches, at, tail = [], 0, self._tail
        while at < total:
            first = tail % ENTRIES
            n = min(total - at, ENTRIES - first)
            stretches.append((at, first, n))
            at, tail = at + n, tail + n
        return stretches

    def _submit(self, at: int, n: int, sizes: array[int]) -> list[tuple[int, int]]:
        """Submit the next `n` sends and read their answers.

        The kernel takes the one and writes the other in this thread, so no memory barrier is needed.
        """
        first_answer = self._tail % (2 * ENTRIES)
        self._tail = self._tail + n & 0xFFFFFFFF
        self._sent_tail[0] = self._tail
        taken = self._call(_ENTER, self._fd, n, 0, _GETEVENTS, 0, 0)
        answered = self._answer_tail[0] - self._answer_head[0] & 0xFFFFFFFF
        if taken != n or answered != n:
            counts = f"{taken} of {n} sends taken, {answered} answered"
            self.broken = os.strerror(ctypes.get_errno()) if taken < 0 else counts
        self._answer_head[0] = self._answer_tail[0]
        results = self._results[first_answer : first_answer + answered]
        wanted = sizes[at : at + n]
        # No send takes more than its size: if all numbers are equal, every send is whole, in whichever order
        # the answers come.
        if not self.broken and results.tobytes() == wanted.tobytes():
            return []
        names = (name & 0xFFFFFFFF for name in self._names[first_answer : first_answer + answered])
        result_of = dict(zip(names, results, strict=True))
        first = (self._tail - n) % ENTRIES
        found = ((index, result_of.get(first + index, _LOST)) for index in range(n))
        return [(at + index, result) for index, result in found if result != wanted[index]]

    def _set_up(self) -> tuple[int, tuple[int, ...]]:
        for flags in _SETUP_FLAGS:
            params = ctypes.create_string_buffer(_PARAMS.pack(0, 0, flags, *[0] * 27), _PARAMS.size)
            fd = self._call(_SETUP, ENTRIES, ctypes.addressof(params), 0, 0, 0, 0)
            number = ctypes.get_errno()
            if fd >= 0 or number != errno.EINVAL:  # which means that this kernel does not know the flags yet
                break
        if fd < 0:
            raise OSError(number, os.strerror(number))
        found = _PARAMS.unpack(params.raw)
        needed = _SINGLE_MMAP | _NODROP | _SUBMIT_STABLE | _NATIVE_WORKERS
        if found[5] & needed != needed or found[:2] != (ENTRIES, 2 * ENTRIES):
            os.close(fd)
            raise OSError(errno.ENOSYS, "the kernel is older than 5.12")
        return fd, found

    def _map(self, params: tuple[int, ...]) -> None:
        """Lay strided views over the kernel's memory: one copy in C then fills a field of many entries."""
        _, sent_tail, _, _, _, _, order = params[10:17]
        answer_head, answer_tail, _, _, _, answers_at, _ = params[20:27]
        answers_size = 16 * 2 * ENTRIES
        size = max(order + 4 * ENTRIES, answers_at + answers_size)
        rings = memoryview(mmap.mmap(self._fd, size, mmap.MAP_SHARED, offset=_RINGS_AT))
        entries = memoryview(mmap.mmap(self._fd, 64 * ENTRIES, mmap.MAP_SHARED, offset=_SUBMISSIONS_AT))
        self._sent_tail, self._answer_head, self._answer_tail = (
            rings[start : start + 4].cast("I") for start in (sent_tail, answer_head, answer_tail)
        )
        rings[order : order + 4 * ENTRIES].cast("I")[:] = array("I", range(ENTRIES))
        answers = rings[answers_at : answers_at + answers_size]
        self._names, self._results = answers.cast("Q")[::2], answers.cast("i")[2::4]
        self._fds = entries.cast("i")[1::16]
        self._addresses = entries.cast("Q")[2::8]
        self._sizes = entries.cast("i")[6::16]
        # Fields that are the same in every use of an entry: operation, flags, and its number in the ring.
        entries[::64] = bytes([_SEND]) * ENTRIES
        entries.cast("i")[7::16] = array("i", [_DONTWAIT | _NOSIGNAL]) * ENTRIES
        entries.cast("Q")[4::8] = array("Q", range(ENTRIES))
