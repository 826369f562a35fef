"""The progress report of an import or a fetch."""

from __future__ import annotations

from collections.abc import Callable

# Takes the name of the stage, how much of it is done, and how much there is (0: unknown).
Progress = Callable[[str, int, int], None]
