"""What the jobs of a command share: one at a time, which makes way for other work where it has to."""

from __future__ import annotations

from collections.abc import Callable

from ltp.worker.subprocess_job import SubprocessJob


class CommandJob:
    """A background job: called about once a second, it never waits.

    A subclass says by `_start_if_due` when its command starts, and by `_note_end` what an end means.

    Args:
        active: returns whether this worker leads.
        waits: returns whether other work calls the broker's charts: a command ends then, because the account
            may make five calls a second in all, and begins again later.
    """

    def __init__(
        self, command: SubprocessJob, active: Callable[[], bool], waits: Callable[[], bool] = lambda: False
    ) -> None:
        self._command, self._active, self._waits = command, active, waits

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None:
            self._note_end(*ended)
        if self._waits():
            if self._command.running:
                self._command.stop()
                self._note_way_made()
        elif not self._command.running and self._active():
            self._start_if_due()

    @property
    def running(self) -> bool:
        return self._command.running

    def stop(self) -> None:
        """End a command that runs; what it has stored by then is right."""
        self._command.stop()

    def _start_if_due(self) -> None:
        raise NotImplementedError

    def _note_end(self, status: int, last_line: str) -> None:
        """Take the exit status and the last line of a command that ended by itself."""
        raise NotImplementedError

    def _note_way_made(self) -> None:
        """Take that a command was ended for other work."""
