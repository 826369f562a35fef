"""The thread that captures: takes frames and events from the feed's thread, which never waits for a disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ltp import metrics
from ltp.core.backoff import CloseReason
from ltp.core.counted import counted
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    LOST,
    SUBSCRIBED,
    UNSUBSCRIBED,
    Record,
    event,
    joined,
    of_keys,
)
from ltp.feed.capture.writer import CaptureWriter
from ltp.feed.frames import MessageBlock

MOST_WAITING: Final = 32 << 20  # bytes: ten seconds of 20,000 full packets a second
WRITE_EVERY_S: Final = 1.0  # a process that is killed loses so much
STOP_S: Final = 1.0

log = logging.getLogger(__name__)


class Recorder(threading.Thread):
    """`connected`, `subscribed`, `received` and `ended` are called by one thread and return at once.

    Frames that find no room are counted as `capture_reads_lost` and left out whole. Once a file cannot be
    written, nothing more is captured until the process starts again.
    """

    def __init__(self, folder: Path, *, source: str, mode: str, most_waiting: int = MOST_WAITING) -> None:
        """`most_waiting`: bytes of frames that may wait for the disk."""
        super().__init__(name="capture", daemon=True)
        self._folder, self._most_waiting = folder, most_waiting
        self._writer = CaptureWriter(folder, source=source, mode=mode)
        self._waiting: deque[Record] = deque()
        # Bytes, in two counters, because each is changed by one thread alone.
        self._put_bytes = self._taken_bytes = 0
        self._lost = 0  # reads since the last record
        self._lost_logged = self._failed = False
        self._stopping = threading.Event()

    def connected(self, since_us: int, instruments: int) -> None:
        """A connection is there; the first one starts the thread. `since_us`: microseconds since the epoch;
        `instruments`: how many are to be subscribed.
        """
        if self.ident is None:
            self.start()
        self._put(event(CONNECTED, since_us, since=since_us, instruments=instruments))

    def subscribed(self, at_us: int, more: Iterable[str], less: Iterable[str]) -> None:
        """`more` are about to be subscribed, `less` were given up."""
        for kind, keys in ((UNSUBSCRIBED, less), (SUBSCRIBED, more)):
            record = of_keys(kind, at_us, keys)
            if record.payload:
                self._put(record)

    def received(self, at_us: int, messages: Iterable[bytes | MessageBlock]) -> None:
        """The socket was read at `at_us`, the time that the ticks of these messages have."""
        if self._failed:
            return
        frames = joined(messages)
        if self._put_bytes - self._taken_bytes + len(frames) > self._most_waiting:
            self._lost += 1
            metrics.count("capture_reads_lost")
        else:
            self._put(Record(FRAMES, at_us, frames))

    def ended(self, at_us: int, reason: CloseReason) -> None:
        self._put(event(ENDED, at_us, kind=reason.kind, code=reason.code, sentence=reason.sentence))

    def run(self) -> None:
        log.info("The broker's frames are captured into %s", self._folder)
        while not self._stopping.wait(WRITE_EVERY_S):
            self.write()
        self.write()
        self._writer.close()

    def stop(self) -> None:
        """Write what waits and close the file."""
        self._stopping.set()
        if self.ident is not None:
            self.join(STOP_S)

    def write(self) -> None:
        """Write all that waits."""
        records = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not records:
            return
        if not self._failed:
            self._try_to_write(records)
        self._taken_bytes += sum(record.size for record in records)

    def _try_to_write(self, records: Sequence[Record]) -> None:
        try:
            self._writer.write(records)
        except OSError as error:
            self._failed = True
            log.error(  # noqa: TRY400 (the stack has nothing that the sentence has not)
                "Frames are no longer captured, prices go on: writing into %s failed (%s)",
                self._folder,
                error.strerror or type(error).__name__,
            )
            return
        lost = metrics.value("capture_reads_lost")
        if lost and not self._lost_logged:
            self._lost_logged = True
            log.warning(
                "The disk is too slow: %s of the feed not captured", counted(lost, "read is", "reads are")
            )

    def _put(self, record: Record) -> None:
        if self._failed:
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._put(event(LOST, record.at_us, reads=lost))
        self._put_bytes += record.size
        self._waiting.append(record)


def recorder_into(folder: Path | None, *, source: str, mode: str) -> Recorder | None:
    """Return a recorder into `folder`, None without one."""
    return None if folder is None else Recorder(folder, source=source, mode=mode)
