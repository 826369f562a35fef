"""A stand-in for SubprocessJob: notes the commands that were started, and ends when the test sets `end`."""

from __future__ import annotations


class FakeCommand:
    def __init__(self) -> None:
        self.started: list[list[str]] = []
        self.running = self.stopped = self.refuses = False
        self.prolonged = 0
        self.end: tuple[int, str] | None = None

    def start(self, arguments: list[str]) -> None:
        if self.refuses:
            raise OSError(12, "Cannot allocate memory")
        self.started.append(arguments)
        self.running = True

    def ended(self) -> tuple[int, str] | None:
        end, self.end = self.end, None
        self.running = self.running and end is None
        return end

    def prolong(self) -> None:
        self.prolonged += 1

    def stop(self) -> None:
        self.stopped, self.running = True, False
