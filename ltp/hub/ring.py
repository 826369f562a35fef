"""io_uring: events to many descriptors in one call into the kernel, without a compiler.

Below the last step of the path. Knows the kernel's rings and nothing of browsers. Nothing is ever left under
way: each send is told not to wait, so it is answered within the call that hands it in, or the ring is broken
and not used again.
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

ENTRIES: Final = 1_024  # sends of one call; with their answers they fit the processor's second cache
_SETUP, _ENTER = 425, 426  # the same on every machine below
_MACHINES: Final = ("x86_64", "aarch64")
_GETEVENTS: Final = 1
_SUBMISSIONS_AT, _RINGS_AT = 0x10000000, 0
_SEND: Final = 26
_DONTWAIT, _NOSIGNAL = 0x40, 0x4000
_SINGLE_ISSUER, _DEFER_TASKRUN, _COOP_TASKRUN = 1 << 12, 1 << 13, 1 << 8
_KINDS: Final = (
    _SINGLE_ISSUER | _DEFER_TASKRUN,
    _COOP_TASKRUN,
    0,
)  # newest kernel first; all but the last save it work
# What the code below relies on; the last came with Linux 5.12, after sends and after what a send that must
# not wait does.
_SINGLE_MMAP, _NODROP, _SUBMIT_STABLE, _NATIVE_WORKERS = 1 << 0, 1 << 1, 1 << 2, 1 << 9
_PARAMS: Final = struct.Struct("=2I I 2I I 4I 7I 3I 7I 3I")  # struct io_uring_params
_LOST: Final = -errno.ECANCELED


class Ring:
    """Belongs to the thread that makes it, after any fork.

    `broken`: why it must not be used any more, empty while it works.
    """

    def __init__(self) -> None:
        """Raises OSError, with the reason, where the kernel has no io_uring or does not let this process use
        it.
        """
        if (
            sys.platform != "linux"
            or platform.machine() not in _MACHINES
            or ctypes.sizeof(ctypes.c_void_p) != 8
        ):
            raise OSError(errno.ENOSYS, f"not known on {sys.platform} {platform.machine()}")
        self._call: Any = ctypes.CDLL(None, use_errno=True).syscall
        self._call.argtypes, self._call.restype = [ctypes.c_long] * 7, ctypes.c_long
        self._fd, params = self._set_up()
        weakref.finalize(self, os.close, self._fd)
        self._map(params)
        self._tail = 0
        self.broken = ""

    def send(self, fds: array[int], addresses: array[int], sizes: array[int]) -> list[tuple[int, int]]:
        """Send `sizes[i]` bytes at `addresses[i]` to `fds[i]`, which is there once.

        Returns:
            For those that did not take all of it the index and how much was taken, or minus the error number.
        """
        partly: list[tuple[int, int]] = []
        for at, first, n in self._stretches(len(fds)):
            self._fds[first : first + n] = fds[at : at + n]
            self._addresses[first : first + n] = addresses[at : at + n]
            self._sizes[first : first + n] = sizes[at : at + n]
            partly += self._submit(at, n, sizes)
            if self.broken:
                partly += [(index, _LOST) for index in range(at + n, len(fds))]
                break
        return partly

    def _stretches(self, total: int) -> Sequence[tuple[int, int, int]]:
        """Cut `total` sends where the ring's numbers start again at zero."""
        stretches, at, tail = [], 0, self._tail
        while at < total:
            first = tail % ENTRIES
            n = min(total - at, ENTRIES - first)
            stretches.append((at, first, n))
            at, tail = at + n, tail + n
        return stretches

    def _submit(self, at: int, n: int, sizes: array[int]) -> list[tuple[int, int]]:
        """Hand in the next `n` sends and take their answers; the kernel gives both in this thread, so no
        barrier is needed.
        """
        first_answer = self._tail % (2 * ENTRIES)
        self._tail = self._tail + n & 0xFFFFFFFF
        self._sent_tail[0] = self._tail
        taken = self._call(_ENTER, self._fd, n, 0, _GETEVENTS, 0, 0)
        answered = self._answer_tail[0] - self._answer_head[0] & 0xFFFFFFFF
        if taken != n or answered != n:
            reason = (
                os.strerror(ctypes.get_errno())
                if taken < 0
                else f"{taken} of {n} sends taken, {answered} answered"
            )
            self.broken = reason
        self._answer_head[0] = self._answer_tail[0]
        results = self._results[first_answer : first_answer + answered]
        wanted = sizes[at : at + n]
        # Nothing takes more than it was given: when all numbers agree, each send is whole, in whatever order
        # they are told.
        if not self.broken and results.tobytes() == wanted.tobytes():
            return []
        of = dict(
            zip(
                (name & 0xFFFFFFFF for name in self._names[first_answer : first_answer + answered]),
                results,
                strict=True,
            )
        )
        first = (self._tail - n) % ENTRIES
        found = ((index, of.get(first + index, _LOST)) for index in range(n))
        return [(at + index, result) for index, result in found if result != wanted[index]]

    def _set_up(self) -> tuple[int, tuple[int, ...]]:
        for kind in _KINDS:
            params = ctypes.create_string_buffer(_PARAMS.pack(0, 0, kind, *[0] * 27), _PARAMS.size)
            fd = self._call(_SETUP, ENTRIES, ctypes.addressof(params), 0, 0, 0, 0)
            number = ctypes.get_errno()
            if fd >= 0 or number != errno.EINVAL:  # which means a kind it does not know yet
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
        """Lay strided views over the kernel's memory, so that each field of many entries is filled by one
        copy in C.
        """
        _, sent_tail, _, _, _, _, order = params[10:17]
        answer_head, answer_tail, _, _, _, answers, _ = params[20:27]
        size = max(order + 4 * ENTRIES, answers + 16 * 2 * ENTRIES)
        rings = memoryview(mmap.mmap(self._fd, size, mmap.MAP_SHARED, offset=_RINGS_AT))
        entries = memoryview(mmap.mmap(self._fd, 64 * ENTRIES, mmap.MAP_SHARED, offset=_SUBMISSIONS_AT))
        self._sent_tail, self._answer_head, self._answer_tail = (
            rings[start : start + 4].cast("I") for start in (sent_tail, answer_head, answer_tail)
        )
        rings[order : order + 4 * ENTRIES].cast("I")[:] = array("I", range(ENTRIES))
        told = rings[answers : answers + 16 * 2 * ENTRIES]
        self._names, self._results = told.cast("Q")[::2], told.cast("i")[2::4]
        self._fds, self._addresses, self._sizes = (
            entries.cast("i")[1::16],
            entries.cast("Q")[2::8],
            entries.cast("i")[6::16],
        )
        # What stays the same in every entry: the operation, that it does not wait, and its number in the
        # ring.
        entries[::64] = bytes([_SEND]) * ENTRIES
        entries.cast("i")[7::16] = array("i", [_DONTWAIT | _NOSIGNAL]) * ENTRIES
        entries.cast("Q")[4::8] = array("Q", range(ENTRIES))
